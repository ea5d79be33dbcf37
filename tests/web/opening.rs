//! When a session is opened, what a handler's arguments make of it, and what the request shows of it.

use std::cell::Cell;

use axum::body::Body;
use axum::routing::any;
use axum::{Router, response::Response};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tower_layer::Layer;
use waxseal::web::{Arrived, CookiePolicy, Signals};
use waxseal::{Authenticated, CurrentSession, KeyRing, OpenSession, Sealer, SessionError, SessionLayer, SessionState};

use super::{handled, of_this_site, seen, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{Handler, request, send};

thread_local! {
    /// How many states were decoded on this thread.
    static DECODED: Cell<u32> = const { Cell::new(0) };
}

/// A state that counts how often it is decoded.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
struct Counted(u32);

impl From<u32> for Counted {
    fn from(value: u32) -> Self {
        DECODED.set(DECODED.get() + 1);
        Self(value)
    }
}

impl From<Counted> for u32 {
    fn from(counted: Counted) -> Self {
        counted.0
    }
}

impl SessionState for Counted {}

fn decoded(act: impl FnOnce()) -> u32 {
    DECODED.set(0);
    act();
    DECODED.get()
}

#[test]
fn a_token_is_opened_once_and_only_if_somebody_asks() {
    let layer = SessionLayer::new(&Sealer::<Counted>::new(&KeyRing::generate().unwrap(), "session").unwrap());
    let with = |handler: fn(&CurrentSession<Counted>)| {
        let mut request = Request::post("/").body(()).unwrap();
        request.headers_mut().extend(layer.request_headers(&Counted(7)).unwrap());
        let handler = Handler(move |request: Request<()>| {
            handler(&CurrentSession::of(&request).unwrap());
            http::Response::new(String::new())
        });
        let mut response = None;
        let count = decoded(|| response = Some(send(layer.layer(handler), request)));
        (count, response.unwrap().headers().len())
    };
    assert_eq!(with(|_| ()), (0, 0), "to have the handle is not to ask");
    assert_eq!(with(|session| assert_eq!(session.signals(), Signals::default())), (0, 1), "Vary: DNT, Sec-GPC");
    assert_eq!(with(|session| session.allow_cookie()), (0, 0));
    assert_eq!(with(|session| assert!(session.get().unwrap().is_some())).0, 1);
    assert_eq!(with(|session| assert_eq!(session.arrived(), Ok(Arrived::Cookie))).0, 1);
    let often = |session: &CurrentSession<Counted>| {
        for _ in 0..3 {
            assert_eq!(session.clone().get().unwrap().unwrap().state().0, 7);
        }
    };
    assert_eq!(with(often).0, 1);
}

#[test]
fn a_response_keeps_its_own_fields_if_nobody_asks() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let handler = Handler(|_| {
        let response = http::Response::builder().header("vary", "accept").header("cache-control", "public, max-age=60");
        response.header("set-cookie", format!("{COOKIE}=handmade")).body(String::new()).unwrap()
    });
    let mut request = with_cookie(&servers, "POST", "ada");
    request.headers_mut().insert("dnt", "1".parse().unwrap());
    let response = send(layer.layer(handler), request);
    let fields: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let own = format!("{COOKIE}=handmade");
    let expected: [(&str, &[u8]); 3] =
        [("vary", b"accept"), ("cache-control", b"public, max-age=60"), ("set-cookie", own.as_bytes())];
    assert_eq!(fields, expected);
}

#[test]
fn clones_of_a_handle_are_one_session() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| {
        let other = session.clone();
        other.update(|shop| shop.count = 8)?;
        assert_eq!(session.get()?.unwrap().state().count, 8);
        session.end()?;
        assert!(other.get()?.is_none());
        Ok(())
    });
    assert_eq!(seen(&response).cookie, Written::Forgotten);
}

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
    let other = SessionLayer::new(&Sealer::<Counted>::new(&servers.ring, "session").unwrap());
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
fn a_requests_head_shows_no_token() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let tokens = [servers.sealer.start(&shop("ada")).unwrap(), servers.cookie(COOKIE).start(&shop("eve")).unwrap()];
    let [bearer, cookie] = &tokens;
    let (bearer, cookie) = (format!("Bearer {}", bearer.as_str()), format!("{COOKIE}={}", cookie.as_str()));
    let both = of_this_site(
        "GET",
        &[("authorization", &bearer), ("cookie", &cookie), ("cookie", "theme=dark; __Host-Http-id=EQEQEQ")],
    );
    let shown = |request: &Request<()>| format!("{request:?} {:#?}", request.headers());
    assert!(tokens.iter().all(|token| shown(&both).contains(token.as_str())), "outside of the layer it is any field");
    let handler = Handler(|request: Request<()>| {
        let session = CurrentSession::<Shop>::of(&request).unwrap();
        let debug = format!("{} {session:?} {:?}", shown(&request), session.get().unwrap());
        assert!(tokens.iter().all(|token| !debug.contains(&token.as_str()[..12])), "{debug}");
        assert!(!debug.contains("theme") && !debug.contains("EQEQEQ"), "{debug}");
        assert!(debug.contains("Sensitive") && debug.contains("shop.example"), "{debug}");
        http::Response::new(String::new())
    });
    assert_eq!(send(layer.layer(handler), both).status(), 200);
}

#[test]
fn a_cookie_session_opens_no_socket_for_another_site() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let handshake = |site: &'static str, mut request: Request<()>| {
        request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        handled(&layer, request, |session| session.get().map(|session| assert!(session.is_some()))).status()
    };
    for (site, expected) in [("same-origin", 200), ("same-site", 403), ("cross-site", 403)] {
        assert_eq!(handshake(site, with_cookie(&servers, "GET", "ada")), expected, "{site}");
        assert_eq!(handshake(site, with_bearer(&servers, "GET", "ada")), 200, "{site}: an explicit token");
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

thread_local! {
    /// Whether reading a state panics.
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

/// A state with a bug that shows now and then.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
struct Fragile(u32);

impl From<u32> for Fragile {
    fn from(value: u32) -> Self {
        assert!(!PANICS.get(), "this test panics");
        Self(value)
    }
}

impl From<Fragile> for u32 {
    fn from(fragile: Fragile) -> Self {
        fragile.0
    }
}

impl SessionState for Fragile {}

#[test]
fn a_state_that_panics_when_it_is_read_is_not_no_state() {
    let sealer = Sealer::<Fragile>::new(&KeyRing::generate().unwrap(), "session").unwrap();
    for policy in [CookiePolicy::Always, CookiePolicy::Never] {
        let layer = SessionLayer::new(&sealer).policy(policy);
        let mut request = Request::post("/").body(()).unwrap();
        request.headers_mut().extend(layer.request_headers(&Fragile(7)).unwrap());
        let handler = Handler(|request: Request<()>| {
            let session = CurrentSession::<Fragile>::of(&request).unwrap();
            PANICS.set(true);
            let panicked = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| session.get().map(drop)));
            PANICS.set(false);
            assert!(panicked.is_err());
            match session.get() {
                Ok(_) => http::Response::new(String::new()),
                Err(error) => error.response(),
            }
        });
        let response = send(layer.layer(handler), request);
        assert_eq!((response.status().as_u16(), response.headers().get("set-cookie")), (503, None), "{policy:?}");
    }
}
