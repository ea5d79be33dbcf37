//! How a list of revocations is made, and every decision that it needs.

use std::path::Path;
use std::time::Duration;

use super::directory::Directory;
use super::error::RevocationsError;
use super::known::Engine;
use super::list::Revocations;
use super::secrets::Secrets;
use super::shared::Store;
use crate::keys::KeyRing;

/// What becomes of sessions when the list is out of date because the others cannot be reached. There is no default: whoever
/// runs the service must choose between two evils.
///
/// Whatever is known to be revoked is refused in either case, and logins go on. A logout is in force here at once; with a directory
/// it is answered 503 until that is back, with Redis it is in this server's spool, and answered as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    pub(super) bound: Duration,
    most: Duration,
}

impl Stale {
    /// Sessions are answered 503 once the list is older than `bound`: three times the [poll](RevocationOptions::poll) (15 seconds
    /// unless set) to 1 hour, in whole seconds, such as 15 minutes. A revoked session is never used for longer than that after its
    /// revocation was [shared](super::Level::Shared), and a store that is away for longer stops the service. A revocation at
    /// [`Level::Local`](super::Level::Local) by a server that cannot reach a Redis server, when others can, holds on those once it is
    /// shared, and no bound applies until then.
    pub const fn refuse_after(bound: Duration) -> Self {
        Self { bound, most: HOUR }
    }

    /// Sessions go on for as long as `bound`, from three times the poll up to 24 hours, though a revocation by another server may not have come. The service
    /// outlives its store, and a stolen session may outlive its logout for as long.
    pub const fn accept_for(bound: Duration) -> Self {
        Self { bound, most: DAY }
    }
}

/// How to make a list. See [`Revocations::options`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RevocationOptions {
    engine: Engine,
    poll: Duration,
    observes: bool,
}

impl RevocationOptions {
    pub(super) const fn new() -> Self {
        Self { engine: Engine::Exact, poll: DEFAULT_POLL, observes: false }
    }

    /// How revoked sessions are looked for. [`Engine::Exact`] unless set; see also [`Revocations::set_engine`].
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// How often a server that follows the list looks for news, give or take a fifth: 1 to 60 seconds, 5 unless set. So long does a
    /// revocation take to reach every server.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// For a tool that is no server of the fleet: it writes what it revokes, and nothing else. It says of itself neither that it lives nor
    /// what it has read, and takes over nothing from others.
    pub fn observe(mut self) -> Self {
        self.observes = true;
        self
    }

    /// As [`Revocations::directory`].
    ///
    /// # Errors
    /// See [`Revocations::directory`].
    pub fn directory(
        self,
        ring: &KeyRing,
        path: impl AsRef<Path>,
        stale: Stale,
    ) -> Result<Revocations, RevocationsError> {
        self.check(stale)?;
        let store = Store::Directory(Box::new(Directory::at(path.as_ref(), self.observes)));
        Revocations::start(ring, store, self.engine, stale.bound, self.poll)
    }

    /// As [`Revocations::redis`].
    ///
    /// # Errors
    /// See [`Revocations::redis`].
    #[cfg(feature = "redis")]
    pub fn redis(
        self,
        ring: &KeyRing,
        url: &str,
        spool: impl AsRef<Path>,
        stale: Stale,
    ) -> Result<Revocations, RevocationsError> {
        self.check(stale)?;
        let secrets = Secrets::of(&ring.snapshot());
        let now = ring.clock().now();
        let redis = super::redis::Redis::at(url, spool.as_ref(), &secrets, self.observes, stale.bound, now)?;
        Revocations::start(ring, Store::Redis(Box::new(redis)), self.engine, stale.bound, self.poll)
    }

    fn check(&self, stale: Stale) -> Result<(), RevocationsError> {
        let whole = |what, value: Duration, least: Duration, most: Duration| {
            let fits = value >= least && value <= most && value.subsec_nanos() == 0;
            if fits { Ok(()) } else { Err(RevocationsError::Range { what, least, most }) }
        };
        self.engine.check()?;
        whole("the poll", self.poll, SECOND, MINUTE)?;
        whole("the bound for stale lists", stale.bound, 3 * self.poll, stale.most)
    }
}

impl Engine {
    pub(super) fn check(self) -> Result<(), RevocationsError> {
        match self {
            Self::Bloom { false_positives } if !(false_positives > 0.0 && false_positives < 1.0) => {
                Err(RevocationsError::Rate)
            }
            Self::Bloom { .. } | Self::Exact => Ok(()),
        }
    }
}

