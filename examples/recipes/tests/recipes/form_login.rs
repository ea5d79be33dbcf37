use axum::http::{StatusCode, header};
use waxseal::CookiePolicy::{self, Always, Never};
use waxseal_recipes::form_login::app;

use crate::browser::{Answer, Browser, OURS};
use crate::sealer;

fn browser(policy: CookiePolicy, signal: bool) -> Browser {
    let mut browser = Browser::new(app(&sealer(), policy));
    browser.signal = signal;
    browser
}

/// What the page's script does with the meta element.
fn adopt(browser: &mut Browser, page: &Answer) {
    let rest = page.body.split("<meta name=session-token content=").nth(1).unwrap();
    browser.token = Some(rest.split('>').next().unwrap().to_owned());
}

#[tokio::test]
async fn with_cookies_a_form_is_enough() {
    for (policy, signal) in [(CookiePolicy::default(), false), (Always, false), (Always, true)] {
        let mut browser = browser(policy, signal);
        assert_eq!(browser.submit("/login", "user=ada").await.status, StatusCode::SEE_OTHER);
        assert!(browser.has_cookie(OURS));
        assert_eq!(browser.load("/").await.body, "ada");
    }
}

#[tokio::test]
async fn without_cookies_a_page_hands_the_token_to_its_script() {
    for (policy, signal) in [(CookiePolicy::default(), true), (Never, false), (Never, true)] {
        let mut browser = browser(policy, signal);
        let page = browser.submit("/login", "user=ada").await;
        assert_eq!((page.status, &page.headers[header::CACHE_CONTROL]), (StatusCode::OK, &"no-store".parse().unwrap()));
        assert!(browser.cookies.is_empty() && !page.headers.contains_key("session-token"));
        adopt(&mut browser, &page);
        assert_eq!(browser.fetch("GET", "/", "").await.body, "ada");
        assert_eq!(browser.load("/").await.body, "who are you?", "a page that is being loaded has no token");
    }
}

#[tokio::test]
async fn a_user_may_choose_the_cookie_and_keeps_it() {
    let mut browser = browser(CookiePolicy::default(), true);
    let form = browser.load("/login").await;
    assert!(form.body.contains("Remember me with a cookie"));
    assert_eq!(form.headers[header::VARY], "DNT, Sec-GPC");
    browser.submit("/login", "user=ada&cookie=on").await;
    assert!(browser.has_cookie(OURS));
    assert_eq!(browser.load("/").await.body, "ada");
    // No script of the page moves it to the header.
    assert_eq!(browser.fetch("GET", "/", "").await.body, "ada");
    assert!(browser.has_cookie(OURS) && browser.token.is_none());
}

#[tokio::test]
async fn who_asks_for_nothing_is_asked_nothing() {
    let mut browser = browser(CookiePolicy::default(), false);
    assert!(!browser.load("/login").await.body.contains("cookie"));
}

#[tokio::test]
async fn another_site_cannot_log_its_own_user_in() {
    let mut browser = browser(CookiePolicy::default(), false);
    assert_eq!(browser.forged_form("/login", "user=eve").await.status, StatusCode::FORBIDDEN);
    assert!(browser.cookies.is_empty());
}
