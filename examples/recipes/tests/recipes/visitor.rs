use axum::http::StatusCode;
use axum::http::header::COOKIE;
use serde::{Deserialize, Serialize};
use waxseal::{KeyRing, Sealer, SessionLayer, SessionState};
use waxseal_recipes::visitor::app;

use crate::browser::Browser;
use crate::sealer;

#[tokio::test]
async fn a_visitors_cart_is_kept_over_the_login() {
    let mut browser = Browser::new(app(&sealer()));
    browser.plain_fetch("POST", "/cart", "1").await;
    browser.plain_fetch("POST", "/cart", "7").await;
    assert_eq!(browser.load("/order").await.status, StatusCode::UNAUTHORIZED, "a visitor's session is nobody's");
    browser.plain_fetch("POST", "/login", "\"ada\"").await;
    assert_eq!(browser.load("/order").await.body, "ada orders [1, 7]");
}

#[tokio::test]
async fn somebody_elses_cart_is_not() {
    let mut browser = Browser::new(app(&sealer()));
    browser.plain_fetch("POST", "/login", "\"ada\"").await;
    browser.plain_fetch("POST", "/cart", "1").await;
    browser.plain_fetch("POST", "/login", "\"bob\"").await;
    assert_eq!(browser.load("/order").await.body, "bob orders []");
}

#[tokio::test]
async fn what_cannot_be_read_holds_no_login_up() {
    let ring = KeyRing::generate().unwrap();
    let newer = SessionLayer::new(&Sealer::new(&ring, "session").unwrap()).request_headers(&Newer).unwrap();
    let (name, token) = newer[COOKIE].to_str().unwrap().split_once('=').unwrap();
    let mut browser = Browser::new(app(&Sealer::new(&ring, "session").unwrap())).with_cookie(name, token);
    assert_eq!(browser.load("/order").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.plain_fetch("POST", "/login", "\"ada\"").await.status, StatusCode::OK);
    assert_eq!(browser.load("/order").await.body, "ada orders []");
}

/// What a newer version of the service keeps.
#[derive(Serialize, Deserialize)]
struct Newer;

impl SessionState for Newer {
    const SCHEMA: u16 = 2;
}

#[tokio::test]
async fn under_a_signal_the_cart_is_in_the_scripts_token() {
    let mut browser = Browser::new(app(&sealer()));
    browser.signal = true;
    browser.fetch("POST", "/cart", "1").await;
    browser.fetch("POST", "/login", "\"ada\"").await;
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.fetch("GET", "/order", "").await.body, "ada orders [1]");
}
