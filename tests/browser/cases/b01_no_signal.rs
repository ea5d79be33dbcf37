//! B1: without a signal the session is in one cookie, out of reach of scripts.

use serde_json::json;
use waxseal_browser::jar::COOKIE;
use waxseal_browser::{Browser, Cookie, Policy, Site};

use crate::looks::{ALL, bearer, nothing_in_reach_of_scripts, unstorable, writes_nothing};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b01_one_cookie_holds_the_session() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.url("/")).await;
    browser.picture("b01-before-login").await;
    browser.log_in("ada").await;
    browser.add(1042).await;
    browser.picture("b01-logged-in-by-cookie").await;
    browser.set_window_rect(0, 0, 500, 1400).await.unwrap();
    browser.picture("b01-narrow").await;

    let login = site.wire.after(0, "POST", "/login").await;
    assert_eq!((&*login.protocol, login.said("session-token")), ("HTTP/2.0", None));
    unstorable(&login, &ALL);
    only_the_cookie(&browser).await;
    nothing_in_reach_of_scripts(&browser).await;

    browser.open(site.url("/whoami")).await;
    assert_eq!(browser.shown_json().await["user"], "ada");
    assert_eq!(browser.shown_json().await["carrier"], "cookie");
    browser.open(site.lab()).await;
    assert_eq!(browser.fetch("GET", "/whoami", None).await.carrier(), "cookie");
    browser.open(site.url("/")).await;
    browser.shows("ada").await;
    browser.log_out().await;
    assert_eq!(browser.jar().await, []);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b01_the_module_makes_no_difference() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    let login = browser.wrapped("POST", "/login", Some(json!({ "user": "ada" }))).await;
    assert_eq!((login.status, login.token), (200, None));
    only_the_cookie(&browser).await;
    nothing_in_reach_of_scripts(&browser).await;
    assert_eq!(browser.wrapped("GET", "/whoami", None).await.carrier(), "cookie");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b01_an_answer_that_reads_says_so_and_writes_nothing() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    let mark = site.wire.mark();
    browser.fetch("GET", "/session", None).await;
    let read = site.wire.after(mark, "GET", "/session").await;
    writes_nothing(&read);
    assert_eq!(read.said("cache-control"), Some("private"));
    assert_eq!(read.said("vary"), Some("DNT, Sec-GPC, Cookie, Authorization"), "the answer shows the signals");
    // The page's own files know nothing of sessions.
    let file = site.wire.after(0, "GET", "/page.css").await;
    assert_eq!(file.said("vary"), None);
    writes_nothing(&file);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b01_policy_never_gives_a_token_without_any_signal() {
    let (site, browser) = (Site::under(Policy::Never).await, Browser::start().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    let login = site.wire.after(0, "POST", "/login").await;
    unstorable(&login, &ALL);
    assert_eq!(browser.jar().await, []);
    let token = browser.stored().await.expect("a token");
    let mark = site.wire.mark();
    browser.press("#show").await;
    let read = site.wire.after(mark, "GET", "/session").await;
    assert_eq!((read.asked("authorization"), read.asked("cookie")), (Some(&*bearer(&token)), None));
}

async fn only_the_cookie(browser: &Browser) {
    let jar = browser.jar().await;
    let [cookie] = jar.as_slice() else { panic!("not one cookie: {jar:?}") };
    let expected = Cookie {
        name: COOKIE.to_owned(),
        value: cookie.value.clone(),
        // No dot before it: no `Domain`, so no sibling gets it.
        domain: "site.test".to_owned(),
        path: "/".to_owned(),
        expires: -1.0,
        http_only: true,
        secure: true,
        session: true,
        same_site: Some("Lax".to_owned()),
    };
    assert_eq!(*cookie, expected);
}
