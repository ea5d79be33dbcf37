//! waxseal's layer and extractors.

use std::hint::black_box;

use ::waxseal::web::CookiePolicy;
use ::waxseal::{CurrentSession, KeyRing, OpenSession, Sealer, SessionError, SessionLayer};
use axum::Router;
use axum::routing::{get, post};

use super::{Site, WAXSEAL};
use crate::sessions::{Sample, Typical};

pub(super) fn site() -> Site {
    let routes = Router::new()
        .route("/login", post(login))
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", post(change));
    Site::new(WAXSEAL, routes.layer(layer()))
}

/// The default layer; no request here carries a signal, so the policy changes nothing.
pub(super) fn layer() -> SessionLayer<Typical> {
    let ring = KeyRing::generate().expect("the operating system gives random bytes");
    let sealer = Sealer::new(&ring, "session").expect("the purpose is one");
    SessionLayer::new(&sealer).policy(CookiePolicy::default())
}

async fn login(session: CurrentSession<Typical>) -> Result<(), SessionError> {
    session.start(Typical::sample()).map(drop)
}

async fn ignore() {}

async fn read(session: OpenSession<Typical>) {
    black_box(session.flags);
}

async fn change(mut session: OpenSession<Typical>) -> Result<(), SessionError> {
    session.update(|state| state.flags += 1)
}
