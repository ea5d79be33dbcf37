use axum::http::{StatusCode, header};
use waxseal_recipes::flash::app;

use crate::browser::{Browser, OURS};
use crate::sealer;

const SHOWN: &str = "<p role=status>Saved.</p>";

#[tokio::test]
async fn a_message_is_shown_once_and_then_nothing_is_written() {
    let mut browser = Browser::new(app(&sealer()));
    assert_eq!(browser.submit("/save", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.load("/").await.body, SHOWN);
    let answer = browser.load("/").await;
    assert_eq!(answer.body, "");
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
    // In a session that was there already.
    let begun = browser.cookies[OURS].clone();
    browser.submit("/save", "").await;
    assert_ne!(browser.cookies[OURS], begun);
    assert_eq!(browser.load("/").await.body, SHOWN);
}

#[tokio::test]
async fn without_a_message_there_is_no_session() {
    let mut browser = Browser::new(app(&sealer()));
    let answer = browser.load("/").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn two_tabs_at_once_both_show_it() {
    let mut browser = Browser::new(app(&sealer()));
    browser.submit("/save", "").await;
    let mut tab = browser.clone();
    assert_eq!(browser.load("/").await.body, SHOWN);
    assert_eq!(tab.load("/").await.body, SHOWN);
    browser.cookies.extend(tab.cookies);
    assert_eq!(browser.load("/").await.body, "");
}

#[tokio::test]
async fn a_slow_answer_to_an_earlier_request_brings_it_back_once() {
    let mut browser = Browser::new(app(&sealer()));
    browser.submit("/save", "").await;
    let mut slow = browser.clone();
    browser.load("/").await;
    // As another handler would that changes the session and does not know that the message was taken meanwhile.
    slow.submit("/save", "").await;
    browser.cookies.extend(slow.cookies);
    assert_eq!(browser.load("/").await.body, SHOWN);
    assert_eq!(browser.load("/").await.body, "");
}

#[tokio::test]
async fn what_nobody_looks_at_takes_no_message() {
    let mut browser = Browser::new(app(&sealer()));
    browser.submit("/save", "").await;
    browser.plain_fetch("HEAD", "/", "").await;
    browser.load_ahead("/").await;
    assert_eq!(browser.load("/").await.body, SHOWN);
}

#[tokio::test]
async fn under_a_signal_a_cookie_session_shows_nothing_and_a_token_does() {
    let mut browser = Browser::new(app(&sealer()));
    browser.submit("/save", "").await;
    browser.signal = true;
    assert_eq!(browser.load("/").await.body, "", "it could not be taken out, and would be on every page");
    assert_eq!(browser.fetch("GET", "/", "").await.body, SHOWN);
    assert_eq!(browser.fetch("GET", "/", "").await.body, "");
    // A form has no way to a session here, so its message is better shown in its own answer.
    let mut stranger = Browser::new(app(&sealer()));
    stranger.signal = true;
    assert_eq!(stranger.submit("/save", "").await.status, StatusCode::CONFLICT);
}
