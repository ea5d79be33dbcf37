//! Which token counts when a request holds several, or holds what is not quite one.
//!
//! 1. An explicit token beats an ambient one: a site cannot make a browser attach `Authorization`, but
//!    it can make it attach a cookie, and a sibling can even plant one.
//! 2. There is no second try. A token of ours in `Authorization` that does not open is refused, even if a
//!    good cookie stands beside it; else its mere presence would switch the check against forgery off.
//! 3. What is not ours in `Authorization` is ignored, and the cookie counts, with that check.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::bearer::Authorization;
use super::cookie::Found;
use super::delivery::{Arrived, CookiePolicy, Situation};
use super::request::{RequestHead, Site};

/// What an application decided about carriers, once for all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether cookies are used.
    pub policy: CookiePolicy,
    /// What an `Authorization` field is that is not ours.
    pub foreign: Foreign,
    /// Cookies travel over plain HTTP, and so only to and from this machine.
    pub plain_http: bool,
}

/// What to do about an `Authorization` field with another scheme, or with a bearer token that is not ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// It is somebody else's business; the cookie counts.
    #[default]
    Ignore,
    /// The request is refused.
    Reject,
}

/// The one token of a request that counts. Its `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// The cookie's value.
    Cookie(&'a [u8]),
    /// An `Authorization` field that is not ours, under [`Foreign::Reject`]: 401.
    Foreign,
    /// The bearer token.
    Header(&'a [u8]),
    /// No token can be told from the request: 400.
    Malformed(Malformed),
    /// None.
    Nothing,
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(_) => f.write_str("Cookie(..)"),
            Self::Foreign => f.write_str("Foreign"),
            Self::Header(_) => f.write_str("Header(..)"),
            Self::Malformed(how) => f.debug_tuple("Malformed").field(how).finish(),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// Why no token can be told from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// `Authorization: Bearer` and not one token behind it.
    Bearer,
    /// Several `Authorization` fields.
    Several,
}

impl Rules {
    /// Picks the token that counts.
    pub fn take<'a>(&self, head: &RequestHead<'a>) -> Presented<'a> {
        match head.authorization {
            Authorization::Token(token) => Presented::Header(token),
            Authorization::Malformed => Presented::Malformed(Malformed::Bearer),
            Authorization::Several => Presented::Malformed(Malformed::Several),
            Authorization::Foreign if self.foreign == Foreign::Reject => Presented::Foreign,
            Authorization::Absent | Authorization::Foreign => match head.cookie {
                Found::Value(value) if self.reads_cookies(head) => Presented::Cookie(value),
                _ => Presented::Nothing,
            },
        }
    }

    /// What decides where a token goes, for a session that came as `arrived` says.
    pub fn situation(&self, head: &RequestHead<'_>, arrived: Arrived) -> Situation {
        Situation {
            policy: self.policy,
            signals: head.signals,
            navigation: head.navigation,
            browser: head.browser,
            holds_tokens: head.holds_tokens,
            same_origin: head.site == Site::SameOrigin,
            has_cookie: head.has_cookie() && self.carries_cookies(head),
            takes_cookies: self.carries_cookies(head),
            allowed: false,
            arrived,
        }
    }

    /// Whether a cookie of ours in this request is one to judge, and to delete if it is worth nothing.
    pub fn reads_cookies(&self, head: &RequestHead<'_>) -> bool {
        self.policy != CookiePolicy::Never && self.carries_cookies(head)
    }

    fn carries_cookies(&self, head: &RequestHead<'_>) -> bool {
        !self.plain_http || head.host.is_some_and(is_loopback)
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &[u8]) -> bool {
    let Ok(host) = core::str::from_utf8(host) else { return false };
    // An IPv6 address has colons of its own, between brackets.
    let (name, port) = match host.rsplit_once(':') {
        Some(parts) if !host.ends_with(']') => parts,
        _ => (host, ""),
    };
    let is_this_machine = match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback())),
        None => {
            name == "localhost"
                || name.ends_with(".localhost")
                || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        }
    };
    is_this_machine && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Authorization` holds, what the cookie holds, and what counts.
    #[test]
    fn explicit_beats_ambient_and_there_is_no_second_try() {
        use Authorization as A;
        let cookie = Found::Value(b"EQcookie");
        for (authorization, found, expected) in [
            (A::Absent, Found::Absent, Presented::Nothing),
            (A::Absent, cookie, Presented::Cookie(b"EQcookie")),
            (A::Absent, Found::Conflict, Presented::Nothing),
            (A::Absent, Found::TooMuch, Presented::Nothing),
            (A::Token(b"EQx"), Found::Absent, Presented::Header(b"EQx")),
            (A::Token(b"EQx"), cookie, Presented::Header(b"EQx")),
            (A::Token(b"EQx"), Found::Conflict, Presented::Header(b"EQx")),
            (A::Malformed, cookie, Presented::Malformed(Malformed::Bearer)),
            (A::Several, cookie, Presented::Malformed(Malformed::Several)),
            (A::Foreign, cookie, Presented::Cookie(b"EQcookie")),
            (A::Foreign, Found::Absent, Presented::Nothing),
        ] {
            let head = RequestHead { authorization, cookie: found, ..RequestHead::default() };
            assert_eq!(Rules::default().take(&head), expected, "{authorization:?} {found:?}");
            let never = Rules { policy: CookiePolicy::Never, ..Rules::default() };
            let without = if matches!(expected, Presented::Cookie(_)) { Presented::Nothing } else { expected };
            assert_eq!(never.take(&head), without, "{authorization:?} {found:?}");
            let reject = Rules { foreign: Foreign::Reject, ..Rules::default() };
            let rejected = if authorization == A::Foreign { Presented::Foreign } else { expected };
            assert_eq!(reject.take(&head), rejected, "{authorization:?} {found:?}");
        }
    }

    #[test]
    fn over_plain_http_only_this_machine_has_a_cookie() {
        let rules = Rules { plain_http: true, ..Rules::default() };
        let take = |host: Option<&'static str>| {
            let host = host.map(str::as_bytes);
            let head = RequestHead { host, cookie: Found::Value(b"EQx"), ..RequestHead::default() };
            rules.take(&head) == Presented::Cookie(b"EQx")
        };
        for host in
            ["localhost", "localhost:3000", "127.0.0.1:3000", "127.8.8.8", "[::1]", "[::1]:3000", "a.localhost:1"]
        {
            assert!(take(Some(host)), "{host}");
        }
        for host in [
            "shop.example",
            "localhost.example",
            "127.0.0.1.example",
            "10.0.0.1:3000",
            "[::2]:1",
            "",
            "0.0.0.0",
            "localhost:1.example",
            "[::1]x",
            "[::1",
            "::1]",
        ] {
            assert!(!take(Some(host)), "{host}");
        }
        assert!(!take(None));
    }
}
