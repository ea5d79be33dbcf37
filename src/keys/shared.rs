//! The handle that servers hold: an immutable ring, swapped whole when its file changes.
//!
//! A reader pays one atomic load and sees one ring; a reload reads, validates and derives the whole
//! candidate before it swaps, and keeps the last good ring if anything is wrong with the new one.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};

use super::at_rest::AtRest;
use super::disk::{self, DiskError};
use super::remembered::{Remembered, StateFile};
use super::ring::Ring;
use super::ring_file;
use super::rotate::CreateError;
use super::signal::Signal;
use super::snapshot::{Refusal, Snapshot};
use super::status::{RingReport, RingStatus};
use crate::crypto::{DIGEST_LEN, sha256};
use crate::id::{KeyId, Label};
use crate::time::{Clock, Timestamp};

/// The key ring of a server. Cheap to clone; clones are the same ring.
///
/// ```no_run
/// use waxseal::KeyRing;
///
/// let ring = KeyRing::load("/etc/shop/ring.json")?;
/// let _follow = ring.follow();   // rotations are picked up for as long as this guard lives
/// # Ok::<(), waxseal::keys::RingError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    current: ArcSwap<Snapshot>,
    pub(super) source: Option<Source>,
    clock: Arc<dyn Clock>,
    /// Tells rings apart within the process.
    handle: u64,
    /// Held while the file is read: one reload at a time.
    reloading: Mutex<()>,
    /// Held for moments only, never while anything is read.
    upkeep: Mutex<Upkeep>,
    pub(super) signal: Arc<Signal>,
    /// Unix seconds of the last unknown key id that was taken as a hint.
    hinted_at: AtomicU64,
}

/// Where a ring comes from, and what is known of it beside its file.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) at_rest: AtRest,
    pub(super) state: Option<StateFile>,
    /// The digest of the one file that may break the rule of going forward.
    pub(super) accepted: Option<String>,
}

/// What changes beside the ring itself.
struct Upkeep {
    labels: Vec<Label>,
    /// SHA-256 of the whole file as last taken.
    seen: [u8; DIGEST_LEN],
    checked_at: Timestamp,
    last_error: Option<String>,
}

impl KeyRing {
    pub(super) fn new(
        ring: Ring,
        digest: [u8; DIGEST_LEN],
        source: Option<Source>,
        seen: [u8; DIGEST_LEN],
        clock: Arc<dyn Clock>,
    ) -> Self {
        static HANDLES: AtomicU64 = AtomicU64::new(0);
        let now = clock.now();
        let shared = Shared {
            current: ArcSwap::from_pointee(Snapshot::new(ring, digest, &[], now)),
            source,
            clock,
            handle: HANDLES.fetch_add(1, Ordering::Relaxed),
            reloading: Mutex::new(()),
            upkeep: Mutex::new(Upkeep { labels: vec![], seen, checked_at: now, last_error: None }),
            signal: Arc::default(),
            hinted_at: AtomicU64::new(0),
        };
        let ring = Self { shared: Arc::new(shared) };
        ring.remember();
        ring
    }

    /// Looks at the file now, and takes it if it is a newer state of this ring.
    ///
    /// # Errors
    /// - the ring was generated in memory
    /// - the file cannot be read, or is not a forward step from the ring in use, which stays
    pub fn reload(&self) -> Result<Reload, RingError> {
        let source = self.shared.source.as_ref().ok_or(RingError::InMemory)?;
        let _one = self.shared.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.take(source);
        let mut upkeep = self.upkeep();
        match &done {
            Ok(_) => {
                upkeep.checked_at = self.shared.clock.now();
                upkeep.last_error = None;
            }
            Err(error) => upkeep.blame(error.to_string()),
        }
        done
    }

    fn take(&self, source: &Source) -> Result<Reload, RingError> {
        let bytes = disk::read(&source.path)?;
        let seen = sha256(&bytes);
        if seen == self.upkeep().seen {
            return Ok(Reload::Unchanged);
        }
        let (ring, digest) = ring_file::parse(&source.path, &bytes, &source.at_rest)?;
        let now = self.shared.clock.now();
        let current = self.shared.current.load_full();
        if digest == current.digest {
            // The same ring, lying on disk in another way.
            self.upkeep().seen = seen;
            return Ok(Reload::Unchanged);
        }
        let refused = |refusal| RingError::Refused { path: source.path.clone(), refusal };
        match current.accepts(&ring, now) {
            Err(Refusal::Foreign) => return Err(refused(Refusal::Foreign)),
            Err(refusal) if !source.accepts(&digest) => return Err(refused(refusal)),
            _ => {}
        }
        let (from, to) = (current.ring.generation, ring.generation);
        if ring.policy.max_token_lifetime < current.ring.policy.max_token_lifetime {
            tracing::warn!(
                seconds = ring.policy.max_token_lifetime,
                "the ring's longest token lifetime was lowered; longer lifetimes are cut to it"
            );
        }
        let mut upkeep = self.upkeep();
        self.shared.current.store(Arc::new(Snapshot::new(ring, digest, &upkeep.labels, now)));
        upkeep.seen = seen;
        drop(upkeep);
        self.remember();
        tracing::info!(from, to, "key ring reloaded");
        Ok(Reload::Changed { from, to })
    }

