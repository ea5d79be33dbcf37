//! Revocations in a fleet: nobody is logged out who was not, and nobody who was is let in again.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

#[path = "revocation/damage.rs"]
mod damage;
#[path = "revocation/fleet.rs"]
mod fleet;
#[path = "revocation/lost.rs"]
mod lost;
