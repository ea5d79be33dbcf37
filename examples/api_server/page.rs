//! The page to click through: files embedded in the program, under a strict policy.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// The routes of the page and its parts.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|| file("text/html; charset=utf-8", include_str!("page.html"))))
        .route("/page.css", get(|| file("text/css; charset=utf-8", include_str!("page.css"))))
        .route("/page.js", get(|| file(JAVASCRIPT, include_str!("page.js"))))
        .route("/handoff.js", get(|| file(JAVASCRIPT, include_str!("handoff.js"))))
        .route("/session.js", get(|| file(JAVASCRIPT, include_str!("../web/session.js"))))
}

async fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    (SECURITY_HEADERS, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text)
}

/// Nothing but our own script, style, forms and API: injected text cannot run, nor send a token elsewhere.
pub(crate) const SECURITY_HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
