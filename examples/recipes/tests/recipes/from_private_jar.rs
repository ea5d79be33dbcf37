use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
use waxseal::{CookiePolicy, Sealer, SessionLayer};
use waxseal_recipes::Shop;
use waxseal_recipes::from_private_jar::{Old, app, import};

use crate::browser::{Browser, OURS, send};
use crate::{ada, sealer};

const OLD: &str = "shop";

struct Site {
    sealer: Sealer<Shop>,
    old: Old,
}

impl Site {
    fn new() -> Self {
        Self { sealer: sealer(), old: Old { key: Key::generate(), policy: CookiePolicy::default(), import: true } }
    }

    /// A browser that was logged in before the move.
    fn browser(&self) -> Browser {
        Browser::new(app(&self.sealer, self.old.clone())).with_cookie(OLD, &self.old_cookie(&ada()))
    }

    /// What the old version set.
    fn old_cookie(&self, shop: &Shop) -> String {
        let jar = PrivateCookieJar::new(self.old.key.clone());
        let response = jar.add(Cookie::new(OLD, serde_json::to_string(shop).unwrap())).into_response();
        let field = response.headers()[header::SET_COOKIE].to_str().unwrap();
        field.strip_prefix("shop=").unwrap().split(';').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_old_session_becomes_a_new_one_and_is_gone_after_the_logout() {
    let site = Site::new();
    let mut browser = site.browser();
    assert_eq!(browser.load("/").await.body, "ada [1]");
    assert!(browser.has_cookie(OURS) && browser.has_cookie(OLD), "the old one stays until the new one was seen");
    assert_eq!(browser.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert!(browser.has_cookie(OURS) && !browser.has_cookie(OLD));
    assert_eq!(browser.load("/").await.body, "ada [1, 2]");

    assert_eq!(browser.submit("/logout", "").await.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.load("/").await.body, "who are you?");
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn a_logout_as_the_first_request_ends_the_old_session() {
    for signal in [false, true] {
        let mut browser = Browser { signal, ..Site::new().browser() };
        assert_eq!(browser.submit("/logout", "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.load("/").await.body, "who are you?");
        assert!(browser.cookies.is_empty());
    }
}

#[tokio::test]
async fn a_first_request_may_change_the_session() {
    let mut browser = Site::new().browser();
    assert_eq!(browser.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert_eq!(browser.load("/").await.body, "ada [1, 2]");
}

#[tokio::test]
async fn a_response_that_is_lost_or_fails_costs_nobody_the_session() {
    let site = Site::new();
    let mut browser = site.browser();
    let before = browser.clone();
    browser.load("/").await;
    browser = before;
    assert_eq!(browser.load("/").await.body, "ada [1]");

    for signal in [false, true] {
        let broken = Router::new()
            .route("/", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .layer(from_fn_with_state(site.old.clone(), import))
            .layer(SessionLayer::new(&site.sealer));
        let mut browser = Browser::new(broken).with_cookie(OLD, &site.old_cookie(&ada()));
        browser.signal = signal;
        assert_eq!(browser.fetch("GET", "/", "").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS) && browser.token.is_none());
    }
}

#[tokio::test]
async fn two_first_requests_at_once_are_both_served_and_one_session_is_kept() {
    let site = Site::new();
    let (mut one, mut other) = (site.browser(), site.browser());
    other.cookies = one.cookies.clone();
    assert_eq!(one.load("/").await.body, "ada [1]");
    assert_eq!(other.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert_ne!(one.cookies[OURS], other.cookies[OURS]);
    one.cookies.extend(other.cookies);
    assert_eq!(one.load("/").await.body, "ada [1, 2]", "the later answer wins whole");
}

#[tokio::test]
async fn under_a_signal_pages_read_the_old_session_and_a_script_moves_it() {
    let mut browser = Browser { signal: true, ..Site::new().browser() };
    assert_eq!(browser.load("/").await.body, "ada [1], to be read");
    assert_eq!(browser.submit("/cart", "").await.status, StatusCode::CONFLICT);
    assert_eq!(browser.plain_fetch("GET", "/", "").await.body, "ada [1], to be read", "it could not keep a token");
    assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS));

    assert_eq!(browser.fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert!(browser.token.is_some() && browser.cookies.is_empty());
    assert_eq!(browser.fetch("GET", "/", "").await.body, "ada [1, 2]");
    assert_eq!(browser.load("/").await.body, "who are you?");

    browser.fetch("POST", "/logout", "").await;
    assert!(browser.token.is_none());
    assert_eq!(browser.fetch("GET", "/", "").await.body, "who are you?");
}

#[tokio::test]
async fn a_login_leaves_nothing_of_an_old_session_of_somebody_else() {
    for signal in [false, true] {
        let mut browser = Browser { signal, ..Site::new().browser() };
        assert_eq!(browser.fetch("POST", "/login", "\"bob\"").await.status, StatusCode::OK);
        assert!(!browser.has_cookie(OLD));
        assert_eq!(browser.fetch("GET", "/", "").await.body, "bob []");
    }
}

#[tokio::test]
async fn other_sites_can_neither_use_nor_move_an_old_session() {
    let mut browser = Site::new().browser();
    assert_eq!(browser.forged("/cart").await.status, StatusCode::FORBIDDEN);
    assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS));
}

#[tokio::test]
async fn a_planted_cookie_is_not_moved() {
    let site = Site::new();
    let (ada, eve) = (site.old_cookie(&ada()), site.old_cookie(&Shop { user: "eve".into(), cart: vec![] }));
    for cookies in [format!("shop={ada}; shop={eve}"), format!("%73hop={eve}"), format!("shop=x; shop={eve}")] {
        let app = app(&site.sealer, site.old.clone());
        let request = Request::get("/").header(header::COOKIE, &cookies).body(axum::body::Body::empty()).unwrap();
        let answer = send(&app, request).await;
        assert_eq!(answer.body, "who are you?", "{cookies}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn before_the_import_is_switched_on_new_sessions_count_and_none_begin() {
    let mut site = Site::new();
    let on = Browser::new(app(&site.sealer, site.old.clone())).with_cookie(OLD, &site.old_cookie(&ada()));
    site.old.import = false;
    let mut browser = site.browser();
    assert_eq!(browser.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert_eq!(browser.load("/").await.body, "ada [1, 2], to be read", "an old server would show the same");
    assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS));

    // A neighbour is switched on already.
    let mut neighbours = on;
    neighbours.load("/").await;
    neighbours.plain_fetch("POST", "/cart", "2").await;
    browser.cookies = neighbours.cookies;
    assert_eq!(browser.load("/").await.body, "ada [1, 2]");
    browser.submit("/logout", "").await;
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn whoever_has_no_old_session_is_left_alone() {
    let site = Site::new();
    let app = Router::new()
        .route("/", get(|| async {}))
        .layer(from_fn_with_state(site.old.clone(), import))
        .layer(SessionLayer::new(&site.sealer));
    let answer = Browser::new(app).load("/").await;
    assert!(!answer.headers.contains_key(header::VARY) && !answer.headers.contains_key(header::CACHE_CONTROL));
}
