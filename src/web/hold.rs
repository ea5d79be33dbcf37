//! Revocations that a response waits for: whoever reads "you are logged out" must be.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::error::RETRY_SECONDS;
use crate::revocation::Revoking;

/// A response whose head is written, until what it says is durable.
pub(super) struct Held<B> {
    response: Response<B>,
    revoking: Vec<Revoking>,
}

impl<B> Held<B> {
    pub(super) fn new(response: Response<B>, revoking: Vec<Revoking>) -> Self {
        Self { response, revoking }
    }

    /// Ready once there is nothing to wait for. One failure makes it a 503; the head says what it said, since the revocation
    /// is in force here all the same, and a client that was to forget its token should.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let response = &mut self.response;
        self.revoking.retain_mut(|revoking| match Pin::new(revoking).poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(_)) => false,
            Poll::Ready(Err(error)) => {
                tracing::error!(%error, "a logout is not as durable as it must be, and is answered 503");
                // The body stays the handler's: there is no other, and it is this client's own.
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
                false
            }
        });
        if self.revoking.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(super) fn into_response(self) -> Response<B> {
        self.response
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use core::future::{Ready, ready};
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::Waker;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    use http::Request;
    use serde::{Deserialize, Serialize};
    use tower_layer::Layer;
    use tower_service::Service;

    use super::*;
    use crate::revocation::{Level, RevokeError, Revoked};
    use crate::{CurrentSession, KeyRing, Sealer, SessionLayer, SessionState};

    #[derive(Serialize, Deserialize)]
    struct Shop(String);
    impl SessionState for Shop {}

    /// Ends the session, or not, and lets the response wait.
    struct Handler {
        ends: bool,
        waits_for: Mutex<Vec<Revoking>>,
    }

    impl Service<Request<()>> for Handler {
        type Response = Response<&'static str>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            let session = CurrentSession::<Shop>::of(&request).unwrap();
            session.get().unwrap().unwrap();
            if self.ends {
                session.end().unwrap();
            }
            let mut waits_for = self.waits_for.lock().unwrap();
            session
                .with(|visit, _| {
                    visit.revoking.append(&mut waits_for);
                    Ok(())
                })
                .unwrap();
            ready(Ok(Response::new("bye")))
        }
    }

    /// The response of a handler, on its way.
    fn answer(
        ends: bool,
        waits_for: Vec<Revoking>,
    ) -> impl Future<Output = Result<Response<&'static str>, Infallible>> {
        let layer = SessionLayer::new(&Sealer::new(&KeyRing::generate().unwrap(), "session").unwrap());
        let mut request = Request::post("/").body(()).unwrap();
        request.headers_mut().extend(layer.request_headers(&Shop("ada".into())).unwrap());
        layer.layer(Handler { ends, waits_for: Mutex::new(waits_for) }).call(request)
    }

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn done() -> Result<Revoked, RevokeError> {
        Ok(Revoked { level: Level::Local, until: None, cut_off: None })
    }

    fn failed() -> Result<Revoked, RevokeError> {
        Err(RevokeError::NotDurable { reached: None, why: "the disk is full".into() })
    }

    #[test]
    fn a_response_waits_until_all_of_it_is_durable() {
        let (one, keep_one) = Revoking::promised();
        let (two, keep_two) = Revoking::promised();
        let mut answer = Box::pin(answer(true, vec![one, two]));
        let woken = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut look = |times: usize| {
            assert_eq!(woken.0.load(Ordering::Relaxed), times);
            answer.as_mut().poll(&mut Context::from_waker(&waker))
        };
        assert!(look(0).is_pending());
        keep_two(done());
        assert!(look(1).is_pending());
        keep_one(done());
        let Poll::Ready(Ok(response)) = look(2) else { panic!("nothing is left to wait for") };
        assert_eq!((response.status(), *response.body()), (StatusCode::OK, "bye"));
        assert_eq!(response.headers()["session-token"], "?0");
    }

    #[test]
    fn what_is_not_durable_is_answered_503_and_the_client_still_forgets() {
        for ends in [true, false] {
            for outcomes in [[failed(), done()], [done(), failed()], [failed(), failed()]] {
                let waits_for = outcomes.map(|outcome| {
                    let (revoking, keep) = Revoking::promised();
                    keep(outcome);
                    revoking
                });
                let mut answer = Box::pin(answer(ends, waits_for.into()));
                let polled = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                let Poll::Ready(Ok(response)) = polled else { panic!("nothing is left to wait for") };
                assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
                assert_eq!(response.headers()[RETRY_AFTER], RETRY_SECONDS);
                assert_eq!(response.headers().contains_key("session-token"), ends);
                let cookie = response.headers().get("set-cookie").map(|field| field.to_str().unwrap());
                assert_eq!(cookie.is_some_and(|field| field.contains("Max-Age=0")), ends);
            }
        }
    }
}
