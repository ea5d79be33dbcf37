//! Changing a session: wholly or not at all, sealed once, and by one at a time.

use http::Request;
use serde::{Deserialize, Serialize};
use tower_layer::Layer;
use waxseal::{CurrentSession, KeyRing, Sealer, SessionError, SessionLayer, SessionState};

use super::{handled, seen, sent, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{Handler, send};

#[test]
fn a_session_that_would_be_too_large_stays_as_it_was() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for request in [with_cookie(&servers, "POST", "ada"), with_bearer(&servers, "POST", "ada")] {
        let response = handled(&layer, request, |session| {
            session.update(|shop| shop.note = "x".repeat(2_000))?;
            for note in [3_100, 5_000] {
                let error = session.update(|shop| (shop.note, shop.count) = ("y".repeat(note), 9)).unwrap_err();
                assert!(matches!(error, SessionError::TooLarge { bytes, budget } if bytes > budget), "{error:?}");
                assert_eq!(error.status(), 413);
            }
            assert_eq!((session.get()?.unwrap().state().note.len(), session.get()?.unwrap().state().count), (2_000, 1));
            session.update(|shop| shop.count += 1)
        });
        let session = sent(&servers, &response).unwrap();
        assert_eq!((session.state().note.len(), session.state().count), (2_000, 2));
    }
}

#[test]
fn an_error_that_is_answered_writes_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        session.update(|shop| shop.note = "y".repeat(5_000))
    });
    assert_eq!((response.status().as_u16(), sent(&servers, &response).is_none()), (413, true));
    assert_eq!(seen(&response).cache_control.as_deref(), Some("private"));
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        session.start(Shop { note: "y".repeat(5_000), ..shop("bob") }).map(drop)
    });
    assert_eq!((response.status().as_u16(), sent(&servers, &response).is_none()), (413, true));
}

#[test]
fn a_login_that_fails_leaves_the_session_that_there_was() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        let bob = Shop { note: "y".repeat(5_000), ..shop("bob") };
        assert_eq!(session.start(bob).unwrap_err().status(), 413);
        assert_eq!(session.get()?.unwrap().state(), &shop("ada"));
        Ok(())
    });
}

#[test]
fn however_many_changes_there_are_one_token_goes_out() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        assert_eq!(session.update(|shop| std::mem::replace(&mut shop.count, 5))?, 1);
        session.update(|shop| shop.note = "gift".into())?;
        session.renew()?;
        session.update(|shop| shop.count += 1)
    });
    let session = sent(&servers, &response).unwrap();
    assert_eq!((session.state().count, &*session.state().note), (6, "gift"));
    // A login that is changed at once goes out once as well, with the id that its handler saw.
    let id = std::cell::Cell::new(None);
    let response = handled(&layer, super::of_this_site("POST", &[]), |session| {
        id.set(Some(session.start(shop("bob"))?.id()));
        session.update(|shop| shop.count = 7)
    });
    let session = sent(&servers, &response).unwrap();
    assert_eq!((Some(session.id()), session.state().count), (id.get(), 7));
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for request in [with_cookie(&servers, "POST", "ada"), with_bearer(&servers, "POST", "ada")] {
        let response = handled(&layer, request, |session| {
            session.update(|_| ())?;
            session.update(|shop| shop.count = 1)?;
            session.update(|shop| (shop.count, shop.count) = (2, 1))
        });
        let seen = seen(&response);
        assert_eq!((seen.cookie, seen.token), (Written::Nothing, Written::Nothing));
        assert_eq!(seen.cache_control.as_deref(), Some("private"));
    }
    // There and back again are two changes.
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        session.update(|shop| shop.count = 2)?;
        session.update(|shop| shop.count = 1)
    });
    assert_eq!(sent(&servers, &response).unwrap().state(), &shop("ada"));
}

#[test]
fn a_change_within_a_change_is_one_too_many() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        let error = session
            .update(|shop| {
                assert_eq!(session.get().unwrap().unwrap().state().count, 1, "unchanged, and not locked");
                session.update(|shop| shop.note = "inner".into()).unwrap();
                shop.count = 9;
            })
            .unwrap_err();
        assert_eq!((error, error.status().as_u16()), (SessionError::Concurrent, 500));
        // One that changes nothing hides no other.
        session.update(|_| session.update(|shop| shop.count = 3).unwrap())
    });
    let session = sent(&servers, &response).unwrap();
    assert_eq!((session.state().count, &*session.state().note), (3, "inner"));
}

