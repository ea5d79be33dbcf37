//! B16: our cookie in a crowd of foreign ones, each in a field of its own, as HTTP/2 sends them.

use serde_json::json;
use waxseal_browser::{Browser, Site};

use crate::looks::whoami;

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b16_forty_foreign_cookies_before_ours() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.through("/whoami")).await;
    let crowd: Vec<_> = (0..40).map(|i| format!("n{i}={}; Path=/; Secure", VALUES[i % VALUES.len()])).collect();
    browser.run("for (const cookie of args[0]) document.cookie = cookie;", &[json!(crowd)]).await;
    let foreign = browser.jar().await;
    assert_eq!(foreign.len(), 40);
    assert_eq!(browser.fetch("POST", "/login", Some(json!({ "user": "ada" }))).await.status, 200);
    assert_eq!(whoami(&browser).await, "ada");
    let spoken = "return [...new Set(performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol))];";
    assert_eq!(browser.run(spoken, &[]).await, json!(["h2"]));

    browser.fetch("POST", "/logout", None).await;
    let mut left = browser.jar().await;
    let mut before = foreign;
    left.sort_by(|a, b| a.name.cmp(&b.name));
    before.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(left, before, "a foreign cookie was touched");
}

/// What Chromium takes as a value and a general cookie parser stumbles over.
const VALUES: [&str; 8] = ["é", "日本", "a b", "a,b", r#""quoted""#, r"back\slash", "a=b=c", ""];
