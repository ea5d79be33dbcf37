//! A set of records without locks for whoever asks: open addressing over pairs of atomics, one writer at a time.
//!
//! The head of a slot is written first and its tail published after it; a tail that is not 0 says that the slot is
//! taken. Nothing moves within a table, so whoever asks sees each record or does not, and never half of one. A table
//! that is full is replaced by one of twice the size, while those who ask go on with the old one.

use super::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::record::Record;

/// A fixed number of slots, at most three quarters of them taken.
pub(super) struct Table {
    slots: Box<[Slot]>,
    used: AtomicUsize,
}

struct Slot {
    head: AtomicU64,
    tail: AtomicU64,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It would be one too many; the table is as it was.
    Full,
    /// The session was there; what was decided later counts.
    Known,
    New,
}

impl Table {
    /// An empty table for `count` records at least.
    pub(super) fn for_count(count: usize) -> Self {
        let slots = (count + count.div_ceil(3)).next_power_of_two().max(MIN_SLOTS);
        Self {
            slots: (0..slots).map(|_| Slot { head: AtomicU64::new(0), tail: AtomicU64::new(0) }).collect(),
            used: AtomicUsize::new(0),
        }
    }

    /// Whether the record's session is there. `hash` is keyed, so that nobody can aim at a slot.
    pub(super) fn contains(&self, record: Record, hash: u64) -> bool {
        matches!(self.find(record, hash), Found::Taken(..))
    }

    /// Takes a record in; called by one writer at a time.
    pub(super) fn insert(&self, record: Record, hash: u64) -> Inserted {
        let (slot, inserted) = match self.find(record, hash) {
            Found::Taken(_, tail) if tail >= record.tail => return Inserted::Known,
            Found::Taken(slot, _) => (slot, Inserted::Known),
            Found::Free(_) if (self.len() + 1) * 4 > self.slots.len() * 3 => return Inserted::Full,
            Found::Free(slot) => (slot, Inserted::New),
        };
        if inserted == Inserted::New {
            slot.head.store(record.head, Ordering::Relaxed);
            self.used.store(self.len() + 1, Ordering::Relaxed);
        }
        // Publishes the head: whoever sees this tail sees that head.
        slot.tail.store(record.tail, Ordering::Release);
        inserted
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.slots.iter().filter_map(|slot| {
            let tail = slot.tail.load(Ordering::Acquire);
            (tail != 0).then(|| Record { head: slot.head.load(Ordering::Relaxed), tail })
        })
    }

    pub(super) fn len(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    fn find(&self, record: Record, hash: u64) -> Found<'_> {
        let last = self.slots.len() - 1;
        let mut at = hash as usize & last;
        // Ends, since a quarter of the slots is free.
        loop {
            let slot = &self.slots[at];
            let tail = slot.tail.load(Ordering::Acquire);
            if tail == 0 {
                return Found::Free(slot);
            }
            if record.is_same(Record { head: slot.head.load(Ordering::Relaxed), tail }) {
                return Found::Taken(slot, tail);
            }
            at = (at + 1) & last;
        }
    }
}

enum Found<'a> {
    Free(&'a Slot),
    Taken(&'a Slot, u64),
}

/// Slots of the smallest table. Most slices are nearly empty.
const MIN_SLOTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::time::Timestamp;

    fn record(n: u8, at: u64) -> Record {
        Record::new(SessionId::new(u32::from(n), [n; 12]), Timestamp::from_unix(at))
    }

    #[test]
    fn it_is_full_at_three_quarters() {
        let table = Table::for_count(6);
        assert_eq!(table.slots.len(), 8);
        // All aim at one slot, the last, and go round.
        assert!((0..6).all(|n| table.insert(record(n, 4096), 7) == Inserted::New));
        assert_eq!(table.insert(record(6, 4096), 7), Inserted::Full);
        assert_eq!(table.insert(record(5, 4096), 7), Inserted::Known);
        assert!((0..6).all(|n| table.contains(record(n, 0), 7)));
        assert!(!table.contains(record(6, 0), 7));
        assert_eq!((table.len(), table.records().count()), (6, 6));
    }

    #[test]
    fn a_table_for_some_holds_as_many() {
        for count in [0, 1, 6, 7, 12, 13, 767, 768, 769, 100_000] {
            let slots = Table::for_count(count).slots.len();
            assert!(count * 4 <= slots * 3, "{count} in {slots}");
            assert!(slots <= 8 || slots < count * 3, "{count} in {slots}");
        }
    }

    #[test]
    fn what_was_decided_last_counts() {
        let table = Table::for_count(1);
        table.insert(record(1, 8192), 0);
        table.insert(record(1, 4096), 0);
        assert_eq!(table.records().next(), Some(record(1, 8192)));
        table.insert(record(1, 12_288), 0);
        assert_eq!(table.records().next(), Some(record(1, 12_288)));
        assert_eq!(table.len(), 1);
    }
}
