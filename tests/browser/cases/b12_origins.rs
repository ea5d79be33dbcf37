//! B12 and B13: other origins, as a front end on its own host, and as the end of a redirect.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site, Stage};

use crate::looks::{bearer, token_session, writes_nothing};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_an_allowed_origin_holds_a_session_of_the_api() {
    let (site, browser) = front_end().await;
    let login = browser.wrapped("POST", &site.api("/exposed/login"), ada()).await;
    assert_eq!(login.status, 200, "{login:?}");
    let token = browser.stored().await.expect("a token");
    assert_eq!(login.token.as_deref(), Some(&*token));
    let mark = site.wire.mark();
    let read = browser.wrapped("GET", &site.api("/exposed/session"), None).await;
    assert_eq!((read.user(), read.carrier()), (json!("ada"), json!("header")));
    let seen = site.wire.after(mark, "GET", "/exposed/session").await;
    assert_eq!((seen.asked("authorization"), seen.asked("cookie")), (Some(&*bearer(&token)), None));
    assert_eq!(browser.jar().await, []);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_a_token_that_is_not_exposed_is_not_readable() {
    let (site, browser) = front_end().await;
    let login = browser.wrapped("POST", &site.api("/hidden/login"), ada()).await;
    assert_eq!((login.status, login.token), (200, None));
    assert!(site.wire.after(0, "POST", "/hidden/login").await.said("session-token").is_some());
    assert_eq!(browser.stored().await, None);
    assert_eq!(browser.jar().await, []);
}

/// The browser itself asks for the permission, without a signal and without a session.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_a_preflight_has_no_signal_and_is_left_alone() {
    let (site, browser) = front_end().await;
    let failed = fails(&browser, "session.fetch", &site.api("/login"), json!({})).await;
    assert!(failed, "an origin without permission could read");
    let preflight = site.wire.after(0, "OPTIONS", "/login").await;
    assert_eq!(
        (preflight.asked("dnt"), preflight.asked("cookie"), preflight.asked("authorization")),
        (None, None, None)
    );
    writes_nothing(&preflight);
    assert_eq!((preflight.said("vary"), preflight.said("cache-control")), (None, None), "{preflight:?}");
    assert!(!site.wire.all().iter().any(|seen| seen.method == "POST"), "it was sent all the same");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_no_permission_and_a_star_with_credentials_read_nothing() {
    let (site, browser) = front_end().await;
    for path in ["/whoami", "/star/whoami"] {
        let read = fails(&browser, "fetch", &site.api(path), json!({ "credentials": "include" })).await;
        assert!(read, "{path} could be read");
    }
    // The star is good for what has no credentials.
    assert_eq!(browser.fetch("GET", &site.api("/star/whoami"), None).await.user(), Value::Null);
}

/// CORS lets the front end ask; only trust lets it log in.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_an_origin_that_is_not_trusted_cannot_log_in() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    browser.open(site.other("/index.html")).await;
    browser.hold_session(&[origin_of(&site)]).await;
    let refused = browser.wrapped("POST", &site.api("/exposed/login"), ada()).await;
    assert_eq!((refused.status, refused.token), (403, None));
    assert_eq!(browser.stored().await, None);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b12_the_module_refuses_other_origins() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    let token = token_session(&site, &browser, "ada").await;
    let mark = site.wire.mark();
    assert!(fails(&browser, "session.fetch", &site.other("/landing"), json!({})).await);
    assert!(!site.wire.all()[mark..].iter().any(|seen| seen.host == "other.test"), "it was asked all the same");
    assert_eq!(browser.stored().await, Some(token));
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b13_a_redirect_to_another_origin_takes_no_token_along_and_brings_none_back() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    let token = token_session(&site, &browser, "ada").await;
    let mark = site.wire.mark();
    let landed = browser.wrapped("GET", "/away", None).await;
    assert!(landed.text == "landed" && landed.token.is_some_and(|token| token.starts_with("planted-")));
    let sent = site.wire.after(mark, "GET", "/away").await;
    assert_eq!(sent.asked("authorization"), Some(&*bearer(&token)));
    let landing = site.wire.after(mark, "GET", "/landing").await;
    assert_eq!((&*landing.host, landing.asked("authorization")), ("other.test", None));
    assert_eq!(browser.stored().await, Some(token));
}

/// A page on `other.test` whose module may talk to the API, in a browser with Do Not Track.
async fn front_end() -> (Site, Browser) {
    let site = Site::on(Stage { trust_other: true, ..Stage::default() }).await;
    let browser = Browser::dnt().await;
    browser.open(site.other("/index.html")).await;
    browser.hold_session(&[origin_of(&site)]).await;
    (site, browser)
}

fn origin_of(site: &Site) -> String {
    site.api("")
}

/// Whether the script's fetch fails, with nothing to read.
async fn fails(browser: &Browser, fetch: &str, url: &str, init: Value) -> bool {
    let body = format!("return {fetch}(args[0], args[1]).then(() => false, (error) => error instanceof TypeError);");
    browser.run(&body, &[json!(url), init]).await == true
}

fn ada() -> Option<Value> {
    Some(json!({ "user": "ada" }))
}
