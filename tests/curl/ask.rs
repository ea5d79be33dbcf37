//! A request as one row asks for it, and as curl's configuration.

use std::fs;
use std::path::Path;

use waxseal::MIN_TEXT_LEN;

use crate::site::COOKIE;

/// What curl is to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    target: String,
    /// Fields as curl takes them: `Name: value`, or `Name;` for an empty one.
    fields: Vec<Vec<u8>>,
    /// Further options: `json`, `data` and the like.
    options: Vec<(&'static str, String)>,
    /// The request to the byte, for what curl would not send by itself.
    pub(crate) raw: Option<Vec<u8>>,
}

pub(crate) fn get(target: impl Into<String>) -> Ask {
    ask("GET", target)
}

pub(crate) fn post(target: impl Into<String>) -> Ask {
    ask("POST", target)
}

pub(crate) fn ask(method: &'static str, target: impl Into<String>) -> Ask {
    Ask { method, target: target.into(), fields: vec![], options: vec![], raw: None }
}

/// Who is asking, if anybody.
pub(crate) fn whoami() -> Ask {
    get("/whoami")
}

pub(crate) fn session() -> Ask {
    get("/session")
}

/// A login of ada.
pub(crate) fn login() -> Ask {
    post("/login").json(r#"{"user": "ada"}"#)
}

/// A change of the session.
pub(crate) fn cart() -> Ask {
    post("/cart").json(r#"{"sku": 1042, "count": 1}"#)
}

impl Ask {
    /// One more field.
    pub(crate) fn field(mut self, field: impl AsRef<[u8]>) -> Self {
        self.fields.push(field.as_ref().to_vec());
        self
    }

    pub(crate) fn fields<const N: usize>(self, fields: [&str; N]) -> Self {
        fields.into_iter().fold(self, |ask, field| ask.field(field))
    }

    /// The session's cookie with this value.
    pub(crate) fn cookie(self, value: impl AsRef<[u8]>) -> Self {
        self.field([format!("Cookie: {COOKIE}=").as_bytes(), value.as_ref()].concat())
    }

    pub(crate) fn bearer(self, token: impl AsRef<[u8]>) -> Self {
        self.field([b"Authorization: Bearer ", token.as_ref()].concat())
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.option("json", body)
    }

    /// The body of an HTML form.
    pub(crate) fn form(self, body: &str) -> Self {
        self.option("data", body)
    }

    pub(crate) fn option(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    /// Exactly these bytes, over HTTP/1.1. The server must close the connection, since nothing else ends it.
    pub(crate) fn raw(mut self, request: &[u8]) -> Self {
        self.raw = Some(request.to_vec());
        self
    }

    pub(crate) fn has_body(&self) -> bool {
        self.options.iter().any(|(name, _)| ["json", "data"].contains(name))
    }

    /// What it holds that is nobody else's business: whatever `Cookie` and `Authorization` hold, and tokens anywhere.
    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        let credentials = self.fields.iter().filter_map(|field| credential(field));
        let words = credentials.flat_map(|value| value.split(|byte| b" ;=,\"\t".contains(byte)));
        let elsewhere = self.options.iter().map(|(_, value)| value.as_bytes()).chain([self.target.as_bytes()]);
        let elsewhere = elsewhere.chain(self.raw.as_deref());
        let tokens =
            elsewhere.flat_map(|text| text.split(|&byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(&byte)));
        let tokens = tokens.filter(|word| word.len() >= MIN_TEXT_LEN);
        words.filter(|word| *word != COOKIE.as_bytes()).chain(tokens).map(<[u8]>::to_vec).collect()
    }

    /// This request as curl's configuration. Long fields go into files in `directory`, since curl's lines are limited.
    pub(crate) fn config(&self, authority: &str, directory: &Path) -> Vec<u8> {
        let mut config = vec![];
        let host = self.options.iter().find(|(name, _)| *name == HOST).map_or(authority, |(_, host)| host);
        line(&mut config, "url", format!("http://{host}{}", self.target));
        match self.method {
            "HEAD" => config.extend_from_slice(b"head\n"),
            method => line(&mut config, "request", method),
        }
        for field in &self.fields {
            if field.len() <= MAX_LINE {
                line(&mut config, "header", field);
            } else {
                let file = tempfile::Builder::new().prefix("field-").tempfile_in(directory).unwrap();
                let (_, path) = file.keep().unwrap();
                fs::write(&path, field).unwrap();
                line(&mut config, "header", format!("@{}", path.display()));
            }
        }
        for (name, value) in self.options.iter().filter(|(name, _)| *name != HOST) {
            line(&mut config, name, value);
        }
        config
    }
}

/// The value of a field that holds credentials.
fn credential(field: &[u8]) -> Option<&[u8]> {
    let colon = field.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&field[..colon], &field[colon + 1..]);
    (name.eq_ignore_ascii_case(b"cookie") || name.eq_ignore_ascii_case(b"authorization")).then_some(value)
}

/// An option and its value in quotes.
fn line(config: &mut Vec<u8>, name: &str, value: impl AsRef<[u8]>) {
    config.extend_from_slice(name.as_bytes());
    config.extend_from_slice(b" = \"");
    for &byte in value.as_ref() {
        match byte {
            b'"' | b'\\' => config.extend_from_slice(&[b'\\', byte]),
            _ => config.push(byte),
        }
    }
    config.extend_from_slice(b"\"\n");
}

/// An option of ours and not of curl's: the authority in the URL, for a server that is known by several names.
pub(crate) const HOST: &str = "host";

/// Longest field that is written into the configuration, in bytes.
const MAX_LINE: usize = 8_000;
