//! What this server knows to be revoked: a view for those who ask, and a keeper behind a lock for those who write.
//!
//! Whoever asks loads the view: no lock, no allocation, and no hash of a name unless there are cut-offs of its kind.
//! Whoever writes holds the lock, changes what the view shares where that is safe, and publishes a new view where it
//! is not; either way everybody sees it once the call has returned.

mod bloom;
mod cut_offs;
mod dense;
mod exact;
mod keeper;
#[cfg(all(test, waxseal_loom))]
mod model;
mod record;
mod sessions;
mod slices;
#[cfg(test)]
mod tests;

use core::borrow::Borrow;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use self::cut_offs::{CutOffs, Reading};
use self::keeper::Keeper;
pub use self::slices::Engine;
use self::slices::Slices;
use super::entry::{Act, CutOff, CutOffId, Entry, Note, Scope};
use super::secrets::Names;
use crate::id::SessionId;
use crate::time::Timestamp;

/// Whose session it is, as far as its state says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner<'a> {
    pub(crate) subject: Option<&'a str>,
    pub(crate) tenant: Option<&'a str>,
}

/// Every revocation that is known and not yet forgotten.
pub(crate) struct Known {
    /// Seconds that a cut-off may lie ahead of the clock; beyond it, it counts as of its arrival.
    skew: u64,
    view: ArcSwap<View>,
    /// Whether a subject or a tenant has a cut-off. While none has, nobody loads the view for their sake.
    has_owners: AtomicBool,
    keeper: Mutex<Keeper>,
}

/// What is asked.
struct View {
    slices: Slices,
    cut_offs: CutOffs,
}

/// How much is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stats {
    pub(crate) sessions: usize,
    /// Retracted ones included, until they are forgotten.
    pub(crate) cut_offs: usize,
    pub(crate) retractions: usize,
    pub(crate) slices: usize,
    /// Sessions of the slice that has most.
    pub(crate) fullest_slice: usize,
    /// Memory, about.
    pub(crate) bytes: usize,
    /// The part of its bits that is set in the fullest filter, 0 to 1; half or less unless something is wrong.
    pub(crate) fill: f64,
    /// How often the slice that errs most takes a session for revoked wrongly, 0 to 1; 0 without filters.
    pub(crate) false_positives: f64,
}

impl Known {
    pub(crate) fn new(names: Names, skew: u64) -> Self {
        let keeper = Keeper::new(names);
        let view = ArcSwap::from_pointee(keeper.view());
        Self { skew, view, has_owners: AtomicBool::new(false), keeper: Mutex::new(keeper) }
    }

    /// Takes in an entry that arrived at `now`, and says whether it was news. In force when this returns.
    pub(crate) fn add(&self, entry: &Entry, now: Timestamp) -> bool {
        self.add_all([entry], now) > 0
    }

    /// Takes in entries that arrived at `now`, and says how many were news. In force when this returns, all of them.
    ///
    /// An entry that is known is no news, even if it comes with a later instant, which counts. Of a cut-off the first
    /// arrival counts.
    pub(crate) fn add_all<I>(&self, entries: I, now: Timestamp) -> usize
    where
        I: IntoIterator,
        I::Item: Borrow<Entry>,
    {
        let mut keeper = self.keeper();
        let news = entries.into_iter().filter(|entry| keeper.add(entry.borrow(), now)).count();
        self.publish(&mut keeper);
        news
    }

    /// Whether the session itself was revoked, or a cut-off for everyone covers it.
    pub(crate) fn is_session_revoked(&self, id: SessionId, now: Timestamp) -> bool {
        let view = self.view.load();
        view.slices.contains(id) || view.cut_offs.everyone.cover(id, self.at(now))
    }

    /// Whether a cut-off for its subject or its tenant covers the session.
    pub(crate) fn is_owner_revoked(&self, owner: Owner<'_>, id: SessionId, now: Timestamp) -> bool {
        if !self.has_owners.load(Ordering::Acquire) {
            return false;
        }
        let view = self.view.load();
        view.of(owner).into_iter().flatten().any(|bars| bars.cover(id, self.at(now)))
    }

    /// The greatest cut-off that applies to a session of `owner`, everyone's included: a session that starts must start later.
    pub(crate) fn cut_off(&self, owner: Owner<'_>, now: Timestamp) -> Option<Timestamp> {
        let view = self.view.load();
        let all = [Some(&view.cut_offs.everyone)].into_iter().chain(view.of(owner)).flatten();
        all.filter_map(|bars| bars.greatest(self.at(now))).max()
    }

    /// Whether nobody may be given this id: it is revoked already, or looks so.
    pub(crate) fn is_taken(&self, id: SessionId) -> bool {
        self.view.load().slices.contains(id)
    }

    /// Forgets what was decided before `dead`: no token that it concerns is alive. Costs little when there is nothing.
    pub(crate) fn forget(&self, dead: Timestamp) {
        let mut keeper = self.keeper();
        keeper.forget(dead);
        self.publish(&mut keeper);
    }

