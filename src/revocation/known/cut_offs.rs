//! Cut-offs as those who ask see them: of each scope the few that can decide, found without looking at the rest.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;
use std::sync::Arc;

use crate::id::SessionId;
use crate::revocation::entry::{CutOff, Scope};
use crate::revocation::secrets::ScopeId;
use crate::time::Timestamp;

/// The part of a cut-off that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    until: Timestamp,
    arrived: Timestamp,
    except: Option<SessionId>,
}

/// What the clock shows, and by how many seconds clocks may differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) now: Timestamp,
    pub(super) skew: u64,
}

impl Bar {
    pub(super) fn new(cut: &CutOff, arrived: Timestamp) -> Self {
        Self { until: Timestamp::from_unix(cut.until.into()), arrived, except: cut.except }
    }

    /// Whether it comes from a clock that is far ahead of this one.
    pub(super) fn is_ahead(&self, at: Reading) -> bool {
        self.until > at.now.plus(at.skew)
    }

    /// Sessions that started at or before this are over. A cut-off that lies ahead counts as of its arrival, so that it
    /// ends the sessions it can mean and logins go on. Asked anew each time, since it may be this clock that was behind.
    fn counts_as(&self, at: Reading) -> Timestamp {
        if self.is_ahead(at) { self.until.min(self.arrived) } else { self.until }
    }

    /// Whether `self` never counts as less than `other`, whatever the clock says.
    fn outdoes(&self, other: &Self) -> bool {
        other.until <= self.until.min(self.arrived) || (other.until == self.until && other.arrived <= self.arrived)
    }
}

/// Those cut-offs of one scope that can decide: no others beside them ever count as much, for any session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bars(Arc<[Bar]>);

impl Bars {
    pub(super) fn of(mut bars: Vec<Bar>) -> Self {
        bars.sort_by_key(|bar| (bar.until, bar.arrived, bar.except));
        let mut kept: Vec<Bar> = vec![];
        for bar in bars.into_iter().rev() {
            // For the session that a greater one spares, the next one down decides, unless it spares the same.
            let mut spared = kept.iter().filter(|other| other.outdoes(&bar)).map(|other| other.except);
            let is_outdone = spared
                .next()
                .is_some_and(|first| first.is_none() || first == bar.except || spared.any(|next| next != first));
            if !is_outdone {
                kept.push(bar);
            }
        }
        Self(kept.into())
    }

    fn with(&self, bar: Bar) -> Self {
        Self::of(self.0.iter().copied().chain([bar]).collect())
    }

    /// The same for a clock that shows what it should, in fewer bars: those furthest ahead, which a wrong clock has made,
    /// become one.
    fn thinned(self) -> Self {
        if self.0.len() <= MOST_BARS {
            return self;
        }
        // The furthest are first.
        let (far, near) = self.0.split_at(self.0.len() / 2);
        let arrived = far.iter().map(|bar| bar.arrived).max().unwrap_or_default();
        Self::of(near.iter().copied().chain([Bar { arrived, ..far[0] }]).collect())
    }

    fn arrived_by(&self, now: Timestamp) -> Self {
        Self::of(self.0.iter().map(|bar| Bar { arrived: bar.arrived.min(now), ..*bar }).collect())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn cover(&self, id: SessionId, at: Reading) -> bool {
        self.0.iter().any(|bar| id.start() <= bar.counts_as(at) && bar.except != Some(id))
    }

    /// The greatest, those included that spare a session.
    pub(super) fn greatest(&self, at: Reading) -> Option<Timestamp> {
        self.0.iter().map(|bar| bar.counts_as(at)).max()
    }
}

type Shard = HashMap<ScopeId, Bars, BuildHasherDefault<Uniform>>;

/// The cut-offs of every subject, or of every tenant, in shards, so that one more copies little.
#[derive(Clone)]
pub(super) struct Scopes {
    shards: Arc<Vec<Arc<Shard>>>,
    count: usize,
    /// Every one that there has been, of whomever: what a session's start may have been moved past.
    pub(super) ever: Bars,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { shards: Arc::new(vec![Arc::default(); SHARDS]), count: 0, ever: Bars::default() }
    }
}

