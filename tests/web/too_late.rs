//! Once a response's head is on its way, a session can be read and nothing else.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::convert::Infallible;
use std::sync::mpsc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::routing::post;
use axum::{Router, response::IntoResponse};
use http::Response;
use http_body::Frame;
use waxseal::{CurrentSession, SessionError, SessionLayer};

use super::{answered, seen, sent, with_cookie};
use crate::httpkit::shop::{Servers, Shop, shop};
use crate::httpkit::{request, send};

/// Everything that would change the session.
fn each_verb(session: &CurrentSession<Shop>) -> [Result<(), SessionError>; 8] {
    [
        session.update(|shop| shop.count = 99),
        session.update(|_| ()),
        session.start(shop("eve")).map(drop),
        session.hand_off(shop("eve")).map(drop),
        session.renew(),
        session.end(),
        session.end_everywhere(),
        session.end_others(),
    ]
}

#[test]
fn a_handle_that_outlives_the_head_can_only_read() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let (keep, kept) = mpsc::channel();
    let response = answered(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        session.update(|shop| shop.count = 5).unwrap();
        keep.send(session).unwrap();
        Response::new(String::new())
    });
    assert_eq!(sent(&servers, &response).unwrap().state().count, 5);
    let session = kept.recv().unwrap();
    assert_eq!(each_verb(&session), [Err(SessionError::TooLate); 8]);
    assert_eq!(session.get().unwrap().unwrap().state().count, 5);
    assert_eq!(SessionError::TooLate.status(), 500);
}

/// A body that changes the session while it is sent.
struct Streamed {
    session: CurrentSession<Shop>,
    left: u32,
    results: mpsc::Sender<Result<(), SessionError>>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        let result = self.session.update(|shop| shop.count += 1);
        self.results.send(result).unwrap();
        let user = self.session.get().unwrap().map_or_else(String::new, |session| session.state().user.clone());
        Poll::Ready(Some(Ok(Frame::data(user.into()))))
    }
}

/// Nobody asked before the head left, so nothing is known to be closed.
#[test]
fn a_handle_that_is_made_after_the_head_can_only_read() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let (keep, kept) = mpsc::channel();
    let handler = crate::httpkit::Handler(|request: http::Request<()>| {
        keep.send(request.into_parts().0).unwrap();
        Response::new(String::new())
    });
    for _ in 0..2 {
        let response = send(tower_layer::Layer::layer(&layer, handler), with_cookie(&servers, "POST", "ada"));
        assert_eq!(response.headers().len(), 0);
        let parts = kept.recv().unwrap();
        let session = CurrentSession::<Shop>::of_parts(&parts).unwrap();
        assert_eq!(each_verb(&session), [Err(SessionError::TooLate); 8]);
        assert_eq!(session.get().unwrap().unwrap().state(), &shop("ada"));
    }
}

#[test]
fn a_body_that_streams_cannot_change_the_session() {
    let servers = Servers::new();
    let (results, received) = mpsc::channel();
    let stream = |session: CurrentSession<Shop>| async move {
        session.update(|shop| shop.note = "before".into())?;
        let body = Streamed { session, left: 3, results };
        Ok::<_, SessionError>(Response::new(Body::new(body)).into_response())
    };
    let app = Router::new().route("/", post(stream)).layer(SessionLayer::new(&servers.sealer));
    let (parts, ()) = with_cookie(&servers, "POST", "ada").into_parts();
    let response = send(app, Request::from_parts(parts, Body::empty()));
    let session = sent(&servers, &response).unwrap();
    assert_eq!((session.state().count, &*session.state().note), (1, "before"));
    assert_eq!(seen(&response).cache_control.as_deref(), Some("no-store"));
    let mut body = pin!(response.into_body());
    let mut sent = vec![];
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
        sent.extend_from_slice(frame.unwrap().data_ref().unwrap());
    }
    assert_eq!(sent, b"adaadaada");
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [Err(SessionError::TooLate); 3]);
}

#[test]
fn a_request_that_nobody_answers_sends_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    /// A service that fails before it answers.
    #[derive(Clone)]
    struct Broken;
    impl tower_service::Service<http::Request<()>> for Broken {
        type Response = Response<String>;
        type Error = &'static str;
        type Future = core::future::Ready<Result<Response<String>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<()>) -> Self::Future {
            let session = CurrentSession::<Shop>::of(&request).unwrap();
            session.start(shop("bob")).unwrap();
            core::future::ready(Err("broken"))
        }
    }
    let mut service = tower_layer::Layer::layer(&layer, Broken);
    let mut response = pin!(tower_service::Service::call(&mut service, request("POST", "/", [])));
    let polled = core::future::Future::poll(response.as_mut(), &mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err("broken"))), "the error comes through as it is");
}

#[test]
fn a_handle_learns_that_nobody_will_answer() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    /// A service that fails, or never answers.
    #[derive(Clone)]
    struct Broken(mpsc::Sender<CurrentSession<Shop>>, bool);
    impl tower_service::Service<http::Request<()>> for Broken {
        type Response = Response<String>;
        type Error = &'static str;
        type Future = Pin<Box<dyn core::future::Future<Output = Result<Response<String>, &'static str>>>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<()>) -> Self::Future {
            self.0.send(CurrentSession::of(&request).unwrap()).unwrap();
            if self.1 { Box::pin(core::future::ready(Err("broken"))) } else { Box::pin(core::future::pending()) }
        }
    }
    for fails in [true, false] {
        let (keep, kept) = mpsc::channel();
        let mut service = tower_layer::Layer::layer(&layer, Broken(keep, fails));
        let mut response = Box::pin(tower_service::Service::call(&mut service, with_cookie(&servers, "POST", "ada")));
        let polled = core::future::Future::poll(response.as_mut(), &mut Context::from_waker(Waker::noop()));
        assert_eq!(polled.is_ready(), fails);
        if !fails {
            drop(response);
        }
        assert_eq!(each_verb(&kept.recv().unwrap()), [Err(SessionError::TooLate); 8], "fails: {fails}");
    }
}
