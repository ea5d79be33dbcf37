//! The changes to a ring: making one, and rotating it.
//!
//! Everything here takes the instant and changes a value; files, clocks and threads are elsewhere.

use core::fmt;

use super::policy::{PolicyError, ROUTINE_KEYS, RingPolicy};
use super::ring::{Key, KeyStatus, MacSecret, RING_ID_LEN, RevocationSecrets, Ring};
use super::role::Role;
use super::secret::{Secret, key_id};
use crate::crypto::{OsRandom, Random, RandomError};
use crate::id::KeyId;
use crate::time::Timestamp;

impl Ring {
    /// A new ring with one active and one staged key.
    ///
    /// # Errors
    /// - the policy cannot work
    /// - the operating system gave no random bytes
    pub fn create(policy: RingPolicy, now: Timestamp) -> Result<Self, CreateError> {
        Self::create_with(policy, now, &OsRandom)
    }

    pub(crate) fn create_with(policy: RingPolicy, now: Timestamp, random: &dyn Random) -> Result<Self, CreateError> {
        policy.check()?;
        let mut id = [0; RING_ID_LEN];
        random.fill(&mut id)?;
        let revocation = RevocationSecrets {
            scope: Secret::generate(random)?,
            mac: vec![MacSecret { current: true, created_at: now, secret: Secret::generate(random)? }],
        };
        let generation = now.as_unix().max(1);
        let none = Timestamp::default();
        let mut ring =
            Self { id, generation, policy, not_before: none, stale_ok_until: none, keys: vec![], revocation };
        // A server whose clock is behind ours must find an active key too.
        let active = ring.stage(now, random)?;
        ring.date(active, Timestamp::from_unix(now.as_unix().saturating_sub(ring.policy.skew)));
        ring.stage(now, random)?;
        Ok(ring)
    }

    /// Dates the staged key and stages another; drops keys that expired.
    ///
    /// Safe to repeat: while a key is scheduled, nothing changes.
    ///
    /// # Errors
    /// - the ring already holds as many keys as a routine rotation may leave
    /// - the operating system gave no random bytes
    pub fn rotate(&mut self, now: Timestamp) -> Result<Rotation, RotateError> {
        self.rotate_with(now, &OsRandom)
    }

    pub(crate) fn rotate_with(&mut self, now: Timestamp, random: &dyn Random) -> Result<Rotation, RotateError> {
        if let Some(key) = self.with_role(Role::Scheduled, now) {
            let at = key.activate_at.unwrap_or(now);
            return Ok(Rotation::AlreadyScheduled { key: key.id, at });
        }
        self.store_supersessions(now);
        self.drop_expired(now);
        if self.keys.iter().filter(|key| key.secret.is_some()).count() >= ROUTINE_KEYS {
            let expiries = self.keys.iter().filter(|key| key.secret.is_some()).filter_map(|key| self.opens_until(key));
            return Err(RotateError::Full { next_expiry: expiries.filter(|&at| at > now).min() });
        }
        let key = self.ensure_staged(now, random)?;
        let at = self.next_date(now);
        self.date(key, at);
        let staged = self.ensure_staged(now, random)?;
        Ok(Rotation::Scheduled { key, at, staged })
    }

    /// The staged key, made if there is none.
    pub(super) fn ensure_staged(&mut self, now: Timestamp, random: &dyn Random) -> Result<KeyId, RandomError> {
        match self.with_role(Role::Staged, now) {
            Some(key) => Ok(key.id),
            None => self.stage(now, random),
        }
    }

