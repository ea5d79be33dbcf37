//! Ends sessions: this one, all of its user's, or all but this one. With a list of revocations they end on every server.

use super::desk::Desk;
use super::error::SessionError;
use super::visit::{Outgoing, Visit, cross_site};
use crate::carrier::Arrived;
use crate::revocation::{Revocations, Revoke};
use crate::session::{Reason, Session};
use crate::state::SessionState;

impl<T: SessionState> Visit<T> {
    /// Ends the session, or what is left of one that cannot be read.
    pub(super) fn end(&mut self, desk: &Desk<T>) -> Result<(), SessionError> {
        self.still_open()?;
        match self.judge(desk) {
            Ok(()) | Err(SessionError::Unavailable(_)) => {}
            Err(error) => {
                self.revoke_refused(desk, error);
                return Err(error);
            }
        }
        if self.unjudged_cookie && self.situation.arrived != Arrived::Header {
            self.forgery.map_err(cross_site)?;
        }
        if let Some(list) = desk.headers.revocations() {
            self.revoke_own(desk, list);
        }
        self.session = None;
        self.outgoing = Outgoing::Ended;
        Ok(())
    }

    /// Ends every session of the session's subject.
    pub(super) fn end_everywhere(&mut self, desk: &Desk<T>) -> Result<(), SessionError> {
        let list = self.list(desk)?;
        let session = self.session(desk)?.ok_or(SessionError::Anonymous)?;
        let revoke = cut_off(&session)?.reason("log out everywhere");
        // By its id as well: it may have begun ahead of this clock, on another server or after an earlier cut-off.
        self.end(desk)?;
        self.revoke(desk, list, revoke);
        Ok(())
    }

    /// Ends every other session of the session's subject.
    pub(super) fn end_others(&mut self, desk: &Desk<T>) -> Result<(), SessionError> {
        let list = self.list(desk)?;
        let session = self.session(desk)?.ok_or(SessionError::Anonymous)?;
        let revoke = cut_off(&session)?.except(session.id()).reason("log out elsewhere");
        self.revoke(desk, list, revoke);
        Ok(())
    }

    /// What the application forgot is said first, to whoever asks: it is found by the first try.
    fn list<'d>(&self, desk: &'d Desk<T>) -> Result<&'d Revocations, SessionError> {
        self.still_open()?;
        desk.headers.revocations().ok_or(SessionError::NoRevocations)
    }

    /// The session, and the one that the request came with if that is another: the client is to forget both.
    fn revoke_own(&mut self, desk: &Desk<T>, list: &Revocations) {
        let own = self.session.as_ref().map(|session| session.id());
        let came = self.came.take().filter(|&came| Some(came) != own);
        for id in own.into_iter().chain(came) {
            self.revoke(desk, list, Revoke::session(id));
        }
    }

    /// Ends the session of a bearer token that was refused, since it has expired, say: a copy may have been renewed meanwhile. The
    /// answer is that of every other token that is refused.
    fn revoke_refused(&mut self, desk: &Desk<T>, error: SessionError) {
        if let (SessionError::Invalid(error), Some(list)) = (error, desk.headers.revocations())
            && let Some(id) = error.session_id().filter(|_| error.reason() != Reason::Revoked)
        {
            self.revoke(desk, list, Revoke::session(id));
        }
    }

    fn revoke(&mut self, desk: &Desk<T>, list: &Revocations, revoke: Revoke) {
        self.revoking.push(list.revoke(revoke.level(desk.logout_level)));
    }
}

/// An empty name is nobody's, and would end the sessions of all visitors.
fn cut_off<T: SessionState>(session: &Session<T>) -> Result<Revoke, SessionError> {
    let subject = session.state().subject().filter(|subject| !subject.is_empty());
    subject.map(Revoke::subject).ok_or(SessionError::NoSubject)
}

