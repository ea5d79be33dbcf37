//! B14: development on `http://localhost`, without TLS and without nginx.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Policy, Server, Site};

use crate::looks::{nothing_in_reach_of_scripts, whoami};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b14_the_development_mode_works_on_localhost() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), Policy::Respect, &["--plain-http"]);
    let browser = Browser::start().await;
    browser.open(format!("http://localhost:{}/", server.port())).await;
    browser.log_in("ada").await;
    let jar = browser.jar().await;
    let [cookie] = jar.as_slice() else { panic!("not one cookie: {jar:?}") };
    assert_eq!((&*cookie.name, &*cookie.domain, cookie.http_only, cookie.secure), ("id", "localhost", true, false));
    assert_eq!(cookie.same_site.as_deref(), Some("Lax"));
    nothing_in_reach_of_scripts(&browser).await;
    assert_eq!(whoami(&browser).await, "ada");
    browser.log_out().await;
    assert_eq!(browser.jar().await, []);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b14_the_development_mode_sets_no_cookie_for_other_hosts() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), Policy::Respect, &["--plain-http"]);
    let browser = Browser::start().await;
    browser.open(format!("http://site.test:{}/", server.port())).await;
    let login = browser.fetch("POST", "/login", Some(json!({ "user": "ada" }))).await;
    assert_eq!(login.status, 409, "{login:?}");
    assert_eq!(browser.jar().await, []);
}

/// Its cookie has no prefix, so anything could plant two of them: then neither counts.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b14_two_cookies_of_the_name_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), Policy::Respect, &["--plain-http"]);
    let browser = Browser::start().await;
    browser.open(format!("http://localhost:{}/", server.port())).await;
    browser.log_in("ada").await;
    let planted = server.cookie_of("mallory").await;
    browser.run("document.cookie = `id=${args[0]}; Path=/whoami`;", &[json!(planted)]).await;
    assert_eq!(browser.jar().await.len(), 2);
    assert_eq!(whoami(&browser).await, Value::Null);
}

/// The same cookie at the site itself, where the name is another.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b14_production_refuses_the_name_of_development() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    let token = site.server.cookie_of("mallory").await;
    browser.force_cookie(json!({ "name": "id", "value": token, "url": site.url("/"), "httpOnly": true })).await;
    assert_eq!(whoami(&browser).await, Value::Null);
    assert_eq!(browser.jar().await.len(), 1, "it is not ours, so it stays");
}

/// Chromium takes a `Secure` cookie on localhost, so there the mode is not even needed.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b14_production_works_on_localhost_in_chromium() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), Policy::Respect, &[]);
    let browser = Browser::start().await;
    browser.open(format!("http://localhost:{}/", server.port())).await;
    browser.log_in("ada").await;
    assert!(browser.session_cookie().await.is_some_and(|cookie| cookie.secure));
    assert_eq!(whoami(&browser).await, "ada");
}