    /// Writes down what must survive a restart. A failure is logged: the ring itself is good.
    fn remember(&self) {
        let Some(state) = self.shared.source.as_ref().and_then(|source| source.state.as_ref()) else { return };
        let snapshot = self.snapshot();
        if let Err(error) = state.write(&Remembered::of(&snapshot.ring, &snapshot.digest)) {
            tracing::error!(%error, "the ring's state file was not written; a restart may take an older ring");
        }
    }

    /// Shows `text` as what is wrong with this ring.
    pub(super) fn complain(&self, text: &str) {
        self.upkeep().blame(text.to_owned());
    }

    /// The key that seals now, by the ring's own clock. Waits for nothing.
    pub fn active(&self) -> Option<KeyId> {
        self.snapshot().ring.active(self.shared.clock.now())
    }

    /// How the ring is doing, by its own clock.
    pub fn status(&self) -> RingStatus {
        let snapshot = self.snapshot();
        let upkeep = self.upkeep();
        RingStatus {
            ring: RingReport::of(&snapshot.ring, snapshot.digest, self.shared.clock.now()),
            checked_at: upkeep.checked_at,
            last_error: upkeep.last_error.clone(),
        }
    }

    /// Takes a token's unknown key id as a hint that the file may have changed: whoever follows it
    /// looks soon, at most once in ten seconds, and no request waits.
    pub(crate) fn hint(&self, now: Timestamp) {
        let (last, now) = (self.shared.hinted_at.load(Ordering::Relaxed), now.as_unix());
        let due = now >= last.saturating_add(HINT_EVERY);
        let hinted = &self.shared.hinted_at;
        if due && hinted.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.shared.signal.nudge();
        }
    }

    /// Derives for `label`, now and at every reload. Asking twice costs nothing.
    pub(crate) fn channel(&self, label: Label) -> Channel {
        let mut upkeep = self.upkeep();
        let index = match upkeep.labels.iter().position(|known| *known == label) {
            Some(index) => index,
            None => {
                upkeep.labels.push(label.clone());
                let wider = self.shared.current.load().with_label(&label);
                self.shared.current.store(Arc::new(wider));
                upkeep.labels.len() - 1
            }
        };
        let first = upkeep.labels.iter().position(|known| known.purpose == label.purpose).unwrap_or(index);
        let place = Place { ring: self.shared.handle, purpose: first, channel: index };
        drop(upkeep);
        Channel { ring: self.clone(), label, place }
    }

    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.shared.current.load()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    fn upkeep(&self) -> MutexGuard<'_, Upkeep> {
        self.shared.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    /// Whether an operator named this very file as one to take.
    pub(super) fn accepts(&self, digest: &[u8; DIGEST_LEN]) -> bool {
        self.accepted.as_deref() == Some(&crate::text::hex(digest))
    }
}

impl Upkeep {
    fn blame(&mut self, text: String) {
        if self.last_error.as_ref() != Some(&text) {
            tracing::error!(error = %text, "the key ring was not reloaded; the last good one stays in use");
            self.last_error = Some(text);
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("generation", &self.snapshot().ring.generation).finish_non_exhaustive()
    }
}

/// A label registered with a ring.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) ring: KeyRing,
    pub(crate) label: Label,
    pub(crate) place: Place,
}

/// Which ring, purpose and carrier a session came in by: three numbers that a session carries along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) ring: u64,
    pub(crate) purpose: usize,
    pub(crate) channel: usize,
}

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Another ring is in use now.
    Changed {
        /// The generation before.
        from: u64,
        /// The generation now.
        to: u64,
    },
    /// The file is as it was.
    Unchanged,
}

/// Why a ring could not be loaded, made or reloaded.
#[non_exhaustive]
pub enum RingError {
    /// A ring could not be made.
    Create(CreateError),
    /// The file could not be read.
    Disk(DiskError),
    /// The ring was generated in memory and has no file.
    InMemory,
    /// The file is good, and not one that this server was told to start with.
    NotExpected {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Unexpected,
    },
    /// The file holds a good ring that may not replace the one in use, which stays.
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        refusal: Refusal,
    },
}

impl From<DiskError> for RingError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<CreateError> for RingError {
    fn from(error: CreateError) -> Self {
        Self::Create(error)
    }
}

