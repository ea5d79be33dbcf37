//! The handle that servers hold: an immutable ring, swapped whole when its file changes.
//!
//! A reader pays one atomic load and sees one ring; a reload reads, validates and derives the whole
//! candidate before it swaps, and keeps the last good ring if anything is wrong with the new one.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use super::at_rest::AtRest;
use super::disk::{self, DiskError};
use super::kek::KekSource;
use super::policy::RingPolicy;
use super::ring::Ring;
use super::ring_file;
use super::rotate::CreateError;
use super::snapshot::{Refusal, Snapshot};
use super::status::{RingReport, RingStatus};
use crate::crypto::{DIGEST_LEN, OsRandom, Random, sha256};
use crate::id::Label;
use crate::time::{Clock, SystemClock, Timestamp};

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
    shared: Arc<Shared>,
}

struct Shared {
    current: ArcSwap<Snapshot>,
    source: Option<PathBuf>,
    at_rest: AtRest,
    clock: Arc<dyn Clock>,
    /// Tells rings apart within the process.
    handle: u64,
    upkeep: Mutex<Upkeep>,
}

/// What only registration and reload touch, one at a time.
struct Upkeep {
    labels: Vec<Label>,
    /// SHA-256 of the whole file as last taken.
    seen: [u8; DIGEST_LEN],
    checked_at: Timestamp,
    last_error: Option<String>,
}

impl KeyRing {
    /// A new ring in memory, lost with the process: for tests.
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn generate() -> Result<Self, RingError> {
        Self::options().generate()
    }

