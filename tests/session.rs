//! The public story of sessions: what is refused when it is built, how sessions live, change and end.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

#[path = "session/build.rs"]
mod build;
#[path = "session/carriers.rs"]
mod carriers;
#[path = "session/renewal.rs"]
mod renewal;
#[path = "session/revoking.rs"]
mod revoking;
#[path = "session/schema.rs"]
mod schema;
#[path = "session/silence.rs"]
mod silence;

use std::sync::Arc;

use testkit::NOW;
use testkit::reader::load_with;
use testkit::ring::Ring;
use waxseal::KeyRing;
use waxseal::time::{ManualClock, Timestamp};

/// A ring as of [`NOW`], and the clock of everything on it.
fn ring(file: &Ring) -> (KeyRing, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(at(NOW)));
    (load_with(&file.text(), Arc::clone(&clock)), clock)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}
