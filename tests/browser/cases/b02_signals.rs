//! B2 and B3: with a signal from the start the session is in a token that the page holds, and there is no cookie.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Extension, Policy, Site, Wish};

use crate::looks::{ALL, bearer, the_token_in_reach_of_scripts, token_session, unstorable, whoami};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b02_dnt() {
    token_instead_of_cookie(Browser::dnt().await, json!({ "dnt": true, "gpc": false }), "b02-logged-in-under-dnt")
        .await;
}

/// As if somebody had logged in by cookie in another tab, where the site was asked to.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b02_a_cookie_beside_the_token_is_not_sent() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    browser.submit("/form/login", &[("user", "grace"), ("way", "cookie")]).await;
    let cookie = browser.session_cookie().await;
    assert!(cookie.is_some());
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    let mark = site.wire.mark();
    assert_eq!(browser.wrapped("POST", "/cart", Some(json!({ "sku": 1, "count": 1 }))).await.user(), "ada");
    assert_eq!(site.wire.after(mark, "POST", "/cart").await.asked("cookie"), None);
    assert_eq!(browser.session_cookie().await, cookie);
    assert_eq!(whoami(&browser).await, "grace");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b02_policy_always_sets_a_cookie_all_the_same() {
    let (site, browser) = (Site::under(Policy::Always).await, Browser::dnt().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    let login = site.wire.after(0, "POST", "/login").await;
    assert_eq!((login.asked("dnt"), login.said("session-token")), (Some("1"), None));
    unstorable(&login, &ALL);
    assert!(browser.session_cookie().await.is_some());
    assert_eq!(browser.stored().await, None);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b03_gpc_of_an_extension() {
    let browser = Browser::sending(&[("Sec-GPC", "1")]).await;
    token_instead_of_cookie(browser, json!({ "dnt": null, "gpc": true }), "b03-logged-in-under-gpc").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b03_gpc_of_the_browser_itself() {
    let browser = Browser::with(Wish { own_gpc: true, ..Wish::default() }).await;
    token_instead_of_cookie(browser, json!({ "dnt": null, "gpc": true }), "b03-logged-in-under-own-gpc").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b03_dnt_and_gpc() {
    let extension = Some(Extension::setting(&[("Sec-GPC", "1")]));
    let browser = Browser::with(Wish { dnt: true, extension, ..Wish::default() }).await;
    token_instead_of_cookie(browser, json!({ "dnt": true, "gpc": true }), "b03-logged-in-under-both").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b03_gpc_though_dnt_is_0() {
    let browser = Browser::sending(&[("Sec-GPC", "1"), ("DNT", "0")]).await;
    token_instead_of_cookie(browser, json!({ "dnt": false, "gpc": true }), "b03-logged-in-under-gpc-with-dnt-0").await;
}

/// Values that are no signal by their specifications, so the cookie stays.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b03_other_values_are_no_signal() {
    let browser = Browser::sending(&[("Sec-GPC", "?1"), ("DNT", "null")]).await;
    let site = Site::start().await;
    browser.open(site.lab()).await;
    browser.fetch("POST", "/login", Some(json!({ "user": "ada" }))).await;
    let login = site.wire.after(0, "POST", "/login").await;
    assert_eq!((login.asked("sec-gpc"), login.asked("dnt")), (Some("?1"), Some("null")));
    assert!(browser.session_cookie().await.is_some());
}

async fn token_instead_of_cookie(browser: Browser, signals: Value, picture: &str) {
    let site = Site::start().await;
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    browser.add(1042).await;
    browser.picture(picture).await;

    let login = site.wire.after(0, "POST", "/login").await;
    assert_eq!(login.said("set-cookie"), None);
    assert!(login.said("session-token").is_some());
    unstorable(&login, &ALL);
    assert_eq!(browser.jar().await, []);
    let token = browser.stored().await.expect("a token");
    the_token_in_reach_of_scripts(&browser).await;

    let mark = site.wire.mark();
    browser.press("#show").await;
    let read = site.wire.after(mark, "GET", "/session").await;
    assert_eq!((read.asked("authorization"), read.asked("cookie")), (Some(&*bearer(&token)), None));
    assert_eq!(read.said("set-cookie"), None);

    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    let whoami = browser.wrapped("GET", "/whoami", None).await.json();
    assert_eq!(whoami, json!({ "user": "ada", "carrier": "header", "signals": signals }));
    assert!(site.wire.all().iter().all(|seen| seen.asked("cookie").is_none() && seen.said("set-cookie").is_none()));
}
