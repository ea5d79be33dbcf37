//! Cross-site request forgery: whether a request may act on what the browser sent along by itself.
//!
//! The rule of Go 1.25's `CrossOriginProtection` and of tower-http's `csrf`, without tokens or state:
//!
//! 1. `GET`, `HEAD` and `OPTIONS` pass. They must not change anything; no check can help a site where they do. The
//!    handshake of a WebSocket does not: it is a `GET`, and what comes over the socket may change anything.
//! 2. An `Origin` that the application trusts passes.
//! 3. `Sec-Fetch-Site` of `same-origin` or `none` passes, any other value fails.
//! 4. Without `Sec-Fetch-Site`, the host of `Origin` must be the host that the request was sent to. Without
//!    either field no browser sent it, or one of long ago, and it passes.
//!
//! `same-site` fails: a sibling under the same domain is somebody else here. A proxy must hand on `Host`
//! and `Origin` unchanged, or rule 4 fails for what it should pass.

use core::fmt;
use std::collections::BTreeSet;

use super::request::{RequestHead, Site};

/// Judges whether a request may act on an ambient credential, or log in.
///
/// # Errors
/// It comes from elsewhere, or may.
pub fn check(head: &RequestHead<'_>, trusted: &TrustedOrigins) -> Result<(), CrossSite> {
    // Not every method that is safe in RFC 9110: TRACE is not among those that pass.
    let is_safe = matches!(head.method, "GET" | "HEAD" | "OPTIONS") && !head.socket;
    if is_safe || head.origin.is_some_and(|origin| trusted.contains(origin)) {
        return Ok(());
    }
    match (head.site, head.origin) {
        (Site::SameOrigin | Site::None, _) | (Site::Absent, None) => Ok(()),
        (Site::Other, _) => Err(CrossSite::Site),
        (Site::Absent, Some(origin)) => match (authority(origin), head.host) {
            // Nothing is not the same as nothing.
            (Some(origin), Some(host)) if origin == host && !origin.is_empty() => Ok(()),
            _ => Err(CrossSite::Origin),
        },
    }
}

/// Judges whether a request may log its user in: as [`check`], and of the methods that pass there, only what loads a page may come
/// from another site. So the return from a login provider passes, and an image of somebody's page does not.
///
/// # Errors
/// It comes from elsewhere, or may.
pub fn check_login(head: &RequestHead<'_>, trusted: &TrustedOrigins) -> Result<(), CrossSite> {
    check(head, trusted)?;
    let is_trusted = head.origin.is_some_and(|origin| trusted.contains(origin));
    if head.site == Site::Other && !head.navigation && !is_trusted { Err(CrossSite::Site) } else { Ok(()) }
}

/// The host and port in an origin of http or https.
fn authority(origin: &[u8]) -> Option<&[u8]> {
    let rest = SCHEMES.iter().find_map(|scheme| origin.strip_prefix(scheme.as_bytes()))?;
    rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()
}

/// Origins that may act on their users' cookies here, such as that of a front end on another host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedOrigins(BTreeSet<String>);

impl TrustedOrigins {
    /// Trusts `origin`, as browsers spell it: `https://app.example.com`, with a port only if it is not
    /// the scheme's own, in lower case, with nothing behind.
    ///
    /// # Errors
    /// No browser would ever send that.
    pub fn add(&mut self, origin: &str) -> Result<(), OriginError> {
        let host = authority(origin.as_bytes()).filter(|host| host.iter().all(|&byte| is_host(byte)));
        let scheme = SCHEMES.iter().find(|scheme| origin.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
        let named = |host: &[u8]| !host.is_empty() && !host.starts_with(b":") && !host.ends_with(b":");
        let whole = host.is_some_and(|host| named(host) && scheme + host.len() == origin.len());
        let own_port = origin.starts_with("https:") && origin.ends_with(":443")
            || origin.starts_with("http:") && origin.ends_with(":80");
        if !whole || own_port {
            return Err(OriginError(origin.chars().take(MAX_SHOWN).flat_map(char::escape_default).collect()));
        }
        self.0.insert(origin.to_owned());
        Ok(())
    }

    fn contains(&self, origin: &[u8]) -> bool {
        core::str::from_utf8(origin).is_ok_and(|origin| self.0.contains(origin))
    }
}

/// Characters of a host and port as browsers spell them, an IPv6 address included.
fn is_host(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

/// A request that may come from another site. The client is told no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossSite {
    /// There is no `Sec-Fetch-Site`, and `Origin` is not the host that the request was sent to.
    Origin,
    /// `Sec-Fetch-Site` says so.
    Site,
}

impl fmt::Display for CrossSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin => "Origin is not the host that the request was sent to",
            Self::Site => "Sec-Fetch-Site says that the request comes from another site",
        })
    }
}

impl std::error::Error for CrossSite {}

/// A text that is no origin as browsers spell them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no origin as browsers send them; write https://HOST or https://HOST:PORT in lower case, without \
             the scheme's own port and without a path",
            self.0
        )
    }
}

