//! seshcookie 0.1: JSON in ChaCha20-Poly1305, opened before the handler runs.

use std::hint::black_box;

use axum::Router;
use axum::routing::{get, post};
use seshcookie::{Session, SessionConfig, SessionKeys, SessionLayer};

use super::{SESHCOOKIE, Site};
use crate::sessions::{Sample, Typical};

pub(super) fn site() -> Site {
    let keys = SessionKeys::new(b"a secret that is long enough to be one").expect("long enough");
    let layer = SessionLayer::<Typical>::new(keys, SessionConfig::default()).expect("the defaults are good");
    let routes = Router::new()
        .route("/login", post(login))
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", post(change));
    Site::new(SESHCOOKIE, routes.layer(layer))
}

async fn login(session: Session<Typical>) {
    session.insert(Typical::sample()).await;
}

async fn ignore() {}

async fn read(session: Session<Typical>) {
    black_box(session.get().await.expect("a session").flags);
}

async fn change(session: Session<Typical>) {
    session.modify(|state| state.as_mut().expect("a session").flags += 1).await;
}
