//! The key ring: the file that is there, or else a new one made for development.
//!
//! A real service never makes its own ring, or two servers could make two. `waxseal keys init` makes
//! one for the whole fleet.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use waxseal::KeyRing;
use waxseal::keys::{Ring, RingError, RingFile, RingPolicy};
use waxseal::time::{Clock, SystemClock};

use crate::log;

/// Loads the ring at `path`; creates a development ring only if nothing at all is there.
///
/// A ring that is damaged, or that others can read, is never replaced: it may be the fleet's.
pub(crate) fn load_or_create(path: &Path) -> Result<KeyRing, Box<dyn Error>> {
    match KeyRing::load(path) {
        Err(RingError::Disk(error)) if error.is_missing() => create(path),
        loaded => Ok(loaded?),
    }
}

fn create(path: &Path) -> Result<KeyRing, Box<dyn Error>> {
    let policy = policy();
    let now = SystemClock::new(Duration::from_secs(policy.skew)).now();
    match RingFile::at(path).create(&Ring::create(policy, now)?, now) {
        Ok(()) => announce(path),
        // Another server may have been faster: then its ring is ours too.
        Err(error) => return KeyRing::load(path).map_err(|_| error.into()),
    }
    Ok(KeyRing::load(path)?)
}

/// Quick enough that a rotation can be watched. In production the defaults are better.
fn policy() -> RingPolicy {
    let mut policy = RingPolicy::default();
    policy.refresh = 1;
    policy.distribution = 0;
    policy.skew = 2;
    policy.late = 60;
    policy.activation_delay = 10;
    policy.max_token_lifetime = 3_600;
    // The shortest that keeps no more keys than a ring holds is 334.
    policy.rotate_every = 600;
    policy
}

fn announce(path: &Path) {
    log::warn(format_args!(
        "*** DEVELOPMENT RING: made new keys in {} with settings for trying out; never use them in production ***",
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display()
    ));
}