/// As displayed: `main` shows an error by `Debug`, and the next step is in the text.
impl fmt::Debug for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
            Self::InMemory => f.write_str("the ring was generated in memory and has no file to reload"),
            Self::NotExpected { path, why } => {
                write!(f, "ring file {} is not the one to start with: {why}", path.display())
            }
            Self::Refused { path, refusal } => {
                write!(f, "ring file {} was refused and the ring in use stays: {refusal}", path.display())
            }
        }
    }
}

impl std::error::Error for RingError {}

/// Why a good ring is not one to start with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexpected {
    /// It is older than the least generation that was configured.
    Generation {
        /// The file's generation.
        found: u64,
        /// The least.
        least: u64,
    },
    /// It is not what this server remembers from before its restart.
    Remembered(Refusal),
    /// It is another ring than the one that was named.
    Ring {
        /// The file's ring id.
        found: String,
    },
    /// The state file cannot be read.
    State(String),
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation { found, least } => write!(f, "its generation {found} is below {least}"),
            Self::Remembered(refusal) => {
                write!(
                    f,
                    "this server has seen a later state of it: {refusal}; to take it all the same, name its digest"
                )
            }
            Self::Ring { found } => write!(f, "its ring id is {found}; was another fleet's ring copied here?"),
            Self::State(error) => {
                write!(f, "the state file cannot be read: {error}; remove it, and name the least generation to accept")
            }
        }
    }
}

/// Unknown key ids nudge whoever follows the file at most this often, in seconds.
const HINT_EVERY: u64 = 10;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::{Carrier, Mode};
    use crate::keys::RingFile;
    use crate::keys::RingPolicy;
    use crate::time::ManualClock;

    pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn label(purpose: &str) -> Label {
        Label { mode: Mode::Sealed, purpose: purpose.parse().unwrap(), carrier: Carrier::Header }
    }

    pub(crate) fn loaded() -> (tempfile::TempDir, RingFile, KeyRing, Arc<ManualClock>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ring.json");
        let file = RingFile::at(&path);
        file.create(&Ring::create(RingPolicy::default(), NOW).unwrap(), NOW).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(&path).unwrap();
        (directory, file, ring, clock)
    }

    pub(crate) fn rotate(file: &RingFile, now: Timestamp) {
        file.update(now, "rotate", |ring| {
            ring.rotate(now).unwrap();
            Ok::<_, DiskError>(((), true))
        })
        .unwrap();
    }

    #[test]
    fn a_rotation_is_taken_and_labels_live_on() {
        let (_directory, file, ring, clock) = loaded();
        let channel = ring.channel(label("session"));
        let sealing = |now| ring.snapshot().sealing(channel.place.channel, now).map(|(id, _)| id);
        let first = sealing(NOW).unwrap();
        assert_eq!(ring.reload().unwrap(), Reload::Unchanged);
        rotate(&file, NOW);
        assert_eq!(ring.reload().unwrap(), Reload::Changed { from: NOW.as_unix(), to: NOW.as_unix() + 1 });
        clock.advance(3600);
        assert_eq!(sealing(NOW.plus(3599)), Some(first));
        assert_ne!(sealing(clock.now()), Some(first));
        assert_eq!(ring.status().ring.active, sealing(clock.now()));
    }

    #[test]
    fn labels_are_registered_once() {
        let ring = KeyRing::generate().unwrap();
        let (first, again) = (ring.channel(label("a")), ring.channel(label("a")));
        assert_eq!(first.place, again.place);
        let cookie = Label { carrier: Carrier::cookie("id").unwrap(), ..label("a") };
        let (cookie, other) = (ring.channel(cookie), ring.channel(label("b")));
        assert_eq!(cookie.place.purpose, first.place.purpose);
        assert_ne!(cookie.place.channel, first.place.channel);
        assert_ne!(other.place.purpose, first.place.purpose);
        assert_ne!(KeyRing::generate().unwrap().channel(label("a")).place, first.place);
    }

    #[test]
    fn a_bad_file_leaves_the_last_good_ring() {
        let (directory, file, ring, _clock) = loaded();
        let path = directory.path().join("ring.json");
        let before = ring.status();
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, &good[..100]).unwrap();
        assert!(ring.reload().is_err());
        assert!(ring.status().last_error.unwrap().contains("cut short"));
        std::fs::remove_file(&path).unwrap();
        assert!(ring.reload().is_err());
        file.create(&Ring::create(RingPolicy::default(), NOW.plus(1)).unwrap(), NOW).unwrap();
        let foreign = ring.reload().unwrap_err().to_string();
        assert!(foreign.contains("another ring"), "{foreign}");
        assert_eq!(ring.status().ring, before.ring);
        std::fs::write(&path, &good).unwrap();
        assert_eq!(ring.reload().unwrap(), Reload::Unchanged);
        assert_eq!(ring.status().last_error, None);
    }

    #[test]
    fn a_ring_in_memory_cannot_be_reloaded() {
        let ring = KeyRing::generate().unwrap();
        assert!(matches!(ring.reload(), Err(RingError::InMemory)));
    }
}
