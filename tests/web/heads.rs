//! The fields of a response: whatever the handler answered, they say what became of the session, once.

use http::{HeaderMap, Request, Response, StatusCode};
use tower_layer::Layer;
use waxseal::{CurrentSession, SessionLayer};

use super::{answered, of_this_site, seen, sent, with_bearer, with_cookie};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::sight::Written;
use crate::httpkit::{Handler, send};

/// A response of this status, whose handler changed the session.
fn changed(status: u16, request: Request<()>, layer: &SessionLayer<Shop>) -> Response<()> {
    answered(layer, request, |session| {
        session.update(|shop| shop.count += 1).unwrap();
        Response::builder().status(status).body(()).unwrap()
    })
}

#[test]
fn every_status_below_500_carries_a_change() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for status in [100, 101, 103, 200, 201, 204, 206, 301, 303, 304, 307, 400, 401, 403, 404, 409, 413, 422, 429, 499] {
        for request in [with_cookie(&servers, "POST", "ada"), with_bearer(&servers, "POST", "ada")] {
            let response = changed(status, request, &layer);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(sent(&servers, &response).unwrap().state().count, 2, "{status}");
            assert_eq!(seen(&response).cache_control.as_deref(), Some("no-store"), "{status}");
        }
    }
}

#[test]
fn a_server_error_carries_only_an_end() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    for status in [500, 501, 502, 503, 504, 511, 599] {
        let response = changed(status, with_cookie(&servers, "POST", "ada"), &layer);
        assert_eq!((sent(&servers, &response).is_none(), response.status().as_u16()), (true, status));
        let failing = |act: fn(&CurrentSession<Shop>)| {
            let response = answered(&layer, with_cookie(&servers, "POST", "ada"), |session| {
                act(&session);
                Response::builder().status(status).body(()).unwrap()
            });
            seen(&response)
        };
        let started = failing(|session| drop(session.start(shop("bob")).unwrap()));
        assert_eq!((started.cookie, started.token), (Written::Nothing, Written::Nothing));
        let ended = failing(|session| session.end().unwrap());
        assert_eq!((ended.cookie, ended.token), (Written::Forgotten, Written::Forgotten));
        assert_eq!(ended.cache_control.as_deref(), Some("no-store"));
        let both = failing(|session| {
            session.end().unwrap();
            session.start(shop("bob")).unwrap();
        });
        assert_eq!((both.cookie, both.token), (Written::Nothing, Written::Nothing), "a login that failed");
    }
}

#[test]
fn a_server_error_renews_nothing_and_deletes_what_is_worth_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let fail = |request| {
        let response = answered(&layer, request, |session| {
            let _ = session.get().unwrap();
            Response::builder().status(500).body(()).unwrap()
        });
        seen(&response)
    };
    let due = with_cookie(&servers, "GET", "ada");
    servers.clock.advance(LIFE / 2);
    assert_eq!(fail(due.clone()).cookie, Written::Nothing);
    servers.clock.advance(LIFE / 2);
    assert_eq!(fail(due).cookie, Written::Forgotten);
}

#[test]
fn a_head_request_is_answered_like_a_get() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let requests = ["GET", "HEAD"].map(|method| with_cookie(&servers, method, "ada"));
    servers.clock.advance(LIFE / 2);
    for request in requests {
        let response = answered(&layer, request, |session| {
            assert!(session.get().unwrap().is_some());
            Response::new(())
        });
        assert!(seen(&response).cookie.token().is_some());
    }
}

/// The head of a response with these fields, whose handler read the session (GET) or changed it.
fn with_fields(fields: &[(&str, &str)], writes: bool) -> HeaderMap {
    let servers = Servers::new();
    let response = answered(&SessionLayer::new(&servers.sealer), with_cookie(&servers, "POST", "ada"), |session| {
        assert!(session.get().unwrap().is_some());
        if writes {
            session.update(|shop| shop.count += 1).unwrap();
        }
        let response =
            fields.iter().fold(Response::builder(), |response, (name, value)| response.header(*name, *value));
        response.body(()).unwrap()
    });
    response.into_parts().0.headers
}

