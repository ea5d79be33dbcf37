//! How large a list gets, before there is one: for planning.

use std::time::Duration;

use serde::Serialize;

use super::shared::remembered;

/// What a list of revocations takes. Bytes and seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Size {
    /// For how many seconds an entry is remembered: the longest token lifetime and 48 hours, in whole steps of 4096 seconds.
    pub retention: u64,
    /// Entries that are alive at a time.
    pub entries: u64,
    /// Slices of 4096 seconds that the sessions fall into, if they are revoked within the retention of their start.
    pub slices: u64,
    /// Entries in a slice, on average.
    pub entries_per_slice: u64,
    /// Memory of one server as a rule.
    pub memory: u64,
    /// Memory of one server at worst.
    pub memory_most: u64,
    /// How likely a session that nobody revoked is taken for revoked; 0 for the exact set.
    pub rate: f64,
    /// Bytes that a day's revocations add to journals, all writers together, without actors and reasons.
    pub journal_per_day: u64,
    /// Bytes of all living entries in journals once they are folded into their base.
    pub journal_folded: u64,
}

impl Size {
    /// Of a list that holds whole session ids, for `per_day` revocations a day and tokens that live `lifetime` at most.
    pub fn exact(per_day: u64, lifetime: Duration) -> Self {
        let of = |load: f64| move |entries: u64| bytes(entries as f64 * SLOT / load);
        Self::of(per_day, lifetime, 0.0, of(USUAL_LOAD), of(LEAST_LOAD))
    }

    /// Of a list with a filter in front that is wrong about one in 1 / `rate` sessions: `-ln(rate) / ln(2)^2` bits for each entry,
    /// and its entry. `rate` is between 0 and 1, without either.
    pub fn bloom(per_day: u64, lifetime: Duration, rate: f64) -> Self {
        let bits = -rate.ln() / core::f64::consts::LN_2.powi(2);
        let memory = |entries: u64| bytes(entries as f64 * (bits / 8.0 + SLOT));
        Self::of(per_day, lifetime, rate, memory, memory)
    }

    fn of(
        per_day: u64,
        lifetime: Duration,
        rate: f64,
        memory: impl Fn(u64) -> u64,
        memory_most: impl Fn(u64) -> u64,
    ) -> Self {
        let retention = remembered(lifetime.as_secs());
        let entries = bytes((per_day as f64 * retention as f64 / DAY).ceil());
        let slices = retention.div_ceil(SLICE);
        Self {
            retention,
            entries,
            slices,
            entries_per_slice: entries.div_ceil(slices),
            memory: memory(entries),
            memory_most: memory_most(entries),
            rate,
            journal_per_day: per_day.saturating_mul(LINE),
            journal_folded: entries.saturating_mul(FOLDED_LINE),
        }
    }

    /// How many of `sessions` that nobody revoked are refused all the same, on average.
    pub fn victims(&self, sessions: u64) -> f64 {
        self.rate * sessions as f64
    }
}

/// Saturates, as float casts do.
fn bytes(number: f64) -> u64 {
    number.ceil() as u64
}

/// Bytes of a slot.
const SLOT: f64 = 16.0;

/// A table is grown at three quarters and is then three eighths full.
const LEAST_LOAD: f64 = 0.375;
const USUAL_LOAD: f64 = 0.5625;

/// Seconds of session starts that share a slice.
const SLICE: u64 = 4_096;

const DAY: f64 = 86_400.0;

/// Bytes of one session's entry without a note, as a line of a tail and in a base.
const LINE: u64 = 65;
const FOLDED_LINE: u64 = 25;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::revocation::entry::{Act, Entry, Note};
    use crate::time::Timestamp;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn entries_are_those_of_the_retention() {
        let size = Size::exact(100_000, 24 * HOUR);
        assert_eq!((size.retention, size.slices), (262_144, 64), "72 h in whole steps");
        assert_eq!(size.entries, 303_408);
        assert_eq!((size.memory, size.memory_most), (8_630_272, 12_945_408));
        assert_eq!((size.journal_per_day, size.journal_folded), (6_500_000, 7_585_200));
        assert_eq!((size.rate, size.victims(u64::MAX)), (0.0, 0.0));
    }

    #[test]
    fn a_filter_pays_bits_for_its_rate() {
        let size = Size::bloom(100_000, 24 * HOUR, 1e-6);
        // 28.76 bits and 16 bytes.
        assert_eq!(size.memory, 5_945_097);
        assert!((size.victims(1_000_000) - 1.0).abs() < 1e-9);
        assert!(Size::bloom(1, HOUR, 1e-9).memory > Size::bloom(1, HOUR, 1e-3).memory);
    }

    #[test]
    fn nothing_overflows() {
        let size = Size::exact(u64::MAX, Duration::from_secs(u64::MAX));
        assert_eq!((size.entries, size.journal_per_day), (u64::MAX, u64::MAX));
        assert_eq!(Size::exact(0, HOUR).memory, 0);
    }

    #[test]
    fn lines_are_as_long_as_they_are_written() {
        let act = Act::Session(SessionId::from_bytes([1; 16]));
        let mut body = vec![];
        Entry { at: Timestamp::from_unix(1), act, note: Note::default() }.write(&mut body);
        assert_eq!((LINE, FOLDED_LINE), (2 + 8 + body.len() as u64 + 32, 2 + body.len() as u64));
    }
}
