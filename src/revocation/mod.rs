//! Revocation: sessions ended before their time, on every server.

mod entry;
mod known;
mod list;
mod revoke;
mod secrets;

pub use entry::{CutOffId, ParseCutOffIdError};
pub(crate) use known::Owner;
pub(crate) use list::Answer;
pub use list::Revocations;
pub use revoke::{Level, Revoke, RevokeError, Revoked, Revoking};
