//! No token can be sealed: the client keeps the one it has, or tries again.

use http::header::RETRY_AFTER;
use waxseal::SessionLayer;

use super::failures::INVALID_TOKEN;
use super::{Act, handled, of_this_site, seen, sent, with_bearer};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, shop};
use crate::httpkit::sight::Written;
use crate::testkit::NOW;
use crate::testkit::forge::{Forge, varint};
use crate::testkit::ring::{Disk, Ring, role};

/// A ring whose key in use goes to sleep when `sleep` is called, and whose retiring key goes on opening.
struct Sleepy {
    disk: Disk,
    file: Ring,
    servers: Servers,
}

impl Sleepy {
    fn new() -> Self {
        let file = Ring::example();
        let disk = Disk::with(file.text().as_bytes());
        let mut servers = Servers::new();
        let clock = std::sync::Arc::clone(&servers.clock);
        servers.ring = waxseal::KeyRing::options().clock(clock.clone()).load(&disk.path).unwrap();
        servers.sealer = crate::httpkit::shop::sealer(&servers.ring, clock, None);
        Self { disk, file, servers }
    }

    fn sleep(&self) {
        let mut file = self.file.clone();
        file.entry(role::active()).set("status", "\"disabled\"");
        file.top.set("generation", NOW);
        self.disk.write(file.text().as_bytes());
        self.servers.ring.reload().unwrap();
    }

    /// A token under the retiring key, which makes it due at once.
    fn under_the_retiring_key(&self, carrier: &str) -> String {
        let body = postcard::to_stdvec(&shop("ada")).unwrap();
        let forge = Forge::new("", role::retiring());
        Forge { carrier: carrier.into(), context: vec![], head: varint(6), body, ..forge }.text()
    }

    fn request(&self, method: &str) -> http::Request<()> {
        let token = self.under_the_retiring_key(&format!("cookie:{COOKIE}"));
        of_this_site(method, &[("cookie", &format!("{COOKIE}={token}"))])
    }
}

#[test]
fn a_renewal_that_fails_keeps_the_response_and_the_token() {
    let sleepy = Sleepy::new();
    let layer = SessionLayer::new(&sleepy.servers.sealer);
    let read = |session: waxseal::CurrentSession<_>| session.get().map(|open| assert!(open.is_some()));
    let response = handled(&layer, sleepy.request("GET"), read);
    assert!(sent(&sleepy.servers, &response).is_some(), "a superseded key makes it due");
    sleepy.sleep();
    let bearer = format!("Bearer {}", sleepy.under_the_retiring_key("header"));
    for request in [sleepy.request("GET"), of_this_site("GET", &[("authorization", &bearer)])] {
        let response = handled(&layer, request, read);
        let seen = seen(&response);
        assert_eq!((response.status().as_u16(), seen.cookie, seen.token), (200, Written::Nothing, Written::Nothing));
        assert_eq!((seen.cache_control.as_deref(), seen.challenge), (Some("private"), None));
    }
}

/// The cookie is all that the client has until the new token is there.
#[test]
fn a_session_that_cannot_move_keeps_its_cookie() {
    let sleepy = Sleepy::new();
    let layer = SessionLayer::new(&sleepy.servers.sealer);
    let wrapped = || {
        let mut request = sleepy.request("GET");
        request.headers_mut().insert("session-transport", "header".parse().unwrap());
        request.headers_mut().insert("dnt", "1".parse().unwrap());
        request
    };
    let read = |session: waxseal::CurrentSession<_>| session.get().map(|open| assert!(open.is_some()));
    let moved = seen(&handled(&layer, wrapped(), read));
    assert_eq!((moved.cookie, moved.token.token().is_some()), (Written::Forgotten, true));
    sleepy.sleep();
    let kept = seen(&handled(&layer, wrapped(), read));
    assert_eq!((kept.cookie, kept.token), (Written::Nothing, Written::Nothing));
}

/// Who logs in over a cookie that cannot be read right now has the new session, not the trouble of the old one.
#[test]
fn a_login_leaves_an_unreadable_session_behind() {
    let mut ring = Ring::example();
    ring.entry(role::retiring()).set("status", "\"disabled\"");
    let servers = Servers::with(&ring, None);
    let layer = SessionLayer::new(&servers.sealer);
    let forge = |carrier: &str| {
        let carrier = carrier.to_owned();
        Forge { carrier, context: vec![], ..Forge::new("", role::retiring()) }.text()
    };
    let cookie = format!("{COOKIE}={}", forge(&format!("cookie:{COOKIE}")));
    let bearer = format!("Bearer {}", forge("header"));
    for field in [("cookie", &*cookie), ("authorization", &*bearer)] {
        let response = handled(&layer, of_this_site("POST", &[field]), |session| {
            assert_eq!(session.get().unwrap_err().status(), 503);
            session.start(shop("bob"))?;
            assert_eq!(session.get()?.unwrap().state(), &shop("bob"));
            session.update(|shop| shop.count += 1)?;
            assert_eq!(session.get()?.unwrap().state().count, 2);
            session.update(|shop| shop.count += 1)
        });
        assert_eq!(sent(&servers, &response).unwrap().state().count, 3);
    }
}

#[test]
fn without_a_key_nothing_changes_and_the_client_tries_again() {
    let sleepy = Sleepy::new();
    let layer = SessionLayer::new(&sleepy.servers.sealer);
    sleepy.sleep();
    let acts: [Act; 3] = [
        |session| session.update(|shop| shop.count += 1),
        |session| session.start(shop("bob")).map(drop),
        |session| session.renew(),
    ];
    for act in acts {
        let response = handled(&layer, sleepy.request("POST"), act);
        assert_eq!((response.status().as_u16(), sent(&sleepy.servers, &response).is_none()), (503, true));
        assert!(response.headers().contains_key(RETRY_AFTER));
    }
    let response = handled(&layer, sleepy.request("POST"), |session| session.end());
    assert_eq!(seen(&response).cookie, Written::Forgotten, "an end needs no key");
}

#[test]
fn a_key_that_goes_to_sleep_under_a_change_is_an_answer_for_later() {
    let sleepy = Sleepy::new();
    let layer = SessionLayer::new(&sleepy.servers.sealer);
    let response = handled(&layer, sleepy.request("POST"), |session| {
        session.update(|shop| shop.count += 1)?;
        sleepy.sleep();
        Ok(())
    });
    let seen = seen(&response);
    assert_eq!((response.status().as_u16(), seen.cookie, seen.token), (503, Written::Nothing, Written::Nothing));
    assert_eq!((seen.cache_control.as_deref(), seen.challenge), (Some("no-store"), None));
    assert!(response.headers().contains_key(RETRY_AFTER));
}

#[test]
fn a_session_that_ends_under_a_change_is_over() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_bearer(&servers, "POST", "ada"), |session| {
        session.update(|shop| shop.count += 1)?;
        servers.clock.advance(LIFE);
        Ok(())
    });
    let seen = seen(&response);
    assert_eq!((response.status().as_u16(), seen.cookie, seen.token), (401, Written::Nothing, Written::Nothing));
    assert_eq!(seen.challenge.as_deref(), Some(INVALID_TOKEN));
    assert!(!response.headers().contains_key(RETRY_AFTER));
}
