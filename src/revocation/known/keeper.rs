//! All that is known, by whoever holds the lock: the view as it will be, and what is not in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cut_offs::{Bar, Bars, CutOffs};
use super::record::Record;
use super::sessions::Sessions;
use super::slices::{Engine, Index};
use super::{Stats, View};
use crate::revocation::entry::{Act, CutOff, CutOffId, Entry, Scope};
use crate::revocation::secrets::Names;
use crate::time::Timestamp;

pub(super) struct Keeper {
    sessions: Sessions,
    /// Those that can decide, as they are published.
    deciding: CutOffs,
    /// Whether the view that was published is not what it must be.
    is_due: bool,
    cut_offs: HashMap<CutOffId, Kept>,
    retracted: HashMap<CutOffId, Timestamp>,
    /// Scopes that lost a cut-off since the view was settled.
    lost: HashSet<Scope>,
    /// No cut-off and no retraction was decided before this.
    oldest: Timestamp,
    /// No cut-off arrived after this.
    latest: Timestamp,
    /// Views in whose place others were published, as long as somebody looks at them.
    retired: Vec<Arc<View>>,
}

#[derive(Clone, Copy)]
struct Kept {
    cut: CutOff,
    at: Timestamp,
    arrived: Timestamp,
}

impl Keeper {
    pub(super) fn new(names: Names) -> Self {
        Self {
            sessions: Sessions::new(names),
            deciding: CutOffs::default(),
            is_due: false,
            cut_offs: HashMap::new(),
            retracted: HashMap::new(),
            lost: HashSet::new(),
            oldest: Timestamp::from_unix(u64::MAX),
            latest: Timestamp::default(),
            retired: vec![],
        }
    }

    /// Takes an entry in, and says whether it was news.
    pub(super) fn add(&mut self, entry: &Entry, arrived: Timestamp) -> bool {
        match entry.act {
            Act::Session(id) => {
                let taken = self.sessions.insert(id, entry.at);
                self.is_due |= taken.is_hidden;
                taken.is_new
            }
            Act::CutOff(cut) => self.cut_off(Kept { cut, at: entry.at, arrived }),
            Act::Retract(id) => self.retract(id, entry.at),
        }
    }

    fn cut_off(&mut self, new: Kept) -> bool {
        let id = new.cut.id;
        let is_new = !self.cut_offs.contains_key(&id);
        let kept = self.cut_offs.entry(id).or_insert(new);
        kept.at = kept.at.max(new.at);
        let at = kept.at;
        self.latest = self.latest.max(kept.arrived);
        self.oldest = self.oldest.min(at);
        match self.retracted.get_mut(&id) {
            // The retraction must not be forgotten before what it retracts.
            Some(retracted) => *retracted = at.max(*retracted),
            None if is_new => {
                self.deciding.add(new.cut.scope, new.bar());
                self.is_due = true;
            }
            None => {}
        }
        is_new
    }

    fn retract(&mut self, id: CutOffId, at: Timestamp) -> bool {
        let kept = self.cut_offs.get(&id);
        let at = kept.map_or(at, |kept| kept.at.max(at));
        self.oldest = self.oldest.min(at);
        let before = self.retracted.get(&id).copied();
        self.retracted.insert(id, before.map_or(at, |before| before.max(at)));
        self.lost.extend(kept.filter(|_| before.is_none()).map(|kept| kept.cut.scope));
        before.is_none()
    }

    /// Drops what was decided before `dead`.
    pub(super) fn forget(&mut self, dead: Timestamp) {
        self.is_due |= self.sessions.forget(dead);
        if self.oldest >= dead {
            return;
        }
        let gone = self.cut_offs.values().filter(|kept| kept.at < dead);
        self.lost.extend(gone.map(|kept| kept.cut.scope));
        self.cut_offs.retain(|_, kept| kept.at >= dead);
        self.retracted.retain(|_, at| *at >= dead);
        let ats = self.cut_offs.values().map(|kept| kept.at).chain(self.retracted.values().copied());
        self.oldest = ats.min().unwrap_or(Timestamp::from_unix(u64::MAX));
    }

