//! Tokens that are due, cookies that outlive the browser, and what fits into one.

use std::time::Duration;

use waxseal::web::SameSite;
use waxseal::{Policy, Sealer, SessionError, SessionLayer};

use super::{handled, of_this_site, seen, sent, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::testkit::NOW;
use crate::testkit::forge::{Forge, varint};
use crate::testkit::ring::{Ring, role};

fn read(session: waxseal::CurrentSession<Shop>) -> Result<(), SessionError> {
    session.get().map(|open| assert!(open.is_some()))
}

#[test]
fn a_token_is_renewed_in_the_second_half_of_its_life() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for request in [with_cookie(&servers, "GET", "ada"), with_bearer(&servers, "GET", "ada")] {
        servers.clock.advance(LIFE / 2 - 1);
        assert!(sent(&servers, &handled(&layer, request.clone(), read)).is_none());
        servers.clock.advance(1);
        let renewed = sent(&servers, &handled(&layer, request.clone(), read)).unwrap();
        assert_eq!((renewed.state(), renewed.issued_at().as_unix()), (&shop("ada"), NOW + LIFE / 2));
        assert_eq!(renewed.start().as_unix(), NOW, "the same session");
        assert!(sent(&servers, &handled(&layer, request, |_| Ok(()))).is_none(), "nobody asked");
        servers.clock.set(waxseal::time::Timestamp::from_unix(NOW));
    }
}

#[test]
fn a_token_of_the_key_before_is_renewed_at_once() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let body = postcard::to_stdvec(&shop("ada")).unwrap();
    let old = |carrier: String| Forge {
        carrier,
        context: vec![],
        head: varint(6),
        body: body.clone(),
        ..Forge::new("", role::retiring())
    };
    let cookie = format!("{COOKIE}={}", old(format!("cookie:{COOKIE}")).text());
    let bearer = format!("Bearer {}", old("header".into()).text());
    for field in [("cookie", &*cookie), ("authorization", &*bearer)] {
        let renewed = sent(&servers, &handled(&layer, of_this_site("GET", &[field]), read)).unwrap();
        assert_eq!(renewed.key_id(), waxseal::KeyId::from_bytes(role::active().id()));
    }
}

#[test]
fn a_button_renews_before_that() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for request in [with_cookie(&servers, "POST", "ada"), with_bearer(&servers, "POST", "ada")] {
        servers.clock.advance(10);
        let response = handled(&layer, request, |session| {
            session.renew()?;
            session.renew()
        });
        let renewed = sent(&servers, &response).unwrap();
        assert_eq!((renewed.state(), renewed.issued_at()), (&shop("ada"), waxseal::time::Clock::now(&servers.clock)));
    }
}

fn max_age(response: &http::Response<String>) -> Option<u64> {
    let field = response.headers()["set-cookie"].to_str().unwrap();
    field.split("; Max-Age=").nth(1).map(|seconds| seconds.parse().unwrap())
}

#[test]
fn a_persistent_cookie_lives_as_long_as_its_token() {
    let servers = Servers::new();
    let until_closed = SessionLayer::new(&servers.sealer);
    let persistent = until_closed.clone().persistent();
    let start = |layer| handled(layer, of_this_site("POST", &[]), |session| session.start(shop("bob")).map(drop));
    assert_eq!((max_age(&start(&until_closed)), max_age(&start(&persistent))), (None, Some(LIFE)));
    // The last token of a session is shorter: 12 lives are the most, and 10 minutes of them are left.
    let first = with_cookie(&servers, "GET", "ada");
    let mut cookie = first.headers()["cookie"].clone();
    for _ in 0..23 {
        servers.clock.advance(LIFE / 2);
        let request = of_this_site("GET", &[("cookie", cookie.to_str().unwrap())]);
        let response = handled(&persistent, request, read);
        cookie = format!("{COOKIE}={}", seen(&response).cookie.token().unwrap()).parse().unwrap();
    }
    servers.clock.advance(LIFE / 2 - 600);
    let request = of_this_site("POST", &[("cookie", cookie.to_str().unwrap())]);
    assert_eq!(max_age(&handled(&persistent, request, |session| session.renew())), Some(600));
}

#[test]
fn a_cookie_is_kept_for_400_days_at_most() {
    let days = |days: u64| days * 24 * 3_600;
    let mut ring = Ring::example();
    ring.policy.set("max_token_lifetime", days(500));
    ring.policy.set("rotate_every", days(100));
    let servers = Servers::with(&ring, None);
    for (life, expected) in [(399, 399), (400, 400), (401, 400), (500, 400)] {
        let life = Duration::from_secs(days(life));
        let policy = Policy::default().token_lifetime(life).absolute_limit(life);
        let sealer = Sealer::<Shop>::builder(&servers.ring, "session").policy(policy).build().unwrap();
        let layer = SessionLayer::new(&sealer).persistent();
        let response = handled(&layer, of_this_site("POST", &[]), |session| session.start(shop("bob")).map(drop));
        assert_eq!(max_age(&response), Some(days(expected)));
    }
}

