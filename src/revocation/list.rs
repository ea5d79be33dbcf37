//! The handle that servers hold.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::commit::Committer;
use super::directory::{DirectoryError, HeaderError};
use super::error::RevocationsError;
use super::known::{Engine, Owner};
use super::revoke::Level;
use super::shared::{Answer, Shared, Store};
use crate::id::SessionId;
use crate::keys::KeyRing;
use crate::time::Timestamp;

/// The revocations of a fleet, as this server knows them. Cheap to clone; clones are the same list.
///
/// Whether a session is over is not asked here: a [`Sealer`](crate::Sealer) that was built with the list refuses its tokens, also
/// those that it opened before. Open the token again.
///
/// See the [module docs](super) for an example.
#[derive(Clone)]
pub struct Revocations {
    pub(super) shared: Arc<Shared>,
    /// Ends with the last handle.
    pub(super) committer: Arc<Committer>,
}

impl Revocations {
    pub(super) fn start(
        ring: &KeyRing,
        store: Store,
        engine: Engine,
        bound: Duration,
        poll: Duration,
    ) -> Result<Self, RevocationsError> {
        let in_memory = matches!(store, Store::Memory);
        let shared = Arc::new(Shared::new(ring, store, engine, bound, poll));
        let committer = if in_memory { Committer::none(&shared) } else { Committer::spawn(&shared) };
        let list = Self { committer: Arc::new(committer.map_err(RevocationsError::Thread)?), shared };
        match list.sync() {
            // A directory of somebody else stays one, however long a server waits, and a path that is empty names none.
            Err(RevocationsError::Directory(
                error @ (DirectoryError::Marker { why: HeaderError::Ring, .. } | DirectoryError::Unnamed),
            )) => Err(error.into()),
            _ => Ok(list),
        }
    }

    /// Reads what other servers have revoked since, and writes what could not be written before. [`follow`](Self::follow) does
    /// this again and again.
    ///
    /// # Errors
    /// The list could not be brought up to date; what is known stays in force.
    pub fn sync(&self) -> Result<(), RevocationsError> {
        self.shared.sync()
    }

    /// Goes over to another engine while in use; nothing that is revoked is let through meanwhile.
    ///
    /// # Errors
    /// The rate of false positives is not above 0 and below 1.
    pub fn set_engine(&self, engine: Engine) -> Result<(), RevocationsError> {
        engine.check()?;
        self.shared.known.set_engine(engine);
        Ok(())
    }

    /// Whether sessions can be judged: false until the list has been loaded once. For a readiness probe; never false merely
    /// because a store that the fleet shares is away.
    pub fn is_ready(&self) -> bool {
        self.shared.is_loaded()
    }

    /// The most durable that a revocation can become in a list of this kind.
    #[cfg_attr(not(any(feature = "tower", test)), expect(dead_code, reason = "the layer alone asks"))]
    pub(crate) fn most(&self) -> Level {
        self.shared.store.most()
    }

    /// What is known of a session by its id, cut-offs for everyone included.
    pub(crate) fn judge(&self, id: SessionId, now: Timestamp) -> Answer {
        if self.shared.known.is_session_revoked(id, now) { Answer::Revoked } else { self.shared.freshness(now) }
    }

    /// Whether sessions may be renewed here. A server that never knew what is revoked may open sessions if an operator says so, but
    /// not give them new life: nobody would remember for long enough what ended them.
    pub(crate) fn renews(&self) -> bool {
        self.is_ready()
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
        f.debug_struct("Revocations").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}