impl Revocations {
    /// A list of this process alone, lost with it: for tests, and for trying out.
    pub fn in_memory(ring: &KeyRing) -> Self {
        Self::start(ring, Store::Memory, Engine::Exact, DAY, DEFAULT_POLL)
            .expect("a list in memory needs nothing that could fail")
    }

    /// The list that servers share in the directory at `path`, on whatever file system all of them mount; or, for a single server,
    /// on its own disk. It must have been set up with `waxseal revocations init` or [`init_directory`](Self::init_directory).
    ///
    /// Loads the list if it can. If it cannot, because nothing is mounted there yet, the server starts all the same:
    /// [`is_ready`](Self::is_ready) is false and sessions are answered 503, until a later look finds it. A path that was mistyped
    /// looks the same: the log says so once, at level error, and so does [`last_error`](super::RevocationStatus::last_error).
    ///
    /// # Errors
    /// - the directory belongs to another ring, or the path is empty
    /// - the bounds are out of range: see [`Stale`] and [`RevocationOptions::poll`]
    /// - no thread can be started
    pub fn directory(ring: &KeyRing, path: impl AsRef<Path>, stale: Stale) -> Result<Self, RevocationsError> {
        Self::options().directory(ring, path, stale)
    }

    /// A list that knows what is revoked by itself, and nothing else.
    #[cfg(test)]
    pub(crate) fn never_loaded(ring: &KeyRing) -> Self {
        let list = Self::in_memory(ring);
        list.shared.loaded.store(false, core::sync::atomic::Ordering::Release);
        list
    }

    /// For a list with settings of its own.
    pub const fn options() -> RevocationOptions {
        RevocationOptions::new()
    }

    /// Sets a directory up for the fleet of `ring`, once. The directory is made if it does not exist.
    ///
    /// # Errors
    /// It is set up already, holds journals, or cannot be written.
    pub fn init_directory(ring: &KeyRing, path: impl AsRef<Path>) -> Result<(), RevocationsError> {
        Ok(Directory::init(path.as_ref(), &Secrets::of(&ring.snapshot()), ring.clock().now())?)
    }
}

#[cfg(feature = "redis")]
impl Revocations {
    /// The list that servers share by a stream of the Redis or Valkey server at `url`, such as `redis://:password@host:6379/0`: one
    /// server, or a master with replicas behind one address, no cluster. It must have been set up with `waxseal revocations init` or
    /// [`init_redis`](Self::init_redis). Its version must be 5 at least and should be 7: before 6.2 the stream is never trimmed, and
    /// before 7 less is noticed of what others remove from it.
    ///
    /// Its maxmemory-policy must not be one that begins with `allkeys-`. The user in the URL needs `GET`, `SET`, `INFO`, `WAIT`, `XADD`,
    /// `XGROUP`, `XINFO`, `XREAD` and `XTRIM` on the keys `waxseal:*`.
    ///
    /// `spool` is a directory of this server's own, on a disk that outlives the process; it is made if there is none. What this
    /// server revokes is there first, so that it lasts though the Redis server is away. A server that was down for longer than a
    /// revocation is [remembered](super::RevocationStatus::retention) comes too late with what it had not shared.
    ///
    /// `rediss://` is refused unless the program itself depends on the crate `redis` 1.x with its feature `tls-native-tls`, or with
    /// `tls-rustls`; the latter panics unless the program has also installed a default `CryptoProvider` of rustls. What is exchanged
    /// is authenticated in any case; who reads along learns session ids, which open nothing, and the password.
    ///
    /// If the server cannot be reached, this one starts all the same: [`is_ready`](Self::is_ready) is false and sessions are answered
    /// 503, until a later look finds it. A name that was mistyped looks the same: the log says so once, at level error, and so does
    /// [`last_error`](super::RevocationStatus::last_error).
    ///
    /// # Errors
    /// - the URL is not one of a server
    /// - the spool belongs to another ring, or cannot be written
    /// - the bounds are out of range: see [`Stale`] and [`RevocationOptions::poll`]
    /// - no thread can be started
    pub fn redis(ring: &KeyRing, url: &str, spool: impl AsRef<Path>, stale: Stale) -> Result<Self, RevocationsError> {
        Self::options().redis(ring, url, spool, stale)
    }

    /// Sets the Redis server at `url` up for the fleet of `ring`, once.
    ///
    /// # Errors
    /// It is set up already, cannot be reached, is no master, or would evict revocations.
    pub fn init_redis(ring: &KeyRing, url: &str) -> Result<(), RevocationsError> {
        Ok(super::redis::Redis::init(url, &Secrets::of(&ring.snapshot()))?)
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const DEFAULT_POLL: Duration = Duration::from_secs(5);
