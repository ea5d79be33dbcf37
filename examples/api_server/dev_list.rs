//! The list of revocations: the directory that is there, or else a new one made for development.
//!
//! A real service never makes its own: a directory that is not mounted would look like one in which nobody logged out.
//! `waxseal revocations init` makes one for the whole fleet.

use std::path::Path;
use std::time::Duration;

use waxseal::revocation::{DirectoryError, RevocationsError};
use waxseal::{KeyRing, Revocations, Stale};

use crate::log;

/// Loads the list in the directory at `path`, which is made if there is none.
pub(crate) fn load_or_create(ring: &KeyRing, path: &Path) -> Result<Revocations, RevocationsError> {
    match Revocations::init_directory(ring, path) {
        Ok(()) => log::warn(format_args!("made a directory of revocations for development: {}", path.display())),
        Err(RevocationsError::Directory(DirectoryError::Exists { .. })) => {}
        Err(error) => return Err(error),
    }
    // A server that has not heard from the others for a quarter of an hour answers 503, rather than take a stolen session.
    let stale = Stale::refuse_after(Duration::from_secs(15 * 60));
    Revocations::options().poll(Duration::from_secs(1)).directory(ring, path, stale)
}
