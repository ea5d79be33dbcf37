//! Revocation: sessions ended before their time, on every server.
//!
//! ```
//! use waxseal::{KeyRing, Revocations, Revoke, Sealer, SessionState};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize)]
//! # struct Shop { user: String }
//! impl SessionState for Shop {
//!     fn subject(&self) -> Option<&str> { Some(&self.user) }
//! }
//!
//! let ring = KeyRing::generate()?;
//! let revocations = Revocations::in_memory(&ring);           // a fleet shares a directory
//!
//! let token = waxseal::Sealer::<Shop>::new(&ring, "session")?.start(&Shop { user: "ada".into() })?;
//! revocations.revoke(Revoke::session(token.id())).wait()?;   // one session
//! revocations.revoke(Revoke::subject("ada")).wait()?;        // log out everywhere
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod commit;
mod directory;
mod entry;
mod error;
mod follow;
mod inspect;
mod known;
mod list;
mod options;
mod patience;
#[cfg(feature = "redis")]
mod redis;
mod revoke;
mod secrets;
mod share;
mod shared;
mod size;
mod status;

pub use directory::{DirectoryError, Fault, HeaderError, NodeReport, WriterId};
pub use entry::{CutOffId, ParseCutOffIdError};
pub use error::RevocationsError;
pub use follow::FollowRevocations;
#[cfg(feature = "redis")]
pub use inspect::StreamInspection;
pub use inspect::{CutOffScope, Entered, EntryReport, Inspection, JournalReport, Question};
pub use known::Engine;
pub(crate) use known::Owner;
pub use list::Revocations;
pub use options::{RevocationOptions, Stale};
#[cfg(feature = "redis")]
pub use redis::RedisError;
pub use revoke::{Level, Revoke, RevokeError, Revoked, Revoking};
pub(crate) use shared::Answer;
pub use size::Size;
pub use status::RevocationStatus;

#[cfg(test)]
mod tests;
