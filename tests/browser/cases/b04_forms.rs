//! B4: a login by a form, which is a navigation, under each policy, with a signal and without.

use waxseal_browser::{Browser, Policy, Site};

use crate::looks::{ALL, nothing_in_reach_of_scripts, the_token_in_reach_of_scripts, unstorable};

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_respect_without_a_signal_sets_the_cookie() {
    ends_logged_in_by_cookie(Policy::Respect, Browser::start().await).await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_respect_with_a_signal_says_that_it_cannot() {
    is_told(Policy::Respect, Browser::dnt().await, "b04-undeliverable").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_always_with_a_signal_sets_the_cookie() {
    ends_logged_in_by_cookie(Policy::Always, Browser::dnt().await).await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_never_without_a_signal_says_that_it_cannot() {
    is_told(Policy::Never, Browser::start().await, "b04-undeliverable-by-policy").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_the_hand_off_page_ends_logged_in_under_a_signal() {
    ends_logged_in_by_token(Policy::Respect, Browser::dnt().await, "b04-after-the-hand-off").await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_the_hand_off_page_ends_logged_in_where_there_are_no_cookies() {
    ends_logged_in_by_token(Policy::Never, Browser::start().await, "b04-after-the-hand-off-by-policy").await;
}

/// What the person chooses on this site beats what the browser says to all sites, and lasts as long as the session.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b04_the_persons_choice_sets_the_cookie_under_a_signal() {
    let (site, browser) = (Site::start().await, Browser::dnt().await);
    browser.open(site.url("/")).await;
    browser.log_in_by_form("ada", "cookie").await;
    browser.shows("ada").await;
    let login = site.wire.after(0, "POST", "/form/login").await;
    assert_eq!((login.status, login.asked("dnt")), (303, Some("1")));
    unstorable(&login, &ALL);
    let cookie = browser.session_cookie().await;
    assert!(cookie.is_some());
    browser.add(1042).await;
    browser.picture("b04-cookie-by-choice").await;
    let updated = browser.session_cookie().await;
    assert!(updated.is_some() && updated != cookie);
    nothing_in_reach_of_scripts(&browser).await;
}

async fn ends_logged_in_by_cookie(policy: Policy, browser: Browser) {
    let site = Site::under(policy).await;
    browser.open(site.url("/")).await;
    browser.log_in_by_form("ada", "").await;
    browser.shows("ada").await;
    let login = site.wire.after(0, "POST", "/form/login").await;
    assert_eq!((login.status, login.said("location"), login.said("session-token")), (303, Some("/"), None));
    assert_eq!(login.said("cache-control"), Some("no-store"));
    assert!(browser.session_cookie().await.is_some());
    nothing_in_reach_of_scripts(&browser).await;

    browser.log_out_by_form().await;
    browser.shows_nobody().await;
    assert_eq!(browser.jar().await, []);
}

async fn is_told(policy: Policy, browser: Browser, picture: &str) {
    let site = Site::under(policy).await;
    browser.open(site.url("/")).await;
    browser.log_in_by_form("ada", "").await;
    let login = site.wire.after(0, "POST", "/form/login").await;
    assert_eq!((login.status, login.said("set-cookie"), login.said("session-token")), (409, None, None));
    let text = browser.text().await;
    assert!(text.contains(' ') && !text.contains("ada"), "no sentence: {text}");
    browser.picture(picture).await;
    assert_eq!(browser.jar().await, []);
    browser.open(site.lab()).await;
    nothing_in_reach_of_scripts(&browser).await;
}

async fn ends_logged_in_by_token(policy: Policy, browser: Browser, picture: &str) {
    let site = Site::under(policy).await;
    browser.open(site.lab()).await;
    browser.submit("/form/login", &[("user", "ada"), ("way", "page")]).await;
    browser.shows("ada").await;
    browser.picture(picture).await;
    let login = site.wire.after(0, "POST", "/form/login").await;
    assert_eq!((login.status, login.said("set-cookie"), login.said("session-token")), (200, None, None));
    assert_eq!(login.said("cache-control"), Some("no-store"));
    assert_eq!(browser.jar().await, []);
    the_token_in_reach_of_scripts(&browser).await;
    // The page with the token in it is not among those that one can go back to.
    browser.back().await.unwrap();
    assert_eq!(browser.current_url().await.unwrap().as_str(), site.lab());
    browser.open(site.url("/")).await;
    browser.log_out_by_form().await;
    browser.shows_nobody().await;
    nothing_in_reach_of_scripts(&browser).await;
}
