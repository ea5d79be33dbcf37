//! What many cases look at.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Exchange, Site};

/// What `Authorization` says for a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Asserts that scripts have and see nothing at all.
pub(crate) async fn nothing_in_reach_of_scripts(browser: &Browser) {
    assert_eq!(browser.in_reach_of_scripts().await, json!([[], [], ""]));
}

/// Asserts that scripts have and see the token of this tab, and nothing else.
pub(crate) async fn the_token_in_reach_of_scripts(browser: &Browser) {
    assert_eq!(browser.in_reach_of_scripts().await, json!([["session-token"], [], ""]));
}

/// Asserts what every answer says that hands out or deletes a token: nobody on the way may keep it.
pub(crate) fn unstorable(exchange: &Exchange, varies_on: &[&str]) {
    assert_eq!(exchange.said("cache-control"), Some("no-store"), "{exchange:?}");
    assert_eq!(varied(exchange), varies_on, "{exchange:?}");
}

/// Asserts that an answer changes nothing in the browser.
pub(crate) fn writes_nothing(exchange: &Exchange) {
    assert_eq!((exchange.said("set-cookie"), exchange.said("session-token")), (None, None), "{exchange:?}");
}

/// Asserts that an answer deletes the session's cookie, as only the same attributes can.
pub(crate) fn deletes_the_cookie(exchange: &Exchange) {
    let deletion = "__Host-Http-id=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(exchange.said("set-cookie"), Some(deletion), "{exchange:?}");
}

fn varied(exchange: &Exchange) -> Vec<&str> {
    exchange.said("vary").unwrap_or_default().split(", ").collect()
}

/// The empty page, with a session of `user` that its browser holds in a cookie.
pub(crate) async fn cookie_session(site: &Site, browser: &Browser, user: &str) {
    browser.open(site.lab()).await;
    assert_eq!(browser.fetch("POST", "/login", Some(json!({ "user": user }))).await.status, 200);
    assert!(browser.session_cookie().await.is_some());
}

/// The empty page, with a session of `user` that the page's module holds, and the token.
pub(crate) async fn token_session(site: &Site, browser: &Browser, user: &str) -> String {
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    assert_eq!(browser.wrapped("POST", "/login", Some(json!({ "user": user }))).await.status, 200);
    browser.stored().await.expect("the page has a token")
}

/// Who the server says a plain fetch is from.
pub(crate) async fn whoami(browser: &Browser) -> Value {
    let answer = browser.fetch("GET", "/whoami", None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.user()
}

/// What an answer under the default policy varies on if it hands out or deletes a token.
pub(crate) const ALL: [&str; 4] = ["DNT", "Sec-GPC", "Cookie", "Authorization"];
