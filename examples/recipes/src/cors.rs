//! CORS: a front end on another origin, with cookies and with tokens.

use std::error::Error;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method};
use axum::routing::{get, post};
use axum::{Json, Router};
use tower_http::cors::CorsLayer;
use waxseal::carrier::response::{SESSION_TOKEN, SESSION_TRANSPORT};
use waxseal::{CurrentSession, OpenSession, Sealer, SessionError, SessionLayer};

use crate::Shop;

/// Lets pages of `front_end`, such as `https://app.example.com`, send what a session needs, and read what it answers.
fn cors(front_end: &str) -> Result<CorsLayer, Box<dyn Error>> {
    Ok(CorsLayer::new()
        .allow_origin([HeaderValue::from_str(front_end)?])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static(SESSION_TRANSPORT)])
        .expose_headers([HeaderName::from_static(SESSION_TOKEN), WWW_AUTHENTICATE])
        .allow_credentials(true)
        .max_age(Duration::from_secs(3600)))
}

/// CORS comes last and so is outermost: what answers outside of it, a page of another origin cannot read. Sessions may
/// stand inside or outside, since their layer answers nothing by itself.
pub fn app(sealer: &Sealer<Shop>, front_end: &str) -> Result<Router, Box<dyn Error>> {
    Ok(Router::new()
        .route("/login", post(login))
        .route("/cart", get(show).post(add))
        .layer(SessionLayer::new(sealer).trusted_origin(front_end)?)
        .layer(cors(front_end)?))
}

async fn login(session: CurrentSession<Shop>, Json(user): Json<String>) -> Result<(), SessionError> {
    session.start(Shop { user, cart: vec![] }).map(drop)
}

async fn add(mut shop: OpenSession<Shop>, Json(sku): Json<u32>) -> Result<Json<Vec<u32>>, SessionError> {
    shop.update(|shop| shop.cart.push(sku))?;
    Ok(Json(shop.cart.clone()))
}

async fn show(shop: OpenSession<Shop>) -> Json<Vec<u32>> {
    Json(shop.cart.clone())
}
