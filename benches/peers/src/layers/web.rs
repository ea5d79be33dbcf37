//! The layer of waxseal alone, around a service of plain tower: what it adds to a request without axum in between.

use core::convert::Infallible;
use core::future::{Ready, ready as answered};
use core::task::{Context, Poll};
use std::hint::black_box;
use std::sync::Arc;

use ::waxseal::{CurrentSession, SessionLayer};
use http::header::{COOKIE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response};
use serde::Serialize;
use tower::{Layer, Service};

use super::{ACTS, Act, head, ready, waxseal};
use crate::allocator::allocations;
use crate::harness::{Plan, Span, interleave, task};
use crate::sessions::{Sample, Typical};

/// What one request takes beyond the service itself.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) act: Act,
    pub(crate) ns: Span,
    pub(crate) allocations: i64,
    /// Allocations beyond those of a service that puts one value into the request's extensions.
    pub(crate) allocations_beyond_extensions: i64,
}

pub(crate) fn measure(plan: Plan) -> Vec<Row> {
    let layer = waxseal::layer();
    let heads = ACTS.map(|act| head_for(&layer, act));
    let mut tasks = Vec::new();
    for (act, head) in ACTS.into_iter().zip(&heads) {
        let (mut bare, mut layered) = (Handler(Act::Ignore), layer.layer(Handler(act)));
        tasks.push(task(move || ready(bare.call(Request::from_parts(head.clone(), ())))));
        tasks.push(task(move || ready(layered.call(Request::from_parts(head.clone(), ())))));
    }
    let times = interleave(plan, &mut tasks);
    drop(tasks);
    let rows = ACTS.into_iter().zip(&heads).zip(times.chunks(2));
    rows.map(|((act, head), times)| {
        let count = |service: &mut dyn FnMut(Request<()>)| {
            allocations(|| service(Request::from_parts(head.clone(), ()))) as i64
        };
        let (mut bare, mut inserts, mut layered) = (Handler(Act::Ignore), Inserts, layer.layer(Handler(act)));
        let own = count(&mut |request| drop(ready(layered.call(request))));
        let without = count(&mut |request| drop(ready(bare.call(request))));
        let extensions = count(&mut |request| drop(ready(inserts.call(request))));
        Row {
            act,
            ns: times[1].above(&times[0]),
            allocations: own - without,
            allocations_beyond_extensions: own - extensions,
        }
    })
    .collect()
}

fn head_for(layer: &SessionLayer<Typical>, act: Act) -> Parts {
    let headers = layer.request_headers(&Typical::sample()).expect("the sample fits");
    let cookie: &HeaderValue = &headers[COOKIE];
    let method = if act == Act::Change { Method::POST } else { Method::GET };
    head("/", method, Some(cookie))
}

/// A service that does one thing with the session.
#[derive(Clone)]
struct Handler(Act);

impl Service<Request<()>> for Handler {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let session = || CurrentSession::<Typical>::of(&request).expect("under the layer");
        match self.0 {
            Act::Ignore => {}
            Act::Read => drop(black_box(session().get().expect("our own session"))),
            Act::Change => session().update(|state| state.flags += 1).expect("our own session"),
        }
        black_box(&request);
        answered(Ok(Response::new(())))
    }
}

/// A service that puts one value into the extensions.
struct Inserts;

impl Service<Request<()>> for Inserts {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<()>) -> Self::Future {
        // As large as a pointer, and made before: what is counted is the map's own.
        static VALUE: std::sync::LazyLock<Arc<u8>> = std::sync::LazyLock::new(|| Arc::new(7));
        request.extensions_mut().insert(Arc::clone(&VALUE));
        black_box(&request);
        answered(Ok(Response::new(())))
    }
}
