//! Several layers, services that are not axum's, and what a service passes on as it is.

use core::task::{Context, Poll, Waker};

use axum::body::HttpBody;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use tower_layer::Layer;
use tower_service::Service;
use waxseal::web::CookiePolicy;
use waxseal::{CurrentSession, Sealer, SessionError, SessionLayer, SessionState};

use super::{of_this_site, seen, with_cookie};
use crate::httpkit::shop::{COOKIE, Servers, Shop, sealer, shop};
use crate::httpkit::sight::{ATTRIBUTES, Written, sight};
use crate::httpkit::{Handler, request, send};

/// What a second kind of session holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Admin {
    level: u8,
}

impl SessionState for Admin {}

const ADMIN: &str = "__Host-Http-admin";

fn two(servers: &Servers) -> (SessionLayer<Shop>, SessionLayer<Admin>) {
    let admin = Sealer::<Admin>::builder(&servers.ring, "admin").clock(servers.clock.clone()).build().unwrap();
    (SessionLayer::new(&servers.sealer), SessionLayer::new(&admin).cookie_name(ADMIN).unwrap())
}

#[test]
fn two_kinds_of_session_live_side_by_side() {
    let servers = Servers::new();
    let (shops, admins) = two(&servers);
    let both = |request: Request<()>, handler: fn(CurrentSession<Shop>, CurrentSession<Admin>)| {
        let handler = Handler(move |request: Request<()>| {
            handler(CurrentSession::of(&request).unwrap(), CurrentSession::of(&request).unwrap());
            Response::builder().header("vary", "accept").body(()).unwrap()
        });
        let response = send(shops.layer(admins.layer(handler)), request);
        let vary: Vec<_> = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let names: Vec<_> = vary.iter().flat_map(|names| names.split(", ")).map(str::to_ascii_lowercase).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "{vary:?} names something twice");
        [COOKIE, ADMIN].map(|name| sight(response.headers(), name, ATTRIBUTES))
    };
    let [shop_seen, admin_seen] = both(of_this_site("POST", &[]), |shops, admins| {
        shops.start(shop("ada")).unwrap();
        admins.start(Admin { level: 3 }).unwrap();
    });
    assert_eq!(shop_seen.cache_control.as_deref(), Some("no-store"));
    let cookies = [(COOKIE, shop_seen), (ADMIN, admin_seen)]
        .map(|(name, seen)| format!("{name}={}", seen.cookie.token().unwrap()));
    let request = of_this_site("POST", &[("cookie", &cookies[0]), ("cookie", &cookies[1])]);
    let [shop_seen, admin_seen] = both(request.clone(), |shops, admins| {
        assert_eq!(shops.get().unwrap().unwrap().state(), &shop("ada"));
        assert_eq!(admins.get().unwrap().unwrap().state(), &Admin { level: 3 });
        admins.update(|admin| admin.level = 2).unwrap();
    });
    assert_eq!((shop_seen.cookie, admin_seen.cookie.token().is_some()), (Written::Nothing, true));
    assert_eq!(shop_seen.cache_control.as_deref(), Some("no-store"), "whichever layer is the outer one");
    let [shop_seen, admin_seen] = both(request, |shops, _| shops.end().unwrap());
    assert_eq!((shop_seen.cookie, admin_seen.cookie), (Written::Forgotten, Written::Nothing));
}

/// A bearer token has no name by which each layer could find its own; a prefix is one.
#[test]
fn two_kinds_of_bearer_need_prefixes() {
    let servers = Servers::new();
    let (shops, admins) = two(&servers);
    let token = servers.sealer.start(&shop("ada")).unwrap();
    let handler = Handler(|request: Request<()>| {
        assert_eq!(CurrentSession::<Shop>::of(&request).unwrap().get().unwrap().unwrap().state(), &shop("ada"));
        match CurrentSession::<Admin>::of(&request).unwrap().get() {
            Ok(None) => Response::new(String::new()),
            other => other.unwrap_err().response(),
        }
    });
    let ask = |service: &mut dyn FnMut(Request<()>) -> Response<String>, token: &str| {
        service(of_this_site("GET", &[("authorization", &format!("Bearer {token}"))])).status()
    };
    assert_eq!(ask(&mut |request| send(shops.layer(admins.layer(handler)), request), token.as_str()), 401);
    let own = sealer(&servers.ring, servers.clock.clone(), Some("shop_"));
    let token = own.start(&shop("ada")).unwrap();
    let admin = Sealer::<Admin>::builder(&servers.ring, "admin").prefix("adm_").build().unwrap();
    let (shops, admins) = (SessionLayer::new(&own), SessionLayer::new(&admin));
    assert_eq!(ask(&mut |request| send(shops.layer(admins.layer(handler)), request), token.as_str()), 200);
}

