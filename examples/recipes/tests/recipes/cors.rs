use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use waxseal_recipes::cors::app;

use crate::browser::{Answer, send};
use crate::sealer;

const FRONT_END: &str = "https://app.example.com";

fn site() -> Router {
    app(&sealer(), FRONT_END).unwrap()
}

/// A request of a page of `origin`, which is a sibling: another origin under the same domain.
async fn ask(app: &Router, method: &str, path: &str, origin: &str, fields: &[(&str, &str)], json: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "api.example.com");
    let request = request.header(header::ORIGIN, origin).header("sec-fetch-site", "same-site");
    let request = request.header("sec-fetch-mode", "cors").header(header::CONTENT_TYPE, "application/json");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    send(app, request.body(Body::from(json.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_browser_is_told_beforehand_what_the_front_end_may_send() {
    let site = site();
    for (origin, allowed) in [(FRONT_END, true), ("https://evil.example", false)] {
        let asked = [
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,session-transport"),
        ];
        let answer = ask(&site, "OPTIONS", "/cart", origin, &asked, "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some(), allowed);
        if allowed {
            assert_eq!(
                answer.headers[header::ACCESS_CONTROL_ALLOW_HEADERS],
                "authorization,content-type,session-transport"
            );
            assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
            assert!(!answer.headers.contains_key(header::SET_COOKIE));
        }
    }
}

#[tokio::test]
async fn the_front_end_logs_in_with_a_cookie_and_acts_with_it() {
    let site = site();
    let answer = ask(&site, "POST", "/login", FRONT_END, &[], "\"ada\"").await;
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], FRONT_END);
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = ask(&site, "POST", "/cart", FRONT_END, &[("cookie", &cookie)], "7").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "[7]"));
    // Another sibling is stopped by the layer, not by CORS: its request came in all the same.
    let answer = ask(&site, "POST", "/cart", "https://evil.example.com", &[("cookie", &cookie)], "7").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn under_a_signal_the_front_end_can_read_its_token() {
    let site = site();
    let answer = ask(&site, "POST", "/login", FRONT_END, &[("dnt", "1")], "\"ada\"").await;
    assert_eq!(answer.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], "session-token,www-authenticate");
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
    let bearer = format!("Bearer {}", answer.headers["session-token"].to_str().unwrap());
    let answer = ask(&site, "POST", "/cart", FRONT_END, &[("dnt", "1"), ("authorization", &bearer)], "7").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "[7]"));
}

#[tokio::test]
async fn the_front_end_can_read_why_it_was_refused() {
    let site = site();
    let answer = ask(&site, "GET", "/cart", FRONT_END, &[("authorization", "Bearer EQab")], "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], FRONT_END);
    assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_token"));
    let vary: Vec<_> = answer.headers.get_all(header::VARY).iter().map(|field| field.to_str().unwrap()).collect();
    assert!(vary.join(", ").contains("origin"), "{vary:?}");
}
