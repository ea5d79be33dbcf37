//! Logouts that hold on the server: this session, all of its user's, or all but this one.

use http::Request;
use waxseal::{Revocations, Revoke, Session, SessionError, SessionLayer, Token};

use super::{Act, handled, of_this_site, seen, sent, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::testkit::NOW;
use crate::testkit::forge::{Forge, varint};
use crate::testkit::ring::{Ring, role};
use waxseal::session::{Reason, SealError};

struct Site {
    servers: Servers,
    list: Revocations,
    layer: SessionLayer<Shop>,
}

fn site() -> Site {
    let (servers, list) = Servers::new().listed();
    let layer = SessionLayer::new(&servers.sealer);
    Site { servers, list, layer }
}

const READ: Act = |session| session.get().map(drop);

impl Site {
    /// Whether a request still has its session, which one without does not tell.
    fn has_session(&self, request: &Request<()>) -> bool {
        let found = core::cell::Cell::new(None);
        handled(&self.layer, request.clone(), |session| {
            found.set(session.get()?.map(|session| session.id()));
            Ok(())
        });
        found.get().is_some()
    }

    fn ended(&self, request: &Request<()>, act: Act) -> (u16, Written, Written) {
        let response = handled(&self.layer, request.clone(), act);
        (response.status().as_u16(), seen(&response).cookie, seen(&response).token)
    }
}

#[test]
fn a_session_that_was_ended_is_over_in_all_its_copies() {
    let site = site();
    let (cookie, bearer) = (with_cookie(&site.servers, "POST", "ada"), with_bearer(&site.servers, "POST", "ada"));
    let others = (with_cookie(&site.servers, "POST", "ada"), with_bearer(&site.servers, "POST", "bob"));
    assert_eq!(site.ended(&cookie, |session| session.end()), (200, Written::Forgotten, Written::Forgotten));
    assert_eq!(site.ended(&bearer, |session| session.end()), (200, Written::Nothing, Written::Forgotten));
    // A cookie that is worth nothing goes, and an explicit token is refused.
    assert_eq!(site.ended(&cookie, READ), (200, Written::Forgotten, Written::Nothing));
    assert_eq!(site.ended(&bearer, READ), (401, Written::Nothing, Written::Nothing));
    assert!(site.has_session(&others.0) && site.has_session(&others.1));
    assert_eq!(site.ended(&cookie, |session| session.end()), (200, Written::Forgotten, Written::Forgotten), "again");
}

#[test]
fn logging_out_everywhere_ends_all_of_a_user_and_nobody_else() {
    let site = site();
    let [here, there, bob] = ["ada", "ada", "bob"].map(|user| with_cookie(&site.servers, "POST", user));
    let program = with_bearer(&site.servers, "POST", "ada");
    let act: Act = |session| session.end_everywhere();
    assert_eq!(site.ended(&here, act), (200, Written::Forgotten, Written::Forgotten));
    for over in [&here, &there, &program] {
        assert!(!site.has_session(over));
    }
    assert!(site.has_session(&bob));
    // A login in the same second stays, and can log out everywhere again.
    let again = with_cookie(&site.servers, "POST", "ada");
    assert!(site.has_session(&again));
    assert_eq!(site.ended(&again, act), (200, Written::Forgotten, Written::Forgotten));
    assert!(!site.has_session(&again));
}

/// A cut-off at now does not reach it.
#[test]
fn logging_out_everywhere_ends_this_session_even_if_it_began_ahead_of_the_clock() {
    let site = site();
    let here = with_cookie(&site.servers, "POST", "ada");
    site.servers.clock.set(super::at(NOW - 60));
    assert!(site.has_session(&here));
    site.ended(&here, |session| session.end_everywhere());
    assert!(!site.has_session(&here));
}

#[test]
fn logging_out_elsewhere_lets_this_session_go_on() {
    let site = site();
    let [here, there, bob] = ["ada", "ada", "bob"].map(|user| with_cookie(&site.servers, "POST", user));
    assert_eq!(site.ended(&here, |session| session.end_others()), (200, Written::Nothing, Written::Nothing));
    assert!(site.has_session(&here) && site.has_session(&bob));
    assert!(!site.has_session(&there));
    let response = handled(&site.layer, here, |session| {
        session.end_others()?;
        session.update(|shop| shop.count = 2)
    });
    assert_eq!(sent(&site.servers, &response).unwrap().state().count, 2, "it can change at once");
}

/// Such as with a new password.
#[test]
fn a_login_can_end_all_others() {
    let acts: [Act; 2] = [
        |session| session.start(shop("ada")).and_then(|_| session.end_others()),
        |session| session.end_others().and_then(|()| session.start(shop("ada")).map(drop)),
    ];
    for act in acts {
        let site = site();
        let there = with_bearer(&site.servers, "POST", "ada");
        let response = handled(&site.layer, with_cookie(&site.servers, "POST", "ada"), act);
        assert_eq!(sent(&site.servers, &response).unwrap().state().user, "ada");
        assert!(!site.has_session(&there));
    }
}

#[test]
fn what_the_application_forgot_is_said() {
    let (servers, bare) = (Servers::new(), SessionLayer::new(&Servers::new().sealer));
    let both: [Act; 2] = [|session| session.end_everywhere(), |session| session.end_others()];
    for act in both {
        let of = |layer, request| {
            let result = core::cell::Cell::new(Ok(()));
            handled(layer, request, |session| {
                result.set(act(session));
                Ok(())
            });
            result.get()
        };
        assert_eq!(of(&bare, of_this_site("POST", &[])), Err(SessionError::NoRevocations));
        let site = site();
        assert_eq!(of(&site.layer, of_this_site("POST", &[])), Err(SessionError::Anonymous));
        assert_eq!(of(&site.layer, with_cookie(&servers, "POST", "")), Err(SessionError::NoSubject));
        let mut forged = with_cookie(&servers, "POST", "ada");
        forged.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert!(matches!(of(&site.layer, forged.clone()), Err(SessionError::CrossSite(_))));
        forged.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
        assert!(site.has_session(&forged), "another site ends nothing");
    }
}

/// Whoever is at work on a session when it ends hands out no further token of it.
#[test]
fn a_request_in_flight_brings_no_ended_session_back() {
    type Ends = fn(&Session<Shop>) -> Revoke;
    let ends: [Ends; 3] = [|session| Revoke::session(session.id()), |_| Revoke::subject("ada"), |_| Revoke::everyone()];
    for revoke in ends {
        let site = site();
        let request = with_cookie(&site.servers, "POST", "ada");
        site.servers.clock.advance(LIFE / 2);
        assert!(matches!(site.ended(&request, READ).1, Written::Token(_)), "it is due");
        let end = |session: &Session<Shop>| assert!(site.list.revoke(revoke(session)).wait().is_ok());
        let due = handled(&site.layer, request.clone(), |session| {
            end(&session.get()?.unwrap());
            Ok(())
        });
        assert_eq!((due.status().as_u16(), seen(&due).cookie), (200, Written::Nothing));
        let site = self::site();
        let request = with_cookie(&site.servers, "POST", "ada");
        let end = |session: &Session<Shop>| assert!(site.list.revoke(revoke(session)).wait().is_ok());
        let changed = handled(&site.layer, request.clone(), |session| {
            session.update(|shop| shop.count = 9)?;
            end(&session.get()?.unwrap());
            let over = Err(SessionError::Seal(SealError::Session(Reason::Revoked)));
            assert_eq!(session.update(|shop| shop.count = 10), over);
            assert_eq!(session.renew(), over);
            Ok(())
        });
        assert_eq!((changed.status().as_u16(), seen(&changed).cookie), (401, Written::Nothing));
        assert_eq!(seen(&changed).token, Written::Nothing);
        assert!(!site.has_session(&request));
    }
}

/// As long as its key is disabled nobody can read it; when it is enabled again, it is over.
#[test]
fn a_logout_ends_a_session_of_a_disabled_key() {
    let mut disabled = Ring::example();
    disabled.entry(role::retiring()).set("status", "\"disabled\"");
    let (servers, list) = Servers::with(&disabled, None).listed();
    let enabled = Servers::new().asking(&list);
    let forge = |carrier: &str| Forge {
        carrier: carrier.into(),
        context: vec![],
        head: varint(6),
        body: postcard::to_stdvec(&shop("ada")).unwrap(),
        ..Forge::new(carrier, role::retiring())
    };
    let cookie = forge(&format!("cookie:{COOKIE}")).text();
    let bearer = forge("header").text();
    assert!(enabled.cookie(COOKIE).open(&cookie).is_ok() && enabled.sealer.open(&bearer).is_ok());
    let layer = SessionLayer::new(&servers.sealer);
    handled(&layer, of_this_site("POST", &[("cookie", &format!("{COOKIE}={cookie}"))]), |session| session.end());
    handled(&layer, of_this_site("POST", &[("authorization", &format!("Bearer {bearer}"))]), |session| session.end());
    assert_eq!(enabled.cookie(COOKIE).open(&cookie).unwrap_err().reason(), Reason::Revoked);
    assert_eq!(enabled.sealer.open(&bearer).unwrap_err().reason(), Reason::Revoked);
}

/// A page whose body holds the token of a session that was ended after all holds nothing.
#[test]
fn a_session_that_was_handed_off_ends_too() {
    let site = site();
    let mut request = of_this_site("POST", &[("dnt", "1")]);
    request.headers_mut().insert("sec-fetch-mode", "navigate".parse().unwrap());
    let token: core::cell::Cell<Option<Token>> = core::cell::Cell::new(None);
    handled(&site.layer, request, |session| {
        token.set(session.hand_off(shop("ada"))?);
        session.end()
    });
    let token = token.take().expect("the page takes the token");
    assert_eq!(site.servers.sealer.open(&token).unwrap_err().reason(), Reason::Revoked);
}
