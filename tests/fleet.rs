//! A fleet that rotates its keys: nobody is logged out, and what guards them is needed.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

#[path = "fleet/at_rest.rs"]
mod at_rest;
#[path = "fleet/clocks.rs"]
mod clocks;
#[path = "fleet/compromise.rs"]
mod compromise;
#[path = "fleet/damage.rs"]
mod damage;
#[path = "fleet/dates.rs"]
mod dates;
#[path = "fleet/desk.rs"]
mod desk;
#[path = "fleet/load.rs"]
mod load;
#[path = "fleet/replaced.rs"]
mod replaced;
#[path = "fleet/rotation.rs"]
mod rotation;
#[path = "fleet/sim.rs"]
mod sim;
#[path = "fleet/writers.rs"]
mod writers;

use std::path::Path;

use serde::{Deserialize, Serialize};
use testkit::NOW;
use waxseal::keys::{ChangeError, DiskError, Ring, RingFile};
use waxseal::time::Timestamp;
use waxseal::{KeyRing, Sealer, SessionState};

/// The state of every session here.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    number: u64,
}

impl SessionState for User {}

fn sealer(ring: &KeyRing) -> Sealer<User> {
    Sealer::new(ring, "session").unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// Replaces a file, which only its owner can read.
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Changes a ring file; a change refused changes nothing.
fn change<A>(
    file: &RingFile,
    now: Timestamp,
    verb: &str,
    change: impl FnOnce(&mut Ring, Timestamp) -> Result<A, ChangeError>,
) -> Result<A, ChangeError> {
    let answer = file.update(now, verb, |ring| Ok::<_, Failed>((change(ring, now)?, true)));
    answer.map_err(|failed| match failed {
        Failed::Change(error) => error,
        Failed::Disk(error) => panic!("{error}"),
    })
}

enum Failed {
    Change(ChangeError),
    Disk(DiskError),
}

impl From<ChangeError> for Failed {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl From<DiskError> for Failed {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}