/// What happens while the list cannot be relied on.
#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE, HeaderMap};
    use http::{Request, StatusCode};
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::revocation::Answer;
    use crate::time::Timestamp;
    use crate::web::current::Slot;
    use crate::web::departure::Departure;
    use crate::{Carrier, CurrentSession, KeyRing, Sealer, SessionId};
    use std::sync::Arc;

    #[derive(Serialize, Deserialize)]
    struct Shop(String);
    impl SessionState for Shop {
        fn subject(&self) -> Option<&str> {
            Some(&self.0)
        }
    }

    struct Servers {
        ring: KeyRing,
        list: Revocations,
        desk: Arc<Desk<Shop>>,
    }

    fn servers() -> Servers {
        let ring = KeyRing::generate().unwrap();
        let list = Revocations::never_loaded(&ring);
        let sealer = Sealer::builder(&ring, "session").revocations(&list).build().unwrap();
        Servers { ring, list, desk: crate::SessionLayer::new(&sealer).desk() }
    }

    impl Servers {
        /// A request that has a session, by cookie or by bearer token, and the session's id.
        fn request(&self, by_cookie: bool) -> (Request<()>, SessionId) {
            let carrier = Carrier::cookie("__Host-Http-id").unwrap();
            let sealer = Sealer::<Shop>::new(&self.ring, "session").unwrap();
            let sealer = if by_cookie { sealer.carrier(carrier) } else { sealer };
            let token = sealer.start(&Shop("ada".into())).unwrap();
            let (name, value) = match by_cookie {
                true => (COOKIE, format!("__Host-Http-id={}", token.as_str())),
                false => (AUTHORIZATION, format!("Bearer {}", token.as_str())),
            };
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
            headers.insert("sec-fetch-mode", "cors".parse().unwrap());
            let mut request = Request::post("/").body(()).unwrap();
            *request.headers_mut() = headers;
            (request, token.id())
        }

        fn handle(&self, mut request: Request<()>) -> (CurrentSession<Shop>, Arc<Slot<Shop>>) {
            let slot = Arc::new(Slot::new(Arc::clone(&self.desk)));
            request.extensions_mut().insert(Arc::clone(&slot));
            (CurrentSession::of(&request).unwrap(), slot)
        }

        fn knows(&self, id: SessionId) -> bool {
            self.list.judge(id, self.ring.clock().now()) == Answer::Revoked
        }
    }

    #[test]
    fn a_session_is_answered_for_later_and_its_cookie_stays() {
        let servers = servers();
        for by_cookie in [true, false] {
            let (session, slot) = servers.handle(servers.request(by_cookie).0);
            let Err(error @ SessionError::Unavailable(why)) = session.get() else { panic!("it was judged") };
            assert_eq!(why.reason(), Reason::UnknownRevocation { stale_for: None });
            assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
            for result in [session.end_everywhere(), session.end_others(), session.update(|_| ()), session.renew()] {
                assert_eq!(result, Err(error), "it is not known whose it is");
            }
            let closed = slot.close(false);
            assert!(matches!(closed.departure, Departure::Read) && closed.revoking.is_empty());
        }
    }

    #[test]
    fn visitors_and_logins_go_on() {
        let servers = servers();
        let (session, _) = servers.handle(Request::get("/").body(()).unwrap());
        assert!(session.get().unwrap().is_none());
        for by_cookie in [true, false] {
            let (session, slot) = servers.handle(servers.request(by_cookie).0);
            let id = session.start(Shop("bob".into())).unwrap().id();
            session.end_others().unwrap();
            session.renew().unwrap();
            assert_eq!(session.get().unwrap().unwrap().id(), id);
            let Departure::Sent { token: Some((_, token)), .. } = slot.close(false).departure else {
                panic!("no token goes out")
            };
            assert_eq!(token.id(), id);
        }
    }

    #[test]
    fn a_logout_ends_what_cannot_be_read() {
        for by_cookie in [true, false] {
            let servers = servers();
            let (request, id) = servers.request(by_cookie);
            let (session, slot) = servers.handle(request);
            session.end().unwrap();
            session.end().unwrap();
            assert!(servers.knows(id));
            let closed = slot.close(false);
            assert!(matches!(closed.departure, Departure::Ended { deletes_cookie } if deletes_cookie == by_cookie));
            assert_eq!(closed.revoking.len(), 1, "once is enough");
        }
    }

    /// Whoever has a copy has renewed it meanwhile, and its session goes on.
    #[test]
    fn a_logout_with_a_token_that_has_expired_ends_its_session() {
        for (by_cookie, site) in [(true, "same-origin"), (false, "same-origin"), (true, "cross-site")] {
            let servers = servers();
            let (mut request, _) = servers.request(by_cookie);
            let sealer = Sealer::<Shop>::new(&servers.ring, "session").unwrap();
            let sealer = match by_cookie {
                true => sealer.carrier(Carrier::cookie("__Host-Http-id").unwrap()),
                false => sealer,
            };
            let past = Timestamp::from_unix(servers.ring.clock().now().as_unix() - 50);
            let second = core::time::Duration::from_secs(1);
            let token = sealer.with(&[]).at(past).ttl(second).start(&Shop("ada".into())).unwrap();
            let (name, value) = match by_cookie {
                true => (COOKIE, format!("__Host-Http-id={}", token.as_str())),
                false => (AUTHORIZATION, format!("Bearer {}", token.as_str())),
            };
            request.headers_mut().insert(name, value.parse().unwrap());
            request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
            let (session, slot) = servers.handle(request);
            assert_eq!(session.end().is_ok(), by_cookie, "a bearer token that is refused is refused");
            let closed = slot.close(false);
            assert_eq!(matches!(closed.departure, Departure::Ended { .. }), by_cookie);
            assert_eq!(closed.revoking.len(), usize::from(site == "same-origin"));
            assert_eq!(servers.knows(token.id()), site == "same-origin", "by a cookie: {by_cookie}");
        }
    }

    #[test]
    fn another_site_ends_nothing() {
        let servers = servers();
        let (mut request, id) = servers.request(true);
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let session = servers.handle(request).0;
        assert!(matches!(session.end(), Err(SessionError::CrossSite(_))));
        assert!(!servers.knows(id));
    }
}
