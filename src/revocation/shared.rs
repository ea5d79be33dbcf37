//! What all handles of a list share: what is revoked, whether that can be relied on, and how it is brought up to date.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::directory::{Directory, Pass};
use super::entry::CutOffId;
use super::error::RevocationsError;
use super::known::{Engine, Known};
use super::secrets::Secrets;
use crate::crypto::DIGEST_LEN;
use crate::keys::{KeyRing, Ring, Signal};
use crate::time::Timestamp;

pub(super) struct Shared {
    pub(super) ring: KeyRing,
    pub(super) known: Known,
    pub(super) store: Store,
    /// Most seconds that the list may be out of date.
    pub(super) bound: u64,
    pub(super) poll: Duration,
    /// Wakes whoever follows.
    pub(super) signal: Signal,
    /// Whether everything has been read once.
    pub(super) loaded: AtomicBool,
    /// When everything was last known to be read, in Unix seconds.
    synced_at: AtomicU64,
    secrets: ArcSwap<Secrets>,
    last_error: Mutex<Option<String>>,
    /// Held through a whole sync: one at a time.
    upkeep: Mutex<Upkeep>,
}

/// Where revocations are shared.
pub(super) enum Store {
    Directory(Box<Directory>),
    Memory,
    #[cfg(feature = "redis")]
    Redis(Box<super::redis::Redis>),
}

/// What one sync after the other needs, and nobody else.
struct Upkeep {
    /// The digest of the ring that the secrets are of.
    ring: [u8; DIGEST_LEN],
    /// By when, at the latest, anything was forgotten.
    forgot_at: Timestamp,
    /// Cut-offs that lie ahead of the clock, and of which the log has been told.
    ahead: Vec<CutOffId>,
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

impl Shared {
    pub(super) fn new(ring: &KeyRing, store: Store, engine: Engine, bound: Duration, poll: Duration) -> Self {
        let snapshot = ring.snapshot();
        let secrets = Secrets::of(&snapshot);
        let known = Known::new(secrets.names.clone(), snapshot.ring.policy.skew);
        known.set_engine(engine);
        Self {
            ring: ring.clone(),
            known,
            loaded: AtomicBool::new(matches!(store, Store::Memory)),
            store,
            bound: bound.as_secs(),
            poll,
            signal: Signal::default(),
            synced_at: AtomicU64::new(0),
            secrets: ArcSwap::from_pointee(secrets),
            last_error: Mutex::new(None),
            upkeep: Mutex::new(Upkeep { ring: snapshot.digest, forgot_at: Timestamp::default(), ahead: vec![] }),
        }
    }

    /// Whether everything has been read once.
    pub(super) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// What is said of a session of which nothing is known.
    pub(super) fn freshness(&self, now: Timestamp) -> Answer {
        let loaded = self.loaded.load(Ordering::Acquire);
        if loaded && matches!(self.store, Store::Memory) {
            return Answer::Clear;
        }
        let stale_for = now.since(Timestamp::from_unix(self.synced_at.load(Ordering::Acquire)));
        if loaded && stale_for <= self.bound {
            return Answer::Clear;
        }
        // An operator said that a stale list will do for a while. The ring travels another way than revocations.
        let accepted = self.ring.snapshot().ring.stale_ok_until > now;
        match loaded {
            true if accepted && stale_for <= MAX_STALE => Answer::Clear,
            false if accepted => Answer::Clear,
            _ => Answer::Unknown { stale_for: loaded.then_some(stale_for) },
        }
    }

    pub(super) fn sync(&self) -> Result<(), RevocationsError> {
        let mut upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = self.ring.clock();
        let now = clock.now();
        self.renew_secrets(&mut upkeep);
        self.mind_the_clock(&mut upkeep, now);
        let (secrets, loaded) = (self.secrets(), self.loaded.load(Ordering::Acquire));
        let is_suspect = clock.is_suspect();
        let dead = if is_suspect { Timestamp::default() } else { self.dead_for_all(now) };
        let pass = Pass { known: &self.known, secrets: &secrets, now, dead };
        let done = match &self.store {
            Store::Memory => Ok(true),
            Store::Directory(directory) => directory.sync(&pass, loaded).map_err(RevocationsError::from),
            #[cfg(feature = "redis")]
            Store::Redis(redis) => redis.sync(&pass, loaded).map(|()| true).map_err(RevocationsError::from),
        };
        self.warn_of_cut_offs_ahead(&mut upkeep, now);
        if !is_suspect {
            // What is dead was left out while reading, too.
            self.known.forget(self.dead_for_all(now));
            upkeep.forgot_at = upkeep.forgot_at.max(now);
        }
        match done {
            Ok(_) => {
                self.synced_at.store(now.as_unix(), Ordering::Release);
                self.loaded.store(true, Ordering::Release);
                if self.blame(None).is_some() {
                    tracing::info!("the list of revocations is up to date again");
                }
                Ok(())
            }
            Err(error) => {
                let text = error.to_string();
                if self.blame(Some(text.clone())).as_ref() != Some(&text) {
                    tracing::error!(error = %text, "the list of revocations is not up to date; what is known stays in force");
                }
                Err(error)
            }
        }
    }

