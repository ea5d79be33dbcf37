//! How a server comes by its ring: from a file, under conditions, or made up in memory for a test.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::at_rest::AtRest;
use super::disk;
use super::kek::KekSource;
use super::policy::RingPolicy;
use super::remembered::StateFile;
use super::ring::Ring;
use super::ring_file;
use super::shared::{KeyRing, RingError, Source, Unexpected};
use crate::crypto::{DIGEST_LEN, sha256};
use crate::text::hex;
use crate::time::{Clock, SystemClock, Timestamp};

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

    /// For a ring with a clock of its own, encrypted at rest, or under conditions.
    pub fn options() -> RingOptions {
        RingOptions::default()
    }
}

/// How to load or generate a ring. See [`KeyRing::options`].
#[derive(Clone, Default)]
#[must_use]
pub struct RingOptions {
    clock: Option<Arc<dyn Clock>>,
    keks: Vec<KekSource>,
    ring_id: Option<String>,
    least_generation: u64,
    state: Option<PathBuf>,
    accepted: Option<String>,
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

    /// Takes no other ring than the one with this id, 32 lowercase hexadecimal digits: a ring that was
    /// made on this host by mistake, or copied from another fleet, is refused.
    pub fn expect_ring(mut self, ring_id: &str) -> Self {
        self.ring_id = Some(ring_id.to_owned());
        self
    }

    /// Takes no ring of a lower generation, where there is no state file yet.
    pub fn min_generation(mut self, generation: u64) -> Self {
        self.least_generation = generation;
        self
    }

    /// Remembers generation and revoked keys in the file at `path`, so that a restart takes no older
    /// ring. The file is this server's own, holds no secret, and is written when the ring changes.
    pub fn state(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(path.into());
        self
    }

    /// Takes the one ring file that ends with this digest (`sha256:` and 64 hexadecimal digits) though
    /// it goes back: for a backup that was restored on purpose.
    pub fn accept_digest(mut self, digest: &str) -> Self {
        self.accepted = Some(digest.strip_prefix("sha256:").unwrap_or(digest).to_owned());
        self
    }

    /// As [`KeyRing::generate`].
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn generate(self) -> Result<KeyRing, RingError> {
        let policy = RingPolicy::default();
        let clock = self.clock_for(&policy);
        let ring = Ring::create(policy, clock.now())?;
        Ok(Self::in_memory(ring, clock))
    }

    /// The handle of a ring that has no file.
    pub(crate) fn in_memory(ring: Ring, clock: Arc<dyn Clock>) -> KeyRing {
        let digest = ring.digest();
        KeyRing::new(ring, digest, None, [0; DIGEST_LEN], clock)
    }

    /// As [`KeyRing::load`].
    ///
    /// # Errors
    /// - see [`RingFile::read`](super::RingFile::read)
    /// - the ring is not the one expected here, or older than what this server remembers
    pub fn load(mut self, path: impl AsRef<Path>) -> Result<KeyRing, RingError> {
        let path = path.as_ref();
        let bytes = disk::read(path)?;
        let at_rest = AtRest::new(std::mem::take(&mut self.keks));
        let (ring, digest) = ring_file::parse(path, &bytes, &at_rest)?;
        let clock = self.clock_for(&ring.policy);
        let state = self.state.take().map(StateFile::at);
        let source = Source { path: path.to_owned(), at_rest, state, accepted: self.accepted.take() };
        self.check(&ring, &source, &digest, clock.now())
            .map_err(|why| RingError::NotExpected { path: path.to_owned(), why })?;
        Ok(KeyRing::new(ring, digest, Some(source), sha256(&bytes), clock))
    }

    fn check(&self, ring: &Ring, source: &Source, digest: &[u8; DIGEST_LEN], now: Timestamp) -> Result<(), Unexpected> {
        let found = hex(&ring.id);
        if self.ring_id.as_ref().is_some_and(|expected| *expected != found) {
            return Err(Unexpected::Ring { found });
        }
        if source.accepts(digest) {
            return Ok(());
        }
        if ring.generation < self.least_generation {
            return Err(Unexpected::Generation { found: ring.generation, least: self.least_generation });
        }
        let remembered = source.state.as_ref().map(StateFile::read).transpose().map_err(Unexpected::State)?;
        match remembered.flatten() {
            Some(remembered) => remembered.allows(ring, digest, now).map_err(Unexpected::Remembered),
            None => Ok(()),
        }
    }

