//! B6: the signal is switched off in the middle of a session that a token holds.

use serde_json::json;
use waxseal_browser::{Browser, Site};

use crate::looks::{nothing_in_reach_of_scripts, token_session};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b06_the_session_stays_with_the_token_until_the_next_login() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    let first = token_session(&site, &browser, "ada").await;
    browser.set_dnt(false).await;

    let mark = site.wire.mark();
    assert_eq!(browser.wrapped("POST", "/cart", Some(json!({ "sku": 1, "count": 1 }))).await.carrier(), "header");
    let update = site.wire.after(mark, "POST", "/cart").await;
    assert_eq!((update.asked("dnt"), update.said("set-cookie")), (None, None));
    let second = browser.stored().await;
    assert!(second.is_some() && second.as_deref() != Some(&first));
    assert_eq!(browser.jar().await, []);
    browser.open(site.url("/")).await;
    browser.shows("ada").await;
    browser.picture("b06-still-by-token").await;

    browser.log_out().await;
    nothing_in_reach_of_scripts(&browser).await;
    browser.log_in("grace").await;
    assert!(browser.session_cookie().await.is_some());
    nothing_in_reach_of_scripts(&browser).await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b06_a_login_over_the_old_token_sets_the_cookie() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    browser.set_dnt(false).await;
    browser.run("session.clear();", &[]).await;
    browser.wrapped("POST", "/login", Some(json!({ "user": "grace" }))).await;
    assert!(browser.session_cookie().await.is_some());
    nothing_in_reach_of_scripts(&browser).await;
    assert_eq!(browser.wrapped("GET", "/whoami", None).await.json()["user"], "grace");
}
