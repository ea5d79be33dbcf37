//! What a request's head says about the session: read once, in one pass over its fields.

use super::bearer::Authorization;
use super::cookie::{Found, Search};
use super::signal::Signals;

/// What to look for in a request.
#[derive(Clone, Copy, Debug)]
pub struct Names<'s> {
    /// The name of our cookie, case-sensitive.
    pub cookie: &'s str,
    /// What our tokens begin with, if the sealer has a prefix.
    pub prefix: Option<&'s str>,
}

/// Where a request came from, as its browser says in `Sec-Fetch-Site`. Page script cannot set it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Site {
    /// The field is absent or empty: no browser, an old one, or a URL that is not trustworthy.
    #[default]
    Absent,
    /// `none`: the user's own doing, such as a bookmark.
    None,
    /// Anything else: `cross-site`, `same-site`, or two fields that disagree.
    Other,
    /// `same-origin`.
    SameOrigin,
}

/// The fields of a request that matter to its session; nothing of it is copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestHead<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// Whom the request was sent to: the authority of the request target if it has one, else the `Host` field.
    pub host: Option<&'a [u8]>,
    /// `Origin`, unless empty.
    pub origin: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub site: Site,
    /// A page is being loaded, `Sec-Fetch-Mode: navigate`: no script will see the response's fields.
    pub navigation: bool,
    /// A browser sent it: there is an `Origin` or a `Sec-Fetch-` field.
    pub browser: bool,
    /// The client says that it can hold a token, `Session-Transport: header`.
    pub holds_tokens: bool,
    /// The handshake of a WebSocket, `Upgrade: websocket`: a GET whose connection may change anything.
    pub socket: bool,
    /// `DNT` and `Sec-GPC`.
    pub signals: Signals,
    /// `Authorization`.
    pub authorization: Authorization<'a>,
    /// Our cookie.
    pub cookie: Found<'a>,
}

impl<'a> RequestHead<'a> {
    /// Reads the head of a request: its method, the authority of its target if there is one (HTTP/2, and
    /// the absolute form of HTTP/1.1), and its fields, whose names count in any case.
    pub fn read(
        method: &'a str,
        authority: Option<&'a str>,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        names: &Names<'_>,
    ) -> Self {
        let mut head = Self { method, host: authority.map(str::as_bytes), ..Self::default() };
        let mut search = Search::default();
        for (name, value) in fields {
            match Field::named(name) {
                Some(Field::Cookie) => search.see(value, names.cookie.as_bytes()),
                Some(field) => head.see(field, value, names),
                None => {}
            }
        }
        head.cookie = search.found;
        head
    }

    fn see(&mut self, field: Field, value: &'a [u8], names: &Names<'_>) {
        match field {
            Field::Authorization => self.authorization = self.authorization.and(value, names.prefix),
            Field::Cookie => {}
            Field::Dnt => self.signals.see_dnt(value),
            Field::Fetch => self.browser = true,
            Field::FetchMode => {
                self.browser = true;
                self.navigation |= value == b"navigate";
            }
            Field::FetchSite => {
                self.browser = true;
                self.site = self.site.and(value);
            }
            Field::Gpc => self.signals.see_gpc(value),
            Field::Host => self.host = self.host.or(Some(value)),
            Field::Origin => {
                self.browser = true;
                self.origin = self.origin.or((!value.is_empty()).then_some(value));
            }
            Field::Upgrade => {
                let mut protocols = value.split(|&byte| byte == b',');
                self.socket |= protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"));
            }
            Field::Transport => self.holds_tokens |= value.eq_ignore_ascii_case(b"header"),
        }
    }

    /// Whether our cookie is in the request at all, whatever it is worth.
    pub fn has_cookie(&self) -> bool {
        matches!(self.cookie, Found::Conflict | Found::Value(_))
    }
}

impl Site {
    fn and(self, value: &[u8]) -> Self {
        let said = match value {
            b"" => return self,
            b"none" => Self::None,
            b"same-origin" => Self::SameOrigin,
            _ => Self::Other,
        };
        if self == Self::Absent || self == said { said } else { Self::Other }
    }
}

/// The fields that are looked at.
#[derive(Clone, Copy)]
enum Field {
    Authorization,
    Cookie,
    Dnt,
    Fetch,
    FetchMode,
    FetchSite,
    Gpc,
    Host,
    Origin,
    Transport,
    Upgrade,
}

