//! The service: a slot for the session into each request, and what became of it out of each response.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::current::{Closed, Slot};
use super::departure::Departure;
use super::desk::Desk;
use super::hold::Held;
use super::write;
use crate::revocation::Revoking;
use crate::state::SessionState;

/// A service whose requests carry sessions. Made by [`SessionLayer`](super::SessionLayer).
pub struct SessionService<S, T> {
    inner: S,
    desk: Arc<Desk<T>>,
}

impl<S, T> SessionService<S, T> {
    pub(super) fn new(inner: S, desk: Arc<Desk<T>>) -> Self {
        Self { inner, desk }
    }
}

impl<S, T, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S, T>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    T: SessionState,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, T, ResponseBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        hide_credentials(request.headers_mut());
        let slot = Arc::new(Slot::new(Arc::clone(&self.desk)));
        if request.extensions_mut().insert(Arc::clone(&slot)).is_some() {
            tracing::warn!("two session layers of one type are around a handler; the inner one counts");
        }
        ResponseFuture { inner: self.inner.call(request), slot, held: None }
    }
}

/// So that whoever logs a request's head logs no token.
fn hide_credentials(headers: &mut HeaderMap) {
    // Not by `entry`, which makes room for one more field even where it then adds none.
    for (name, value) in headers.iter_mut() {
        if name == AUTHORIZATION || name == COOKIE {
            value.set_sensitive(true);
        }
    }
}

impl<S: Clone, T> Clone for SessionService<S, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), desk: Arc::clone(&self.desk) }
    }
}

impl<S: fmt::Debug, T> fmt::Debug for SessionService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a [`SessionService`]'s response.
    pub struct ResponseFuture<F, T, B> {
        #[pin]
        inner: F,
        slot: Arc<Slot<T>>,
        // The handler's response, while what it did is not durable.
        held: Option<Box<Held<B>>>,
    }

    impl<F, T, B> PinnedDrop for ResponseFuture<F, T, B> {
        fn drop(this: Pin<&mut Self>) {
            this.project().slot.abandon();
        }
    }
}

impl<F, T, B, Error> Future for ResponseFuture<F, T, B>
where
    F: Future<Output = Result<Response<B>, Error>>,
    T: SessionState,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.held.is_none() {
            let mut response = ready!(this.inner.poll(cx)).inspect_err(|_| this.slot.abandon())?;
            let revoking = leave(this.slot, &mut response);
            if revoking.is_empty() {
                return Poll::Ready(Ok(response));
            }
            *this.held = Some(Box::new(Held::new(response, revoking)));
        }
        let held = this.held.as_mut().expect("a response is held");
        ready!(held.poll(cx));
        let held = this.held.take().expect("a response is held");
        Poll::Ready(Ok(held.into_response()))
    }
}

/// Writes into `response` what became of the session, and returns what it has to wait for.
fn leave<T: SessionState, B>(slot: &Slot<T>, response: &mut Response<B>) -> Vec<Revoking> {
    let Closed { departure, asked_signals, revoking } = slot.close(response.status().is_server_error());
    if let Departure::Failed(error) = &departure {
        // The body stays the handler's: there is no other, and it is this client's own.
        *response.status_mut() = error.status();
    }
    write::write(&slot.desk, &departure, asked_signals, response.headers_mut());
    revoking
}

impl<F, T, B> fmt::Debug for ResponseFuture<F, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
