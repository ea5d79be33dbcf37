//! B18: a logout, in all tabs and on both carriers, that touches nothing else.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site, until};

use crate::looks::{ALL, bearer, cookie_session, deletes_the_cookie, token_session, unstorable, whoami};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b18_a_cookie_is_gone_in_all_tabs_and_the_siblings_keep_theirs() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.sibling("/index.html")).await;
    let own = "document.cookie = 'own=1; Secure'; document.cookie = 'shared=1; Domain=site.test; Secure';";
    browser.run(own, &[]).await;
    let siblings = browser.jar().await;
    assert_eq!(siblings.len(), 2);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    browser.open_in_new_tab(site.url("/")).await;
    browser.shows("ada").await;

    browser.tab(0).await;
    browser.log_out().await;
    browser.picture("b18-logged-out").await;
    let logout = site.wire.after(0, "POST", "/logout").await;
    deletes_the_cookie(&logout);
    unstorable(&logout, &ALL);
    assert_eq!(logout.said("clear-site-data"), None);
    assert_eq!(browser.jar().await, siblings);
    // The second tab is told to look again.
    browser.tab(1).await;
    browser.shows_nobody().await;
    assert_eq!(whoami(&browser).await, Value::Null);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b18_a_token_is_gone_in_all_tabs_at_once() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    // It knows its opener, so it has a copy of the token.
    browser.run("window.open('/');", &[]).await;
    browser.follow().await;
    browser.shows("ada").await;
    assert!(browser.stored().await.is_some());

    browser.tab(0).await;
    browser.log_out().await;
    assert_eq!(browser.stored().await, None);
    assert_eq!(site.wire.after(0, "POST", "/logout").await.said("session-token"), Some("?0"));
    browser.tab(1).await;
    until("the second tab forgets its token", async || browser.stored().await.is_none().then_some(())).await;
    browser.shows_nobody().await;
}

/// Both at once: the token is the session's, the cookie was left over from before the signal.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b18_a_token_and_a_left_over_cookie_go_together() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.set_dnt(true).await;
    let token = bearer(&site.server.token_of("ada").await);
    let logout = browser.fetch_with("POST", "/logout", None, json!({ "headers": { "Authorization": token } })).await;
    assert_eq!((logout.status, logout.token.as_deref()), (200, Some("?0")));
    deletes_the_cookie(&site.wire.after(0, "POST", "/logout").await);
    assert_eq!(browser.jar().await, []);
}

/// Only while the token is still the one that was refused.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b18_a_refused_token_is_forgotten() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    browser.run("session.adopt(args[0]);", &[json!(site.server.cookie_of("ada").await)]).await;
    let refused = browser.wrapped("GET", "/session", None).await;
    assert_eq!(refused.status, 401);
    assert_eq!(browser.stored().await, None);
    assert_eq!(browser.wrapped("GET", "/whoami", None).await.user(), Value::Null);
}