#[test]
fn of_two_layers_of_one_type_the_inner_one_counts() {
    let servers = Servers::new();
    let outer = SessionLayer::new(&servers.sealer);
    let inner = outer.clone().cookie_name("__Host-Http-inner").unwrap();
    let handler = Handler(|request: Request<()>| {
        let session = CurrentSession::<Shop>::of(&request).unwrap();
        assert!(session.get().unwrap().is_none(), "the outer layer's cookie is not the inner one's");
        session.start(shop("bob")).unwrap();
        Response::new(())
    });
    let response = send(outer.layer(inner.layer(handler)), with_cookie(&servers, "POST", "ada"));
    assert_eq!(seen(&response).cookie, Written::Nothing);
    assert!(sight(response.headers(), "__Host-Http-inner", ATTRIBUTES).cookie.token().is_some());
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1);
}

/// A body that cannot be made out of nothing.
struct Opaque<'a>(&'a str);

#[test]
fn a_service_may_have_any_body() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let start = |request: &Request<_>| drop(CurrentSession::<Shop>::of(request).unwrap().start(shop("bob")).unwrap());
    let text = String::from("borrowed");
    fn opaque(request: Request<Opaque<'_>>) -> Response<Opaque<'_>> {
        let (parts, body) = request.into_parts();
        CurrentSession::<Shop>::of_parts(&parts).unwrap().start(shop("bob")).unwrap();
        Response::new(body)
    }
    let request = of_this_site("POST", &[]).map(|()| Opaque(&text));
    let response = send(layer.layer(Handler(opaque)), request);
    assert!(seen(&response).cookie.token().is_some() && response.body().0 == "borrowed");
    let full = Handler(|request: Request<()>| {
        start(&request);
        Response::new(Full::new(&b"whole"[..]))
    });
    let response = send(layer.layer(full), of_this_site("POST", &[]));
    assert!(seen(&response).cookie.token().is_some() && !response.body().is_end_stream());
    let mut body = core::pin::pin!(response.into_body().collect());
    let Poll::Ready(Ok(body)) = core::future::Future::poll(body.as_mut(), &mut Context::from_waker(Waker::noop()))
    else {
        panic!("the body waits for something");
    };
    assert_eq!(&body.to_bytes()[..], b"whole");
}

/// A service that answers an error, and is ready every second time only.
#[derive(Clone, Debug, Default)]
struct Moody {
    ready: bool,
    called: bool,
}

impl Service<Request<()>> for Moody {
    type Response = Response<String>;
    type Error = SessionError;
    type Future = core::future::Ready<Result<Response<String>, SessionError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SessionError>> {
        self.ready = !self.ready;
        if self.ready { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.called = true;
        core::future::ready(Err(SessionError::Anonymous))
    }
}

#[test]
fn a_service_is_ready_when_the_one_within_is_and_fails_as_it_does() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer).policy(CookiePolicy::Always);
    let mut service = layer.layer(Moody::default());
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_pending());
    assert_eq!(service.poll_ready(&mut context), Poll::Ready(Ok(())));
    let mut response = core::pin::pin!(service.call(request("GET", "/", [])));
    match core::future::Future::poll(response.as_mut(), &mut context) {
        Poll::Ready(result) => assert_eq!(result.map(|_| ()), Err(SessionError::Anonymous)),
        Poll::Pending => panic!("it waits for something"),
    }
    let shown = format!("{service:?} {:?} {layer:?}", service.clone());
    assert!(shown.contains("Moody") && shown.contains("called: true"), "{shown}");
    assert!(shown.contains("__Host-Http-id") && !shown.contains("Sealer"), "{shown}");
}