impl Field {
    /// By length first: most fields of a request are none of ours, and every request has some twenty.
    fn named(name: &str) -> Option<Self> {
        let is = |known: &str, field: Self| name.eq_ignore_ascii_case(known).then_some(field);
        match name.len() {
            3 => is("dnt", Self::Dnt),
            4 => is("host", Self::Host),
            6 => is("cookie", Self::Cookie).or_else(|| is("origin", Self::Origin)),
            7 => is("sec-gpc", Self::Gpc).or_else(|| is("upgrade", Self::Upgrade)),
            13 => is("authorization", Self::Authorization),
            17 => is("session-transport", Self::Transport),
            _ => None,
        }
        .or_else(|| Self::of_fetch_metadata(name))
    }

    /// Any of `Sec-Fetch-`, which only a browser sends.
    fn of_fetch_metadata(name: &str) -> Option<Self> {
        let (start, rest) = name.as_bytes().split_at_checked(FETCH_PREFIX.len())?;
        match rest {
            _ if !start.eq_ignore_ascii_case(FETCH_PREFIX) => None,
            _ if rest.eq_ignore_ascii_case(b"mode") => Some(Self::FetchMode),
            _ if rest.eq_ignore_ascii_case(b"site") => Some(Self::FetchSite),
            _ => Some(Self::Fetch),
        }
    }
}

const FETCH_PREFIX: &[u8] = b"sec-fetch-";

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'static> = Names { cookie: "id", prefix: None };

    fn read<'a>(fields: &'a [(&'a str, &'a str)]) -> RequestHead<'a> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        RequestHead::read("GET", None, fields, &NAMES)
    }

    #[test]
    fn every_field_is_read_in_one_pass_and_in_any_case() {
        let head = read(&[
            ("Host", "shop.example"),
            ("ORIGIN", "https://shop.example"),
            ("Sec-Fetch-Site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("DNT", "1"),
            ("sec-gpc", "1"),
            ("Session-Transport", "Header"),
            ("Upgrade", "h2c, WebSocket"),
            ("Authorization", "Bearer EQab"),
            ("Cookie", "a=1"),
            ("Cookie", "id=EQcd"),
        ]);
        let expected = RequestHead {
            method: "GET",
            host: Some(b"shop.example"),
            origin: Some(b"https://shop.example"),
            site: Site::SameOrigin,
            navigation: true,
            browser: true,
            holds_tokens: true,
            socket: true,
            signals: Signals { dnt: Some(true), gpc: true },
            authorization: Authorization::Token(b"EQab"),
            cookie: Found::Value(b"EQcd"),
        };
        assert_eq!(head, expected);
    }

    #[test]
    fn a_browser_shows_by_any_of_its_fields() {
        assert!(!read(&[("host", "x"), ("user-agent", "Mozilla/5.0"), ("cookie", "id=1")]).browser);
        for field in ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "Sec-Fetch-Anything"] {
            assert!(read(&[(field, "x")]).browser, "{field}");
        }
    }

    #[test]
    fn sites_that_disagree_are_no_site_of_ours() {
        let site = |values: &[&'static str]| {
            let fields: Vec<_> = values.iter().map(|&value| ("sec-fetch-site", value)).collect();
            read(&fields).site
        };
        assert_eq!(site(&[]), Site::Absent);
        assert_eq!(site(&[""]), Site::Absent);
        assert_eq!(site(&["none"]), Site::None);
        assert_eq!(site(&["same-origin", "same-origin"]), Site::SameOrigin);
        for other in
            [&["same-site"][..], &["cross-site"], &["Same-Origin"], &["same-origin", "none"], &["same-origin ", "x"]]
        {
            assert_eq!(site(other), Site::Other, "{other:?}");
        }
    }

    #[test]
    fn the_authority_of_the_target_beats_the_host_field() {
        let fields = [("host", &b"b.example"[..])];
        assert_eq!(RequestHead::read("GET", Some("a.example"), fields, &NAMES).host, Some(&b"a.example"[..]));
        assert_eq!(RequestHead::read("GET", None, fields, &NAMES).host, Some(&b"b.example"[..]));
    }

    #[test]
    fn our_cookie_is_there_even_if_it_is_worth_nothing() {
        assert!(read(&[("cookie", "id=x")]).has_cookie());
        assert!(read(&[("cookie", "id=x; id=y")]).has_cookie());
        assert!(!read(&[("cookie", "ID=x")]).has_cookie());
    }

    #[test]
    fn what_is_shown_of_a_head_holds_no_token() {
        let fields =
            |token: &'static str| [("authorization", format!("Bearer {token}")), ("cookie", format!("id={token}"))];
        let shown = |token: &'static str| {
            let fields = fields(token);
            let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
            let head = RequestHead::read("GET", None, fields, &NAMES);
            let cookie = RequestHead { authorization: Authorization::Absent, ..head };
            let rules = crate::carrier::Rules::default();
            format!("{head:?} {:?} {:?}", rules.take(&head), rules.take(&cookie))
        };
        assert_eq!(shown("EQab"), shown("EQcd"));
    }
}
