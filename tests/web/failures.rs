//! What a client is told when something is wrong: a status, the fields that belong to it, and one sentence.

use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use tower_layer::Layer;
use waxseal::carrier::csrf::CrossSite;
use waxseal::carrier::{Malformed, Undeliverable};
use waxseal::session::{Reason, SealError};
use waxseal::{SessionError, SessionLayer};

use super::{handled, of_this_site, seen, with_cookie};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{Handler, send};
use crate::testkit::forge::Forge;
use crate::testkit::ring::{Ring, role};

const ANONYMOUS: &str = "Bearer realm=\"session\"";
pub(super) const INVALID_TOKEN: &str = "Bearer realm=\"session\", error=\"invalid_token\"";
const INVALID_REQUEST: &str = "Bearer realm=\"session\", error=\"invalid_request\"";

#[test]
fn every_error_is_one_status_its_fields_and_a_sentence() {
    let servers = Servers::new();
    let refused = servers.sealer.open("EQ").unwrap_err();
    let ended = |reason| SessionError::from(SealError::Session(reason));
    let key_id = waxseal::KeyId::from_bytes([1, 2, 3]);
    for (error, status, challenge) in [
        (SessionError::Anonymous, 401, Some(ANONYMOUS)),
        (SessionError::Foreign, 401, Some(INVALID_TOKEN)),
        (SessionError::Invalid(refused), 401, Some(INVALID_TOKEN)),
        (SessionError::Malformed(Malformed::Bearer), 400, Some(INVALID_REQUEST)),
        (SessionError::Malformed(Malformed::Several), 400, Some(INVALID_REQUEST)),
        (SessionError::CrossSite(CrossSite::Site), 403, None),
        (SessionError::CrossSite(CrossSite::Origin), 403, None),
        (SessionError::Undeliverable(Undeliverable::Page), 409, None),
        (SessionError::Undeliverable(Undeliverable::PlainHttp), 409, None),
        (SessionError::Undeliverable(Undeliverable::ReadOnly), 409, None),
        (SessionError::TooLarge { bytes: 5_000, budget: 4_093 }, 413, None),
        (SessionError::Concurrent, 500, None),
        (SessionError::LayerMissing, 500, None),
        (SessionError::NoRevocations, 500, None),
        (SessionError::NoSubject, 500, None),
        (SessionError::SubjectChanged, 500, None),
        (SessionError::TooLate, 500, None),
        (SessionError::Unavailable(refused), 503, None),
        (SessionError::Seal(SealError::NoActiveKey), 503, None),
        (SessionError::Seal(SealError::CutOffAhead), 503, None),
        (SessionError::Seal(SealError::EndOfTime), 503, None),
        (SessionError::Seal(SealError::SessionOver), 401, Some(INVALID_TOKEN)),
        (ended(refused.reason()), 401, Some(INVALID_TOKEN)),
        // Whoever would be told 401 gives a token up that will be good again.
        (ended(Reason::DisabledKey { key_id }), 503, None),
        (ended(Reason::UnknownRevocation { stale_for: Some(60) }), 503, None),
        (ended(Reason::Revoked), 401, Some(INVALID_TOKEN)),
        (SessionError::from(SealError::TooLong { excess: 1 }), 413, None),
        (SessionError::Seal(SealError::ForeignSession), 500, None),
        (SessionError::Seal(SealError::Lifetime), 500, None),
    ] {
        let response = error.response::<String>();
        let field = |headers: &HeaderMap, name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((error.status().as_u16(), response.status().as_u16()), (status, status), "{error:?}");
        assert_eq!(field(response.headers(), WWW_AUTHENTICATE).as_deref(), challenge, "{error:?}");
        assert_eq!(field(response.headers(), RETRY_AFTER).is_some(), status == 503, "{error:?}");
        assert_eq!(field(response.headers(), CONTENT_TYPE).as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!(response.body(), &error.to_string());
        assert!(error.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{error}");
        assert!(!error.to_string().ends_with('.') && !error.to_string().contains("010203"), "{error}");
        let axums = axum::response::IntoResponse::into_response(error);
        assert_eq!((axums.status(), axums.headers()), (response.status(), response.headers()));
    }
}

/// Logging out needs no key, but another site may not do it to somebody whose cookie this server cannot judge.
#[test]
fn a_cookie_that_cannot_be_judged_is_ended_by_its_own_site_only() {
    let key = |key| Forge { context: vec![], carrier: format!("cookie:{COOKIE}"), ..Forge::new("", key) };
    let mut disabled = Ring::example();
    disabled.entry(role::retiring()).set("status", "\"disabled\"");
    for (ring, forge) in [(disabled, key(role::retiring())), (Ring::example(), key(crate::testkit::key::Key::test(99)))]
    {
        let servers = Servers::with(&ring, None);
        let layer = SessionLayer::new(&servers.sealer);
        let cookie = format!("{COOKIE}={}", forge.text());
        let response = handled(&layer, of_this_site("POST", &[("cookie", &cookie)]), |session| session.end());
        assert_eq!((response.status().as_u16(), seen(&response).cookie), (200, Written::Forgotten));
        let mut request = of_this_site("POST", &[("cookie", &cookie)]);
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let response = handled(&layer, request, |session| session.end());
        assert_eq!((response.status().as_u16(), seen(&response).cookie), (403, Written::Nothing));
    }
}

#[test]
fn a_bad_bearer_is_told_nothing_but_that() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let good = servers.sealer.start(&shop("ada")).unwrap().into_string();
    let unknown = Forge { context: vec![], ..Forge::new("", crate::testkit::key::Key::test(99)) }.text();
    let mut answers = std::collections::BTreeSet::new();
    let cookie = servers.cookie(COOKIE).start(&shop("ada")).unwrap().into_string();
    servers.clock.advance(LIFE);
    for token in
        [good.clone(), unknown, cookie, format!("{good}A"), "EQ".into(), good.replace('E', "F").replacen('F', "E", 1)]
    {
        let request = of_this_site("POST", &[("authorization", &format!("Bearer {token}"))]);
        let response = handled(&layer, request, |session| session.start(shop("bob")).map(drop));
        answers.insert(format!("{} {:?} {}", response.status(), response.headers(), response.body()));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers.first().unwrap().starts_with("401 "));
}

#[test]
fn a_handler_that_ignores_an_error_sends_nothing_of_it() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let mut page = with_cookie(&servers, "POST", "ada");
    page.headers_mut().insert("dnt", "1".parse().unwrap());
    let handler = Handler(|request: http::Request<()>| {
        let session = waxseal::CurrentSession::of(&request).unwrap();
        assert_eq!(
            session.update(|shop: &mut crate::httpkit::shop::Shop| shop.count = 9),
            Err(SessionError::Undeliverable(Undeliverable::ReadOnly))
        );
        assert_eq!(session.get().unwrap().unwrap().state().count, 1);
        http::Response::new(String::new())
    });
    let response = send(layer.layer(handler), page);
    assert_eq!((seen(&response).cookie, seen(&response).token), (Written::Nothing, Written::Nothing));
}
