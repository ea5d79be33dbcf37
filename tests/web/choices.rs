//! A browser asks not to be tracked, and its user wants the session all the same: by a choice, or by way of the page.

use http::{Request, Response};
use waxseal::carrier::Undeliverable;
use waxseal::{SessionError, SessionLayer};

use super::{answered, handled, seen, sent, with_cookie};
use crate::httpkit::request;
use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::sight::Written;

/// A form that is sent, with these fields beside the signal's.
fn form(fields: &[(&str, &str)]) -> Request<()> {
    let own = [("host", "shop.example"), ("origin", "https://shop.example"), ("sec-fetch-site", "same-origin")];
    let page = [("sec-fetch-mode", "navigate"), ("sec-gpc", "1")];
    request("POST", "/form/login", own.into_iter().chain(page).chain(fields.iter().copied()))
}

fn choosing(user: &str) -> Shop {
    Shop { remember: true, ..shop(user) }
}

#[test]
fn a_form_has_three_ways_to_log_in() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let refused = handled(&layer, form(&[]), |session| session.start(shop("bob")).map(drop));
    assert_eq!((refused.status().as_u16(), seen(&refused).cookie), (409, Written::Nothing));
    assert!(refused.body().contains("asks not to be tracked"), "{}", refused.body());
    let allowed = handled(&layer, form(&[]), |session| {
        session.allow_cookie();
        session.start(shop("bob")).map(drop)
    });
    assert_eq!(sent(&servers, &allowed).unwrap().state(), &shop("bob"));
    assert!(seen(&allowed).cookie.token().is_some());
    let page = answered(&layer, form(&[("cookie", &format!("{COOKIE}=x"))]), |session| {
        let token = session.hand_off(shop("bob")).unwrap().unwrap();
        assert_eq!(session.get().unwrap().unwrap().id(), token.id());
        assert_eq!(
            session.update(|shop| shop.count = 2),
            Err(SessionError::TooLate),
            "the token is in the page already"
        );
        Response::new(token.into_string())
    });
    assert_eq!(servers.sealer.open(page.body()).unwrap().state(), &shop("bob"));
    let seen = seen(&page);
    assert_eq!((seen.cookie, seen.token), (Written::Forgotten, Written::Nothing), "what the browser had is not it");
    assert_eq!(seen.cache_control.as_deref(), Some("no-store"));
}

#[test]
fn a_hand_off_is_a_start_wherever_there_is_a_way() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let mut quiet = form(&[]);
    quiet.headers_mut().remove("sec-gpc");
    for request in [quiet, super::of_this_site("POST", &[]), super::of_this_site("POST", &[("dnt", "1")])] {
        let response = handled(&layer, request, |session| {
            assert!(session.hand_off(shop("bob"))?.is_none());
            session.update(|shop| shop.count = 2)
        });
        assert_eq!(sent(&servers, &response).unwrap().state().count, 2);
    }
}

#[test]
fn a_hand_off_that_fails_or_is_taken_back_says_so() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer).budget(500);
    let response = handled(&layer, form(&[]), |session| {
        let large = Shop { note: "x".repeat(500), ..shop("bob") };
        assert_eq!(session.hand_off(large).unwrap_err().status(), 413);
        assert!(session.get()?.is_none());
        let _token = session.hand_off(shop("bob"))?.unwrap();
        session.end()
    });
    assert_eq!((seen(&response).cookie, seen(&response).token), (Written::Nothing, Written::Forgotten));
    let response = answered(&layer, form(&[]), |session| {
        let _token = session.hand_off(shop("bob")).unwrap();
        Response::builder().status(500).body(()).unwrap()
    });
    assert_eq!(
        seen(&response).cache_control.as_deref(),
        Some("no-store"),
        "the page of an error may hold the token all the same"
    );
}

#[test]
fn a_choice_is_for_one_response_unless_the_state_keeps_it() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let change = |layer: &SessionLayer<Shop>, state: &Shop| {
        let token = servers.cookie(COOKIE).start(state).unwrap();
        let request = form(&[("cookie", &format!("{COOKIE}={}", token.as_str()))]);
        handled(layer, request, |session| session.update(|shop| shop.count += 1))
    };
    assert_eq!(change(&layer, &choosing("ada")).status(), 409, "nobody told the layer");
    let layer = layer.allow_cookie_if(|shop| shop.remember);
    assert_eq!(change(&layer, &shop("ada")).status(), 409);
    let response = change(&layer, &choosing("ada"));
    assert!(seen(&response).cookie.token().is_some());
    // Who chooses in this very request is heard, and who takes the choice back can still be told so.
    for (before, after) in [(false, true), (true, false)] {
        let token = servers.cookie(COOKIE).start(&Shop { remember: before, ..shop("ada") }).unwrap();
        let request = form(&[("cookie", &format!("{COOKIE}={}", token.as_str()))]);
        let response = handled(&layer, request, |session| session.update(|shop| shop.remember = after));
        assert_eq!(sent(&servers, &response).unwrap().state().remember, after);
        assert!(seen(&response).cookie.token().is_some());
    }
}