    fn warn_of_cut_offs_ahead(&self, upkeep: &mut Upkeep, now: Timestamp) {
        let ahead: Vec<_> = self.known.ahead(now).into_iter().map(|cut| cut.id).collect();
        for id in ahead.iter().filter(|id| !upkeep.ahead.contains(id)) {
            tracing::error!(cut_off = %id, "a cut-off lies ahead of this clock and counts as of when it came; if it was made by a wrong clock, retract it before that instant comes");
        }
        upkeep.ahead = ahead;
    }

    /// A clock that ran ahead made this server forget what is still needed once it is right again, if it was further ahead than
    /// entries are remembered for the sake of wrong clocks.
    fn mind_the_clock(&self, upkeep: &mut Upkeep, now: Timestamp) {
        self.known.arrived_by(now);
        if !matches!(self.store, Store::Memory) && now.plus(DAY / 2) < upkeep.forgot_at {
            tracing::error!("the clock ran back; the list of revocations is loaded anew");
            self.loaded.store(false, Ordering::Release);
            upkeep.forgot_at = now;
            match &self.store {
                Store::Directory(directory) => directory.read_again(),
                Store::Memory => {}
                #[cfg(feature = "redis")]
                Store::Redis(redis) => redis.read_again(),
            }
        }
    }

    fn renew_secrets(&self, upkeep: &mut Upkeep) {
        let ring = self.ring.snapshot();
        if ring.digest == upkeep.ring {
            return;
        }
        let secrets = Secrets::of(&ring);
        if !secrets.names.same(&self.secrets().names) {
            self.known.rekey(secrets.names.clone());
        }
        self.secrets.store(Arc::new(secrets));
        upkeep.ring = ring.digest;
    }

    /// What is dead by the clocks of all servers that are alive, as far as they say what time it is. Before anything was read nobody
    /// else's clock is known, and nothing is dead yet.
    fn dead_for_all(&self, now: Timestamp) -> Timestamp {
        match &self.store {
            Store::Memory => self.dead(now),
            Store::Directory(directory) => directory.earliest(now).map_or(Timestamp::default(), |at| self.dead(at)),
            #[cfg(feature = "redis")]
            Store::Redis(_) => self.dead(now),
        }
    }

    /// What was decided before this concerns no token that lives: none outlives the last renewal of its session by more than L,
    /// and no server renews a revoked session for longer than a list may be stale. A day more, for clocks that are wrong.
    fn dead(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_unix(now.as_unix().saturating_sub(retention(&self.ring.snapshot().ring)))
    }

    pub(super) fn secrets(&self) -> Arc<Secrets> {
        self.secrets.load_full()
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn synced_at(&self) -> Option<Timestamp> {
        let at = self.synced_at.load(Ordering::Acquire);
        (at > 0).then(|| Timestamp::from_unix(at))
    }

    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        self.freshness(now)
    }

    /// Notes what is wrong now; what was wrong before.
    fn blame(&self, error: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.last_error.lock().unwrap_or_else(PoisonError::into_inner), error)
    }
}

/// For how many seconds a revocation is remembered after it was decided, in whole steps of what the list stores.
pub(super) fn retention(ring: &Ring) -> u64 {
    let longest = ring.keys.iter().map(|key| key.max_token_lifetime).max().unwrap_or(0);
    remembered(longest.max(ring.policy.max_token_lifetime))
}

/// The same where no token lives longer than `longest` seconds.
pub(super) fn remembered(longest: u64) -> u64 {
    longest.saturating_add(MAX_STALE + DAY).checked_next_multiple_of(STEP).unwrap_or(u64::MAX)
}

/// The longest that anybody may rely on a stale list, in seconds, whatever an operator says.
const MAX_STALE: u64 = 86_400;

const DAY: u64 = 86_400;

/// The list stores when something was decided in units of so many seconds.
const STEP: u64 = 4_096;
