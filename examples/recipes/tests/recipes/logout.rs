use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use waxseal::{KeyRing, Revocations, Sealer, SessionLayer};
use waxseal_recipes::logout::app;

use crate::browser::{Browser, OURS, send};
use crate::{ada, sealer};

/// A browser that is logged in.
fn browser() -> Browser {
    let sealer = sealer();
    let fields = SessionLayer::new(&sealer).request_headers(&ada()).unwrap();
    let (name, token) = fields[header::COOKIE].to_str().unwrap().split_once('=').unwrap();
    Browser::new(app(&sealer)).with_cookie(name, token)
}

#[tokio::test]
async fn a_button_logs_out_and_a_link_only_asks() {
    let mut browser = browser();
    let page = browser.load("/account").await;
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    assert!(page.body.contains("pageshow") && page.body.contains("method=post action=/logout"));
    assert!(browser.load("/logout").await.body.contains("<form method=post"));
    assert!(browser.has_cookie(OURS));

    let answer = browser.submit("/logout", "").await;
    assert_eq!((answer.status, &answer.headers[header::LOCATION]), (StatusCode::SEE_OTHER, &"/".parse().unwrap()));
    assert_eq!(answer.headers["session-token"], "?0");
    assert!(!answer.headers.contains_key("clear-site-data"));
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.load("/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.submit("/logout", "").await.status, StatusCode::SEE_OTHER, "a second time is no error");
}

#[tokio::test]
async fn another_site_cannot_log_out() {
    let mut browser = browser();
    assert_eq!(browser.forged("/logout").await.status, StatusCode::FORBIDDEN);
    assert!(browser.has_cookie(OURS));
}

#[tokio::test]
async fn clear_site_data_leaves_the_cookies_of_other_hosts() {
    let answer = browser().submit("/logout/thorough", "").await;
    assert_eq!(answer.headers["clear-site-data"], "\"cache\", \"storage\"");
    assert!(answer.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn without_a_list_a_copy_of_the_token_stays_good_until_it_ends() {
    let mut browser = browser();
    let mut copy = browser.clone();
    browser.submit("/logout", "").await;
    assert_eq!(copy.load("/account").await.status, StatusCode::OK);
}

/// Browsers in which ada is logged in, at servers that have a list of revocations.
fn browsers() -> [Browser; 3] {
    let ring = KeyRing::generate().unwrap();
    let sealer = Sealer::builder(&ring, "session").revocations(&Revocations::in_memory(&ring)).build().unwrap();
    [(); 3].map(|()| {
        let fields = SessionLayer::new(&sealer).request_headers(&ada()).unwrap();
        let (name, token) = fields[header::COOKIE].to_str().unwrap().split_once('=').unwrap();
        Browser::new(app(&sealer)).with_cookie(name, token)
    })
}

#[tokio::test]
async fn with_a_list_a_copy_is_worth_nothing() {
    let [mut browser, mut other, _] = browsers();
    let mut copy = browser.clone();
    browser.submit("/logout", "").await;
    assert_eq!(copy.load("/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.load("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_user_ends_the_other_devices_and_then_all() {
    let [mut here, mut there, mut elsewhere] = browsers();
    assert_eq!(here.submit("/logout/others", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.load("/account").await.status, StatusCode::OK);
    for other in [&mut there, &mut elsewhere] {
        assert_eq!(other.load("/account").await.status, StatusCode::UNAUTHORIZED);
    }
    let mut copy = here.clone();
    assert_eq!(here.submit("/logout/everywhere", "").await.status, StatusCode::SEE_OTHER);
    assert!(here.cookies.is_empty());
    assert_eq!(copy.load("/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(here.submit("/logout/everywhere", "").await.status, StatusCode::UNAUTHORIZED, "nobody is asking");
}

#[tokio::test]
async fn under_a_signal_a_page_can_log_out() {
    let mut browser = browser();
    browser.signal = true;
    browser.submit("/logout", "").await;
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn a_token_that_is_refused_is_answered_401_and_the_client_forgets_it() {
    let app: Router = app(&sealer());
    let foreign = sealer::<waxseal_recipes::Shop>().start(&ada()).unwrap();
    let request = Request::post("/logout").header(header::AUTHORIZATION, format!("Bearer {}", foreign.as_str()));
    let answer = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_token"));
}