    /// Lets what arrived after `now`, by a clock that was ahead, have arrived at `now`.
    pub(super) fn arrived_by(&mut self, now: Timestamp) {
        if self.latest <= now {
            return;
        }
        self.latest = now;
        for kept in self.cut_offs.values_mut().filter(|kept| kept.arrived > now) {
            kept.arrived = now;
            self.lost.insert(kept.cut.scope);
        }
        self.deciding.arrived_by(now);
    }

    /// When a cut-off was decided, if it is known.
    pub(super) fn decided_at(&self, id: CutOffId) -> Option<Timestamp> {
        self.cut_offs.get(&id).map(|kept| kept.at)
    }

    pub(super) fn rekey(&mut self, names: Names) {
        self.sessions.rekey(names);
        self.is_due = true;
    }

    pub(super) fn set_engine(&mut self, engine: Engine) {
        self.is_due |= self.sessions.set_engine(engine);
    }

    /// All that is published. Shares with what was published before whatever has not changed since.
    pub(super) fn view(&self) -> View {
        View { slices: self.sessions.slices.clone(), cut_offs: self.deciding.clone() }
    }

    /// The view to publish, if there is another to publish.
    pub(super) fn settle(&mut self) -> Option<Arc<View>> {
        if !self.lost.is_empty() {
            self.is_due = true;
            self.gather();
        }
        core::mem::take(&mut self.is_due).then(|| Arc::new(self.view()))
    }

    /// Drops a view that is no longer published: here, once nobody looks at it, and not where somebody asks, who might have to
    /// give back a gigabyte then.
    pub(super) fn retire(&mut self, view: Arc<View>) {
        self.retired.push(view);
        self.retired.retain(|view| Arc::strong_count(view) > 1);
    }

    /// Puts together anew the cut-offs of those scopes that lost one.
    fn gather(&mut self) {
        let mut left: HashMap<Scope, Vec<Bar>> = self.lost.drain().map(|scope| (scope, vec![])).collect();
        for (cut, bar) in self.in_force() {
            if let Some(bars) = left.get_mut(&cut.scope) {
                bars.push(bar);
            }
        }
        for (scope, bars) in left {
            self.deciding.set(scope, Bars::of(bars));
        }
    }

    pub(super) fn in_force(&self) -> impl Iterator<Item = (CutOff, Bar)> + '_ {
        let kept = self.cut_offs.values().filter(|kept| !self.retracted.contains_key(&kept.cut.id));
        kept.map(|kept| (kept.cut, kept.bar()))
    }

    pub(super) fn cut_offs(&self) -> impl Iterator<Item = (CutOff, Timestamp, Timestamp)> + '_ {
        self.cut_offs.values().map(|kept| (kept.cut, kept.at, kept.arrived))
    }

    pub(super) fn retractions(&self) -> impl Iterator<Item = (CutOffId, Timestamp)> + '_ {
        self.retracted.iter().map(|(id, at)| (*id, *at))
    }

    /// The records of slice `number`.
    pub(super) fn records(&self, number: u32) -> Vec<Record> {
        self.sessions.records(number)
    }

    pub(super) fn stats(&self) -> Stats {
        let indexes = self.sessions.slices.indexes().filter_map(|index| match index {
            Index::Bloom(filter) => Some(filter),
            Index::Exact(_) => None,
        });
        let filters: Vec<_> = indexes.collect();
        let kept = self.cut_offs.capacity() * size_of::<Kept>() + self.retracted.capacity() * RETRACTED_BYTES;
        Stats {
            sessions: self.sessions.lens().sum(),
            cut_offs: self.cut_offs.len(),
            retractions: self.retracted.len(),
            slices: self.sessions.lens().count(),
            fullest_slice: self.sessions.lens().max().unwrap_or(0),
            bytes: self.sessions.bytes() + self.deciding.bytes() + kept,
            fill: filters.iter().map(|filter| filter.fill()).fold(0.0, f64::max),
            false_positives: filters.iter().map(|filter| filter.false_positives()).fold(0.0, f64::max),
        }
    }
}

impl Kept {
    fn bar(&self) -> Bar {
        Bar::new(&self.cut, self.arrived)
    }
}

const RETRACTED_BYTES: usize = size_of::<(CutOffId, Timestamp)>();
