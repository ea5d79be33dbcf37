//! The story of each recipe, told by requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod browser;
mod cors;
mod docs;
mod flash;
mod form_login;
mod from_jwt;
mod from_private_jar;
mod from_tower_sessions;
mod logout;
mod sse;
mod visitor;
mod websocket;

use waxseal::{KeyRing, Sealer, SessionState};
use waxseal_recipes::Shop;

fn sealer<T: SessionState>() -> Sealer<T> {
    Sealer::new(&KeyRing::generate().unwrap(), "session").unwrap()
}

fn ada() -> Shop {
    Shop { user: "ada".into(), cart: vec![1] }
}