#[test]
fn a_cookie_is_deleted_with_the_attributes_that_it_was_set_with() {
    let servers = Servers::new();
    for (same_site, name) in [(SameSite::Lax, "Lax"), (SameSite::Strict, "Strict"), (SameSite::None, "None")] {
        for persistent in [false, true] {
            let layer = SessionLayer::new(&servers.sealer).same_site(same_site);
            let layer = if persistent { layer.persistent() } else { layer };
            let field = |act: fn(waxseal::CurrentSession<Shop>) -> Result<(), SessionError>| {
                let response = handled(&layer, with_cookie(&servers, "POST", "ada"), act);
                response.headers()["set-cookie"].to_str().unwrap().to_owned()
            };
            let set = field(|session| session.start(shop("bob")).map(drop));
            let deleted = field(|session| session.end());
            let attributes = format!("; Path=/; Secure; HttpOnly; SameSite={name}");
            assert_eq!(deleted, format!("{COOKIE}={attributes}; Max-Age=0"));
            let (_, rest) = set.split_once(';').unwrap();
            assert_eq!(format!(";{rest}"), attributes + if persistent { "; Max-Age=3600" } else { "" });
        }
    }
}

/// The longest note of a session that goes out, and the bytes of the field that it goes out in.
fn most(layer: &SessionLayer<Shop>, fields: &[(&str, &str)]) -> (usize, usize) {
    let field = |note: usize| {
        let response = handled(layer, of_this_site("POST", fields), |session| {
            session.start(Shop { note: "x".repeat(note), ..shop("bob") }).map(drop)
        });
        let headers = response.headers();
        let value = headers.get("set-cookie").or_else(|| headers.get("session-token"));
        value.map(|value| value.len())
    };
    let least = (0..5_000).collect::<Vec<_>>().partition_point(|note| field(*note).is_some());
    (least - 1, field(least - 1).unwrap())
}

#[test]
fn a_budget_is_for_the_whole_field() {
    let servers = Servers::new();
    let layer = || SessionLayer::new(&servers.sealer);
    for (layer, fields, budget, slack) in [
        (layer(), &[][..], 4_093, 120),
        (layer().persistent(), &[], 4_093, 120),
        (layer().budget(1_000), &[], 1_000, 28),
        (layer().budget(1_000).persistent(), &[], 1_000, 32),
        (layer().budget(1_000), &[("dnt", "1")], 1_000, 28),
        (layer().budget(9_000), &[("dnt", "1")], 4_000, 28),
    ] {
        let (_, bytes) = most(&layer, fields);
        assert!((budget - slack..=budget).contains(&bytes), "{bytes} of {budget}: {layer:?}");
    }
}

/// A cookie that a browser drops without a word would log its user out when the old one expires.
#[test]
fn a_renewal_beyond_the_budget_is_not_sent() {
    let servers = Servers::new();
    let large = Shop { note: "x".repeat(1_000), ..shop("ada") };
    let cookie = format!("{COOKIE}={}", servers.cookie(COOKIE).start(&large).unwrap().as_str());
    let bearer = format!("Bearer {}", servers.sealer.start(&large).unwrap().as_str());
    servers.clock.advance(LIFE / 2);
    let layer = SessionLayer::new(&servers.sealer).budget(1_000);
    for field in [("cookie", &*cookie), ("authorization", &*bearer)] {
        let response = handled(&layer, of_this_site("GET", &[field]), read);
        let seen = seen(&response);
        assert_eq!((response.status().as_u16(), seen.cookie, seen.token), (200, Written::Nothing, Written::Nothing));
        assert_eq!(seen.cache_control.as_deref(), Some("private"));
        let error = handled(&layer, of_this_site("POST", &[field]), |session| session.renew());
        assert_eq!(error.status(), 413);
    }
}

/// A renewal is larger than a first token, since it holds when and how the session began.
#[test]
fn what_fits_at_the_login_fits_at_the_renewal() {
    let servers = Servers::new();
    for (fields, budget) in [(&[][..], 1_000), (&[("dnt", "1")], 1_000), (&[("dnt", "1")], 4_093)] {
        let layer = SessionLayer::new(&servers.sealer).budget(budget);
        let (note, _) = most(&layer, fields);
        let state = Shop { note: "x".repeat(note), ..shop("bob") };
        let response = handled(&layer, of_this_site("POST", fields), |session| session.start(state.clone()).map(drop));
        let mut last = response;
        for _ in 0..23 {
            let (name, value) = match (seen(&last).cookie.token(), seen(&last).token.token()) {
                (Some(token), _) => ("cookie", format!("{COOKIE}={token}")),
                (_, Some(token)) => ("authorization", format!("Bearer {token}")),
                _ => panic!("no token came"),
            };
            servers.clock.advance(LIFE / 2);
            let fields: Vec<_> = fields.iter().copied().chain([(name, &*value)]).collect();
            last = handled(&layer, of_this_site("GET", &fields), read);
            let field = last.headers().get("set-cookie").or_else(|| last.headers().get("session-token")).unwrap();
            assert!(field.len() <= budget.min(4_000), "{} bytes", field.len());
        }
    }
}
