//! Revoked sessions in slices of 4096 s by their start: an id is looked for in one of them, and nowhere if there is none.

use std::sync::Arc;

use super::exact::{Inserted, Table};
use super::record::{Record, slice_of, units};
use crate::id::SessionId;
use crate::revocation::secrets::Names;
use crate::time::Timestamp;

/// All slices, in order. Clones share them; what was shared and then changes is copied.
#[derive(Clone)]
pub(super) struct Slices {
    names: Arc<Names>,
    all: Arc<Vec<(u32, Arc<Table>)>>,
}

/// What taking a session in has done.
pub(super) struct Taken {
    pub(super) is_new: bool,
    /// Whether others see it only once the slices are published again.
    pub(super) is_hidden: bool,
}

impl Slices {
    pub(super) fn new(names: Names) -> Self {
        Self { names: Arc::new(names), all: Arc::default() }
    }

    /// Whether the session was revoked by its id.
    pub(super) fn contains(&self, id: SessionId) -> bool {
        let number = slice_of(id);
        let Ok(index) = self.index(number) else { return false };
        self.all[index].1.contains(Record::new(id, Timestamp::default()), hash(&self.names, id))
    }

    /// Takes a session in; called by one writer at a time.
    pub(super) fn insert(&mut self, id: SessionId, at: Timestamp) -> Taken {
        let (number, record, hash) = (slice_of(id), Record::new(id, at), hash(&self.names, id));
        match self.index(number) {
            Ok(index) => match self.all[index].1.insert(record, hash) {
                Inserted::New => Taken { is_new: true, is_hidden: false },
                Inserted::Known => Taken { is_new: false, is_hidden: false },
                Inserted::Full => {
                    let table = &self.all[index].1;
                    let grown = filled(&self.names, number, table.len() * 2, table.records().chain([record]));
                    Arc::make_mut(&mut self.all)[index].1 = Arc::new(grown);
                    Taken { is_new: true, is_hidden: true }
                }
            },
            Err(index) => {
                let table = filled(&self.names, number, 1, [record]);
                Arc::make_mut(&mut self.all).insert(index, (number, Arc::new(table)));
                Taken { is_new: true, is_hidden: true }
            }
        }
    }

    /// Drops what was decided before `dead`, and says whether there was any.
    pub(super) fn forget(&mut self, dead: Timestamp) -> bool {
        let dead = units(dead);
        if self.all.iter().all(|(_, table)| table.oldest() >= dead) {
            return false;
        }
        let names = &self.names;
        Arc::make_mut(&mut self.all).retain_mut(|(number, table)| {
            if table.oldest() < dead {
                let living: Vec<_> = table.records().filter(|record| record.at_units() >= dead).collect();
                *table = Arc::new(filled(names, *number, living.len(), living));
            }
            table.len() > 0
        });
        true
    }

    /// The same sessions under other names.
    pub(super) fn rekeyed(&self, names: Names) -> Self {
        let all = self
            .all
            .iter()
            .map(|(number, table)| (*number, Arc::new(filled(&names, *number, table.len(), table.records()))));
        Self { all: Arc::new(all.collect()), names: Arc::new(names) }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Every session, and when it was decided, in whole units.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (SessionId, Timestamp)> + '_ {
        self.all.iter().flat_map(|(number, table)| table.records().map(|record| (record.id(*number), record.at())))
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Sessions of each slice.
    pub(super) fn lens(&self) -> impl Iterator<Item = usize> + '_ {
        self.all.iter().map(|(_, table)| table.len())
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|(_, table)| table.bytes() + size_of::<(u32, Arc<Table>)>()).sum()
    }

    fn index(&self, number: u32) -> Result<usize, usize> {
        self.all.binary_search_by_key(&number, |(number, _)| *number)
    }
}

/// A table of slice `number` that holds `records` and has room for `count`.
fn filled(names: &Names, number: u32, count: usize, records: impl IntoIterator<Item = Record>) -> Table {
    let table = Table::for_count(count);
    for record in records {
        table.insert(record, hash(names, record.id(number)));
    }
    table
}

fn hash(names: &Names, id: SessionId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = names.fingerprint(id.as_bytes());
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