fn all(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[test]
fn vary_names_each_field_once_and_keeps_what_the_handler_said() {
    for (own, writes, expected) in [
        (&[][..], true, "DNT, Sec-GPC, Cookie, Authorization"),
        (&["Accept-Encoding"], true, "Accept-Encoding, DNT, Sec-GPC, Cookie, Authorization"),
        (&["cookie, accept"], true, "cookie, accept, DNT, Sec-GPC, Authorization"),
        (&["COOKIE", "sec-gpc", "accept"], true, "COOKIE, sec-gpc, accept, DNT, Authorization"),
        (&["dnt,sec-gpc,cookie,authorization"], true, "dnt,sec-gpc,cookie,authorization"),
        (&["*"], true, "*"),
        (&["accept, *"], true, "accept, *"),
        (&[][..], false, "Cookie, Authorization"),
        (&["authorization"], false, "authorization, Cookie"),
        (&["*"], false, "*"),
    ] {
        let fields: Vec<_> = own.iter().map(|value| ("vary", *value)).collect();
        assert_eq!(all(&with_fields(&fields, writes), "vary").join(", "), expected, "{own:?}");
    }
}

#[test]
fn a_response_with_a_token_is_stored_nowhere() {
    for own in [
        &[][..],
        &[("cache-control", "public, max-age=3600")],
        &[("cache-control", "public"), ("cache-control", "s-maxage=60")],
        &[("cache-control", "private"), ("cache-control", "no-transform")],
        &[("cache-control", "no-store, no-cache")],
        &[("cache-control", "max-age=60"), ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"), ("pragma", "cache")],
    ] {
        assert_eq!(all(&with_fields(own, true), "cache-control"), ["no-store"], "{own:?}");
    }
}

/// RFC 9213: a cache that knows the field of its own looks at no other.
#[test]
fn no_field_for_one_cache_alone_outweighs_it() {
    let own = [
        ("cdn-cache-control", "max-age=600"),
        ("cloudflare-cdn-cache-control", "public, max-age=600"),
        ("netlify-cdn-cache-control", "public, durable"),
        ("surrogate-control", "max-age=600"),
        ("x-accel-expires", "600"),
    ];
    let written = with_fields(&own, true);
    assert!(own.iter().all(|(name, _)| !written.contains_key(*name)), "{written:?}");
    let read = with_fields(&own, false);
    assert!(own.iter().all(|(name, value)| all(&read, name) == [*value]));
}

#[test]
fn a_response_that_only_read_is_cached_as_its_handler_says() {
    assert_eq!(all(&with_fields(&[], false), "cache-control"), ["private"]);
    for own in ["public, max-age=60", "no-cache", "no-store"] {
        assert_eq!(all(&with_fields(&[("cache-control", own)], false), "cache-control"), [own]);
    }
}

#[test]
fn a_handlers_own_cookie_of_our_name_is_replaced_and_the_others_stay() {
    let own = [
        ("set-cookie", "first=1; Path=/"),
        ("set-cookie", "__Host-Http-id=handmade; Path=/"),
        ("set-cookie", "__Host-Http-id2=other; Path=/"),
        ("set-cookie", "__Host-Http-id=; Max-Age=0"),
        ("set-cookie", "__host-http-id=other; Path=/"),
        ("set-cookie", "last=__Host-Http-id=1"),
    ];
    let kept =
        ["first=1; Path=/", "__Host-Http-id2=other; Path=/", "__host-http-id=other; Path=/", "last=__Host-Http-id=1"];
    let written = all(&with_fields(&own, true), "set-cookie");
    assert_eq!(written[..4], kept);
    assert!(written[4].starts_with("__Host-Http-id=E") && written.len() == 5, "{written:?}");
    assert_eq!(all(&with_fields(&own, false), "set-cookie"), own.map(|(_, value)| value));
}

#[test]
fn a_handlers_own_token_is_replaced() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let response = answered(&layer, with_bearer(&servers, "POST", "ada"), |session| {
        session.update(|shop| shop.count += 1).unwrap();
        Response::builder().header("session-token", "handmade").header("session-token", "?0").body(()).unwrap()
    });
    assert_eq!(sent(&servers, &response).unwrap().state().count, 2);
}

#[test]
fn a_page_of_another_status_deletes_what_is_worth_nothing() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let handler = Handler(|request: Request<()>| {
        assert!(CurrentSession::<Shop>::of(&request).unwrap().get().unwrap().is_none());
        Response::builder().status(StatusCode::SEE_OTHER).header("location", "/login").body(()).unwrap()
    });
    let request = of_this_site("GET", &[("cookie", &format!("{COOKIE}=x"))]);
    let response = send(layer.layer(handler), request);
    assert_eq!(
        (response.status(), &response.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/login".parse().unwrap())
    );
    assert_eq!(seen(&response).cookie, Written::Forgotten);
}
