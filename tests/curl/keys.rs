//! A ring with a key in every role, and sealers that still have what the server's ring lost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use waxseal::keys::{Ring, RingFile, RingPolicy, Rotation, Sessions};
use waxseal::time::{Clock, SystemClock, Timestamp};
use waxseal::{Carrier, KeyRing, Sealer, SessionState};

use crate::shop::Shop;
use crate::site::{COOKIE, PLAIN_COOKIE};

/// The ring of a server, and what that ring was before.
pub(crate) struct Keys {
    directory: tempfile::TempDir,
    /// As the server has it.
    pub(crate) now: KeyRing,
    /// Before a key was revoked and another disabled.
    pub(crate) before: KeyRing,
    /// Before the last rotation: it still seals under the key that has retired since.
    pub(crate) old: KeyRing,
    /// Of another service.
    pub(crate) other: KeyRing,
}

impl Keys {
    /// Makes a ring as old as the oldest of its dates, with a key in every role.
    pub(crate) fn make() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let save = |name: &str, ring: &Ring| {
            let path = directory.path().join(name);
            RingFile::at(&path).create(ring, now()).unwrap();
            KeyRing::load(path).unwrap()
        };
        let mut ring = Ring::create(policy(), ago(CREATED)).unwrap();
        let other = save("other.json", &Ring::create(policy(), ago(CREATED)).unwrap());
        rotate(&mut ring, REVOKED);
        let revoked = ring.active(ago(REVOKED - DELAY)).unwrap();
        rotate(&mut ring, DISABLED);
        let disabled = ring.active(ago(DISABLED - DELAY)).unwrap();
        rotate(&mut ring, RETIRING);
        let old = save("old.json", &ring);
        rotate(&mut ring, ACTIVE);
        let before = save("before.json", &ring);
        ring.revoke(revoked, None, Some(Sessions::Keep), now()).unwrap();
        ring.disable(disabled, now()).unwrap();
        let now = save(RING, &ring);
        Self { directory, now, before, old, other }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The server's ring file.
    pub(crate) fn ring(&self) -> PathBuf {
        self.directory.path().join(RING)
    }

    /// A good token of `user` in the cookie.
    pub(crate) fn cookie(&self, user: &str) -> String {
        mint(&sealer(&self.now, &cookie()), user, now())
    }

    /// A good bearer token of `user`.
    pub(crate) fn bearer(&self, user: &str) -> String {
        mint(&sealer(&self.now, &Carrier::Header), user, now())
    }

    /// A token of ada that is good and due for renewal.
    pub(crate) fn due(&self, carrier: &Carrier) -> String {
        mint(&sealer(&self.now, carrier), "ada", ago(500))
    }

    /// A token of ada under the key that is disabled.
    pub(crate) fn disabled(&self, carrier: &Carrier) -> String {
        mint(&sealer(&self.before, carrier), "ada", ago(UNDER_DISABLED))
    }
}

/// A token of a new session of `user`, as if it were `at`.
pub(crate) fn mint(sealer: &Sealer<Shop>, user: &str, at: Timestamp) -> String {
    sealer.with(&[]).at(at).start(&Shop::of(user.into())).unwrap().into_string()
}

/// A sealer such as the server has.
pub(crate) fn sealer<T: SessionState>(ring: &KeyRing, carrier: &Carrier) -> Sealer<T> {
    Sealer::builder(ring, "session").carrier(carrier.clone()).build().unwrap()
}

pub(crate) fn cookie() -> Carrier {
    Carrier::cookie(COOKIE).unwrap()
}

/// The cookie of a server without HTTPS.
pub(crate) fn plain_cookie() -> Carrier {
    Carrier::cookie(PLAIN_COOKIE).unwrap()
}

fn rotate(ring: &mut Ring, seconds_ago: u64) {
    let rotation = ring.rotate(ago(seconds_ago)).unwrap();
    assert!(matches!(rotation, Rotation::Scheduled { .. }), "{rotation:?}");
}

pub(crate) fn now() -> Timestamp {
    SystemClock::new(Duration::from_secs(2)).now()
}

pub(crate) fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_unix(now().as_unix() - seconds)
}

/// The quickest rotations that there may be.
fn policy() -> RingPolicy {
    let mut policy = RingPolicy::default();
    (policy.refresh, policy.distribution, policy.skew, policy.activation_delay) = (1, 0, 2, DELAY);
    (policy.max_token_lifetime, policy.late, policy.rotate_every) = (3_600, 60, 600);
    policy
}

const RING: &str = "ring.json";

/// From a rotation to the date on which the new key begins to seal, in seconds.
const DELAY: u64 = 7;

/// How many seconds ago each key was scheduled. The first, made with the ring, has expired since.
const CREATED: u64 = 5_000;
const REVOKED: u64 = 4_500;
const DISABLED: u64 = 2_400;
const RETIRING: u64 = 1_800;
const ACTIVE: u64 = 1_200;

/// How many seconds ago each key was sealing.
pub(crate) const UNDER_EXPIRED: u64 = CREATED - 100;
pub(crate) const UNDER_REVOKED: u64 = REVOKED - 2_000;
const UNDER_DISABLED: u64 = DISABLED - 100;
pub(crate) const UNDER_RETIRING: u64 = RETIRING - 100;
