//! What this server knows to be revoked. Reads neither lock nor allocate; writes are one at a time.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::{Act, CutOff, CutOffId, Entry, Scope};
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
    names: arc_swap::ArcSwap<Names>,
    /// Seconds that a cut-off may lie ahead of the clock; beyond it, it counts as of its arrival.
    skew: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionId, Timestamp>,
    /// The cut-off, when it was decided, and when it arrived.
    cut_offs: Vec<(CutOff, Timestamp, Timestamp)>,
    retracted: HashMap<CutOffId, Timestamp>,
}

impl Known {
    pub(crate) fn new(names: Names, skew: u64) -> Self {
        Self { names: arc_swap::ArcSwap::from_pointee(names), skew, inner: Mutex::default() }
    }

    /// Takes an entry in, and says whether it was news.
    pub(crate) fn add(&self, entry: &Entry, now: Timestamp) -> bool {
        let mut inner = self.inner();
        match entry.act {
            Act::Session(id) => {
                let known = inner.sessions.insert(id, entry.at);
                known.is_none()
            }
            Act::CutOff(cut) => {
                if inner.cut_offs.iter().any(|(known, ..)| known.id == cut.id) {
                    return false;
                }
                inner.cut_offs.push((cut, entry.at, now));
                true
            }
            Act::Retract(id) => inner.retracted.insert(id, entry.at).is_none(),
        }
    }

    /// Takes many entries in at once.
    pub(crate) fn add_all(&self, entries: &[Entry], now: Timestamp) {
        entries.iter().for_each(|entry| {
            self.add(entry, now);
        });
    }

    /// Gives everything that is known to `take`.
    pub(crate) fn entries(&self, take: &mut dyn FnMut(Entry)) {
        let inner = self.inner();
        let note = super::entry::Note::default;
        inner.sessions.iter().for_each(|(id, at)| take(Entry { at: *at, act: Act::Session(*id), note: note() }));
        inner.cut_offs.iter().for_each(|(cut, at, _)| take(Entry { at: *at, act: Act::CutOff(*cut), note: note() }));
        inner.retracted.iter().for_each(|(id, at)| take(Entry { at: *at, act: Act::Retract(*id), note: note() }));
    }

    /// Whether the session itself was revoked, or a cut-off for everyone covers it.
    pub(crate) fn is_session_revoked(&self, id: SessionId, now: Timestamp) -> bool {
        let inner = self.inner();
        inner.sessions.contains_key(&id) || inner.covers(&[Scope::Everyone], id, now, self.skew)
    }

    /// Whether a cut-off for its subject or its tenant covers the session.
    pub(crate) fn is_owner_revoked(&self, owner: Owner<'_>, id: SessionId, now: Timestamp) -> bool {
        self.inner().covers(&self.scopes(owner), id, now, self.skew)
    }

    /// The greatest cut-off that applies to a session of `owner`, everyone's included.
    pub(crate) fn cut_off(&self, owner: Owner<'_>, now: Timestamp) -> Option<Timestamp> {
        let mut scopes = self.scopes(owner);
        scopes.push(Scope::Everyone);
        self.inner().applying(&scopes, now, self.skew).map(|(until, _)| until).max()
    }

    /// Whether nobody may be given this id: it is revoked already, or looks so.
    pub(crate) fn is_taken(&self, id: SessionId) -> bool {
        self.inner().sessions.contains_key(&id)
    }

    /// Forgets what was decided before `dead`: no token that it concerns is alive.
    pub(crate) fn forget(&self, dead: Timestamp) {
        let mut inner = self.inner();
        inner.sessions.retain(|_, at| *at >= dead);
        inner.cut_offs.retain(|(_, at, _)| *at >= dead);
        inner.retracted.retain(|_, at| *at >= dead);
    }

    pub(crate) fn rekey(&self, names: Names) {
        self.names.store(std::sync::Arc::new(names));
    }

    fn scopes(&self, owner: Owner<'_>) -> Vec<Scope> {
        let subject = owner.subject.map(|subject| Scope::Subject(self.names.load().subject(subject)));
        let tenant = owner.tenant.map(|tenant| Scope::Tenant(self.names.load().tenant(tenant)));
        subject.into_iter().chain(tenant).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn applying<'a>(
        &'a self,
        scopes: &'a [Scope],
        now: Timestamp,
        skew: u64,
    ) -> impl Iterator<Item = (Timestamp, Option<SessionId>)> + 'a {
        let retracted: HashSet<_> = self.retracted.keys().copied().collect();
        self.cut_offs.iter().filter(move |(cut, ..)| scopes.contains(&cut.scope) && !retracted.contains(&cut.id)).map(
            move |(cut, _, arrived)| {
                let until = Timestamp::from_unix(cut.until.into());
                (if until > now.plus(skew) { *arrived } else { until }, cut.except)
            },
        )
    }

    fn covers(&self, scopes: &[Scope], id: SessionId, now: Timestamp, skew: u64) -> bool {
        self.applying(scopes, now, skew).any(|(until, except)| id.start() <= until && except != Some(id))
    }
}
