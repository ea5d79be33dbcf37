//! A response's head, read as a browser and as a script read it.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE, VARY, WWW_AUTHENTICATE};

/// What a response says of the session to the client and to caches on the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sight {
    pub(crate) cookie: Written,
    pub(crate) token: Written,
    pub(crate) cache_control: Option<String>,
    pub(crate) vary: Option<String>,
    pub(crate) challenge: Option<String>,
}

/// What became of the token that a carrier holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    /// The client keeps what it has.
    Nothing,
    /// The client is to forget it.
    Forgotten,
    /// This is the new one.
    Token(String),
}

impl Written {
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Forgotten | Self::Nothing => None,
        }
    }
}

/// Reads a head. `attributes` is all that follows the value in a cookie that is set, `; Max-Age` apart.
pub(crate) fn sight(headers: &HeaderMap, name: &str, attributes: &str) -> Sight {
    let one = |name: &str| {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    Sight {
        cookie: cookie(headers, name, attributes),
        token: token(headers),
        cache_control: one(CACHE_CONTROL.as_str()),
        vary: one(VARY.as_str()),
        challenge: one(WWW_AUTHENTICATE.as_str()),
    }
}

fn cookie(headers: &HeaderMap, name: &str, attributes: &str) -> Written {
    let start = format!("{name}=");
    let ours = |value: &&HeaderValue| value.as_bytes().starts_with(start.as_bytes());
    let fields: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(ours).collect();
    let [field] = fields[..] else {
        assert!(fields.is_empty(), "{name} is set {} times", fields.len());
        return Written::Nothing;
    };
    assert!(field.is_sensitive(), "{name} is kept in the tables of HPACK");
    let text = &field.to_str().unwrap()[start.len()..];
    let (value, rest) = text.split_once("; ").unwrap();
    match rest.strip_prefix(attributes) {
        Some("; Max-Age=0") if value.is_empty() => Written::Forgotten,
        Some(life) if !value.is_empty() && (life.is_empty() || life.starts_with("; Max-Age=")) => {
            Written::Token(value.into())
        }
        _ => panic!("what a browser makes of `{rest}` is not known"),
    }
}

fn token(headers: &HeaderMap) -> Written {
    let fields: Vec<_> = headers.get_all("session-token").iter().collect();
    match fields[..] {
        [] => Written::Nothing,
        [field] if field.as_bytes() == b"?0" => Written::Forgotten,
        [field] => {
            assert!(field.is_sensitive(), "the token is kept in the tables of HPACK");
            Written::Token(field.to_str().unwrap().into())
        }
        _ => panic!("{} tokens at once", fields.len()),
    }
}

/// What follows the value of the layer's own cookie.
pub(crate) const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