impl Scopes {
    /// The cut-offs of a scope. `name` is asked for only if there are any at all.
    pub(super) fn get(&self, name: impl FnOnce() -> ScopeId) -> Option<&Bars> {
        if self.count == 0 {
            return None;
        }
        let id = name();
        self.shards[shard(&id)].get(&id)
    }

    fn add(&mut self, id: ScopeId, bar: Bar) {
        let bars = self.get(|| id).map_or_else(|| Bars::default().with(bar), |bars| bars.with(bar));
        self.set(id, bars);
    }

    fn set(&mut self, id: ScopeId, bars: Bars) {
        let shard = Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[shard(&id)]);
        let before = shard.len();
        if bars.0.is_empty() {
            shard.remove(&id);
        } else {
            shard.insert(id, bars);
        }
        self.count = self.count + shard.len() - before;
    }

    fn bytes(&self) -> usize {
        let bars: usize = self.shards.iter().flat_map(|shard| shard.values()).map(|bars| size_of_val(&*bars.0)).sum();
        bars + self.shards.iter().map(|shard| shard.capacity() * (size_of::<(ScopeId, Bars)>() + 1)).sum::<usize>()
    }
}

/// Every cut-off that can decide. Clones share what has not changed since.
#[derive(Clone, Default)]
pub(super) struct CutOffs {
    pub(super) everyone: Bars,
    pub(super) subjects: Scopes,
    pub(super) tenants: Scopes,
}

impl CutOffs {
    pub(super) fn add(&mut self, scope: Scope, bar: Bar) {
        match scope {
            Scope::Everyone => self.everyone = self.everyone.with(bar),
            Scope::Subject(id) => self.subjects.add(id, bar),
            Scope::Tenant(id) => self.tenants.add(id, bar),
        }
        self.witness(scope, bar);
    }

    /// Puts what is left of a scope in the place of all it had.
    pub(super) fn set(&mut self, scope: Scope, bars: Bars) {
        match scope {
            Scope::Everyone => self.everyone = bars,
            Scope::Subject(id) => self.subjects.set(id, bars),
            Scope::Tenant(id) => self.tenants.set(id, bars),
        }
    }

    /// The greatest that has ever moved the start of a session of `scope`: a session has a tenant that its subject does not
    /// tell, and a subject that its tenant does not tell.
    pub(super) fn reach(&self, scope: Scope, at: Reading) -> Option<Timestamp> {
        let bars = match scope {
            Scope::Everyone => [None, Some(&self.subjects.ever), Some(&self.tenants.ever)],
            Scope::Subject(id) => [self.subjects.get(|| id), None, Some(&self.tenants.ever)],
            Scope::Tenant(id) => [self.tenants.get(|| id), Some(&self.subjects.ever), None],
        };
        bars.into_iter().flatten().chain([&self.everyone]).filter_map(|bars| bars.greatest(at)).max()
    }

    /// Lets what there ever was have arrived at `now` at the latest; what decides is put in place by [`set`](Self::set).
    pub(super) fn arrived_by(&mut self, now: Timestamp) {
        self.subjects.ever = self.subjects.ever.arrived_by(now);
        self.tenants.ever = self.tenants.ever.arrived_by(now);
    }

    /// Whether a subject or a tenant has any.
    pub(super) fn has_owners(&self) -> bool {
        self.subjects.count + self.tenants.count > 0
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.everyone.0) + self.subjects.bytes() + self.tenants.bytes()
    }

    fn witness(&mut self, scope: Scope, bar: Bar) {
        let bar = Bar { except: None, ..bar };
        match scope {
            Scope::Everyone => {}
            Scope::Subject(_) => self.subjects.ever = self.subjects.ever.with(bar).thinned(),
            Scope::Tenant(_) => self.tenants.ever = self.tenants.ever.with(bar).thinned(),
        }
    }
}

fn shard(id: &ScopeId) -> usize {
    usize::from(id[15]) % SHARDS
}

/// Takes the first 8 bytes of what is uniform already, being a keyed hash.
#[derive(Default)]
pub(super) struct Uniform(u64);

impl Hasher for Uniform {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

const SHARDS: usize = 64;

/// Cut-offs that are remembered for the sake of those to come.
const MOST_BARS: usize = 256;
