//! What a handler's arguments make of a session, and what tests of a handler need.

use axum::body::Body;
use axum::routing::any;
use axum::{Router, response::Response};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use waxseal::web::{Arrived, CookiePolicy};
use waxseal::{Authenticated, CurrentSession, OpenSession, Sealer, SessionError, SessionLayer, SessionState};

use super::{handled, of_this_site, seen, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{request, send};

/// A state of another type.
#[derive(Serialize, Deserialize)]
struct Other;

impl SessionState for Other {}

/// An axum route for every kind of argument, with sessions of `layer`.
fn app(layer: SessionLayer<Shop>) -> Router {
    async fn open(shop: OpenSession<Shop>) -> String {
        assert_eq!(shop.session().state().user, shop.user);
        shop.user.clone()
    }
    async fn maybe(shop: Option<OpenSession<Shop>>) -> String {
        shop.map_or("nobody".into(), |shop| shop.user.clone())
    }
    async fn somebody(shop: Authenticated<Shop>) -> String {
        assert_eq!((shop.subject(), &*shop.session().state().user), (&*shop.user, &*shop.user));
        shop.subject().to_owned()
    }
    async fn maybe_somebody(shop: Option<Authenticated<Shop>>) -> String {
        shop.map_or("nobody".into(), |shop| shop.subject().to_owned())
    }
    async fn current(shop: CurrentSession<Shop>) -> Result<String, SessionError> {
        Ok(shop.get()?.map_or("nobody".into(), |shop| shop.state().user.clone()))
    }
    async fn count(mut shop: OpenSession<Shop>) -> Result<String, SessionError> {
        shop.update(|shop| shop.count += 1)?;
        assert_eq!(shop.count, 2, "the argument shows the change");
        Ok(shop.count.to_string())
    }
    let routes = Router::new()
        .route("/open", any(open))
        .route("/maybe", any(maybe))
        .route("/somebody", any(somebody))
        .route("/maybe_somebody", any(maybe_somebody))
        .route("/current", any(current))
        .route("/count", any(count));
    routes.layer(layer)
}

fn ask(app: &Router, path: &str, request: Request<()>) -> (u16, Response) {
    let (mut parts, ()) = request.into_parts();
    parts.uri = path.parse().unwrap();
    let response = send(app.clone(), Request::from_parts(parts, Body::empty()));
    (response.status().as_u16(), response)
}

const PATHS: [&str; 5] = ["/open", "/maybe", "/somebody", "/maybe_somebody", "/current"];

#[test]
fn each_argument_takes_what_its_name_says() {
    let servers = Servers::new();
    let app = app(SessionLayer::new(&servers.sealer));
    let statuses = |make: &dyn Fn() -> Request<()>| PATHS.map(|path| ask(&app, path, make()).0);
    assert_eq!(statuses(&|| with_cookie(&servers, "POST", "ada")), [200; 5]);
    assert_eq!(statuses(&|| with_bearer(&servers, "POST", "ada")), [200; 5]);
    assert_eq!(statuses(&|| with_cookie(&servers, "POST", "")), [200, 200, 401, 200, 200], "a visitor without a name");
    assert_eq!(statuses(&|| of_this_site("GET", &[])), [401, 200, 401, 200, 200], "nobody");
    assert_eq!(statuses(&|| of_this_site("GET", &[("cookie", &format!("{COOKIE}=x"))])), [401, 200, 401, 200, 200]);
    let bad = |value: &'static str| move || of_this_site("GET", &[("authorization", value)]);
    assert_eq!(statuses(&bad("Bearer EQx")), [401; 5], "a bad token is not no token");
    assert_eq!(statuses(&bad("Bearer")), [400; 5]);
    assert_eq!(statuses(&bad("Basic x")), [401, 200, 401, 200, 200]);
    let elsewhere = || {
        let mut request = with_cookie(&servers, "POST", "ada");
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        request
    };
    assert_eq!(statuses(&elsewhere), [403; 5]);
    let (status, response) = ask(&app, "/count", with_cookie(&servers, "POST", "ada"));
    assert_eq!((status, super::sent(&servers, &response).unwrap().state().count), (200, 2));
}

#[test]
fn without_its_layer_an_argument_says_what_is_missing() {
    let servers = Servers::new();
    async fn open(_: OpenSession<Shop>) {}
    async fn current(_: CurrentSession<Shop>) {}
    let other = SessionLayer::new(&Sealer::<Other>::new(&servers.ring, "session").unwrap());
    for app in [Router::new(), Router::new().layer(other)] {
        let app = app.route("/open", any(open)).route("/current", any(current));
        for path in ["/open", "/current"] {
            let (status, response) = ask(&app, path, with_cookie(&servers, "GET", "ada"));
            assert_eq!(status, 500);
            assert_eq!(seen(&response).challenge, None);
        }
    }
    let request = with_cookie(&servers, "GET", "ada");
    let error = CurrentSession::<Shop>::of(&request).unwrap_err();
    assert_eq!((error, error.status()), (SessionError::LayerMissing, StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(CurrentSession::<Shop>::of_parts(&request.into_parts().0).unwrap_err(), SessionError::LayerMissing);
    let text = error.to_string();
    assert!(
        text.contains("SessionLayer") && text.contains(".layer(..)") && text.contains("this session's type"),
        "{text}"
    );
}

#[test]
fn a_handler_of_one_owns_is_tested_with_the_fields_of_a_session() {
    let servers = Servers::new();
    let layer = || SessionLayer::new(&servers.sealer);
    for (layer, arrived, uri) in [
        (layer(), Arrived::Cookie, "/"),
        (layer().cookie_name("__Host-Http-shop").unwrap(), Arrived::Cookie, "/"),
        (layer().policy(CookiePolicy::Always), Arrived::Cookie, "/"),
        (layer().policy(CookiePolicy::Never), Arrived::Header, "/"),
        (layer().reject_foreign_bearer().persistent(), Arrived::Cookie, "/"),
        (layer().dangerous_plain_http(), Arrived::Cookie, "/"),
    ] {
        let mut request = request("POST", uri, []);
        request.headers_mut().extend(layer.request_headers(&shop("ada")).unwrap());
        let shown = format!("{:?}", request.headers());
        let secret = |value: &http::HeaderValue| shown.contains(value.to_str().unwrap());
        assert!(!request.headers().get("cookie").is_some_and(secret), "{shown}");
        assert!(!request.headers().get("authorization").is_some_and(secret), "{shown}");
        let response = handled(&layer, request, |session| {
            assert_eq!(session.get()?.unwrap().state(), &shop("ada"));
            assert_eq!(session.arrived()?, arrived);
            Ok(())
        });
        assert_eq!(response.status(), 200, "{layer:?}");
    }
}

#[test]
fn a_test_reads_back_what_a_response_hands_out() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let user = |response: &http::Response<String>| {
        let session = layer.response_session(response.headers()).unwrap();
        session.map(|session| session.state().user.clone())
    };
    let login = |fields: &[(&str, &str)], name: &'static str| {
        handled(&layer, of_this_site("POST", fields), |session| session.start(shop(name)).map(drop))
    };
    assert_eq!(user(&login(&[], "ada")), Some("ada".to_owned()), "by the cookie");
    assert_eq!(user(&login(&[("dnt", "1")], "bob")), Some("bob".to_owned()), "by the header");
    let read = handled(&layer, with_cookie(&servers, "GET", "ada"), |session| session.get().map(drop));
    assert_eq!(user(&read), None);
    let ended = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| session.end());
    assert_eq!((user(&ended), seen(&ended).token), (None, Written::Forgotten));
    let mut bad = http::HeaderMap::new();
    bad.insert("session-token", "EQ".parse().unwrap());
    assert_eq!(layer.response_session(&bad).unwrap_err().reason().code(), "length");
}
