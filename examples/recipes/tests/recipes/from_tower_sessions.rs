use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower_sessions::{MemoryStore, Session as OldSession, SessionManagerLayer};
use waxseal::{CookiePolicy, Sealer, SessionLayer};
use waxseal_recipes::Shop;
use waxseal_recipes::from_tower_sessions::{Moving, app, import};

use crate::browser::{Browser, OURS};
use crate::{ada, sealer};

const OLD: &str = "old_id";

struct Site {
    sealer: Sealer<Shop>,
    store: MemoryStore,
    moving: Moving,
}

impl Site {
    fn new() -> Self {
        let moving = Moving { policy: CookiePolicy::default(), import: true };
        Self { sealer: sealer(), store: MemoryStore::default(), moving }
    }

    /// A browser that logged in at the old version.
    async fn browser(&self) -> Browser {
        let login = |session: OldSession| async move { session.insert("shop", ada()).await.unwrap() };
        let layer = SessionManagerLayer::new(self.store.clone()).with_name(OLD);
        let mut browser = Browser::new(Router::new().route("/", get(login)).layer(layer));
        assert_eq!(browser.load("/").await.status, StatusCode::OK);
        self.come_back(browser)
    }

    /// The same browser, after the site was deployed anew.
    fn come_back(&self, browser: Browser) -> Browser {
        Browser { app: app(&self.sealer, self.store.clone(), self.moving), ..browser }
    }
}

#[tokio::test]
async fn an_old_session_becomes_a_new_one_and_stays_out_after_the_logout() {
    let site = Site::new();
    let mut browser = site.browser().await;
    let old = browser.cookies[OLD].clone();
    assert_eq!(browser.load("/").await.body, "ada [1]");
    assert!(browser.has_cookie(OURS) && browser.has_cookie(OLD), "the old one stays until the new one was seen");
    assert_eq!(browser.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert!(browser.has_cookie(OURS) && !browser.has_cookie(OLD));
    assert_eq!(browser.load("/").await.body, "ada [1, 2]");

    assert_eq!(browser.submit("/logout", "").await.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.is_empty());
    let mut copy = browser.with_cookie(OLD, &old);
    assert_eq!(copy.load("/").await.body, "who are you?", "a copy of the old cookie is worth nothing");
    assert!(!copy.has_cookie(OURS));
}

#[tokio::test]
async fn a_logout_before_the_old_session_was_deleted_ends_both() {
    let site = Site::new();
    for signal in [false, true] {
        let mut browser = Browser { signal, ..site.browser().await };
        let before = browser.cookies.clone();
        browser.load("/").await;
        assert_eq!(browser.submit("/logout", "").await.status, StatusCode::SEE_OTHER);
        assert!(browser.cookies.is_empty());
        browser.cookies = before;
        assert_eq!(browser.load("/").await.body, "who are you?");
    }
}

#[tokio::test]
async fn a_response_that_is_lost_or_fails_costs_nobody_the_session() {
    let site = Site::new();
    let mut browser = site.browser().await;
    let before = browser.cookies.clone();
    browser.load("/").await;
    browser.cookies = before;
    assert_eq!(browser.load("/").await.body, "ada [1]");

    for signal in [false, true] {
        let old = site.browser().await;
        let mut broken = Browser::new(
            Router::new()
                .route("/", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
                .layer(from_fn_with_state(site.moving, import))
                .layer(SessionLayer::new(&site.sealer))
                .layer(SessionManagerLayer::new(site.store.clone()).with_name(OLD)),
        );
        (broken.cookies, broken.signal) = (old.cookies, signal);
        assert_eq!(broken.fetch("GET", "/", "").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!broken.has_cookie(OURS) && broken.token.is_none());
        broken.signal = false;
        assert_eq!(site.come_back(broken).load("/").await.body, "ada [1]");
    }
}

#[tokio::test]
async fn two_first_requests_at_once_are_both_served() {
    let site = Site::new();
    let mut one = site.browser().await;
    let mut other = one.clone();
    let (first, second) = tokio::join!(one.load("/"), other.load("/"));
    assert_eq!((first.body.as_str(), second.body.as_str()), ("ada [1]", "ada [1]"));
    one.cookies.extend(other.cookies);
    assert_eq!(one.load("/").await.body, "ada [1]");
    assert!(!one.has_cookie(OLD));
}

#[tokio::test]
async fn under_a_signal_pages_read_the_old_session_and_a_script_moves_it() {
    let site = Site::new();
    let mut browser = Browser { signal: true, ..site.browser().await };
    let old = browser.cookies[OLD].clone();
    assert_eq!(browser.load("/").await.body, "ada [1], to be read");
    assert_eq!(browser.submit("/cart", "").await.status, StatusCode::CONFLICT);
    assert_eq!(browser.plain_fetch("GET", "/", "").await.body, "ada [1], to be read", "it could not keep a token");

    assert_eq!(browser.fetch("GET", "/", "").await.body, "ada [1]");
    assert!(browser.token.is_some() && browser.cookies.is_empty());
    browser.fetch("POST", "/logout", "").await;
    assert!(browser.token.is_none());
    let mut copy = browser.with_cookie(OLD, &old);
    assert_eq!(copy.fetch("GET", "/", "").await.body, "who are you?");
}

#[tokio::test]
async fn a_login_leaves_nothing_of_an_old_session_of_somebody_else() {
    for signal in [false, true] {
        let mut browser = Browser { signal, ..Site::new().browser().await };
        assert_eq!(browser.fetch("POST", "/login", "\"bob\"").await.status, StatusCode::OK);
        assert!(!browser.has_cookie(OLD));
        assert_eq!(browser.fetch("GET", "/", "").await.body, "bob []");
    }
}

#[tokio::test]
async fn other_sites_can_neither_use_nor_move_an_old_session() {
    let mut browser = Site::new().browser().await;
    assert_eq!(browser.forged("/cart").await.status, StatusCode::FORBIDDEN);
    assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS));
}

#[tokio::test]
async fn before_the_import_is_switched_on_new_sessions_count_and_none_begin() {
    let mut site = Site::new();
    let mut neighbours = site.browser().await;
    neighbours.load("/").await;
    site.moving.import = false;
    let mut browser = site.browser().await;
    assert_eq!(browser.plain_fetch("POST", "/cart", "2").await.status, StatusCode::OK);
    assert_eq!(browser.load("/").await.body, "ada [1, 2], to be read", "an old server would show the same");
    assert!(browser.has_cookie(OLD) && !browser.has_cookie(OURS));

    let mut moved = site.come_back(neighbours);
    assert_eq!(moved.load("/").await.body, "ada [1]");
    moved.submit("/logout", "").await;
    assert!(moved.cookies.is_empty());
}
