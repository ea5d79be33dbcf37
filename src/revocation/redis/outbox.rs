//! Revocations of this server that no other can read yet.

use crate::revocation::entry::Entry;
use crate::time::Timestamp;

/// Entries in the order in which they came, each with when it did.
#[derive(Default)]
pub(crate) struct Outbox(Vec<(Entry, Timestamp)>);

impl Outbox {
    pub(crate) fn put(&mut self, entries: Vec<Entry>, now: Timestamp) {
        self.0.extend(entries.into_iter().map(|entry| (entry, now)));
    }

    /// What is to be sent. Whoever reads a revocation late must still find it alive: it lives from when it was shared.
    pub(crate) fn letters(&self, now: Timestamp) -> Vec<Entry> {
        let letter = |(entry, _): &(Entry, Timestamp)| Entry { at: entry.at.max(now), ..entry.clone() };
        self.0.iter().map(letter).collect()
    }

    /// That the first `sent` have arrived.
    pub(crate) fn sent(&mut self, sent: usize) {
        self.0.drain(..sent.min(self.0.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// When the oldest came.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.0.first().map(|(_, since)| *since)
    }
}
