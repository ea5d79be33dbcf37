//! A cart for whoever comes, kept when they log in.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use waxseal::{Authenticated, CurrentSession, Sealer, SessionError, SessionLayer, SessionState};

/// What is kept for everybody, logged in or not.
#[derive(Serialize, Deserialize)]
pub struct Visitor {
    /// Who it is, if they have logged in.
    pub user: Option<String>,
    /// Numbers of articles.
    pub cart: Vec<u32>,
}

impl SessionState for Visitor {
    fn subject(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// Puts an article into the cart, in a session of its own if there is none.
async fn add(session: CurrentSession<Visitor>, Json(sku): Json<u32>) -> Result<(), SessionError> {
    match session.update(|visitor| visitor.cart.push(sku)) {
        Err(SessionError::Anonymous) => session.start(Visitor { user: None, cart: vec![sku] }).map(drop),
        done => done,
    }
}

/// Logs in, after the password was checked. A visitor's cart comes along; that of somebody else does not.
async fn login(session: CurrentSession<Visitor>, Json(user): Json<String>) -> Result<(), SessionError> {
    let visitor = session.get().ok().flatten().filter(|session| session.state().user.is_none());
    let cart = visitor.map_or_else(Vec::new, |visitor| visitor.state().cart.clone());
    session.start(Visitor { user: Some(user), cart }).map(drop)
}

/// For those who have logged in: `OpenSession` would let visitors in.
async fn order(visitor: Authenticated<Visitor>) -> String {
    format!("{} orders {:?}", visitor.subject(), visitor.cart)
}

/// Anybody has a cart; who orders must be known.
pub fn app(sealer: &Sealer<Visitor>) -> Router {
    Router::new()
        .route("/cart", post(add))
        .route("/login", post(login))
        .route("/order", get(order))
        .layer(SessionLayer::new(sealer))
}