    /// Dates a key, and lets it live as long as the policy's tokens do by then.
    pub(super) fn date(&mut self, id: KeyId, at: Timestamp) {
        let lifetime = self.policy.max_token_lifetime;
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.activate_at = Some(at);
            key.max_token_lifetime = key.max_token_lifetime.max(lifetime);
        }
    }

    /// Adds a key without a date.
    pub(super) fn stage(&mut self, now: Timestamp, random: &dyn Random) -> Result<KeyId, RandomError> {
        let (id, secret) = loop {
            let secret = Secret::generate(random)?;
            let id = key_id(&secret.prk());
            if self.keys.iter().all(|key| key.id != id) {
                break (id, secret);
            }
        };
        self.keys.push(Key {
            id,
            status: KeyStatus::Enabled,
            created_at: now,
            activate_at: None,
            superseded_at: None,
            max_token_lifetime: self.policy.max_token_lifetime,
            revoked_at: None,
            reason: None,
            secret: Some(secret),
        });
        Ok(id)
    }

    /// The date for a key scheduled now: after the delay, and after every date in the ring, since an
    /// earlier one would be superseded as soon as that is due.
    fn next_date(&self, now: Timestamp) -> Timestamp {
        let soonest = now.plus(self.policy.activation_delay);
        let latest = self.keys.iter().filter_map(|key| key.activate_at).max();
        latest.map_or(soonest, |latest| soonest.max(latest.plus(1)))
    }

    /// Keeps in each superseded entry since when it is, so that it stays so when its successor is gone.
    pub(super) fn store_supersessions(&mut self, now: Timestamp) {
        for index in 0..self.keys.len() {
            let since = self.superseded_at(&self.keys[index]);
            if since.is_some_and(|at| at <= now) {
                self.keys[index].superseded_at = since;
            }
        }
    }

    /// Drops what expired at least the skew ago: a server whose clock is behind would miss it otherwise.
    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        let surely = Timestamp::from_unix(now.as_unix().saturating_sub(self.policy.skew));
        let expired: Vec<_> =
            self.keys.iter().filter(|key| self.role(key, surely) == Role::Expired).map(|key| key.id).collect();
        self.keys.retain(|key| !expired.contains(&key.id));
    }

    /// The first key of a role by (activation, creation, id).
    pub(super) fn with_role(&self, role: Role, now: Timestamp) -> Option<&Key> {
        let keys = self.keys.iter().filter(|key| self.role(key, now) == role);
        keys.min_by_key(|key| (key.activate_at, key.created_at, key.id))
    }
}

/// What [`Ring::rotate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Nothing: this key is already waiting for its date.
    AlreadyScheduled {
        /// The scheduled key.
        key: KeyId,
        /// When it will seal.
        at: Timestamp,
    },
    /// The staged key has a date now, and another is staged.
    Scheduled {
        /// The key that will seal.
        key: KeyId,
        /// When it will.
        at: Timestamp,
        /// The new staged key.
        staged: KeyId,
    },
}

/// Why a ring could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// The policy cannot work.
    Policy(PolicyError),
    /// The operating system gave no random bytes.
    Random(RandomError),
}

impl From<PolicyError> for CreateError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<RandomError> for CreateError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(error) => error.fmt(f),
            Self::Random(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CreateError {}

/// Why a ring could not be rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotateError {
    /// The ring holds as many keys as a routine rotation may leave.
    Full {
        /// When the first of them expires.
        next_expiry: Option<Timestamp>,
    },
    /// The operating system gave no random bytes.
    Random(RandomError),
}

