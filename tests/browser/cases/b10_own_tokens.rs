//! B10: someone plants a session of their own, and a token is carried as it was not made to be.

use serde_json::{Value, json};
use waxseal_browser::jar::COOKIE;
use waxseal_browser::{Browser, Site};

use crate::looks::{bearer, cookie_session, deletes_the_cookie, whoami, writes_nothing};

/// As an attacker could in a browser of before the prefixes: the token is valid, but not in a cookie.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b10_a_token_made_for_the_header_is_no_cookie() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    let token = site.server.token_of("mallory").await;
    browser
        .force_cookie(json!({ "name": COOKIE, "value": token, "url": site.url("/"), "path": "/", "secure": true, "httpOnly": true }))
        .await;
    assert!(browser.session_cookie().await.is_some());
    let mark = site.wire.mark();
    assert_eq!(whoami(&browser).await, Value::Null);
    deletes_the_cookie(&site.wire.after(mark, "GET", "/whoami").await);
    assert_eq!(browser.jar().await, []);
}

/// An explicit token that fails is not made good by a cookie.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b10_a_token_made_for_the_cookie_is_no_header() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let cookie = browser.session_cookie().await;
    let planted = bearer(&site.server.cookie_of("mallory").await);
    let mark = site.wire.mark();
    let refused = browser.fetch_with("GET", "/session", None, json!({ "headers": { "Authorization": planted } })).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.challenge.as_deref(), Some(r#"Bearer realm="session", error="invalid_token""#));
    let seen = site.wire.after(mark, "GET", "/session").await;
    assert!(seen.asked("cookie").is_some());
    writes_nothing(&seen);
    assert_eq!(browser.session_cookie().await, cookie);
}

/// A good token beside a good cookie of someone else: the explicit one counts, the other is not touched.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b10_the_explicit_token_counts() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let token = bearer(&site.server.token_of("grace").await);
    let mark = site.wire.mark();
    let answer = browser.fetch_with("GET", "/session", None, json!({ "headers": { "Authorization": token } })).await;
    assert_eq!((answer.user(), answer.carrier()), (json!("grace"), json!("header")));
    writes_nothing(&site.wire.after(mark, "GET", "/session").await);
    assert_eq!(whoami(&browser).await, "ada");
}
