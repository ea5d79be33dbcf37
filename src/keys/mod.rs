//! The key ring: which key seals and which keys open, the file it lives in, and the handle that servers hold.
//!
//! Servers only read. A [`KeyRing`] follows its file and swaps whole rings at once; the `waxseal`
//! command is what writes, through [`RingFile`].

mod at_rest;
mod change;
mod disk;
mod file;
mod kek;
mod policy;
mod private;
mod ring;
mod ring_file;
mod role;
mod rotate;
mod secret;
mod shared;
mod snapshot;
mod status;

pub use at_rest::AtRestError;
pub use change::{ChangeError, Promotion, Revocation, Sessions};
pub use disk::DiskError;
pub use file::{FileError, KeyProblem};
pub use kek::{KekError, KekSource, generate_kek};
pub use policy::{PolicyError, RingPolicy};
pub use private::PrivateError;
pub use ring::Ring;
pub use ring_file::RingFile;
pub use role::Role;
pub use rotate::{CreateError, RotateError, Rotation};
pub use secret::SecretError;
pub(crate) use shared::{Channel, Place};
pub use shared::{Follow, KeyRing, Reload, RingError, RingOptions};
pub use snapshot::Refusal;
pub(crate) use snapshot::{Entry, Lookup, Snapshot, Subkeys};
pub use status::{KeyReport, RingReport, RingStatus};
