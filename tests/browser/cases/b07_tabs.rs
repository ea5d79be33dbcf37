//! B7: reloads, other tabs and the history, with a token in `sessionStorage` and with a cookie.

use serde_json::json;
use waxseal_browser::{Browser, Extension, Site, Wish, until};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_a_reload_keeps_the_session_and_its_navigation_is_anonymous() {
    let (site, browser) = page_with_token(Browser::dnt().await).await;
    for ignore_cache in [false, true] {
        let mark = site.wire.mark();
        let reload = json!({ "ignoreCache": ignore_cache });
        browser.leaving(async || drop(browser.cdp().send_raw("Page.reload", reload).await.unwrap())).await;
        browser.shows("ada").await;
        let page = site.wire.after(mark, "GET", "/").await;
        assert_eq!((page.asked("authorization"), page.asked("cookie")), (None, None));
    }
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_a_duplicated_tab_has_the_session_too() {
    let extension = Extension::setting(&[]);
    let (_site, browser) =
        page_with_token(Browser::with(Wish { dnt: true, extension: Some(extension), ..Wish::default() }).await).await;
    let token = browser.stored().await;
    browser.open_in_new_tab("chrome://extensions").await;
    let page = browser.run(Extension::FIND_PAGE, &[]).await;
    browser.open(page.as_str().unwrap()).await;
    let duplicate = "const [first] = await chrome.tabs.query({ index: 0 }); await chrome.tabs.duplicate(first.id);";
    browser.run(duplicate, &[]).await;
    browser.follow().await;
    browser.shows("ada").await;
    assert_eq!(browser.stored().await, token);
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_a_window_that_knows_its_opener_has_the_session_and_others_have_not() {
    let (site, browser) = page_with_token(Browser::dnt().await).await;
    let open = async |features: &str| {
        browser.tab(0).await;
        browser.run("window.open('/', '_blank', args[0]);", &[json!(features)]).await;
        browser.follow().await;
    };
    open("").await;
    browser.shows("ada").await;
    open("noopener").await;
    browser.shows_nobody().await;
    browser.open_in_new_tab(site.url("/")).await;
    browser.shows_nobody().await;
    assert_eq!(browser.stored().await, None);
    // The copy is a copy: the first tab is as it was.
    browser.tab(0).await;
    browser.shows("ada").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_back_and_forward_keep_the_session() {
    let (site, browser) = page_with_token(Browser::dnt().await).await;
    browser.open(site.lab()).await;
    browser.back().await.unwrap();
    browser.shows("ada").await;
    browser.forward().await.unwrap();
    browser.back().await.unwrap();
    browser.shows("ada").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_back_after_logout_shows_no_session_of_a_token() {
    let (site, browser) = page_with_token(Browser::dnt().await).await;
    logs_out_elsewhere_and_goes_back(&site, &browser).await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_back_after_logout_shows_no_session_of_a_cookie() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    logs_out_elsewhere_and_goes_back(&site, &browser).await;
}

/// The page comes back as it was left, its script still running: then it has to look again by itself.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b07_a_page_from_the_back_forward_cache_looks_again() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    browser.open(site.sibling("/index.html")).await;
    browser.back().await.unwrap();
    // Set by this page before it was left.
    assert_eq!(browser.run("return typeof session;", &[]).await, "object", "it was loaded anew");
    until("it is told", async || (browser.run("return changes;", &[]).await == 1).then_some(())).await;
}

async fn logs_out_elsewhere_and_goes_back(site: &Site, browser: &Browser) {
    // Loaded anew, so that it has no answer in it that would keep it out of the back-forward cache.
    browser.open(site.url("/")).await;
    browser.shows("ada").await;
    browser.open(site.lab()).await;
    browser.hold_session(&[]).await;
    assert_eq!(browser.wrapped("POST", "/logout", None).await.status, 200);
    browser.back().await.unwrap();
    assert_eq!(browser.current_url().await.unwrap().as_str(), site.url("/"));
    browser.shows_nobody().await;
}

async fn page_with_token(browser: Browser) -> (Site, Browser) {
    let site = Site::start().await;
    browser.open(site.url("/")).await;
    browser.log_in("ada").await;
    assert!(browser.stored().await.is_some());
    (site, browser)
}
