//! Revocations in a fleet: nobody is logged out who was not, and nobody who was is let in again.
//!
//! What may go wrong with a list that servers share in a directory, and the tests that hold it; `lib` marks unit tests of the
//! library. A session that goes on and is refused with anything but 503 is lost; one that was ended and opens was accepted.
//! There must be none of either.
//!
//! | | what is done | test |
//! |---|---|---|
//! | R1 | a writer killed at every step | lib `directory::tests::a_killed_writer_leaves_all_that_it_acknowledged` |
//! | R2 | journals cut at every byte, and a byte changed | `damage::r02_*` |
//! | R3 | files changed, of another fleet or ring, older, swapped | `damage::r03_*` |
//! | R4 | a start without a source | `stale::r04_*` |
//! | R5 | a source that is away for longer than the bound, and comes back | `stale::r05_*` |
//! | R6 | a server started again | `stale::r06_*` |
//! | R7 | random schedules, clocks off | `clocks::r07_*` |
//! | R8 | a clock a day off, and right again | `clocks::r08_*` |
//! | R9 | sessions at the edges of slices | `clocks::r09_*` |
//! | R10 | how often filters err | lib `known::bloom::tests` |
//! | R11 | a mass logout of one hour | `engines::r11_*` |
//! | R12 | journals in any order, in parts, again | `scopes::r12_*`; lib `known::tests::what_is_handed_on_is_the_same_elsewhere` |
//! | R13 | filters merged | void: filters are never exchanged |
//! | R14 | a journal back from the dead | `mishaps::r14_*` |
//! | R15 | threads that revoke and ask | lib `known::tests::nothing_revoked_is_missed_*`, `known::model` |
//! | R16 | a session renewed elsewhere | `clocks::r16_*` |
//! | R17 | a login after a cut-off, on a clock that is behind | `clocks::r17_*` |
//! | R18 | cut-offs of all scopes and the ring, in all orders | `scopes::r18_*`; lib `known::tests::the_greatest_cut_off_counts_*` |
//! | R19 | lengths and numbers that cannot be | lib `directory::tests::lengths_that_cannot_be_are_damage` |
//! | R20 | what a store may lose | of Redis alone: `tests/redis_fleet.rs` |
//! | R21 | garbage in the directory | `damage::r21_*`, `lost::a_file_that_was_never_read_*` |
//! | R22 | very many servers | `long::r22_*` |
//! | R23 | a filter that errs | `engines::r23_*` |
//! | R24 | golden files | `golden::r24_*` |
//! | R25 | how fast it is | the benches |
//! | R26 | ten lifetimes | `long::r26_*` |
//! | R27 | a disk that is full, or cannot be written | `stale::r27_*` |
//!
//! The drills are `drill_*`; a newer version's entries and format, and its roll-back, are in lib
//! `directory::tests::a_canary_of_a_newer_*`.

// Pipes, links, modes and full disks are made as Unix makes them.
#![cfg(unix)]
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
#[path = "revocation/golden.rs"]
mod golden;
#[path = "revocation/long.rs"]
mod long;
#[path = "revocation/lost.rs"]
mod lost;
#[path = "revocation/mishaps.rs"]
mod mishaps;
#[path = "revocation/scopes.rs"]
mod scopes;
#[path = "revocation/stale.rs"]
mod stale;
