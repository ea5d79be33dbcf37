//! When a session is opened, and what a request shows of it.

use std::cell::Cell;

use http::Request;
use serde::{Deserialize, Serialize};
use tower_layer::Layer;
use waxseal::web::{Arrived, CookiePolicy, Signals};
use waxseal::{CurrentSession, KeyRing, Sealer, SessionLayer, SessionState};

use super::{handled, of_this_site, seen, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{Handler, send};

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