#[test]
fn a_change_from_another_thread_is_one_too_many() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_bearer(&servers, "POST", "ada"), |session| {
        let error = session.update(|shop| {
            shop.count = 9;
            let other = session.clone();
            std::thread::spawn(move || other.update(|shop| shop.count = 4).unwrap()).join().unwrap();
        });
        assert_eq!(error, Err(SessionError::Concurrent));
        let acts: [fn(&CurrentSession<Shop>); 2] =
            [|session| session.end().unwrap(), |session| drop(session.start(shop("ada")).unwrap())];
        for act in acts {
            assert_eq!(session.update(|_| act(&session)), Ok(()), "it changed nothing itself");
            session.start(shop("ada"))?;
            let error = session.update(|shop| {
                shop.count = 9;
                act(&session);
            });
            assert_eq!(error, Err(SessionError::Concurrent));
            session.start(shop("ada"))?;
        }
        Ok(())
    });
    assert_eq!(sent(&servers, &response).unwrap().state(), &shop("ada"));
}

#[test]
fn a_change_that_panics_changes_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        let change = || {
            session.update(|shop| {
                shop.count = 9;
                panic!("a bug of the handler's");
            })
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(change)).is_err());
        assert_eq!(session.get()?.unwrap().state(), &shop("ada"));
        session.update(|shop| shop.count += 1)
    });
    assert_eq!(sent(&servers, &response).unwrap().state().count, 2);
}

#[test]
fn a_session_does_not_become_somebody_elses() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for (from, to) in [("ada", "eve"), ("ada", ""), ("", "ada")] {
        let response = handled(&layer, with_cookie(&servers, "POST", from), |session| {
            let error = session.update(|shop| shop.user = to.into()).unwrap_err();
            assert_eq!(error, SessionError::SubjectChanged);
            assert_eq!(session.get()?.unwrap().state().user, from);
            Err(error)
        });
        assert_eq!((response.status().as_u16(), sent(&servers, &response).is_none()), (500, true));
    }
}

#[test]
fn there_is_nothing_to_change_without_a_session() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let expired = with_cookie(&servers, "POST", "ada");
    servers.clock.advance(LIFE);
    for request in [super::of_this_site("POST", &[]), expired] {
        let cookie = if request.headers().contains_key("cookie") { Written::Forgotten } else { Written::Nothing };
        let response = handled(&layer, request, |session| {
            assert_eq!(session.update(|shop| shop.count = 2), Err(SessionError::Anonymous));
            assert_eq!(session.renew(), Err(SessionError::Anonymous));
            session.end()?;
            session.start(shop("bob"))?;
            session.end()?;
            assert_eq!(session.update(|shop| shop.count = 2), Err(SessionError::Anonymous));
            assert!(session.get()?.is_none());
            Ok(())
        });
        let seen = seen(&response);
        assert_eq!((seen.cookie, seen.token), (cookie, Written::Forgotten));
    }
}

#[test]
fn a_login_takes_the_place_of_whatever_was_there() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let old = with_cookie(&servers, "POST", "ada");
    for age in [0, LIFE, 90 * 24 * LIFE] {
        servers.clock.advance(age);
        let token = old.headers()["cookie"].to_str().unwrap().strip_prefix(&format!("{COOKIE}=")).unwrap();
        assert_eq!(servers.cookie(COOKIE).open(token).is_ok(), age == 0);
        let response = handled(&layer, old.clone(), |session| {
            let first = session.start(shop("eve"))?;
            let second = session.start(shop("bob"))?;
            assert_ne!(first.id(), second.id());
            Ok(())
        });
        assert_eq!(sent(&servers, &response).unwrap().state(), &shop("bob"));
    }
}

#[derive(Serialize, Deserialize)]
struct Member {
    name: String,
    tenant: String,
    seen: u32,
}

impl SessionState for Member {
    fn subject(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tenant(&self) -> Option<&str> {
        Some(&self.tenant)
    }
}

#[test]
fn neither_user_nor_tenant_changes_under_one_id() {
    let layer = SessionLayer::new(&Sealer::<Member>::new(&KeyRing::generate().unwrap(), "session").unwrap());
    let member = Member { name: "ada".into(), tenant: "tenant-7".into(), seen: 0 };
    let mut request = Request::post("/").body(()).unwrap();
    request.headers_mut().extend(layer.request_headers(&member).unwrap());
    let handler = Handler(|request: Request<()>| {
        let session = CurrentSession::<Member>::of(&request).unwrap();
        let changed = session.update(|member| member.name = "bob".into());
        assert_eq!(changed, Err(SessionError::SubjectChanged));
        let moved = session.update(|member| member.tenant = "tenant-8".into());
        assert_eq!(moved, Err(SessionError::SubjectChanged));
        session.update(|member| member.seen += 1).unwrap();
        http::Response::new(String::new())
    });
    let response = send(layer.layer(handler), request);
    let session = layer.response_session(response.headers()).unwrap().unwrap();
    let Member { name, tenant, seen } = session.state();
    assert_eq!((&**name, &**tenant, *seen), ("ada", "tenant-7", 1));
}
