use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tokio::sync::broadcast;
use tower::ServiceExt;
use waxseal::{KeyRing, Policy, Sealer, SessionLayer};
use waxseal_recipes::sse::app;

use crate::browser::send;
use crate::{ada, sealer};

/// Time stands still but for what waits, so the stream's end comes at once.
#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_token_does() {
    let policy = Policy::default().idle_limit(Duration::from_secs(900));
    let sealer = Sealer::builder(&KeyRing::generate().unwrap(), "session").policy(policy).build().unwrap();
    let (news, _) = broadcast::channel(8);
    let mut request = Request::get("/events").body(Body::empty()).unwrap();
    request.headers_mut().extend(SessionLayer::new(&sealer).request_headers(&ada()).unwrap());
    let response = app(&sealer, news.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    news.send("hello".into()).unwrap();
    let began = tokio::time::Instant::now();
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("data: ada: hello\n"));
    let lasted = began.elapsed().as_secs();
    assert!((890..=900).contains(&lasted), "{lasted}");
}

#[tokio::test]
async fn without_a_session_there_is_no_stream() {
    let app = app(&sealer(), broadcast::channel(8).0);
    let answer = send(&app, Request::get("/events").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "a browser does not ask again after that");
}
