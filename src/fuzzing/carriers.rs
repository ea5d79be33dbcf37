//! The whole decision: from any head of a request to the fields of its response, held against the table once more.
//!
//! An input is three bytes of choices and then lines: the method and the authority, and `name:value` for each field.

use super::fields::{lines, slow_authorization, slow_cookie};
use crate::carrier::csrf::{self, CrossSite, TrustedOrigins};
use crate::carrier::response::{self, Cookie, SameSite, VARY_READ, VARY_WRITE};
use crate::carrier::{
    Act, Arrived, CookiePolicy, Delivery, Foreign, Names, Presented, RequestHead, Route, Rules, Signals, Site,
    Situation, Undeliverable, deliver,
};

const NAMES: Names<'static> = Names { cookie: "id", prefix: None };

/// What a request and an application may be, and what its handler does.
struct Asked<'a> {
    rules: Rules,
    allowed: bool,
    persistent: bool,
    /// Whether the token that counts opens.
    opens: bool,
    act: Act,
    method: &'a str,
    authority: Option<&'a str>,
    fields: Vec<(&'a str, &'a [u8])>,
}

/// Any head, under any rules, to any handler.
pub fn carrying(bytes: &[u8]) {
    let Some(asked) = Asked::of(bytes) else { return };
    let head = RequestHead::read(asked.method, asked.authority, asked.fields.iter().copied(), &NAMES);
    asked.every_field_counts(&head);
    asked.forgery_is_seen(&head);
    let arrived = asked.arrived(&head);
    let situation = Situation { allowed: asked.allowed, ..asked.rules.situation(&head, arrived) };
    let delivery = deliver(&situation, asked.act);
    assert_eq!(delivery, as_the_table_says(&situation, asked.act), "{situation:?} {:?}", asked.act);
    keeps_its_promises(&situation, asked.act, delivery);
    asked.fields_are_clean(&situation, delivery);
}

