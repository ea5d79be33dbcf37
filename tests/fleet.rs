//! A fleet that rotates its keys: nobody is logged out, and what guards them is needed.
//!
//! What may go wrong with a ring, and the tests that hold it; `lib` marks unit tests of the library.
//!
//! | | what is done | test |
//! |---|---|---|
//! | T1 | rotations in a fleet, clocks off, rings late | `rotation::t01_*` |
//! | T2 | `rotate` twice, from two hosts | `rotation::t02_*`, `writers::t02_*` |
//! | T3 | a key activated before every server has it | `rotation::t03_*` |
//! | T4 | keys shuffled in the file | `damage::t04_*`; lib `role::the_order_in_the_file_decides_nothing` |
//! | T5 | weak, short, doubled secrets; equal dates | `damage::t05_*` |
//! | T6 | a writer killed at every step | `writers::t06_*`; lib `ring_file::a_killed_writer_leaves_the_old_ring_or_the_new_one` |
//! | T7 | every byte of the file damaged | `damage::t07_*` |
//! | T8 | every way to replace the file (NFS and an exhausted inotify limit need a machine of their own) | `replaced::t08_*` |
//! | T9 | a file caught half written | `replaced::t09_*` |
//! | T10 | a backup restored, a fork | `damage::t10_*` |
//! | T11 | a key revoked under load | `load::t11_*` |
//! | T12 | an old entry merged over a tombstone | `damage::t12_*` |
//! | T13 | pruned a second before and after retention | `dates::t13_*` |
//! | T14 | a token that would outlive the ring's longest | `dates::t14_*` |
//! | T15 | a server's clock an hour off | `dates::t15_*` |
//! | T16 | a source that fails and recovers | `replaced::t16_*` |
//! | T17 | a flood of unknown key ids | `replaced::t17_*`; lib `follow::unknown_keys_nudge_once_in_ten_seconds` |
//! | T18 | modes, links, a path swapped while it is opened | `damage::t18_*` |
//! | T19 | KEKs wrong, replaced, missing, hanging | `at_rest::t19_*`, `at_rest::drill_*` |
//! | T20 | a search of the server's memory | `t20_*` of `tests/memory.rs`, alone in its process |
//! | T21 | no ring, an empty one, one that nobody may seal with | `damage::t21_*` |
//! | T22 | cut-offs (the ring's; those of tenants and subjects come with revocation) | `dates::t22_*` |
//! | T23 | a ring from a newer version | `damage::t23_*` |
//! | T24 | two implementations of the format | `dates::t24_*`; `tests/vectors.rs` keeps their tokens |
//! | T25 | one server stuck | `cli::compare` (`waxseal keys compare`), in the tests of the command |
//! | T26 | a cron job that fails now and then | `writers::t26_*` |
//! | T27 | the audit file | `at_rest::t27_*` |
//!
//! The drills are `drill_*`; that ten seconds of bad NTP log out nobody is held by lib
//! `time::ten_seconds_of_bad_ntp_change_nothing`. Runs that must lose sessions because one guard is
//! off end in `some_lost`.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

#[path = "fleet/at_rest.rs"]
mod at_rest;
#[path = "fleet/backups.rs"]
mod backups;
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
#[path = "fleet/dice.rs"]
mod dice;
#[path = "fleet/load.rs"]
mod load;
#[path = "fleet/replaced.rs"]
mod replaced;
#[path = "fleet/rotation.rs"]
mod rotation;
#[path = "fleet/sim.rs"]
mod sim;
#[path = "fleet/tally.rs"]
mod tally;
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
