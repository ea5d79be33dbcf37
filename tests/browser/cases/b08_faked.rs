//! B8: a script that says what only a browser may say gets no token.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site};

use crate::looks::{cookie_session, writes_nothing};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b08_a_script_cannot_log_in_for_a_token() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    let login = browser.fetch_with("POST", "/login", Some(json!({ "user": "ada" })), faked()).await;
    assert_eq!((login.status, login.token), (200, None));
    let login = site.wire.after(0, "POST", "/login").await;
    // The browser took out what no script may say, and let the rest through.
    assert_eq!(
        (login.asked("dnt"), login.asked("sec-gpc"), login.asked("sec-fetch-site")),
        (None, None, Some("same-origin"))
    );
    assert_eq!((login.asked("session-transport"), login.said("session-token")), (Some("header"), None));
    assert!(browser.session_cookie().await.is_some());
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b08_a_script_cannot_turn_the_cookie_into_a_token() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let before = browser.session_cookie().await;
    let mark = site.wire.mark();
    let read = browser.fetch_with("GET", "/session", None, faked()).await;
    assert_eq!((read.carrier(), read.token), (json!("cookie"), None));
    writes_nothing(&site.wire.after(mark, "GET", "/session").await);
    assert_eq!(browser.session_cookie().await, before);
    // Nor one that it makes the server write.
    let write = browser.fetch_with("POST", "/cart", Some(json!({ "sku": 1, "count": 1 })), faked()).await;
    assert_eq!((write.status, write.token), (200, None));
    assert_eq!(site.wire.after(mark, "POST", "/cart").await.said("session-token"), None);
}

fn faked() -> Value {
    let fields = json!({ "DNT": "1", "Sec-GPC": "1", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate",
        "Session-Transport": "header" });
    json!({ "headers": fields })
}