/// The first change is promised a way; the next one may not be refused for the want of one.
#[test]
fn a_choice_that_is_taken_back_is_no_end_of_changes() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer).allow_cookie_if(|shop| shop.remember);
    let token = servers.cookie(COOKIE).start(&choosing("ada")).unwrap();
    let request = form(&[("cookie", &format!("{COOKIE}={}", token.as_str()))]);
    let response = handled(&layer, request, |session| {
        session.update(|shop| shop.remember = false)?;
        session.update(|shop| shop.count = 7)
    });
    assert!(seen(&response).cookie.token().is_some());
    assert_eq!(sent(&servers, &response).unwrap().state(), &Shop { count: 7, ..shop("ada") });
}

#[test]
fn a_choice_is_not_inherited_by_whoever_logs_in_next() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer).allow_cookie_if(|shop| shop.remember);
    let token = servers.cookie(COOKIE).start(&choosing("ada")).unwrap();
    let old = format!("{COOKIE}={}", token.as_str());
    let response = handled(&layer, form(&[("cookie", &old)]), |session| session.start(shop("bob")).map(drop));
    assert_eq!((response.status().as_u16(), sent(&servers, &response).is_none()), (409, true));
    let script = super::of_this_site("POST", &[("cookie", &old), ("dnt", "1")]);
    let response = handled(&layer, script, |session| {
        assert_eq!(session.get()?.unwrap().state(), &choosing("ada"));
        session.start(shop("bob")).map(drop)
    });
    let seen = seen(&response);
    assert_eq!((seen.cookie, seen.token.token().is_some()), (Written::Forgotten, true));
    // Nor is the choice of a login that was taken back.
    let response = handled(&layer, form(&[("cookie", &old)]), |session| {
        session.start(choosing("eve"))?;
        session.start(shop("bob")).map(drop)
    });
    assert_eq!(response.status(), 409);
}

#[test]
fn a_choice_that_could_not_be_kept_was_not_made() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer).allow_cookie_if(|shop| shop.remember);
    let mut due = with_cookie(&servers, "POST", "ada");
    due.headers_mut().insert("dnt", "1".parse().unwrap());
    servers.clock.advance(crate::httpkit::shop::LIFE / 2);
    let response = handled(&layer, due, |session| {
        let error = session.update(|shop| (shop.remember, shop.note) = (true, "x".repeat(5_000))).unwrap_err();
        assert_eq!(error.status(), 413);
        assert_eq!(session.start(Shop { note: "x".repeat(5_000), ..choosing("bob") }).unwrap_err().status(), 413);
        Ok(())
    });
    assert_eq!((seen(&response).cookie, seen(&response).token), (Written::Nothing, Written::Nothing));
}

/// What was decided stays decided: a token never goes one way while the cookie is told another story.
#[test]
fn a_choice_after_the_fact_changes_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let script = |mut request: Request<()>| {
        request.headers_mut().insert("dnt", "1".parse().unwrap());
        request.headers_mut().insert("session-transport", "header".parse().unwrap());
        request
    };
    for start in [true, false] {
        let response = handled(&layer, script(with_cookie(&servers, "POST", "ada")), |session| {
            if start {
                session.start(shop("bob"))?;
            } else {
                session.update(|shop| shop.count += 1)?;
            }
            session.allow_cookie();
            Ok(())
        });
        let seen = seen(&response);
        assert_eq!((seen.cookie, seen.token.token().is_some()), (Written::Forgotten, true), "start {start}");
    }
}

#[test]
fn the_page_is_told_why_it_cannot_change_a_session() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let mut request = with_cookie(&servers, "POST", "ada");
    request.headers_mut().insert("dnt", "1".parse().unwrap());
    let response = handled(&layer, request, |session| {
        let error = session.update(|shop| shop.count += 1).unwrap_err();
        assert_eq!(error, SessionError::Undeliverable(Undeliverable::ReadOnly));
        assert!(session.get()?.is_some(), "it can still be read");
        Err(error)
    });
    assert_eq!((response.status().as_u16(), seen(&response).cookie), (409, Written::Nothing));
}
