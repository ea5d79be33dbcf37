//! The key ring: which key seals and which keys open, the file it lives in, and the handle that servers hold.
//!
//! Servers only read. A [`KeyRing`] follows its file and swaps whole rings at once; the `waxseal`
//! command is what writes, through [`RingFile`].

mod at_rest;
mod change;
mod disk;
mod file;
mod follow;
mod kek;
mod options;
mod policy;
mod private;
mod remembered;
mod ring;
mod ring_file;
mod role;
mod rotate;
mod secret;
mod shared;
mod signal;
mod snapshot;
mod status;

pub use at_rest::AtRestError;
pub use change::{ChangeError, Promotion, Revocation, Sessions};
pub use disk::DiskError;
#[cfg(test)]
pub(crate) use disk::crash;
pub(crate) use disk::{parent, step, sync_directory};
pub use file::{FileError, KeyProblem};
pub use follow::Follow;
pub use kek::{KekError, KekSource, generate_kek};
pub use options::RingOptions;
pub use policy::{PolicyError, RingPolicy};
pub use private::{PrivateError, read_private};
pub use ring::Ring;
pub use ring_file::RingFile;
pub use role::Role;
pub use rotate::{CreateError, RotateError, Rotation};
pub use secret::SecretError;
pub(crate) use shared::{Channel, Place};
pub use shared::{KeyRing, Reload, RingError, Unexpected};
pub(crate) use signal::Signal;
pub use snapshot::Refusal;
pub(crate) use snapshot::{Entry, Lookup, Snapshot, Subkeys};
pub use status::{KeyReport, RingReport, RingStatus};
