//! One revoked session in sixteen bytes, as a slice keeps it.
//!
//! ```text
//! head: rnd[0..8] (64 bits) | tail: rnd[8..12] (32) | start within the slice (12) | decided at, in units of 4096 s (20)
//! ```

use crate::id::{RND_LEN, SessionId};
use crate::time::Timestamp;

/// A session that was revoked, and when that was decided. Which slice it is in, its reader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) head: u64,
    /// Never 0, since no session was revoked at the beginning of time.
    pub(super) tail: u64,
}

impl Record {
    pub(super) fn new(id: SessionId, at: Timestamp) -> Self {
        let [_, _, _, _, a, b, c, d, e, f, g, h, i, j, k, l] = *id.as_bytes();
        let head = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let rnd = u64::from(u32::from_be_bytes([i, j, k, l]));
        let start = u64::from(id.start_seconds()) % UNIT;
        Self { head, tail: rnd << 32 | start << AT_BITS | u64::from(units(at).clamp(1, LAST_UNIT)) }
    }

    /// The id of a session that is in slice `number`.
    pub(super) fn id(self, number: u32) -> SessionId {
        let mut rnd = [0; RND_LEN];
        rnd[..8].copy_from_slice(&self.head.to_be_bytes());
        rnd[8..].copy_from_slice(&((self.tail >> 32) as u32).to_be_bytes());
        let start = (self.tail >> AT_BITS) as u32 % UNIT as u32;
        SessionId::new(number << START_BITS | start, rnd)
    }

    /// When it was decided, rounded up to units; rounding again changes nothing, so handing on never prolongs it.
    pub(super) fn at(self) -> Timestamp {
        Timestamp::from_unix(u64::from(self.at_units()) * UNIT)
    }

    pub(super) fn at_units(self) -> u32 {
        (self.tail % (1 << AT_BITS)) as u32
    }

    /// Whether it is of the same session, if both are in the same slice.
    pub(super) fn is_same(self, other: Self) -> bool {
        self.session() == other.session()
    }

    /// What tells sessions of one slice apart; records are ordered by it first.
    pub(super) fn session(self) -> (u64, u64) {
        (self.head, self.tail >> AT_BITS)
    }
}

/// The slice that a session is in, for as long as it lives: 4096 seconds of starts.
pub(super) fn slice_of(id: SessionId) -> u32 {
    id.start_seconds() >> START_BITS
}

/// `at` in units of 4096 seconds, rounded up.
pub(super) fn units(at: Timestamp) -> u32 {
    u32::try_from(at.as_unix().div_ceil(UNIT)).unwrap_or(u32::MAX)
}

const START_BITS: u32 = 12;
const AT_BITS: u32 = 20;

/// Seconds of a slice, and of the unit in which it is kept when something was decided.
const UNIT: u64 = 1 << START_BITS;

/// The year 2106, where session ids end too.
const LAST_UNIT: u32 = (1 << AT_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_session_is_kept_whole_and_its_instant_rounded_up_once(id: [u8; 16], at in 1..u32::MAX - 4096) {
            let (id, at) = (SessionId::from_bytes(id), Timestamp::from_unix(at.into()));
            let record = Record::new(id, at);
            prop_assert_eq!(record.id(slice_of(id)), id);
            prop_assert!(record.at() >= at && record.at().since(at) < 4096);
            prop_assert_eq!(Record::new(id, record.at()), record);
            prop_assert!(record.is_same(Record::new(id, at.plus(1 << 20))));
        }
    }

    #[test]
    fn the_ends_of_time_are_kept_too() {
        let id = SessionId::from_bytes([0; 16]);
        assert_eq!(Record::new(id, Timestamp::default()).at_units(), 1);
        assert_eq!(Record::new(id, Timestamp::from_unix(u64::MAX)).at_units(), LAST_UNIT);
    }
}