impl From<RandomError> for RotateError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for RotateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { next_expiry } => {
                write!(f, "the ring holds {ROUTINE_KEYS} keys, and the last two places are kept for an emergency")?;
                next_expiry.map_or(Ok(()), |at| write!(f, "; the next key expires at {at}"))
            }
            Self::Random(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RotateError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use core::sync::atomic::{AtomicU8, Ordering};

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    /// Bytes that differ with every call, the same in every run.
    pub(crate) struct Counted(AtomicU8);

    impl Counted {
        pub(crate) fn from(first: u8) -> Self {
            Self(AtomicU8::new(first))
        }
    }

    impl Random for Counted {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            let step = self.0.fetch_add(1, Ordering::Relaxed);
            bytes.iter_mut().enumerate().for_each(|(index, byte)| *byte = (index * index) as u8 ^ step);
            Ok(())
        }
    }

    struct Broken;

    impl Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }

    pub(crate) fn key(id: u8, activate: Option<u64>) -> Key {
        Key {
            id: KeyId::from_bytes([id; 3]),
            status: KeyStatus::Enabled,
            created_at: Timestamp::from_unix(0),
            activate_at: activate.map(Timestamp::from_unix),
            superseded_at: None,
            max_token_lifetime: 86_400,
            revoked_at: None,
            reason: None,
            secret: None,
        }
    }

    pub(crate) fn ring(keys: Vec<Key>) -> Ring {
        let mut ring = new();
        ring.keys = keys;
        ring
    }

    pub(crate) fn new() -> Ring {
        Ring::create_with(RingPolicy::default(), NOW, &Counted::from(1)).unwrap()
    }

    fn roles(ring: &Ring, now: Timestamp) -> Vec<Role> {
        ring.keys.iter().map(|key| ring.role(key, now)).collect()
    }

    #[test]
    fn a_new_ring_has_an_active_and_a_staged_key() {
        let ring = new();
        assert_eq!(roles(&ring, NOW), [Role::Active, Role::Staged]);
        let behind = Timestamp::from_unix(NOW.as_unix() - 60);
        assert_eq!(ring.active(behind), ring.active(NOW), "a server whose clock is behind seals too");
        assert_eq!(ring.generation, NOW.as_unix());
    }

    #[test]
    fn rotation_schedules_the_staged_key_once() {
        let mut ring = new();
        let random = Counted::from(101);
        let (first, staged) = (ring.keys[0].id, ring.keys[1].id);
        let at = NOW.plus(3600);
        let done = ring.rotate_with(NOW, &random).unwrap();
        assert_eq!(done, Rotation::Scheduled { key: staged, at, staged: ring.keys[2].id });
        assert_eq!(ring.rotate_with(NOW.plus(3599), &random), Ok(Rotation::AlreadyScheduled { key: staged, at }));
        assert_eq!(roles(&ring, NOW), [Role::Active, Role::Scheduled, Role::Staged]);
        assert_eq!(ring.active(NOW.plus(3599)), Some(first));
        assert_eq!(ring.active(at), Some(staged));
        assert_eq!(ring.keys[0].superseded_at, None, "stored once it is due");
        ring.rotate_with(at, &random).unwrap();
        assert_eq!(ring.keys[0].superseded_at, Some(at));
    }

    #[test]
    fn expired_keys_are_dropped_and_a_full_ring_waits() {
        let mut ring = new();
        let random = Counted::from(101);
        let mut now = NOW;
        let mut rotations = 0;
        let full = loop {
            match ring.rotate_with(now, &random) {
                Ok(_) => rotations += 1,
                Err(full) => break full,
            }
            now = now.plus(3600);
        };
        assert_eq!((rotations, ring.keys.len()), (12, 14));
        let expiry = NOW.plus(3600 + 2 * 86_400 + 120);
        assert_eq!(full, RotateError::Full { next_expiry: Some(expiry) });
        assert!(matches!(ring.rotate_with(expiry.plus(60), &random), Ok(Rotation::Scheduled { .. })));
        assert_eq!(ring.keys.len(), 14);
    }

    #[test]
    fn a_date_is_never_before_one_that_is_in_the_ring() {
        let mut ring = new();
        let far = NOW.plus(1_000_000);
        ring.keys.push(Key { status: KeyStatus::Revoked, activate_at: Some(far), ..key(9, None) });
        let done = ring.rotate_with(NOW, &Counted::from(101)).unwrap();
        assert!(matches!(done, Rotation::Scheduled { at, .. } if at == far.plus(1)));
    }

    #[test]
    fn a_lost_staged_key_is_replaced() {
        let mut ring = new();
        ring.keys.pop();
        assert!(matches!(ring.rotate_with(NOW, &Counted::from(101)), Ok(Rotation::Scheduled { .. })));
        assert_eq!(roles(&ring, NOW), [Role::Active, Role::Scheduled, Role::Staged]);
    }

    #[test]
    fn without_randomness_there_is_no_key() {
        assert_eq!(
            Ring::create_with(RingPolicy::default(), NOW, &Broken).unwrap_err(),
            CreateError::Random(RandomError)
        );
        assert_eq!(new().rotate_with(NOW, &Broken), Err(RotateError::Random(RandomError)));
    }

    #[test]
    fn no_secret_is_shown() {
        let ring = new();
        let shown = format!("{ring:?} {:?} {:?}", ring.keys, ring.revocation);
        for key in &ring.keys {
            assert!(!shown.contains(&key.secret.as_ref().unwrap().to_text()[..8]));
        }
    }
}