    /// Loads the ring file at `path`. There is no default ring and none is ever made up.
    ///
    /// # Errors
    /// See [`RingFile::read`](super::RingFile::read).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RingError> {
        Self::options().load(path)
    }

    /// For a ring with a clock of its own.
    pub fn options() -> RingOptions {
        RingOptions { clock: None, keks: Vec::new() }
    }

    /// Looks at the file now, and takes it if it is a newer state of this ring.
    ///
    /// # Errors
    /// - the ring was generated in memory
    /// - the file cannot be read, or is not a forward step from the ring in use, which stays
    pub fn reload(&self) -> Result<Reload, RingError> {
        let path = self.shared.source.as_deref().ok_or(RingError::InMemory)?;
        let mut upkeep = self.upkeep();
        let done = self.take(path, &mut upkeep);
        match &done {
            Ok(_) => {
                upkeep.checked_at = self.shared.clock.now();
                upkeep.last_error = None;
            }
            Err(error) => upkeep.blame(error),
        }
        done
    }

    fn take(&self, path: &Path, upkeep: &mut Upkeep) -> Result<Reload, RingError> {
        let bytes = disk::read(path)?;
        let seen = sha256(&bytes);
        if seen == upkeep.seen {
            return Ok(Reload::Unchanged);
        }
        let (ring, digest) = ring_file::parse(path, &bytes, &self.shared.at_rest)?;
        let now = self.shared.clock.now();
        let current = self.shared.current.load();
        if digest == current.digest {
            // The same ring, lying on disk in another way.
            upkeep.seen = seen;
            return Ok(Reload::Unchanged);
        }
        current.accepts(&ring, now).map_err(|refusal| RingError::Refused { path: path.to_owned(), refusal })?;
        let (from, to) = (current.ring.generation, ring.generation);
        if ring.policy.max_token_lifetime < current.ring.policy.max_token_lifetime {
            tracing::warn!(
                seconds = ring.policy.max_token_lifetime,
                "the ring's longest token lifetime was lowered; longer lifetimes are cut to it"
            );
        }
        self.shared.current.store(Arc::new(Snapshot::new(ring, digest, &upkeep.labels, now)));
        upkeep.seen = seen;
        tracing::info!(from, to, "key ring reloaded");
        Ok(Reload::Changed { from, to })
    }

    /// Follows the file from a thread until the returned guard is dropped.
    ///
    /// The file is looked at every `refresh` seconds of the ring's policy, give or take a fifth. A
    /// file that cannot be used is logged, once for each distinct reason, and the last good ring is
    /// kept. For a ring in memory there is nothing to follow.
    pub fn follow(&self) -> Follow {
        let stop = Arc::new(Stop::default());
        let thread = self.shared.source.as_ref().and_then(|_| {
            let (ring, stop) = (self.clone(), Arc::clone(&stop));
            let name = "waxseal-ring".to_owned();
            let spawned = std::thread::Builder::new().name(name).spawn(move || {
                while !stop.wait(ring.pause()) {
                    let _ = ring.reload();
                }
            });
            spawned.inspect_err(|error| tracing::error!(%error, "no thread to follow the key ring")).ok()
        });
        Follow { stop, thread }
    }

    /// How long to wait before the next look: `refresh`, give or take a fifth, so that a fleet does
    /// not read in step.
    fn pause(&self) -> Duration {
        let mut jitter = [0; 2];
        let _ = OsRandom.fill(&mut jitter);
        let refresh = 1000 * self.snapshot().ring.policy.refresh;
        let spread = refresh * 2 / 5 * u64::from(u16::from_le_bytes(jitter)) / u64::from(u16::MAX);
        Duration::from_millis(refresh * 4 / 5 + spread)
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

    /// Derives for `label`, now and at every reload. Asking twice costs nothing.
    pub(crate) fn channel(&self, label: Label) -> Channel {
        let mut upkeep = self.upkeep();
        let index = match upkeep.labels.iter().position(|known| *known == label) {
            Some(index) => index,
            None => {
                upkeep.labels.push(label.clone());
                let wider = self.shared.current.load().with_labels(&upkeep.labels);
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

impl Upkeep {
    fn blame(&mut self, error: &RingError) {
        let text = error.to_string();
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

/// How to load or generate a ring. See [`KeyRing::options`].
#[derive(Clone)]
#[must_use]
pub struct RingOptions {
    clock: Option<Arc<dyn Clock>>,
    keks: Vec<KekSource>,
}

impl RingOptions {
    /// Reads the time from `clock` instead of the machine's, here and in every sealer on this ring.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Expects the ring file to be encrypted under the KEK from `source`. A second source may be given
    /// while one KEK replaces the other.
    pub fn kek(mut self, source: KekSource) -> Self {
        self.keks.push(source);
        self
    }

    /// As [`KeyRing::generate`].
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn generate(self) -> Result<KeyRing, RingError> {
        let policy = RingPolicy::default();
        let clock = self.clock_for(&policy);
        Ok(KeyRing::in_memory(Ring::create(policy, clock.now())?, clock))
    }

    /// As [`KeyRing::load`].
    ///
    /// # Errors
    /// See [`RingFile::read`](super::RingFile::read).
    pub fn load(mut self, path: impl AsRef<Path>) -> Result<KeyRing, RingError> {
        let path = path.as_ref();
        let bytes = disk::read(path)?;
        let at_rest = AtRest::new(std::mem::take(&mut self.keks));
        let (ring, digest) = ring_file::parse(path, &bytes, &at_rest)?;
        let clock = self.clock_for(&ring.policy);
        Ok(KeyRing::new(ring, digest, Some((path.to_owned(), at_rest)), sha256(&bytes), clock))
    }

    fn clock_for(self, policy: &RingPolicy) -> Arc<dyn Clock> {
        self.clock.unwrap_or_else(|| Arc::new(SystemClock::new(Duration::from_secs(policy.skew))))
    }
}

impl fmt::Debug for RingOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingOptions").finish_non_exhaustive()
    }
}

impl KeyRing {
    /// The handle of a ring that has no file.
    pub(crate) fn in_memory(ring: Ring, clock: Arc<dyn Clock>) -> Self {
        let digest = ring.digest();
        Self::new(ring, digest, None, [0; DIGEST_LEN], clock)
    }

    fn new(
        ring: Ring,
        digest: [u8; DIGEST_LEN],
        source: Option<(PathBuf, AtRest)>,
        seen: [u8; DIGEST_LEN],
        clock: Arc<dyn Clock>,
    ) -> Self {
        static HANDLES: AtomicU64 = AtomicU64::new(0);
        let now = clock.now();
        let (source, at_rest) = source.map_or_else(Default::default, |(path, at_rest)| (Some(path), at_rest));
        let upkeep = Upkeep { labels: vec![], seen, checked_at: now, last_error: None };
        let shared = Shared {
            current: ArcSwap::from_pointee(Snapshot::new(ring, digest, &[], now)),
            source,
            at_rest,
            clock,
            handle: HANDLES.fetch_add(1, Ordering::Relaxed),
            upkeep: Mutex::new(upkeep),
        };
        Self { shared: Arc::new(shared) }
    }
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

/// Follows a ring file until it is dropped. See [`KeyRing::follow`].
#[must_use = "the ring is followed only while this guard lives"]
pub struct Follow {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.stop.now();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

/// A flag that can be waited for.
#[derive(Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn now(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits up to `most`; whether it was stopped.
    fn wait(&self, most: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stopped, most, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Why a ring could not be loaded, made or reloaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum RingError {
    /// A ring could not be made.
    Create(CreateError),
    /// The file could not be read.
    Disk(DiskError),
    /// The ring was generated in memory and has no file.
    InMemory,
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

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(error) => error.fmt(f),
            Self::Disk(error) => error.fmt(f),
            Self::InMemory => f.write_str("the ring was generated in memory and has no file to reload"),
            Self::Refused { path, refusal } => {
                write!(f, "ring file {} was refused and the ring in use stays: {refusal}", path.display())
            }
        }
    }
}

impl std::error::Error for RingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Carrier, Mode};
    use crate::keys::RingFile;
    use crate::time::ManualClock;

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn label(purpose: &str) -> Label {
        Label { mode: Mode::Sealed, purpose: purpose.parse().unwrap(), carrier: Carrier::Header }
    }

    fn loaded() -> (tempfile::TempDir, RingFile, KeyRing, Arc<ManualClock>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ring.json");
        let file = RingFile::at(&path);
        file.create(&Ring::create(RingPolicy::default(), NOW).unwrap(), NOW).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(&path).unwrap();
        (directory, file, ring, clock)
    }

    fn rotate(file: &RingFile, now: Timestamp) {
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
    fn a_ring_in_memory_has_nothing_to_follow() {
        let ring = KeyRing::generate().unwrap();
        assert!(matches!(ring.reload(), Err(RingError::InMemory)));
        drop(ring.follow());
    }

    #[test]
    fn following_stops_with_its_guard() {
        let (_directory, _file, ring, _clock) = loaded();
        let follow = ring.follow();
        assert!(follow.thread.is_some());
        drop(follow);
        assert_eq!(Arc::strong_count(&ring.shared), 1);
    }

    #[test]
    fn pauses_are_refresh_give_or_take_a_fifth() {
        let ring = KeyRing::generate().unwrap();
        for _ in 0..100 {
            assert!((Duration::from_secs(12)..=Duration::from_secs(18)).contains(&ring.pause()));
        }
    }
}
