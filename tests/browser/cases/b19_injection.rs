//! B19: why no service worker of ours puts the token on navigations. This one does.

use serde_json::json;
use waxseal_browser::{Browser, Site};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b19_a_service_worker_that_injects_launders_what_other_sites_send() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let target = site.url("/lab/server/form/login");
    browser.open(site.other("/index.html")).await;
    browser.submit(&target, &[("user", "mallory")]).await;
    let honest = site.wire.after(0, "POST", "/lab/server/form/login").await;
    assert_eq!((honest.status, honest.asked("sec-fetch-site")), (403, Some("cross-site")));

    let token = site.server.token_of("ada").await;
    browser.open(site.lab()).await;
    let install = "
        await navigator.serviceWorker.register('/lab/inject.js');
        const { active } = await navigator.serviceWorker.ready;
        const held = new Promise((done) => { navigator.serviceWorker.onmessage = done; });
        active.postMessage(args[0]);
        await held;";
    browser.run(install, &[json!(token)]).await;

    browser.open(site.other("/index.html")).await;
    let mark = site.wire.mark();
    browser.submit(&target, &[("user", "mallory")]).await;
    let laundered = site.wire.after(mark, "POST", "/lab/server/form/login").await;
    assert_eq!(laundered.asked("sec-fetch-site"), Some("same-origin"));
    assert_eq!(laundered.asked("origin"), Some(site.url("").as_str()));
    assert_eq!(laundered.asked("authorization"), Some(&*format!("Bearer {token}")));
    assert_ne!(laundered.status, 403, "the server cannot tell, and does as it is told");
}
