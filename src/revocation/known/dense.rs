//! The records of one slice without gaps, for a filter beside them: it is asked first, and cannot be read back.

use super::record::Record;

/// Records of one slice: those of long ago in order, those of late as they came.
#[derive(Default)]
pub(super) struct Dense {
    ordered: Vec<Record>,
    late: Vec<Record>,
}

impl Dense {
    /// Takes in a record of a session that is not there.
    pub(super) fn push(&mut self, record: Record) {
        self.late.push(record);
    }

    /// Whether the record's session is there; if so, what was decided later counts.
    pub(super) fn raise(&mut self, record: Record) -> bool {
        // Asked rarely and in runs, when a peer tells what is known: putting in order pays then, not at every record.
        if self.late.len() > 64 + self.ordered.len().isqrt() {
            self.ordered.append(&mut self.late);
            self.ordered.sort();
        }
        let found = self.ordered.binary_search_by_key(&record.session(), |known| known.session()).ok();
        let late = self.late.iter_mut().find(|known| known.is_same(record));
        match found.map(|index| &mut self.ordered[index]).or(late) {
            Some(known) => {
                *known = record.max(*known);
                true
            }
            None => false,
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.ordered.iter().chain(&self.late).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.ordered.len() + self.late.len()
    }

    pub(super) fn bytes(&self) -> usize {
        (self.ordered.capacity() + self.late.capacity()) * size_of::<Record>()
    }
}

impl FromIterator<Record> for Dense {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut ordered: Vec<_> = records.into_iter().collect();
        ordered.sort();
        ordered.shrink_to_fit();
        Self { ordered, late: vec![] }
    }
}
