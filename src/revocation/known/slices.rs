//! Revoked sessions in slices of 4096 s by their start: an id is looked for in one of them, and nowhere if there is none.

use std::sync::Arc;

use super::bloom::Filter;
use super::exact::Table;
use super::record::{Record, slice_of};
use crate::id::SessionId;
use crate::revocation::secrets::Names;
use crate::time::Timestamp;

/// How a server looks for revoked sessions. Each server chooses for itself, and may change it while in use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Engine {
    /// A filter for each slice, which may take a session for revoked wrongly, for as long as it lives; never a new one,
    /// whose id is drawn again. Takes less memory while the list grows, where exact tables are half empty, and no less in the
    /// long run: docs/PERFORMANCE.md.
    Bloom {
        /// How often at most, of all sessions that are not revoked: above 0, below 1. 1e-9 is one in a thousand million.
        false_positives: f64,
    },
    /// Whole session ids, and no wrong answer.
    #[default]
    Exact,
}

/// All slices, in order. Clones share them; what was shared and then changes is copied.
#[derive(Clone)]
pub(super) struct Slices {
    names: Arc<Names>,
    all: Arc<Vec<(u32, Arc<Index>)>>,
}

/// What one slice is asked.
pub(super) enum Index {
    Bloom(Filter),
    Exact(Table),
}

impl Slices {
    pub(super) fn new(names: Names) -> Self {
        Self { names: Arc::new(names), all: Arc::default() }
    }

    /// Whether the session was revoked by its id, or looks so.
    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.get(slice_of(id)).is_some_and(|index| index.contains(id, &self.names))
    }

    pub(super) fn get(&self, number: u32) -> Option<&Index> {
        self.position(number).ok().map(|at| &*self.all[at].1)
    }

    /// Puts `index` in the place of what slice `number` had.
    pub(super) fn set(&mut self, number: u32, index: Index) {
        let (position, all) = (self.position(number), Arc::make_mut(&mut self.all));
        match position {
            Ok(at) => all[at].1 = Arc::new(index),
            Err(at) => all.insert(at, (number, Arc::new(index))),
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Ok(at) = self.position(number) {
            Arc::make_mut(&mut self.all).remove(at);
        }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The numbers of all slices, the earliest first.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.all.iter().map(|(number, _)| *number).collect()
    }

    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.all.iter().map(|(_, index)| &**index)
    }

    fn position(&self, number: u32) -> Result<usize, usize> {
        self.all.binary_search_by_key(&number, |(number, _)| *number)
    }
}

impl Index {
    /// An index of slice `number` over `records`, with room for `count` at least.
    pub(super) fn of(
        engine: Engine,
        names: &Names,
        number: u32,
        count: usize,
        records: impl Iterator<Item = Record>,
    ) -> Self {
        let records = records.map(|record| (record, record.id(number)));
        match engine {
            Engine::Bloom { false_positives } => {
                let filter = Filter::for_count(count, false_positives);
                records.for_each(|(_, id)| _ = filter.insert(&names.fingerprint(id.as_bytes())));
                Self::Bloom(filter)
            }
            Engine::Exact => {
                let table = Table::for_count(count);
                records.for_each(|(record, id)| _ = table.insert(record, names.slot(id.as_bytes())));
                Self::Exact(table)
            }
        }
    }

    fn contains(&self, id: SessionId, names: &Names) -> bool {
        match self {
            Self::Bloom(filter) => filter.contains(&names.fingerprint(id.as_bytes())),
            Self::Exact(table) => table.contains(Record::new(id, Timestamp::default()), names.slot(id.as_bytes())),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Bloom(filter) => filter.bytes(),
            Self::Exact(table) => table.bytes(),
        }
    }
}
