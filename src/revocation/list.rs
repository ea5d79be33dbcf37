//! The handle that servers hold: revoke, ask, follow.

use core::fmt;
use std::sync::Arc;

use super::entry::{Act, CutOff, CutOffId, Entry, Note, Scope};
use super::known::{Known, Owner};
use super::revoke::{Level, Revoke, RevokeError, Revoked, Revoking, What};
use super::secrets::Secrets;
use crate::crypto::{OsRandom, Random};
use crate::id::SessionId;
use crate::keys::KeyRing;
use crate::time::Timestamp;

/// The revocations of a fleet, as this server knows them. Cheap to clone; clones are the same list.
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<Shared>,
}

struct Shared {
    ring: KeyRing,
    known: Known,
}

/// What the list says of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It goes on.
    Clear,
    /// It was ended.
    Revoked,
    /// The list was never loaded, or is older than this server may rely on: nothing can be said.
    Unknown {
        /// For how many seconds it has been out of date; `None` if it was never loaded.
        stale_for: Option<u64>,
    },
}

impl Revocations {
    /// A list of this process alone, lost with it: for tests, and for trying out.
    pub fn in_memory(ring: &KeyRing) -> Self {
        let snapshot = ring.snapshot();
        let known = Known::new(Secrets::of(&snapshot).names, snapshot.ring.policy.skew);
        drop(snapshot);
        Self { shared: Arc::new(Shared { ring: ring.clone(), known }) }
    }

    /// Revokes. In force on this server when this returns; durable when what it returns is ready.
    ///
    /// A cut-off that is made in the second of an earlier one of the same scope counts one second further, so that a login in
    /// between is covered by it.
    pub fn revoke(&self, revoke: Revoke) -> Revoking {
        Revoking::ready(self.decide(&revoke).map(|entry| {
            self.shared.known.add(&entry, entry.at);
            let (until, cut_off) = match entry.act {
                Act::CutOff(cut) => (Some(Timestamp::from_unix(cut.until.into())), Some(cut.id)),
                Act::Retract(_) | Act::Session(_) => (None, None),
            };
            Revoked { level: Level::Local, until, cut_off }
        }))
    }

    fn decide(&self, revoke: &Revoke) -> Result<Entry, RevokeError> {
        let now = self.shared.ring.clock().now();
        let names = Secrets::of(&self.shared.ring.snapshot()).names;
        let (scope, owner) = match &revoke.what {
            What::Session(id) => return Ok(Entry { at: now, act: Act::Session(*id), note: Note::default() }),
            What::Everyone => (Scope::Everyone, Owner::default()),
            What::Subject(name) => {
                (Scope::Subject(names.subject(name)), Owner { subject: Some(name), ..Owner::default() })
            }
            What::Tenant(name) => (Scope::Tenant(names.tenant(name)), Owner { tenant: Some(name), ..Owner::default() }),
        };
        let until = match revoke.until {
            Some(until) if until > now => return Err(RevokeError::Ahead { until }),
            Some(until) => until,
            None => self.shared.known.cut_off(owner, now).map_or(now, |known| known.plus(1).max(now)),
        };
        let mut id = [0; 8];
        OsRandom.fill(&mut id).map_err(|_| RevokeError::Random)?;
        let until = u32::try_from(until.as_unix()).unwrap_or(u32::MAX);
        let cut = CutOff { id: CutOffId(id), scope, until, except: revoke.except };
        Ok(Entry { at: now, act: Act::CutOff(cut), note: Note::default() })
    }

    /// Whether sessions can be judged: false until the list has been loaded once. For a readiness probe; never false merely
    /// because a store that the fleet shares is away.
    pub fn is_ready(&self) -> bool {
        true
    }

    /// What is known of a session by its id, cut-offs for everyone included.
    pub(crate) fn judge(&self, id: SessionId, now: Timestamp) -> Answer {
        if self.shared.known.is_session_revoked(id, now) { Answer::Revoked } else { Answer::Clear }
    }

    /// Whether a cut-off ended the sessions of its owner. [`judge`](Self::judge) has been asked before.
    pub(crate) fn covers_owner(&self, owner: Owner<'_>, id: SessionId, now: Timestamp) -> bool {
        self.shared.known.is_owner_revoked(owner, id, now)
    }

    /// The greatest cut-off for a session of `owner`: it must start later.
    pub(crate) fn cut_off(&self, owner: Owner<'_>, now: Timestamp) -> Option<Timestamp> {
        self.shared.known.cut_off(owner, now)
    }

    /// Whether an id that was just drawn must be drawn again.
    pub(crate) fn is_taken(&self, id: SessionId) -> bool {
        self.shared.known.is_taken(id)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}
