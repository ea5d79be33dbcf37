//! A response's fields: the cookie set or deleted, and what caches must be told.

use core::fmt::Write as _;
use std::borrow::Cow;

use crate::id::CookieName;

/// The response field that hands out a token, and with [`DROP_TOKEN`] takes it back.
pub const SESSION_TOKEN: &str = "session-token";

/// The request field by which a client says `header`: it can hold a token.
pub const SESSION_TRANSPORT: &str = "session-transport";

/// The value of [`SESSION_TOKEN`] that tells a client to forget its token: the Boolean false of RFC 9651.
pub const DROP_TOKEN: &str = "?0";

/// What a response may depend on that only read the session.
pub const VARY_READ: &str = "Cookie, Authorization";

/// What a response depends on that was made for the signals of the request.
pub const VARY_SIGNALS: &str = "DNT, Sec-GPC";

/// What a response may depend on that hands out or deletes a token. Without the first two, unless the policy is
/// [`RespectSignals`](super::CookiePolicy::RespectSignals).
pub const VARY_WRITE: &str = "DNT, Sec-GPC, Cookie, Authorization";

/// To which requests of other sites a browser attaches the cookie. RFC 6265bis, section 5.6.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// To page loads with a safe method only: links from elsewhere find the user logged in.
    #[default]
    Lax,
    /// To all of them. The check against forgery is then the only defence.
    None,
    /// To none, links and returns from a login provider included.
    Strict,
}

/// The cookie that holds tokens: its name and attributes.
///
/// Always `Path=/` and `HttpOnly`, never with a `Domain`, as the prefixes `__Host-` and `__Host-Http-` ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name, prefix included.
    pub name: CookieName,
    /// Its `SameSite`, which is always written: browsers make exceptions where it is not.
    pub same_site: SameSite,
    /// Whether it may travel over HTTPS only.
    pub secure: bool,
}

impl Cookie {
    /// A `Set-Cookie` field with this token, kept for `max_age` seconds, or else until the browser is closed.
    pub fn set(&self, token: &str, max_age: Option<u64>) -> String {
        let mut field = String::with_capacity(self.name.as_str().len() + token.len() + ATTRIBUTES_LEN);
        self.begin(&mut field, token);
        if let Some(seconds) = max_age {
            // Browsers cap it at 400 days themselves: RFC 6265bis, section 5.5.
            let _ = write!(field, "; Max-Age={}", seconds.min(MAX_AGE));
        }
        field
    }

    /// A `Set-Cookie` field that deletes the cookie; with the same attributes, or browsers refuse it for `__Host-` names.
    pub fn delete(&self) -> String {
        let mut field = String::with_capacity(self.name.as_str().len() + ATTRIBUTES_LEN);
        self.begin(&mut field, "");
        field.push_str("; Max-Age=0");
        field
    }

    fn begin(&self, field: &mut String, value: &str) {
        let same_site = match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::None => "None",
            SameSite::Strict => "Strict",
        };
        let secure = if self.secure { "; Secure" } else { "" };
        let parts = [self.name.as_str(), "=", value, "; Path=/", secure, "; HttpOnly; SameSite=", same_site];
        parts.iter().for_each(|part| field.push_str(part));
    }

    /// Whether a `Set-Cookie` field is about this cookie.
    pub fn is_set_by(&self, field: &[u8]) -> bool {
        let name = field.split(|&byte| matches!(byte, b'=' | b';')).next().unwrap_or(field);
        name.trim_ascii() == self.name.as_str().as_bytes()
    }
}

/// The names of `wanted` that no `Vary` field has yet, as the value of one more; `None` if none is missing.
///
/// Most responses have no such field yet, and for these nothing is put together.
pub fn vary<'a>(present: impl IntoIterator<Item = &'a [u8]>, wanted: &'static str) -> Option<Cow<'static, str>> {
    let mut present = present.into_iter().peekable();
    if present.peek().is_none() {
        return Some(Cow::Borrowed(wanted));
    }
    let mut missing: Vec<&str> = wanted.split(", ").collect();
    for name in present.flat_map(|field| field.split(|&byte| byte == b',')) {
        let name = name.trim_ascii();
        if name == b"*" {
            return None;
        }
        missing.retain(|wanted| !wanted.as_bytes().eq_ignore_ascii_case(name));
    }
    (!missing.is_empty()).then(|| Cow::Owned(missing.join(", ")))
}

