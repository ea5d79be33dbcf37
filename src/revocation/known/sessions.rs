//! Revoked sessions as the keeper has them: the slices that others ask, and what it takes to keep these as they must be.

use std::collections::BTreeMap;

use super::bloom::{Filter, Fingerprint};
use super::dense::Dense;
use super::exact::Inserted;
use super::record::{Record, slice_of, units};
use super::slices::{Engine, Index, Slices};
use crate::id::SessionId;
use crate::revocation::secrets::Names;
use crate::time::Timestamp;

pub(super) struct Sessions {
    pub(super) slices: Slices,
    engine: Engine,
    kept: BTreeMap<u32, Kept>,
}

/// What is kept of a slice beside its index.
#[derive(Default)]
struct Kept {
    /// No record was decided before this, in units.
    oldest: u32,
    /// All records, if the index is a filter; none if it has them itself.
    dense: Dense,
}

/// What taking a session in has done.
pub(super) struct Taken {
    pub(super) is_new: bool,
    /// Whether others see it only once the slices are published again.
    pub(super) is_hidden: bool,
}

impl Kept {
    /// Takes in a record beside `filter`, if there is room.
    fn add(&mut self, record: Record, filter: &Filter, fingerprint: &Fingerprint) -> Inserted {
        let looks_revoked = filter.contains(fingerprint);
        if looks_revoked && self.dense.raise(record) {
            return Inserted::Known;
        }
        self.dense.push(record);
        // One that looks revoked need not change the filter.
        if looks_revoked || filter.insert(fingerprint) { Inserted::New } else { Inserted::Full }
    }
}

impl Sessions {
    pub(super) fn new(names: Names) -> Self {
        Self { slices: Slices::new(names), engine: Engine::default(), kept: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, id: SessionId, at: Timestamp) -> Taken {
        let (number, record) = (slice_of(id), Record::new(id, at));
        let kept = self.kept.entry(number).or_insert_with(|| Kept { oldest: u32::MAX, dense: Dense::default() });
        kept.oldest = kept.oldest.min(record.at_units());
        let names = self.slices.names();
        let inserted = match self.slices.get(number) {
            Some(Index::Exact(table)) => table.insert(record, names.slot(id.as_bytes())),
            Some(Index::Bloom(filter)) => kept.add(record, filter, &names.fingerprint(id.as_bytes())),
            None => Inserted::Full,
        };
        match inserted {
            Inserted::Full => self.grow(number, record),
            Inserted::Known | Inserted::New => {}
        }
        Taken { is_new: inserted != Inserted::Known, is_hidden: inserted == Inserted::Full }
    }

    /// Makes room in a slice for `record`, and takes it in.
    fn grow(&mut self, number: u32, record: Record) {
        let names = self.slices.names();
        let grown = match self.slices.get(number) {
            Some(Index::Bloom(filter)) => filter.grown(),
            Some(Index::Exact(_)) | None => None,
        };
        if let Some(filter) = grown {
            filter.insert(&names.fingerprint(record.id(number).as_bytes()));
            return self.slices.set(number, Index::Bloom(filter));
        }
        let records = self.records(number);
        let count = records.len() * 2;
        self.fill(number, count, records.into_iter().filter(|known| !known.is_same(record)).chain([record]));
    }

    /// Builds a slice anew.
    fn fill(&mut self, number: u32, count: usize, records: impl Iterator<Item = Record>) {
        let records: Vec<_> = records.collect();
        let index =
            Index::of(self.engine, self.slices.names(), number, count.max(records.len()), records.iter().copied());
        self.slices.set(number, index);
        let oldest = records.iter().map(|record| record.at_units()).min().unwrap_or(u32::MAX);
        let dense = match self.engine {
            Engine::Bloom { .. } => records.into_iter().collect(),
            Engine::Exact => Dense::default(),
        };
        self.kept.insert(number, Kept { oldest, dense });
    }

    /// Drops what was decided before `dead`, and says whether there was any.
    pub(super) fn forget(&mut self, dead: Timestamp) -> bool {
        let dead = units(dead);
        let due: Vec<_> = self.kept.iter().filter(|(_, kept)| kept.oldest < dead).map(|(number, _)| *number).collect();
        for &number in &due {
            let mut living = self.records(number);
            living.retain(|record| record.at_units() >= dead);
            if living.is_empty() {
                self.slices.remove(number);
                self.kept.remove(&number);
            } else {
                self.fill(number, living.len(), living.into_iter());
            }
        }
        !due.is_empty()
    }

    /// Goes over to other names.
    pub(super) fn rekey(&mut self, names: Names) {
        self.build(self.engine, names);
    }

    /// Goes over to another engine, and says whether it is another.
    pub(super) fn set_engine(&mut self, engine: Engine) -> bool {
        let is_other = engine != self.engine;
        if is_other {
            self.build(engine, self.slices.names().clone());
        }
        is_other
    }

    fn build(&mut self, engine: Engine, names: Names) {
        let mut built = Self { engine, ..Self::new(names) };
        for number in self.slices.numbers() {
            let records = self.records(number);
            built.fill(number, records.len(), records.into_iter());
        }
        *self = built;
    }

    /// The records of slice `number`.
    pub(super) fn records(&self, number: u32) -> Vec<Record> {
        match self.slices.get(number) {
            Some(Index::Exact(table)) => table.records().collect(),
            Some(Index::Bloom(_)) => self.kept.get(&number).map_or(vec![], |kept| kept.dense.records().collect()),
            None => vec![],
        }
    }

    /// Sessions of each slice.
    pub(super) fn lens(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = self.kept.values().map(|kept| kept.dense.len());
        // Both go by the number of the slice.
        self.slices.indexes().zip(kept).map(|(index, dense)| match index {
            Index::Bloom(_) => dense,
            Index::Exact(table) => table.len(),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let indexes: usize = self.slices.indexes().map(Index::bytes).sum();
        indexes + self.kept.values().map(|kept| size_of::<(u32, Kept)>() + kept.dense.bytes()).sum::<usize>()
    }
}
