//! B15: answers that arrive in another order than they were asked for.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site};

use crate::looks::{cookie_session, token_session, writes_nothing};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_write_does_not_roll_back_a_newer_one() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    browser.begin("late", "POST", "/held/cart", article(1)).await;
    let held = site.gate.next().await;
    browser.wrapped("POST", "/cart", article(2)).await;
    let newer = browser.stored().await;
    held.release();
    let late = browser.finish("late").await;
    assert!(late.status == 200 && late.token.is_some() && late.token != newer, "{late:?}");
    assert_eq!(browser.stored().await, newer);
    assert_eq!(cart(&browser).await, json!([2]));
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_renewal_does_not_roll_back_a_write() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    site.server.turn_the_key().await;
    browser.begin("late", "GET", "/held/session", None).await;
    let held = site.gate.next().await;
    browser.wrapped("POST", "/cart", article(2)).await;
    let newer = browser.stored().await;
    held.release();
    let late = browser.finish("late").await;
    assert!(late.token.is_some(), "it was not due: {late:?}");
    assert_eq!(browser.stored().await, newer);
    assert_eq!(cart(&browser).await, json!([2]));
}

/// Asked for after the write, with the token of before it: later, and older all the same.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_renewal_asked_for_during_a_write_does_not_roll_it_back() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    site.server.turn_the_key().await;
    browser.begin("write", "POST", "/held/cart", article(2)).await;
    let write = site.gate.next().await;
    browser.begin("read", "GET", "/held/session", None).await;
    let read = site.gate.next().await;
    write.release();
    let newer = browser.finish("write").await.token;
    read.release();
    let renewed = browser.finish("read").await.token;
    assert!(renewed.is_some() && renewed != newer, "it was not due");
    assert_eq!(browser.stored().await, newer);
    assert_eq!(cart(&browser).await, json!([2]));
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_answer_does_not_undo_a_logout() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    site.server.turn_the_key().await;
    browser.begin("write", "POST", "/held/cart", article(1)).await;
    let write = site.gate.next().await;
    browser.begin("read", "GET", "/held/session", None).await;
    let read = site.gate.next().await;
    assert_eq!(browser.wrapped("POST", "/logout", None).await.status, 200);
    assert_eq!(browser.stored().await, None);
    write.release();
    read.release();
    assert!(browser.finish("write").await.token.is_some());
    assert!(browser.finish("read").await.token.is_some());
    assert_eq!(browser.stored().await, None);
    assert_eq!(browser.wrapped("GET", "/whoami", None).await.user(), Value::Null);
}

/// Whoever lets go before the answer is there is not logged in by it.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_login_does_not_undo_a_clear() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    browser.begin("login", "POST", "/held/login", Some(json!({ "user": "ada" }))).await;
    let held = site.gate.next().await;
    browser.run("session.clear();", &[]).await;
    held.release();
    assert!(browser.finish("login").await.token.is_some());
    assert_eq!(browser.stored().await, None);
}

/// A login comes after a logout; what was asked before it does not take its place.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_answer_does_not_bring_back_who_was_there_before() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    browser.begin("late", "POST", "/held/cart", article(1)).await;
    let held = site.gate.next().await;
    browser.run("session.clear();", &[]).await;
    browser.wrapped("POST", "/login", Some(json!({ "user": "grace" }))).await;
    let token = browser.stored().await;
    held.release();
    browser.finish("late").await;
    assert_eq!(browser.stored().await, token);
    assert_eq!(browser.wrapped("GET", "/whoami", None).await.user(), "grace");
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_of_twenty_writes_at_once_the_last_counts() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    let statuses = "
        const send = (sku) => session.fetch('/cart', { method: 'POST', body: JSON.stringify({ sku, count: 1 }),
            headers: { 'Content-Type': 'application/json' } });
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i + 1)));
        return answers.map((answer) => answer.status);";
    assert_eq!(browser.run(statuses, &[]).await, json!(vec![200; 20]));
    assert_eq!(cart(&browser).await, json!([20]));
}

/// Reading writes nothing, so twenty readers and a writer do not get into each other's way.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_twenty_reads_leave_the_cookie_of_a_write_alone() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let mark = site.wire.mark();
    let statuses = "
        const write = { method: 'POST', body: JSON.stringify({ sku: 7, count: 1 }),
            headers: { 'Content-Type': 'application/json' } };
        const sent = Array.from({ length: 21 }, (_, i) => i === 10 ? fetch('/cart', write) : fetch('/session'));
        return (await Promise.all(sent)).map((answer) => answer.status);";
    assert_eq!(browser.run(statuses, &[]).await, json!(vec![200; 21]));
    assert_eq!(browser.fetch("GET", "/session", None).await.json()["cart"][0]["sku"], 7);
    site.wire.after(mark, "POST", "/cart").await;
    site.wire.all()[mark..].iter().filter(|seen| seen.path == "/session").for_each(writes_nothing);
}

/// Held back over a logout, an answer that only reads brings no cookie back.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b15_a_late_read_does_not_undo_a_logout() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.run("window.late = fetch('/held/session').then((answer) => answer.status);", &[]).await;
    let held = site.gate.next().await;
    browser.fetch("POST", "/logout", None).await;
    assert_eq!(browser.jar().await, []);
    held.release();
    assert_eq!(browser.run("return late;", &[]).await, 200);
    assert_eq!(browser.jar().await, []);
}

fn article(sku: u32) -> Option<Value> {
    Some(json!({ "sku": sku, "count": 1 }))
}

/// The articles that the session of the module's token holds.
async fn cart(browser: &Browser) -> Value {
    let session = browser.wrapped("GET", "/session", None).await.json();
    session["cart"].as_array().unwrap().iter().map(|line| line["sku"].clone()).collect()
}
