//! Logging out: by a button, not by a link, and so that no page comes back from the browser's memory.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use waxseal::{CurrentSession, OpenSession, Sealer, SessionError, SessionLayer};

use crate::Shop;

/// `POST /logout`: ends the session, then loads the start page.
pub async fn logout(session: CurrentSession<Shop>) -> Result<Redirect, SessionError> {
    session.end()?;
    Ok(Redirect::to("/"))
}

/// `GET /logout`, for links in mails and bookmarks: asks, and changes nothing.
pub async fn ask() -> Html<&'static str> {
    Html("<form method=post action=/logout><button>Log out</button></form>")
}

/// `POST /logout/thorough`, for shared machines: what pages have stored and cached goes as well.
pub async fn logout_thoroughly(session: CurrentSession<Shop>) -> Result<impl IntoResponse, SessionError> {
    session.end()?;
    Ok(([(CLEAR_SITE_DATA, "\"cache\", \"storage\"")], Redirect::to("/")))
}

/// `POST /logout/everywhere`: ends every session of the user, on all devices.
pub async fn logout_everywhere(shop: OpenSession<Shop>) -> Result<Redirect, SessionError> {
    shop.end_everywhere()?;
    Ok(Redirect::to("/"))
}

/// `POST /logout/others`: this device stays.
pub async fn logout_others(shop: OpenSession<Shop>) -> Result<Redirect, SessionError> {
    shop.end_others()?;
    Ok(Redirect::to("/account"))
}

/// A page that shows somebody's session: not stored, and asked for again if the browser kept it in memory.
async fn account(shop: OpenSession<Shop>) -> impl IntoResponse {
    let page = format!("<h1>{}</h1>{ask}{RELOAD}", shop.user, ask = ask().await.0);
    ([(CACHE_CONTROL, "no-store")], Html(page))
}

const RELOAD: &str =
    "<script>addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });</script>";

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// An account, and the ways out of it.
pub fn app(sealer: &Sealer<Shop>) -> Router {
    Router::new()
        .route("/", get(|| async { "who are you?" }))
        .route("/account", get(account))
        .route("/logout", get(ask).post(logout))
        .route("/logout/everywhere", post(logout_everywhere))
        .route("/logout/others", post(logout_others))
        .route("/logout/thorough", post(logout_thoroughly))
        .layer(SessionLayer::new(sealer))
}
