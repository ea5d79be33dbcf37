//! B5: Do Not Track is switched on in the middle of a session that a cookie holds.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site};

use crate::looks::{ALL, bearer, cookie_session, deletes_the_cookie, unstorable, whoami, writes_nothing};

/// A renewal is due all the time: it comes as soon as the signal is off.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_a_navigation_reads_the_old_cookie_and_renews_nothing() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let before = browser.session_cookie().await;
    site.server.turn_the_key().await;

    browser.set_dnt(true).await;
    let mark = site.wire.mark();
    browser.open(site.url("/session")).await;
    assert_eq!(browser.shown_json().await["carrier"], "cookie");
    let read = site.wire.after(mark, "GET", "/session").await;
    assert_eq!((read.asked("dnt"), read.asked("sec-fetch-mode")), (Some("1"), Some("navigate")));
    writes_nothing(&read);
    assert_eq!(browser.session_cookie().await, before);

    browser.set_dnt(false).await;
    browser.open(site.url("/session")).await;
    let after = browser.session_cookie().await;
    assert!(after.is_some() && after != before, "it was not due at all: {after:?}");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_the_module_migrates_once() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let session = browser.fetch("GET", "/session", None).await.json()["session"].clone();
    browser.set_dnt(true).await;
    browser.hold_session(&[]).await;

    let mark = site.wire.mark();
    let first = browser.wrapped("GET", "/session", None).await;
    assert_eq!((first.user(), first.carrier()), (json!("ada"), json!("cookie")));
    assert_eq!(first.json()["session"], session, "a migration is no new session");
    let migration = site.wire.after(mark, "GET", "/session").await;
    deletes_the_cookie(&migration);
    unstorable(&migration, &ALL);
    assert_eq!(browser.jar().await, []);
    let token = browser.stored().await.expect("a token");
    assert_eq!(migration.said("session-token"), Some(&*token));

    let mark = site.wire.mark();
    let second = browser.wrapped("GET", "/session", None).await;
    assert_eq!((second.user(), second.carrier()), (json!("ada"), json!("header")));
    let read = site.wire.after(mark, "GET", "/session").await;
    assert_eq!((read.asked("authorization"), read.asked("cookie")), (Some(&*bearer(&token)), None));
    writes_nothing(&read);
    assert_eq!(browser.stored().await, Some(token));
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_the_page_goes_on_without_a_word() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    browser.set_dnt(true).await;
    browser.add(77).await;
    browser.picture("b05-migrated").await;
    assert_eq!(browser.jar().await, []);
    assert!(browser.stored().await.is_some());
    browser.refresh().await.unwrap();
    browser.shows("ada").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_a_plain_fetch_reads_and_cannot_write() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let before = browser.session_cookie().await;
    site.server.turn_the_key().await;
    browser.set_dnt(true).await;

    let mark = site.wire.mark();
    assert_eq!(browser.fetch("GET", "/session", None).await.carrier(), "cookie");
    writes_nothing(&site.wire.after(mark, "GET", "/session").await);
    let refused = browser.fetch("POST", "/cart", Some(json!({ "sku": 1, "count": 1 }))).await;
    assert_eq!((refused.status, refused.token), (409, None));
    writes_nothing(&site.wire.after(mark, "POST", "/cart").await);
    assert_eq!(browser.session_cookie().await, before);
    assert_eq!(browser.fetch("GET", "/session", None).await.json()["cart"], json!([]));

    // To end a session is always possible.
    assert_eq!(browser.fetch("POST", "/logout", None).await.status, 200);
    assert_eq!(browser.jar().await, []);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_the_second_tab_is_anonymous_and_not_in_error() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.open_in_new_tab(site.url("/")).await;
    browser.shows("ada").await;
    browser.set_dnt(true).await;
    browser.tab(0).await;
    browser.hold_session(&[]).await;
    browser.wrapped("GET", "/whoami", None).await;
    assert_eq!(browser.jar().await, []);

    browser.tab(1).await;
    assert_eq!(whoami(&browser).await, Value::Null);
    let refused = browser.fetch("GET", "/session", None).await;
    assert_eq!((refused.status, refused.challenge.as_deref()), (401, Some(r#"Bearer realm="session""#)));
    browser.press("#show").await;
    browser.shows_nobody().await;
    browser.picture("b05-second-tab").await;
}

/// Both tabs ask with the cookie before either has its answer: each gets a token, and neither breaks the other.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_two_tabs_migrate_at_once() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.open_in_new_tab(site.lab()).await;
    browser.set_dnt(true).await;
    browser.hold_session(&[]).await;
    browser.begin("early", "GET", "/held/session", None).await;
    let held = site.gate.next().await;

    browser.tab(0).await;
    browser.hold_session(&[]).await;
    assert_eq!(browser.wrapped("GET", "/session", None).await.status, 200);
    held.release();
    browser.tab(1).await;
    assert_eq!(browser.finish("early").await.status, 200);
    for tab in [0, 1] {
        browser.tab(tab).await;
        assert_eq!(browser.wrapped("GET", "/session", None).await.carrier(), "header");
    }
    assert_eq!(browser.jar().await, []);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_a_worker_reads_and_cannot_write() {
    reads_and_cannot_write("new Worker('/lab/worker.js')", "worker").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b05_a_service_worker_reads_and_cannot_write() {
    let register = "
        await navigator.serviceWorker.register('/lab/worker.js').then(() => navigator.serviceWorker.ready)
            .then((registration) => registration.active)";
    reads_and_cannot_write(register, "navigator.serviceWorker").await;
}

/// `make` is the worker to ask and `hear` where it answers.
async fn reads_and_cannot_write(make: &str, hear: &str) {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let install = format!(
        "
        const worker = {make};
        window.ask = (what) => new Promise((done) => {{
            {hear}.onmessage = (event) => done(event.data);
            worker.postMessage(what);
        }});"
    );
    browser.run(&install, &[]).await;
    let ask = async |what: Value| browser.run("return ask(args[0]);", &[what]).await;
    assert_eq!(user_of(&ask(json!({ "path": "/whoami" })).await), json!(["ada", null]));

    browser.set_dnt(true).await;
    assert_eq!(user_of(&ask(json!({ "path": "/whoami" })).await), json!(["ada", true]));
    let write = json!({ "path": "/cart", "method": "POST", "body": { "sku": 1, "count": 1 } });
    let refused = ask(write).await;
    assert_eq!((&refused["status"], &refused["token"]), (&json!(409), &Value::Null));
    assert!(browser.session_cookie().await.is_some());

    browser.hold_session(&[]).await;
    browser.wrapped("GET", "/whoami", None).await;
    assert_eq!(user_of(&ask(json!({ "path": "/whoami" })).await), json!([null, true]));
}

fn user_of(answer: &Value) -> Value {
    let whoami: Value = serde_json::from_str(answer["text"].as_str().unwrap()).unwrap();
    json!([whoami["user"], whoami["signals"]["dnt"]])
}
