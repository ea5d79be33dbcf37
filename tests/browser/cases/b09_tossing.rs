//! B9: a sibling host tosses cookies at the site; whatever they are called, none of them is our session.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site, until};

use crate::looks::{cookie_session, whoami};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b09_no_spelling_of_the_name_logs_a_stranger_in() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let stuck = toss(&site, &browser).await;
    browser.open(site.lab()).await;
    assert_eq!(whoami(&browser).await, Value::Null);
    browser.open(site.url("/whoami")).await;
    assert_eq!(browser.shown_json().await["user"], Value::Null);
    // What is not ours is left alone.
    assert_eq!(browser.jar().await.len(), stuck);
    cookie_session(&site, &browser, "ada").await;
    assert_eq!(whoami(&browser).await, "ada");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b09_no_spelling_of_the_name_replaces_a_session() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let stuck = toss(&site, &browser).await;
    browser.open(site.lab()).await;
    assert_eq!(whoami(&browser).await, "ada");
    browser.open(site.url("/whoami")).await;
    assert_eq!(browser.shown_json().await["user"], "ada");
    assert_eq!(browser.jar().await.len(), stuck + 1);
}

/// The browser keeps so many cookies of a site and no more: a sibling can throw ours out, and can do no worse.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b09_an_overflow_logs_out_and_nothing_else() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.open(site.sibling("/index.html")).await;
    let flood = "for (let i = 0; i < 400; i++) document.cookie = `n${i}=${i}; Domain=site.test; Path=/; Secure`;";
    browser.run(flood, &[]).await;
    until("our cookie is thrown out", async || browser.session_cookie().await.is_none().then_some(())).await;
    browser.open(site.lab()).await;
    assert_eq!(whoami(&browser).await, Value::Null);
    cookie_session(&site, &browser, "ada").await;
    assert_eq!(whoami(&browser).await, "ada");
}

/// Tosses a stranger's valid session under every spelling; returns how many of these cookies the browser took.
async fn toss(site: &Site, browser: &Browser) -> usize {
    let token = site.server.cookie_of("mallory").await;
    browser.open(site.sibling("/index.html")).await;
    let mine = browser.jar().await.len();
    let set = "for (const cookie of args[0]) document.cookie = cookie;";
    let refused = REFUSED.map(|start| tossed(start, &token));
    browser.run(set, &[json!(refused)]).await;
    assert_eq!(browser.jar().await.len(), mine, "the browser guards the prefix no longer: {:?}", browser.jar().await);
    let taken = TAKEN.map(|start| tossed(start, &token));
    browser.run(set, &[json!(taken)]).await;
    let jar = browser.jar().await;
    assert_eq!(jar.iter().filter(|cookie| cookie.value.contains(&token)).count(), TAKEN.len(), "{jar:?}");
    TAKEN.len()
}

fn tossed(start: &str, token: &str) -> String {
    let (start, path) = start.split_once(" @ ").unwrap_or((start, "/"));
    format!("{start}={token}; Domain=site.test; Path={path}; Secure")
}

/// Names that Chromium takes with a `Domain`. A reader that decodes, trims or folds them reads ours.
const TAKEN: [&str; 11] = [
    "id",
    "id @ /whoami",
    "__%48ost-Http-id",
    "\u{2000}__Host-Http-id",
    "\u{a0}__Host-Http-id",
    "\u{85}__Host-Http-id",
    "\u{feff}__Host-Http-id",
    "\"__Host-Http-id\"",
    "x,__Host-Http-id",
    "$Path/__Host-Http-id",
    "a__Host-Http-id @ /whoami",
];

/// Names that it refuses; older browsers may not.
const REFUSED: [&str; 8] = [
    "__Host-Http-id",
    "__Host-Http-id @ /whoami",
    "__host-http-id",
    "__HOST-HTTP-ID",
    "__Host-Http-i%64",
    " __Host-Http-id ",
    "=__Host-Http-id",
    "\t__Host-Http-id",
];