    fn clock_for(&self, policy: &RingPolicy) -> Arc<dyn Clock> {
        self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new(Duration::from_secs(policy.skew))))
    }
}

impl fmt::Debug for RingOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingOptions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::shared::tests::{NOW, loaded, rotate};
    use crate::keys::{DiskError, RingFile};
    use crate::time::ManualClock;

    fn options() -> RingOptions {
        KeyRing::options().clock(ManualClock::at(NOW))
    }

    fn why(result: Result<KeyRing, RingError>) -> Unexpected {
        match result {
            Err(RingError::NotExpected { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_can_name_the_ring_and_the_generation_it_starts_with() {
        let (_directory, file, ring, _clock) = loaded();
        let id = ring.status().ring.ring_id;
        assert!(options().expect_ring(&id).min_generation(NOW.as_unix()).load(file.path()).is_ok());
        let other = "0".repeat(32);
        assert_eq!(why(options().expect_ring(&other).load(file.path())), Unexpected::Ring { found: id });
        let least = NOW.as_unix() + 1;
        let found = NOW.as_unix();
        assert_eq!(why(options().min_generation(least).load(file.path())), Unexpected::Generation { found, least });
    }

    #[test]
    fn a_restart_takes_no_older_ring_and_no_revoked_key() {
        let (directory, file, _ring, _clock) = loaded();
        let state = directory.path().join("state.json");
        let backup = std::fs::read(file.path()).unwrap();
        let with_state = || options().state(&state).load(file.path());
        let ring = with_state().unwrap();
        rotate(&file, NOW);
        ring.reload().unwrap();
        let active = ring.active().unwrap();
        file.update(NOW, "revoke", |ring| {
            ring.revoke(active, None, None, NOW).unwrap();
            Ok::<_, DiskError>(((), true))
        })
        .unwrap();
        ring.reload().unwrap();
        let (old, new) = (NOW.as_unix() + 2, NOW.as_unix());
        overwrite(&file, &backup);
        assert_eq!(why(with_state()), Unexpected::Remembered(crate::keys::Refusal::Older { old, new }));
        for _ in 0..3 {
            rotate(&file, NOW.plus(10));
        }
        let revived = why(with_state());
        assert_eq!(revived, Unexpected::Remembered(crate::keys::Refusal::Tombstone { id: active }));
        let digest = file.report(NOW).unwrap().digest;
        assert!(options().state(&state).accept_digest(&digest).load(file.path()).is_ok());
    }

    #[test]
    fn a_restart_takes_no_fork_and_lowers_no_cut_off() {
        let (directory, file, ring, _clock) = loaded();
        let state = directory.path().join("state.json");
        let with_state = || options().state(&state).load(file.path());
        let change = |at: Timestamp, cut: bool| {
            file.update(at, "test", |ring| {
                if cut {
                    ring.set_not_before(NOW, NOW).unwrap();
                }
                Ok::<_, DiskError>(((), true))
            })
            .unwrap();
        };
        let before = std::fs::read(file.path()).unwrap();
        change(NOW, true);
        with_state().unwrap();
        overwrite(&file, &before);
        change(NOW, false);
        let generation = NOW.as_unix() + 1;
        let fork = crate::keys::Refusal::Fork { generation };
        assert_eq!(why(with_state()), Unexpected::Remembered(fork));
        change(NOW, false);
        assert_eq!(why(with_state()), Unexpected::Remembered(crate::keys::Refusal::NotBefore));
        drop(ring);
    }

    #[test]
    fn a_state_file_that_cannot_be_read_is_no_reason_to_forget() {
        let (directory, file, _ring, _clock) = loaded();
        let state = directory.path().join("state.json");
        options().state(&state).load(file.path()).unwrap();
        overwrite(&RingFile::at(&state), b"{");
        assert!(matches!(why(options().state(&state).load(file.path())), Unexpected::State(_)));
    }

    fn overwrite(file: &RingFile, bytes: &[u8]) {
        std::fs::write(file.path(), bytes).unwrap();
    }
}
