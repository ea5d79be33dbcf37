//! One server on a ring file that its admin writes, both under one clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use waxseal::keys::{ChangeError, Reload, Ring, RingError, RingFile, RingOptions, RingPolicy, Role};
use waxseal::session::Reason;
use waxseal::time::{Clock, ManualClock, Timestamp};
use waxseal::{KeyId, KeyRing, Sealer, Token};

use super::testkit::ring::digested;
use super::{NOW, User, at, put, sealer};

/// A server, its admin, their clock and their disk.
pub(crate) struct Desk {
    pub(crate) file: RingFile,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ring: KeyRing,
    pub(crate) sealer: Sealer<User>,
    directory: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(RingPolicy::default())
    }

    pub(crate) fn with(policy: RingPolicy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        file.create(&Ring::create(policy, at(NOW)).unwrap(), at(NOW)).unwrap();
        Self::on(directory, file)
    }

    /// A desk on the bytes of a ring file.
    pub(crate) fn holding(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        put(file.path(), bytes);
        Self::on(directory, file)
    }

    fn on(directory: tempfile::TempDir, file: RingFile) -> Self {
        let clock = Arc::new(ManualClock::at(at(NOW)));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(file.path()).unwrap();
        Self { sealer: sealer(&ring), file, clock, ring, directory }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The admin changes the ring; the server has not looked yet.
    pub(crate) fn change<A>(
        &self,
        verb: &str,
        change: impl FnOnce(&mut Ring, Timestamp) -> Result<A, ChangeError>,
    ) -> Result<A, ChangeError> {
        super::change(&self.file, self.now(), verb, change)
    }

    /// The admin rotates and the server follows.
    pub(crate) fn rotate(&self) {
        self.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
        self.follow();
    }

    /// The server takes a ring that changed.
    pub(crate) fn follow(&self) {
        assert!(matches!(self.ring.reload(), Ok(Reload::Changed { .. })), "{:?}", self.ring.status().last_error);
    }

    /// The server refuses what lies there now, says so, and goes on with the ring it has.
    pub(crate) fn refuses(&self) -> RingError {
        let before = self.ring.status();
        let error = self.ring.reload().unwrap_err();
        let after = self.ring.status();
        assert_eq!(after.ring, before.ring);
        assert_eq!(after.last_error, Some(error.to_string()), "the alarm");
        error
    }

    /// The first key of a role in the admin's ring.
    pub(crate) fn key(&self, role: Role) -> KeyId {
        let report = self.file.report(self.now()).unwrap();
        report.keys.iter().find(|key| key.role == role).unwrap_or_else(|| panic!("no key is {role}")).id
    }

    /// Starts another server on the same file.
    pub(crate) fn start(&self, options: RingOptions) -> Result<KeyRing, RingError> {
        options.clock(Arc::clone(&self.clock)).load(self.file.path())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file.path()).unwrap()
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        put(self.file.path(), bytes);
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn mint(&self) -> Token {
        self.sealer.start(&User { number: 7 }).unwrap()
    }

    pub(crate) fn opens(&self, token: impl AsRef<[u8]>) -> Result<(), Reason> {
        self.sealer.open(token).map(drop).map_err(|error| error.reason())
    }
}

/// The bytes of a ring file with its members changed, and the digest that belongs to them.
pub(crate) fn edited(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    json.as_object_mut().unwrap().remove("digest");
    edit(&mut json);
    let text = json.to_string();
    digested(text.strip_suffix('}').unwrap()).into_bytes()
}

/// Makes a ring file look newer than it is.
pub(crate) fn newer(json: &mut serde_json::Value) {
    let generation = json["generation"].as_u64().unwrap();
    json["generation"] = (generation + 1_000).into();
}
