//! The handler's story: what it can do to a session, what the client gets, and what goes wrong on the way.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod httpkit;
mod testkit;

#[path = "web/arguments.rs"]
mod arguments;
#[path = "web/choices.rs"]
mod choices;
#[path = "web/ending.rs"]
mod ending;
#[path = "web/failures.rs"]
mod failures;
#[path = "web/heads.rs"]
mod heads;
#[path = "web/layers.rs"]
mod layers;
#[path = "web/logs.rs"]
mod logs;
#[path = "web/opening.rs"]
mod opening;
#[path = "web/renewing.rs"]
mod renewing;
#[path = "web/revoking.rs"]
mod revoking;
#[path = "web/sealing.rs"]
mod sealing;
#[path = "web/too_late.rs"]
mod too_late;
#[path = "web/updating.rs"]
mod updating;

use http::{Request, Response};
use httpkit::shop::{COOKIE, Servers, Shop, shop};
use httpkit::sight::{ATTRIBUTES, Sight, sight};
use httpkit::{Handler, send};
use tower_layer::Layer;
use waxseal::{CurrentSession, Session, SessionError, SessionLayer};

/// What a handler does to a session.
type Act = fn(CurrentSession<Shop>) -> Result<(), SessionError>;

/// The response of a handler that has a session's handle; an error becomes its own response.
fn handled(
    layer: &SessionLayer<Shop>,
    request: Request<()>,
    handler: impl Fn(CurrentSession<Shop>) -> Result<(), SessionError>,
) -> Response<String> {
    answered(layer, request, |session| match handler(session) {
        Ok(()) => Response::new(String::new()),
        Err(error) => error.response(),
    })
}

/// The response of a handler that writes it itself.
fn answered<B>(
    layer: &SessionLayer<Shop>,
    request: Request<()>,
    handler: impl Fn(CurrentSession<Shop>) -> Response<B>,
) -> Response<B> {
    let handler = Handler(|request: Request<()>| handler(CurrentSession::of(&request).unwrap()));
    send(layer.layer(handler), request)
}

/// A script's request to its own site, with the cookie of a new session of `user`.
fn with_cookie(servers: &Servers, method: &str, user: &str) -> Request<()> {
    let token = servers.cookie(COOKIE).start(&shop(user)).unwrap();
    of_this_site(method, &[("cookie", &format!("{COOKIE}={}", token.as_str()))])
}

/// The same with a bearer token.
fn with_bearer(servers: &Servers, method: &str, user: &str) -> Request<()> {
    let token = servers.sealer.start(&shop(user)).unwrap();
    of_this_site(method, &[("authorization", &format!("Bearer {}", token.as_str()))])
}

fn of_this_site(method: &str, fields: &[(&str, &str)]) -> Request<()> {
    let site = [("host", "shop.example"), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
    httpkit::request(method, "/", site.into_iter().chain(fields.iter().copied()))
}

/// A response as the client sees it.
fn seen<B>(response: &Response<B>) -> Sight {
    sight(response.headers(), COOKIE, ATTRIBUTES)
}

/// The session of the token that a response hands out, by whichever carrier.
fn sent<B>(servers: &Servers, response: &Response<B>) -> Option<Session<Shop>> {
    let seen = seen(response);
    match (seen.cookie.token(), seen.token.token()) {
        (Some(token), None) => Some(servers.cookie(COOKIE).open(token).unwrap()),
        (None, Some(token)) => Some(servers.sealer.open(token).unwrap()),
        (None, None) => None,
        (Some(_), Some(_)) => panic!("two tokens at once"),
    }
}

fn at(seconds: u64) -> waxseal::time::Timestamp {
    waxseal::time::Timestamp::from_unix(seconds)
}