    /// Nothing has arrived later than now: a clock that was ahead is right again.
    pub(crate) fn arrived_by(&self, now: Timestamp) {
        let mut keeper = self.keeper();
        keeper.arrived_by(now);
        self.publish(&mut keeper);
    }

    fn publish(&self, keeper: &mut Keeper) {
        let Some(view) = keeper.settle() else { return };
        let has_owners = view.cut_offs.has_owners();
        // Said before there are any, and taken back after there are none.
        self.has_owners.fetch_or(has_owners, Ordering::Release);
        keeper.retire(self.view.swap(view));
        self.has_owners.fetch_and(has_owners, Ordering::Release);
    }

    fn at(&self, now: Timestamp) -> Reading {
        Reading { now, skew: self.skew }
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        // A writer that panicked left whole entries behind: what it changed is in force or not yet published.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For those who write it down, hand it on and watch over it.
impl Known {
    /// The least cut-off of `scope` at `now` that covers every session that has started by now, those too whose start an
    /// earlier cut-off moved past now: of the scope itself, of everyone, of any tenant of a subject, any subject of a tenant.
    pub(crate) fn least_cut_off(&self, scope: Scope, now: Timestamp) -> Timestamp {
        let reach = self.view.load().cut_offs.reach(scope, self.at(now));
        reach.map_or(now, |reach| reach.plus(1).max(now))
    }

    /// Every revoked session, and when that was decided, rounded up to 4096 s. No lock is held while `each` runs.
    pub(crate) fn for_each_session(&self, mut each: impl FnMut(SessionId, Timestamp)) {
        for number in self.view.load_full().slices.numbers() {
            // One slice at a time, so that whoever revokes waits no longer than it takes to copy it.
            let records = self.keeper().records(number);
            records.into_iter().for_each(|record| each(record.id(number), record.at()));
        }
    }

    /// Every cut-off, when it was decided and when it arrived; retracted ones too.
    pub(crate) fn cut_offs(&self) -> Vec<(CutOff, Timestamp, Timestamp)> {
        self.keeper().cut_offs().collect()
    }

    /// As of when an entry is remembered: a retraction as long as the cut-off that it takes back, or that would count again.
    pub(crate) fn lives_from(&self, entry: &Entry) -> Timestamp {
        match entry.act {
            Act::Retract(id) => self.keeper().decided_at(id).map_or(entry.at, |at| at.max(entry.at)),
            Act::CutOff(_) | Act::Session(_) => entry.at,
        }
    }

    /// Every retraction, and when it was decided.
    pub(crate) fn retractions(&self) -> Vec<(CutOffId, Timestamp)> {
        self.keeper().retractions().collect()
    }

    /// Everything, as entries without notes: cut-offs, then retractions, then sessions. No lock is held while `take` runs.
    pub(crate) fn entries(&self, take: &mut dyn FnMut(Entry)) {
        let mut give = |act, at| take(Entry { at, act, note: Note::default() });
        self.cut_offs().into_iter().for_each(|(cut, at, _)| give(Act::CutOff(cut), at));
        self.retractions().into_iter().for_each(|(id, at)| give(Act::Retract(id), at));
        self.for_each_session(|id, at| give(Act::Session(id), at));
    }

    /// Cut-offs in force that lie further ahead of the clock than clocks may differ: one of them is wrong.
    pub(crate) fn ahead(&self, now: Timestamp) -> Vec<CutOff> {
        self.keeper().in_force().filter(|(_, bar)| bar.is_ahead(self.at(now))).map(|(cut, _)| cut).collect()
    }

    /// Goes over to the names of another scope secret. Cut-offs of subjects and tenants stay, and match nobody until one
    /// with their name comes.
    pub(crate) fn rekey(&self, names: Names) {
        let mut keeper = self.keeper();
        keeper.rekey(names);
        self.publish(&mut keeper);
    }

    /// Goes over to another engine, while in use: what is revoked is so throughout.
    pub(crate) fn set_engine(&self, engine: Engine) {
        let mut keeper = self.keeper();
        keeper.set_engine(engine);
        self.publish(&mut keeper);
    }

    /// How much is known.
    pub(crate) fn stats(&self) -> Stats {
        self.keeper().stats()
    }
}

impl View {
    fn of(&self, owner: Owner<'_>) -> [Option<&cut_offs::Bars>; 2] {
        let names = self.slices.names();
        [
            owner.subject.and_then(|subject| self.cut_offs.subjects.get(|| names.subject(subject))),
            owner.tenant.and_then(|tenant| self.cut_offs.tenants.get(|| names.tenant(tenant))),
        ]
    }
}

/// The atomics, or those of loom, which tries every order in which threads can meet.
mod atomic {
    #[cfg(not(all(test, waxseal_loom)))]
    pub(super) use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    #[cfg(all(test, waxseal_loom))]
    pub(super) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
}
