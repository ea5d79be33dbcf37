//! Revocations in a fleet: nobody is logged out who was not, and nobody who was is let in again.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

#[path = "revocation/clocks.rs"]
mod clocks;
#[path = "revocation/damage.rs"]
mod damage;
#[path = "fleet/dice.rs"]
mod dice;
#[path = "revocation/engines.rs"]
mod engines;
#[path = "revocation/fleet.rs"]
mod fleet;
#[path = "revocation/long.rs"]
mod long;
#[path = "revocation/lost.rs"]
mod lost;
#[path = "revocation/scopes.rs"]
mod scopes;
#[path = "revocation/stale.rs"]
mod stale;
