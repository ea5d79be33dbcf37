//! Requests through a layer to a handler, with neither network nor runtime between: what the tests of carriers share.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) mod log;
pub(crate) mod shop;
pub(crate) mod sight;

use core::convert::Infallible;
use core::fmt::Debug;
use core::future::{Future, Ready, ready};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use http::header::{HeaderName, HeaderValue};
use http::{Request, Response};
use tower_service::Service;

/// A service whose handler is a function.
#[derive(Clone, Copy)]
pub(crate) struct Handler<F>(pub(crate) F);

impl<F, A, B> Service<Request<A>> for Handler<F>
where
    F: FnMut(Request<A>) -> Response<B>,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        ready(Ok((self.0)(request)))
    }
}

/// The response of `service`, which has nothing to wait for.
pub(crate) fn send<S, A>(mut service: S, request: Request<A>) -> S::Response
where
    S: Service<Request<A>, Error: Debug>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(service.poll_ready(&mut context), Poll::Ready(Ok(()))), "the service is not ready");
    let mut response = pin!(service.call(request));
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(response) = response.as_mut().poll(&mut context) {
            return response.unwrap();
        }
    }
    panic!("the service waits for something");
}

/// A request without a body and with these fields, whose values may say `\xNN` for any byte.
pub(crate) fn request<'a>(
    method: &str,
    uri: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Request<()> {
    let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value_of(value));
    }
    request
}

fn value_of(text: &str) -> HeaderValue {
    let (first, rest) = text.split_once("\\x").map_or((text, None), |(first, rest)| (first, Some(rest)));
    let mut bytes = first.as_bytes().to_vec();
    for part in rest.iter().flat_map(|rest| rest.split("\\x")) {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    HeaderValue::from_bytes(&bytes).unwrap()
}

/// A future that needs more than this many looks waits for somebody.
const MOST_POLLS: usize = 8;
