//! tower-sessions-cookie-store 0.5: a tower-sessions record in cookie's private jar.

use std::hint::black_box;

use axum::Router;
use axum::routing::{get, post};
use tower_sessions_cookie_store::{CookieSessionConfig, CookieSessionManagerLayer, Expiry, Key, Session};

use super::Site;
use crate::sessions::{Sample, Typical};

pub(super) fn site() -> Site {
    let day = Expiry::OnInactivity(time::Duration::days(1));
    let layer = CookieSessionManagerLayer::private(Key::generate())
        .with_config(CookieSessionConfig::default().with_expiry(day));
    let routes = Router::new()
        .route("/login", post(login))
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", post(change));
    Site::new("tower-sessions-cookie-store 0.5, private", routes.layer(layer))
}

async fn login(session: Session) {
    session.insert(NAME, Typical::sample()).await.expect("it is written");
}

async fn ignore() {}

async fn read(session: Session) {
    black_box(state(&session).await.flags);
}

async fn change(session: Session) {
    let mut state = state(&session).await;
    state.flags += 1;
    session.insert(NAME, state).await.expect("it is written");
}

async fn state(session: &Session) -> Typical {
    session.get(NAME).await.expect("a session").expect("it was inserted")
}

const NAME: &str = "state";