impl std::error::Error for OriginError {}

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Characters of a wrong origin that are shown.
const MAX_SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(method: &'a str, site: Site, origin: Option<&'a str>, host: Option<&'a str>) -> RequestHead<'a> {
        let (origin, host) = (origin.map(str::as_bytes), host.map(str::as_bytes));
        RequestHead { method, site, origin, host, ..RequestHead::default() }
    }

    #[test]
    fn each_rule_decides_what_it_should() {
        let mut trusted = TrustedOrigins::default();
        trusted.add("https://app.example").unwrap();
        let (shop, evil) = (Some("https://shop.example"), Some("https://evil.example"));
        let host = Some("shop.example");
        for (method, site, origin, expected) in [
            ("GET", Site::Other, evil, Ok(())),
            ("HEAD", Site::Other, evil, Ok(())),
            ("OPTIONS", Site::Other, evil, Ok(())),
            ("POST", Site::SameOrigin, shop, Ok(())),
            ("POST", Site::None, None, Ok(())),
            ("POST", Site::SameOrigin, evil, Ok(())),
            ("POST", Site::Other, shop, Err(CrossSite::Site)),
            ("POST", Site::Other, Some("https://app.example"), Ok(())),
            ("POST", Site::Other, Some("https://app.example:8443"), Err(CrossSite::Site)),
            ("POST", Site::Other, None, Err(CrossSite::Site)),
            ("DELETE", Site::Other, evil, Err(CrossSite::Site)),
            ("TRACE", Site::Other, evil, Err(CrossSite::Site)),
            ("post", Site::Other, evil, Err(CrossSite::Site)),
            ("POST", Site::Absent, None, Ok(())),
            ("POST", Site::Absent, shop, Ok(())),
            ("POST", Site::Absent, Some("http://shop.example"), Ok(())),
            ("POST", Site::Absent, evil, Err(CrossSite::Origin)),
            ("POST", Site::Absent, Some("null"), Err(CrossSite::Origin)),
            ("POST", Site::Absent, Some("https://shop.example:8443"), Err(CrossSite::Origin)),
            ("POST", Site::Absent, Some("https://shop.example.evil.example"), Err(CrossSite::Origin)),
            ("POST", Site::Absent, Some("https://app.example"), Ok(())),
            ("POST", Site::Absent, Some("ftp://shop.example"), Err(CrossSite::Origin)),
        ] {
            assert_eq!(check(&head(method, site, origin, host), &trusted), expected, "{method} {site:?} {origin:?}");
        }
        assert_eq!(check(&head("POST", Site::Absent, shop, None), &trusted), Err(CrossSite::Origin));
    }

    /// CORS does not hold a page of another site back from opening a socket with the user's cookie.
    #[test]
    fn the_handshake_of_a_socket_is_no_harmless_get() {
        let trusted = TrustedOrigins::default();
        let socket = |site, origin| {
            let head = RequestHead { socket: true, ..head("GET", site, origin, Some("shop.example")) };
            check(&head, &trusted)
        };
        assert_eq!(socket(Site::SameOrigin, Some("https://shop.example")), Ok(()));
        assert_eq!(socket(Site::Absent, Some("https://shop.example")), Ok(()));
        assert_eq!(socket(Site::Absent, None), Ok(()), "no browser");
        assert_eq!(socket(Site::Other, Some("https://a.shop.example")), Err(CrossSite::Site));
        assert_eq!(socket(Site::Absent, Some("https://evil.example")), Err(CrossSite::Origin));
    }

    #[test]
    fn a_login_from_elsewhere_loads_a_page() {
        let mut trusted = TrustedOrigins::default();
        trusted.add("https://app.example").unwrap();
        let login = |method, site, origin, navigation| {
            check_login(&RequestHead { navigation, ..head(method, site, origin, Some("shop.example")) }, &trusted)
        };
        assert_eq!(login("GET", Site::Other, None, true), Ok(()), "the return from a login provider");
        assert_eq!(login("GET", Site::Other, None, false), Err(CrossSite::Site), "an image");
        assert_eq!(login("GET", Site::Other, Some("https://app.example"), false), Ok(()));
        assert_eq!(login("GET", Site::None, None, false), Ok(()));
        assert_eq!(login("GET", Site::Absent, None, false), Ok(()), "no browser, or an old one");
        assert_eq!(login("POST", Site::Other, None, true), Err(CrossSite::Site), "a form");
    }

    #[test]
    fn only_what_browsers_send_can_be_trusted() {
        let mut trusted = TrustedOrigins::default();
        for good in
            ["https://a.example", "http://localhost:3000", "https://[::1]:8443", "https://xn--bcher-kva.example"]
        {
            trusted.add(good).unwrap();
        }
        for bad in [
            "",
            "a.example",
            "https://",
            "https://A.example",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example:443",
            "http://a.example:80",
            "https://b\u{fc}cher.example",
            "https://u@a.example",
            "null",
            "*",
            "https://*.a.example",
            "wss://a.example",
            "https://a.example?x",
            "https://a b.example",
            "https://a.example:",
            "https://:8443",
        ] {
            assert!(trusted.add(bad).is_err(), "{bad}");
        }
        let error = trusted.add(&"\u{1b}".repeat(1000)).unwrap_err().to_string();
        assert!(error.len() < 1000 && error.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{error}");
    }
}