impl<'a> Asked<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (&[policy, flags, act], text) = bytes.split_first_chunk()?;
        let mut lines = lines(text);
        let mut target = core::str::from_utf8(lines.next()?).ok()?.split(' ');
        let respect = |dnt, gpc| CookiePolicy::RespectSignals { dnt, gpc };
        let policies = [
            CookiePolicy::Always,
            CookiePolicy::Never,
            respect(true, true),
            respect(true, false),
            respect(false, true),
        ];
        let acts = [Act::Change, Act::End, Act::Read, Act::Renew, Act::Start];
        let field = |line: &'a [u8]| {
            let at = line.iter().position(|&byte| byte == b':')?;
            Some((core::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
        };
        Some(Self {
            rules: Rules {
                policy: policies[usize::from(policy) % policies.len()],
                foreign: if flags & 1 == 0 { Foreign::Ignore } else { Foreign::Reject },
                plain_http: flags & 2 != 0,
            },
            allowed: flags & 4 != 0,
            persistent: flags & 8 != 0,
            opens: flags & 16 == 0,
            act: acts[usize::from(act) % acts.len()],
            method: target.next()?,
            authority: target.next(),
            fields: lines.filter_map(field).collect(),
        })
    }

    fn values(&self, name: &str) -> Vec<&'a [u8]> {
        let named = self.fields.iter().filter(|(known, _)| known.to_ascii_lowercase() == name);
        named.map(|(_, value)| *value).collect()
    }

    /// Each part of the head is what its own fields say, whatever stands between them.
    fn every_field_counts(&self, head: &RequestHead<'_>) {
        assert_eq!(head.cookie, slow_cookie(&self.values("cookie")));
        assert_eq!(head.authorization, slow_authorization(&self.values("authorization"), None));
        let trimmed = |name| self.values(name).into_iter().map(trim).collect::<Vec<_>>();
        let (dnt, gpc) = (trimmed("dnt"), trimmed("sec-gpc"));
        let begins = |with: u8| dnt.iter().any(|value| value.first() == Some(&with));
        let dnt = if begins(b'1') { Some(true) } else { begins(b'0').then_some(false) };
        assert_eq!(head.signals, Signals { dnt, gpc: gpc.contains(&&b"1"[..]) });
        let holds = |value: &[u8]| value.eq_ignore_ascii_case(b"header");
        assert_eq!(head.holds_tokens, self.values("session-transport").into_iter().any(holds));
        assert_eq!(head.navigation, self.values("sec-fetch-mode").contains(&&b"navigate"[..]));
        let of_browser = |name: &str| name == "origin" || name.starts_with("sec-fetch-");
        assert_eq!(head.browser, self.fields.iter().any(|(name, _)| of_browser(&name.to_ascii_lowercase())));
        let upgrades = self.values("upgrade").into_iter().flat_map(|value| value.split(|&byte| byte == b','));
        let mut upgrades = upgrades.map(|protocol| protocol.trim_ascii().to_ascii_lowercase());
        assert_eq!(head.socket, upgrades.any(|protocol| protocol == b"websocket"));
        let sites = self.values("sec-fetch-site").into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>();
        let all = |said: &[u8]| !sites.is_empty() && sites.iter().all(|site| *site == said);
        let site = match () {
            () if sites.is_empty() => Site::Absent,
            () if all(b"same-origin") => Site::SameOrigin,
            () if all(b"none") => Site::None,
            () => Site::Other,
        };
        assert_eq!(head.site, site);
    }

    /// What comes from elsewhere, or may, does not pass.
    fn forgery_is_seen(&self, head: &RequestHead<'_>) {
        let mut trusted = TrustedOrigins::default();
        trusted.add("https://app.example").expect("an origin");
        let passes = csrf::check(head, &trusted);
        let own = |origin: &[u8]| {
            head.host.is_some_and(|host| {
                let ends = |rest: &[u8]| rest.is_empty() || b"/?#".contains(&rest[0]);
                !host.is_empty()
                    && [&b"https://"[..], b"http://"].iter().any(|scheme| {
                        origin.strip_prefix(*scheme).and_then(|rest| rest.strip_prefix(host)).is_some_and(ends)
                    })
            })
        };
        let is_trusted = head.origin == Some(b"https://app.example");
        let expected = match (head.method, head.origin, head.site) {
            ("GET" | "HEAD" | "OPTIONS", ..) if !head.socket => Ok(()),
            _ if is_trusted => Ok(()),
            (_, _, Site::Other) => Err(CrossSite::Site),
            (_, _, Site::None | Site::SameOrigin) | (_, None, Site::Absent) => Ok(()),
            (_, Some(origin), Site::Absent) => {
                if own(origin) {
                    Ok(())
                } else {
                    Err(CrossSite::Origin)
                }
            }
        };
        assert_eq!(passes, expected);
        let is_elsewhere = head.site == Site::Other && !is_trusted;
        let login = if is_elsewhere && !head.navigation { Err(CrossSite::Site) } else { expected };
        assert_eq!(csrf::check_login(head, &trusted), login);
    }

    /// How the session arrives, if the token that counts opens.
    fn arrived(&self, head: &RequestHead<'_>) -> Arrived {
        let cookies = self.rules.policy != CookiePolicy::Never;
        match self.rules.take(head) {
            Presented::Cookie(value) => {
                assert!(cookies && !value.is_empty() && self.values("authorization").len() <= 1);
                if self.opens { Arrived::Cookie } else { Arrived::Nothing }
            }
            Presented::Header(token) => {
                assert!(self.values("authorization")[0].ends_with(token));
                if self.opens { Arrived::Header } else { Arrived::Nothing }
            }
            Presented::Foreign => {
                assert_eq!(self.rules.foreign, Foreign::Reject);
                Arrived::Nothing
            }
            Presented::Malformed(_) | Presented::Nothing => Arrived::Nothing,
        }
    }

    /// The response's fields are texts that no byte of the request got into.
    fn fields_are_clean(&self, situation: &Situation, delivery: Delivery) {
        let name = "id".parse().expect("a cookie's name");
        let cookie = Cookie { name, same_site: SameSite::Lax, secure: !self.rules.plain_http };
        let life = self.persistent.then_some(900);
        let mut written = vec![];
        if delivery.route == Route::Cookie {
            written.push(cookie.set("TOKEN", life));
        }
        if delivery.deletes_cookie {
            written.push(cookie.delete());
        }
        assert!(written.len() <= 1 && written.iter().all(|field| cookie.is_set_by(field.as_bytes())));
        assert!(written.iter().all(|field| field.bytes().all(|byte| (b' '..=b'~').contains(&byte))));
        let respects = matches!(situation.policy, CookiePolicy::RespectSignals { .. });
        let wanted = if respects { VARY_WRITE } else { VARY_READ };
        let present = self.values("vary");
        let missing = response::vary(present.iter().copied(), wanted);
        let again = present.iter().copied().chain(missing.as_deref().map(str::as_bytes));
        assert_eq!(response::vary(again, wanted), None, "nothing is missing any more");
    }
}