/// Whether a `Cache-Control` field says `directive`, whatever else it says.
pub fn says(field: &[u8], directive: &str) -> bool {
    let mut directives = field.split(|&byte| byte == b',');
    directives.any(|one| {
        let name = one.split(|&byte| byte == b'=').next().unwrap_or(one);
        name.trim_ascii().eq_ignore_ascii_case(directive.as_bytes())
    })
}

/// Whether a field, its name in lower case, is for some caches alone, which then look at no `Cache-Control`: those of
/// RFC 9213 by their ending, and what came before it.
pub fn is_for_some_caches(name: &str) -> bool {
    name.ends_with("-cache-control") || matches!(name, "edge-control" | "surrogate-control" | "x-accel-expires")
}

/// The `WWW-Authenticate` field that answers a request without a token. RFC 6750, section 3.
pub const CHALLENGE: &str = "Bearer realm=\"session\"";

/// The one that answers a token that is refused, whatever the reason.
pub const CHALLENGE_INVALID_TOKEN: &str = "Bearer realm=\"session\", error=\"invalid_token\"";

/// The one that answers a request from which no token can be told.
pub const CHALLENGE_INVALID_REQUEST: &str = "Bearer realm=\"session\", error=\"invalid_request\"";

/// Room for the attributes of a cookie, in characters.
const ATTRIBUTES_LEN: usize = 80;

/// Longest life of a cookie, 400 days in seconds.
const MAX_AGE: u64 = 400 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        Cookie { name: "__Host-Http-id".parse().unwrap(), same_site: SameSite::Lax, secure: true }
    }

    #[test]
    fn a_cookie_is_set_and_deleted_with_the_same_attributes() {
        let lax = "Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(cookie().set("EQab", None), format!("__Host-Http-id=EQab; {lax}"));
        assert_eq!(cookie().set("EQab", Some(900)), format!("__Host-Http-id=EQab; {lax}; Max-Age=900"));
        assert_eq!(cookie().set("EQab", Some(u64::MAX)), format!("__Host-Http-id=EQab; {lax}; Max-Age=34560000"));
        assert_eq!(cookie().delete(), format!("__Host-Http-id=; {lax}; Max-Age=0"));
        let plain = Cookie { secure: false, same_site: SameSite::Strict, name: "id".parse().unwrap() };
        assert_eq!(plain.set("EQab", None), "id=EQab; Path=/; HttpOnly; SameSite=Strict");
        let none = Cookie { same_site: SameSite::None, ..cookie() };
        assert!(none.delete().contains("; SameSite=None;"));
    }

    #[test]
    fn only_fields_of_this_cookie_are_its_own() {
        for field in ["__Host-Http-id=x; Path=/", " __Host-Http-id =x", "__Host-Http-id", "__Host-Http-id;"] {
            assert!(cookie().is_set_by(field.as_bytes()), "{field}");
        }
        for field in ["__host-http-id=x", "id=__Host-Http-id", "x=1; __Host-Http-id=2", "__Host-Http-id2=x", ""] {
            assert!(!cookie().is_set_by(field.as_bytes()), "{field}");
        }
    }

    #[test]
    fn vary_gains_only_what_it_lacks() {
        let vary = |present: &[&'static str]| vary(present.iter().map(|field| field.as_bytes()), VARY_WRITE);
        assert_eq!(vary(&[]).unwrap(), "DNT, Sec-GPC, Cookie, Authorization");
        assert_eq!(vary(&["accept-encoding, cookie"]).unwrap(), "DNT, Sec-GPC, Authorization");
        assert_eq!(vary(&["dnt", "SEC-GPC,authorization"]).unwrap(), "Cookie");
        assert_eq!(vary(&["DNT, Sec-GPC, Cookie, Authorization"]), None);
        assert_eq!(vary(&["*"]), None);
        assert_eq!(vary(&["accept", " * "]), None);
    }

    #[test]
    fn a_field_for_some_caches_shows_by_its_name() {
        for name in ["cdn-cache-control", "fastly-cache-control", "surrogate-control", "x-accel-expires"] {
            assert!(is_for_some_caches(name), "{name}");
        }
        for name in ["cache-control", "expires", "surrogate-key", "age", "x-cache"] {
            assert!(!is_for_some_caches(name), "{name}");
        }
    }

    #[test]
    fn directives_are_found_in_any_case_and_place() {
        assert!(says(b"no-store", "no-store"));
        assert!(says(b"private,No-Store ", "no-store"));
        assert!(says(b"max-age=60, public", "max-age"));
        assert!(!says(b"x-no-store, max-age=60", "no-store"));
        assert!(!says(b"", "no-store"));
    }
}
