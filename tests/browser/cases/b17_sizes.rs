//! B17: a session that grows until no carrier takes it.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Site};

use crate::looks::{cookie_session, token_session};

/// Why there is a limit at all: one byte more, and the browser drops the cookie without a word to anyone.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b17_the_browser_keeps_4096_bytes_of_name_and_value() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    let set = "document.cookie = `n=${'v'.repeat(args[0])}; Path=/; Secure`;";
    browser.run(set, &[json!(4096)]).await;
    assert_eq!(browser.jar().await, []);
    browser.run(set, &[json!(4095)]).await;
    assert_eq!(browser.jar().await.len(), 1);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b17_a_full_cookie_is_refused_and_the_last_one_stays() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    let (accepted, refusal) = fill(&browser, "fetch").await;
    assert_eq!(refusal, 413);
    let cookie = browser.session_cookie().await.expect("the last cookie");
    let size = cookie.name.len() + cookie.value.len();
    assert!((3_800..=4_096).contains(&size), "{size} bytes");
    let session = browser.fetch("GET", "/session", None).await.json();
    assert_eq!(session["cart"].as_array().unwrap().len(), accepted);
    // It still shrinks.
    assert_eq!(browser.fetch("DELETE", "/cart", None).await.status, 200);
    assert_eq!(browser.fetch("GET", "/session", None).await.json()["cart"], json!([]));
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b17_a_full_token_is_refused_and_the_last_one_stays() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    token_session(&site, &browser, "ada").await;
    let (accepted, refusal) = fill(&browser, "session.fetch").await;
    assert_eq!(refusal, 413);
    let session = browser.wrapped("GET", "/session", None).await.json();
    assert_eq!(session["cart"].as_array().unwrap().len(), accepted);
}

/// Puts different articles into the cart until that is refused: how many were taken, and the refusal's status.
async fn fill(browser: &Browser, fetch: &str) -> (usize, u64) {
    let script = format!(
        "
        for (let taken = 0; taken < 2000; taken++) {{
            const body = JSON.stringify({{ sku: 4294967295 - taken, count: 65535 }});
            const headers = {{ 'Content-Type': 'application/json' }};
            const answer = await {fetch}('/cart', {{ method: 'POST', headers, body }});
            if (answer.status !== 200) return [taken, answer.status];
        }}"
    );
    let done: Value = browser.run(&script, &[]).await;
    (done[0].as_u64().expect("it ends") as usize, done[1].as_u64().unwrap())
}