fn trim(value: &[u8]) -> &[u8] {
    match value {
        [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] => trim(rest),
        _ => value,
    }
}

/// The table of [`deliver`], from its rows.
fn as_the_table_says(situation: &Situation, act: Act) -> Delivery {
    let Situation { policy, navigation, browser, holds_tokens, same_origin, arrived, .. } = *situation;
    let signal = policy.signal(situation.signals) && !situation.allowed;
    let cookies = policy != CookiePolicy::Never && !signal;
    let moves = holds_tokens && same_origin && !navigation;
    let route = match (arrived, act) {
        (_, Act::End) | (Arrived::Nothing, Act::Change | Act::Read | Act::Renew) => Route::Stay,
        (Arrived::Header, Act::Read) => Route::Stay,
        (Arrived::Header, _) => Route::Header,
        (_, Act::Start) if !cookies && navigation => Route::Undeliverable(Undeliverable::Page),
        (_, Act::Start) if !cookies || holds_tokens && !browser => Route::Header,
        (_, Act::Start) => Route::Cookie,
        (Arrived::Cookie, _) if !cookies && moves => Route::Header,
        (Arrived::Cookie, Act::Change) if !cookies => Route::Undeliverable(Undeliverable::ReadOnly),
        (Arrived::Cookie, Act::Change | Act::Renew) if cookies => Route::Cookie,
        (Arrived::Cookie, _) => Route::Stay,
    };
    let route = match route {
        Route::Cookie if !situation.takes_cookies => Route::Undeliverable(Undeliverable::PlainHttp),
        route => route,
    };
    let replaced = route == Route::Header && (arrived == Arrived::Cookie || signal);
    let stray = arrived == Arrived::Header && signal;
    let goes = policy == CookiePolicy::Never || act == Act::End || replaced || stray;
    Delivery { route, deletes_cookie: situation.has_cookie && goes }
}

/// What holds whatever the table says.
fn keeps_its_promises(situation: &Situation, act: Act, Delivery { route, deletes_cookie }: Delivery) {
    let signal = situation.policy.signal(situation.signals);
    if route == Route::Cookie {
        assert!(situation.policy != CookiePolicy::Never && (!signal || situation.allowed) && situation.takes_cookies);
        assert!(!deletes_cookie, "a cookie is set or deleted");
    }
    if route == Route::Header && situation.arrived == Arrived::Cookie && act != Act::Start {
        let never = situation.policy == CookiePolicy::Never;
        assert!((signal && !situation.allowed || never) && situation.same_origin && situation.holds_tokens);
        assert!(!situation.navigation && deletes_cookie == situation.has_cookie);
    }
    assert!(!deletes_cookie || situation.has_cookie);
    assert!(act != Act::Read || !matches!(route, Route::Undeliverable(_)), "to read is always allowed");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every situation there is, and every act.
    #[test]
    fn the_whole_table_is_as_it_says() {
        let policies = [(0..4).map(|bits| CookiePolicy::RespectSignals { dnt: bits & 1 != 0, gpc: bits & 2 != 0 })];
        let policies = policies.into_iter().flatten().chain([CookiePolicy::Always, CookiePolicy::Never]);
        let mut seen = 0;
        for (policy, bits) in policies.flat_map(|policy| (0..1024_u32).map(move |bits| (policy, bits))) {
            let bit = |at: u32| bits >> at & 1 == 1;
            for arrived in [Arrived::Cookie, Arrived::Header, Arrived::Nothing] {
                let situation = Situation {
                    policy,
                    signals: Signals { dnt: bit(0).then_some(bit(1)), gpc: bit(2) },
                    navigation: bit(3),
                    browser: bit(4),
                    holds_tokens: bit(5),
                    same_origin: bit(6),
                    has_cookie: bit(7),
                    takes_cookies: bit(8),
                    allowed: bit(9),
                    arrived,
                };
                for act in [Act::Change, Act::End, Act::Read, Act::Renew, Act::Start] {
                    let delivery = deliver(&situation, act);
                    assert_eq!(delivery, as_the_table_says(&situation, act), "{situation:?} {act:?}");
                    keeps_its_promises(&situation, act, delivery);
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 6 * 1024 * 3 * 5);
    }
}
