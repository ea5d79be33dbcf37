//! axum-extra's PrivateCookieJar, with the claims in JSON and the expiry checked by the handler.

use std::hint::black_box;

use axum::Router;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};

use super::Site;
use crate::claims::Json;
use crate::sessions::{Sample, Typical};

pub(super) fn site() -> Site {
    let routes = Router::new()
        .route("/login", post(login))
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", post(change));
    Site::new("axum-extra PrivateCookieJar", routes.with_state(Key::generate()))
}

async fn login(jar: PrivateCookieJar) -> PrivateCookieJar {
    jar.add(cookie(&Typical::sample()))
}

async fn ignore() {}

async fn read(jar: PrivateCookieJar) {
    black_box(state(&jar).flags);
}

async fn change(jar: PrivateCookieJar) -> PrivateCookieJar {
    let mut state = state(&jar);
    state.flags += 1;
    jar.add(cookie(&state))
}

fn state(jar: &PrivateCookieJar) -> Typical {
    let cookie = jar.get("session").expect("our own cookie");
    let json: Json<String, Typical> = serde_json::from_str(cookie.value()).expect("our own JSON");
    json.judged().expect("it has not ended")
}

fn cookie(state: &Typical) -> Cookie<'static> {
    let json = serde_json::to_string(&Json::now(state)).expect("the sample is written");
    Cookie::build(("session", json)).path("/").secure(true).http_only(true).same_site(SameSite::Lax).build()
}
