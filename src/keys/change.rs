//! What an operator does to a ring beside rotating it: promote, disable, enable, revoke, cut off, prune.
//!
//! Pure like `rotate`: each takes the instant, changes a value and says what it did.

use core::fmt;

use super::policy::RingPolicy;
use super::ring::{Key, KeyStatus, MacSecret, RevocationSecrets, Ring};
use super::role::Role;
use super::secret::Secret;
use crate::crypto::{OsRandom, Random, RandomError};
use crate::id::KeyId;
use crate::time::Timestamp;

impl Ring {
    /// Dates a staged key, or gives a scheduled one another date.
    ///
    /// Without `at`, the key seals from now on. A key that servers may not have yet is refused unless
    /// `force` is set: tokens sealed under it would be refused by them.
    ///
    /// # Errors
    /// - there is no such key, or it is neither staged nor scheduled
    /// - the date is in the past, or not after every other date in the ring
    /// - the key is too young for every server to have it
    pub fn promote(
        &mut self,
        id: KeyId,
        at: Option<Timestamp>,
        force: bool,
        now: Timestamp,
    ) -> Result<Promotion, ChangeError> {
        let key = self.require(id)?;
        if !matches!(self.role(key, now), Role::Staged | Role::Scheduled) {
            return Err(ChangeError::Role { id, role: self.role(key, now) });
        }
        let at = at.unwrap_or(now);
        let known_everywhere = key.created_at.plus(self.policy.shortest_activation_delay());
        if at < now {
            return Err(ChangeError::Past { at });
        }
        if at < known_everywhere && !force {
            return Err(ChangeError::TooYoung { id, until: known_everywhere });
        }
        let others = self.keys.iter().filter(|key| key.id != id);
        if let Some(latest) = others.filter_map(|key| key.activate_at).max().filter(|&latest| latest >= at) {
            return Err(ChangeError::NotTheLast { at, latest });
        }
        self.store_supersessions(now);
        self.date(id, at);
        let staged = self.ensure_staged(now, &OsRandom)?;
        Ok(Promotion { key: id, at, staged })
    }

    /// Switches a key off, reversibly: its tokens are answered with 503 until it is enabled again.
    ///
    /// If that leaves no key to seal, the next one takes over at once.
    ///
    /// # Errors
    /// - there is no such key, or it is revoked or expired
    pub fn disable(&mut self, id: KeyId, now: Timestamp) -> Result<Option<Promotion>, ChangeError> {
        self.disable_with(id, now, &OsRandom)
    }

    fn disable_with(
        &mut self,
        id: KeyId,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<Promotion>, ChangeError> {
        let role = self.role(self.require(id)?, now);
        if matches!(role, Role::Revoked | Role::Expired | Role::Disabled) {
            return Err(ChangeError::Role { id, role });
        }
        let fell = self.fell(self.require(id)?, now);
        self.store_supersessions(now);
        self.edit(id, |key| {
            key.status = KeyStatus::Disabled;
            key.activate_at = key.activate_at.filter(|&at| at <= now);
        });
        // No further back: what was sealed under the key after that date would not open once it is enabled.
        self.succeed(fell, 0, now, random)
    }

    /// Switches a key on again. One that was superseded meanwhile opens, and never seals again.
    ///
    /// # Errors
    /// - there is no such key, or it is not disabled
    pub fn enable(&mut self, id: KeyId, now: Timestamp) -> Result<Role, ChangeError> {
        let role = self.role(self.require(id)?, now);
        if role != Role::Disabled {
            return Err(ChangeError::Role { id, role });
        }
        self.edit(id, |key| key.status = KeyStatus::Enabled);
        Ok(self.role(self.require(id)?, now))
    }

    /// Ends a key for good: its secret is wiped and a tombstone stays. If it was the one that seals,
    /// the next takes over at once.
    ///
    /// Whoever had the secret may have made sessions with it. If a successor has sealed already, such
    /// sessions may have been renewed under it, so `sessions` must say whether all sessions end.
    ///
    /// # Errors
    /// - there is no such key, or it is revoked already
    /// - a successor has sealed and `sessions` is `None`
    /// - the reason is longer than 200 bytes or holds control characters
    pub fn revoke(
        &mut self,
        id: KeyId,
        reason: Option<&str>,
        sessions: Option<Sessions>,
        now: Timestamp,
    ) -> Result<Revocation, ChangeError> {
        self.revoke_with(id, reason, sessions, now, &OsRandom)
    }

    fn revoke_with(
        &mut self,
        id: KeyId,
        reason: Option<&str>,
        sessions: Option<Sessions>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Revocation, ChangeError> {
        let key = self.require(id)?;
        if key.status == KeyStatus::Revoked {
            return Err(ChangeError::Role { id, role: Role::Revoked });
        }
        let successor_sealed = self.superseded_at(key).is_some_and(|at| at <= now);
        if successor_sealed && sessions.is_none() {
            return Err(ChangeError::SessionsUnsaid { id });
        }
        check_reason(reason)?;
        let fell = self.fell(key, now);
        self.forget_old(now);
        self.store_supersessions(now);
        self.bury(id, reason, now);
        let promoted = self.succeed(fell, EMERGENCY_BACK, now, random)?;
        if sessions == Some(Sessions::End) {
            self.cut_off(now);
        }
        Ok(Revocation { revoked: vec![id], promoted, sessions_ended: sessions == Some(Sessions::End) })
    }

    /// Replaces every key, staged ones included, and the secrets of revocation, and ends all sessions:
    /// for a ring file that leaked.
    ///
    /// # Errors
    /// - the reason is longer than 200 bytes or holds control characters
    /// - the operating system gave no random bytes
    pub fn revoke_all(&mut self, reason: Option<&str>, now: Timestamp) -> Result<Revocation, ChangeError> {
        check_reason(reason)?;
        self.forget_old(now);
        self.store_supersessions(now);
        let living: Vec<_> = self.keys.iter().filter(|key| key.secret.is_some()).map(|key| key.id).collect();
        living.iter().for_each(|&id| self.bury(id, reason, now));
        let id = self.stage(now, &OsRandom)?;
        let at = self.emergency_date(EMERGENCY_BACK, now);
        self.date(id, at);
        let staged = self.ensure_staged(now, &OsRandom)?;
        self.revocation = RevocationSecrets {
            scope: Secret::generate(&OsRandom)?,
            mac: vec![MacSecret { current: true, created_at: now, secret: Secret::generate(&OsRandom)? }],
        };
        self.cut_off(now);
        let promoted = Some(Promotion { key: id, at, staged });
        Ok(Revocation { revoked: living, promoted, sessions_ended: true })
    }

    /// Ends every session that started at or before `at`.
    ///
    /// # Errors
    /// - `at` is ahead of now: it would end sessions that do not exist yet
    /// - `at` is not later than the cut-off in force
    pub fn set_not_before(&mut self, at: Timestamp, now: Timestamp) -> Result<(), ChangeError> {
        if at > now {
            return Err(ChangeError::Ahead { at });
        }
        if at <= self.not_before {
            return Err(ChangeError::NotLater { at, in_force: self.not_before });
        }
        self.not_before = at;
        Ok(())
    }

    /// Accepts a stale list of revocations until `until`; `None` takes that back.
    ///
    /// # Errors
    /// `until` is more than 24 hours from now.
    pub fn set_stale_ok(&mut self, until: Option<Timestamp>, now: Timestamp) -> Result<(), ChangeError> {
        match until {
            Some(until) if until > now.plus(MAX_STALE_OK) => Err(ChangeError::StaleTooLong),
            until => {
                self.stale_ok_until = until.unwrap_or_default();
                Ok(())
            }
        }
    }

    /// Changes the policy. No key's own longest lifetime is ever shortened.
    ///
    /// # Errors
    /// The policy cannot work.
    pub fn set_policy(&mut self, policy: RingPolicy, now: Timestamp) -> Result<(), ChangeError> {
        policy.check().map_err(ChangeError::Policy)?;
        self.store_supersessions(now);
        for index in 0..self.keys.len() {
            if matches!(self.role(&self.keys[index], now), Role::Active | Role::Scheduled | Role::Staged) {
                let key = &mut self.keys[index];
                key.max_token_lifetime = key.max_token_lifetime.max(policy.max_token_lifetime);
            }
        }
        self.policy = policy;
        Ok(())
    }

    /// Drops keys that no living token can need and tombstones older than a year; what went.
    pub fn prune(&mut self, now: Timestamp) -> Vec<KeyId> {
        let before: Vec<_> = self.keys.iter().map(|key| key.id).collect();
        self.store_supersessions(now);
        self.drop_expired(now);
        self.forget_old(now);
        before.into_iter().filter(|id| self.keys.iter().all(|key| key.id != *id)).collect()
    }

    /// Drops one key, if no living token can need it.
    ///
    /// # Errors
    /// - there is no such key
    /// - it is not expired, or a tombstone younger than a year
    pub fn prune_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), ChangeError> {
        self.store_supersessions(now);
        let key = self.require(id)?;
        let (role, until) = (self.role(key, now), self.kept_until(key));
        if until.is_none_or(|until| until > now) {
            return Err(ChangeError::Retained { id, role, until });
        }
        self.keys.retain(|key| key.id != id);
        Ok(())
    }

    /// From when an entry may be dropped; `None` while nothing supersedes it.
    fn kept_until(&self, key: &Key) -> Option<Timestamp> {
        match key.revoked_at {
            Some(at) => Some(at.plus(TOMBSTONE_KEPT)),
            None => Some(self.opens_until(key)?.plus(self.policy.skew)),
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.keys.retain(|key| key.revoked_at.is_none_or(|at| at.plus(TOMBSTONE_KEPT) > now));
    }

    fn cut_off(&mut self, now: Timestamp) {
        self.not_before = self.not_before.max(now);
    }

    fn bury(&mut self, id: KeyId, reason: Option<&str>, now: Timestamp) {
        self.edit(id, |key| {
            key.status = KeyStatus::Revoked;
            key.activate_at = key.activate_at.filter(|&at| at <= now);
            key.secret = None;
            key.revoked_at = Some(now);
            key.reason = reason.map(str::to_owned);
        });
    }

    /// Lets the next key take over from one that no longer can, and keeps one staged.
    ///
    /// From the active key, at once. From a scheduled one, on its date, which that key gives up: as an
    /// entry with a date it would supersede the active key and seal nothing.
    fn succeed(
        &mut self,
        fell: Fell,
        back: u64,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<Promotion>, ChangeError> {
        let mut staged = self.ensure_staged(now, random)?;
        let (key, at) = match fell {
            Fell::Active => {
                let scheduled = self.with_role(Role::Scheduled, now).map(|key| key.id);
                (scheduled.unwrap_or(staged), self.emergency_date(back, now))
            }
            Fell::Scheduled { at } => (staged, at),
            Fell::Other => return Ok(None),
        };
        self.date(key, at);
        if key == staged {
            staged = self.ensure_staged(now, random)?;
        }
        Ok(Some(Promotion { key, at, staged }))
    }

    /// What falls with `key`.
    fn fell(&self, key: &Key, now: Timestamp) -> Fell {
        match (self.role(key, now), key.activate_at) {
            (Role::Active, _) => Fell::Active,
            (Role::Scheduled, Some(at)) => Fell::Scheduled { at },
            _ => Fell::Other,
        }
    }

    /// The date of a key that takes over in an emergency: the skew and `back` seconds ago, so that a
    /// server whose clock is behind has a key that seals, but after every date that is due. (So a key
    /// that falls in the very second of its date leaves one second in which nothing seals.)
    fn emergency_date(&self, back: u64, now: Timestamp) -> Timestamp {
        let soonest = Timestamp::from_unix(now.as_unix().saturating_sub(self.policy.skew + back));
        let due = self.keys.iter().filter_map(|key| key.activate_at).filter(|&at| at <= now).max();
        due.map_or(soonest, |due| soonest.max(due.plus(1)))
    }

    fn require(&self, id: KeyId) -> Result<&Key, ChangeError> {
        self.keys.iter().find(|key| key.id == id).ok_or(ChangeError::NoSuchKey { id })
    }

    fn edit(&mut self, id: KeyId, change: impl FnOnce(&mut Key)) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.id == id) {
            change(key);
        }
    }
}

fn check_reason(reason: Option<&str>) -> Result<(), ChangeError> {
    let wrong = |reason: &str| reason.len() > super::file::MAX_REASON_LEN || reason.contains(char::is_control);
    if reason.is_some_and(wrong) { Err(ChangeError::Reason) } else { Ok(()) }
}

/// What an entry was to do when it fell.
enum Fell {
    Active,
    Scheduled { at: Timestamp },
    Other,
}

/// Whether all sessions end with a revoked key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// All sessions that started until now end.
    End,
    /// Sessions go on; forged ones that were renewed under a good key do as well.
    Keep,
}

/// A key that was given a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The key.
    pub key: KeyId,
    /// From when it seals.
    pub at: Timestamp,
    /// The key that is staged now.
    pub staged: KeyId,
}

/// What a revocation of keys did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The keys that are tombstones now.
    pub revoked: Vec<KeyId>,
    /// The key that took over, if one had to.
    pub promoted: Option<Promotion>,
    /// Whether all sessions ended.
    pub sessions_ended: bool,
}

/// Why a ring was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// A cut-off ahead of the clock.
    Ahead {
        /// The cut-off asked for.
        at: Timestamp,
    },
    /// The ring has no such key.
    NoSuchKey {
        /// The key asked for.
        id: KeyId,
    },
    /// A cut-off that is not later than the one in force.
    NotLater {
        /// The cut-off asked for.
        at: Timestamp,
        /// The one in force.
        in_force: Timestamp,
    },
    /// A date that another key's date would supersede.
    NotTheLast {
        /// The date asked for.
        at: Timestamp,
        /// The latest in the ring.
        latest: Timestamp,
    },
    /// A date in the past.
    Past {
        /// The date asked for.
        at: Timestamp,
    },
    /// The policy cannot work.
    Policy(super::policy::PolicyError),
    /// The operating system gave no random bytes.
    Random(RandomError),
    /// The reason is too long or not printable.
    Reason,
    /// Living tokens may need the key.
    Retained {
        /// The key.
        id: KeyId,
        /// What it does now.
        role: Role,
        /// From when it may go.
        until: Option<Timestamp>,
    },
    /// The key is in a role to which this cannot be done.
    Role {
        /// The key.
        id: KeyId,
        /// What it does now.
        role: Role,
    },
    /// It must be said whether sessions end.
    SessionsUnsaid {
        /// The key.
        id: KeyId,
    },
    /// A stale list of revocations for longer than a day.
    StaleTooLong,
    /// Servers may not have the key yet.
    TooYoung {
        /// The key.
        id: KeyId,
        /// When every server has it.
        until: Timestamp,
    },
}

impl From<RandomError> for ChangeError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { at } => write!(
                f,
                "a cut-off at {at} lies ahead and would end sessions not begun yet; name an instant until now"
            ),
            Self::NoSuchKey { id } => write!(f, "the ring has no key {id}; see `waxseal keys list`"),
            Self::NotLater { at, in_force } => {
                write!(f, "a cut-off at {at} is not later than {in_force}, which is in force")
            }
            Self::NotTheLast { at, latest } => {
                write!(f, "a key dated {at} would be superseded at once by one dated {latest}; name a later date")
            }
            Self::Past { at } => write!(f, "{at} is in the past; a key seals from a date ahead, or from now"),
            Self::Policy(error) => error.fmt(f),
            Self::Random(error) => error.fmt(f),
            Self::Reason => f.write_str("a reason is at most 200 bytes without control characters"),
            Self::Retained { id, role, until: Some(until) } => {
                write!(f, "key {id} is {role} and may be needed until {until}")
            }
            Self::Retained { id, role, until: None } => write!(f, "key {id} is {role} and in use"),
            Self::Role { id, role } => write!(f, "key {id} is {role}, so this cannot be done to it"),
            Self::SessionsUnsaid { id } => write!(
                f,
                "a successor of key {id} has sealed already, so forged sessions may live on under a good key: say whether all sessions end or are kept"
            ),
            Self::StaleTooLong => f.write_str("a stale list of revocations is accepted for at most 24 hours"),
            Self::TooYoung { id, until } => write!(
                f,
                "key {id} may not have reached every server before {until}; wait, or force it and lose sessions on servers without it"
            ),
        }
    }
}

impl std::error::Error for ChangeError {}

/// How long a writer keeps a tombstone, in seconds: a day longer than readers ask for.
const TOMBSTONE_KEPT: u64 = 366 * 86_400;

/// How far back the successor of a revoked key is dated, in seconds: a day, so that logins go on though
/// the writer's clock is a day ahead of the fleet's.
const EMERGENCY_BACK: u64 = 86_400;

/// The longest that a stale list of revocations may be accepted, in seconds.
const MAX_STALE_OK: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotate::tests::{Counted, new};

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn roles(ring: &Ring, now: Timestamp) -> Vec<Role> {
        ring.keys.iter().map(|key| ring.role(key, now)).collect()
    }

    fn rotated() -> Ring {
        let mut ring = new();
        ring.rotate_with(NOW, &Counted::from(101)).unwrap();
        ring
    }

    fn id(ring: &Ring, index: usize) -> KeyId {
        ring.keys[index].id
    }

    /// Every change keeps these.
    fn check(ring: &Ring, now: Timestamp) {
        for at in [now, now.plus(3600), now.plus(100_000)] {
            assert!(ring.active(at).is_some(), "nothing seals at {at}: {:?}", ring.keys);
        }
        assert!(roles(ring, now).contains(&Role::Staged), "nothing is staged");
        assert!(Ring::from_file(&ring.to_file()).is_ok());
    }

    #[test]
    fn a_staged_key_is_promoted_once_every_server_has_it() {
        let mut ring = new();
        let staged = id(&ring, 1);
        let until = NOW.plus(756);
        assert_eq!(ring.promote(staged, None, false, NOW), Err(ChangeError::TooYoung { id: staged, until }));
        assert!(ring.promote(staged, None, false, until).is_ok());
        assert_eq!(ring.active(until), Some(staged));
        check(&ring, until);
        let mut ring = new();
        assert!(ring.promote(staged, None, true, NOW).is_ok());
        assert_eq!(ring.active(NOW), Some(staged));
        check(&ring, NOW);
    }

    #[test]
    fn a_promotion_that_could_not_last_is_refused() {
        let mut ring = rotated();
        let (active, scheduled, staged) = (id(&ring, 0), id(&ring, 1), id(&ring, 2));
        let latest = NOW.plus(3600);
        let none = KeyId::from_bytes([0; 3]);
        let promote = |ring: &mut Ring, id, at: Option<u64>| ring.promote(id, at.map(|at| NOW.plus(at)), true, NOW);
        assert_eq!(promote(&mut ring, none, None), Err(ChangeError::NoSuchKey { id: none }));
        assert_eq!(promote(&mut ring, active, None), Err(ChangeError::Role { id: active, role: Role::Active }));
        assert_eq!(promote(&mut ring, staged, Some(60)), Err(ChangeError::NotTheLast { at: NOW.plus(60), latest }));
        let past = Timestamp::from_unix(NOW.as_unix() - 1);
        assert_eq!(ring.promote(scheduled, Some(past), true, NOW), Err(ChangeError::Past { at: past }));
        assert!(promote(&mut ring, scheduled, Some(7200)).is_ok());
        assert_eq!(ring.active(NOW.plus(7199)), Some(active));
        check(&ring, NOW);
    }

    #[test]
    fn revoking_the_active_key_promotes_the_staged_one_everywhere_at_once() {
        let mut ring = new();
        let (active, staged) = (id(&ring, 0), id(&ring, 1));
        let done = ring.revoke(active, Some("laptop lost"), None, NOW).unwrap();
        assert_eq!(done.promoted.unwrap().key, staged);
        let behind = Timestamp::from_unix(NOW.as_unix() - 59);
        assert_eq!((ring.active(NOW), ring.active(behind)), (Some(staged), Some(staged)));
        assert!(ring.keys[0].secret.is_none() && !done.sessions_ended);
        assert_eq!(ring.revoke(active, None, None, NOW), Err(ChangeError::Role { id: active, role: Role::Revoked }));
        check(&ring, NOW);
    }

    #[test]
    fn revoking_the_active_key_brings_a_scheduled_one_forward() {
        let mut ring = rotated();
        let (active, scheduled) = (id(&ring, 0), id(&ring, 1));
        ring.revoke(active, None, None, NOW).unwrap();
        assert_eq!(ring.active(NOW), Some(scheduled));
        check(&ring, NOW);
    }

    #[test]
    fn a_scheduled_key_that_falls_gives_its_date_away() {
        for disable in [false, true] {
            let mut ring = rotated();
            let (active, scheduled, staged) = (id(&ring, 0), id(&ring, 1), id(&ring, 2));
            let done = if disable {
                ring.disable(scheduled, NOW).unwrap()
            } else {
                ring.revoke(scheduled, None, None, NOW).unwrap().promoted
            };
            assert_eq!(done.map(|done| (done.key, done.at)), Some((staged, NOW.plus(3600))));
            assert_eq!((ring.active(NOW.plus(3599)), ring.active(NOW.plus(3600))), (Some(active), Some(staged)));
            check(&ring, NOW);
        }
    }

    #[test]
    fn a_retired_key_is_not_revoked_before_it_is_said_what_becomes_of_sessions() {
        let mut ring = rotated();
        let (retiring, later) = (id(&ring, 0), NOW.plus(3600));
        assert_eq!(ring.revoke(retiring, None, None, later), Err(ChangeError::SessionsUnsaid { id: retiring }));
        let mut kept = Ring::from_file(&ring.to_file()).unwrap().0;
        assert!(!kept.revoke(retiring, None, Some(Sessions::Keep), later).unwrap().sessions_ended);
        assert_eq!(kept.not_before, Timestamp::default());
        assert!(ring.revoke(retiring, None, Some(Sessions::End), later).unwrap().sessions_ended);
        assert_eq!(ring.not_before, later);
        check(&ring, later);
    }

    #[test]
    fn a_leaked_ring_is_replaced_whole() {
        let mut ring = rotated();
        let scope = ring.revocation.scope.clone();
        let done = ring.revoke_all(Some("backup stolen"), NOW).unwrap();
        assert_eq!(done.revoked.len(), 3);
        assert!(!ring.revocation.scope.same(&scope));
        assert_eq!(ring.not_before, NOW);
        assert_eq!(roles(&ring, NOW), [Role::Revoked, Role::Revoked, Role::Revoked, Role::Active, Role::Staged]);
        check(&ring, NOW);
    }

    #[test]
    fn a_disabled_key_comes_back_but_never_seals_again() {
        let mut ring = new();
        let (first, second) = (id(&ring, 0), id(&ring, 1));
        assert_eq!(ring.disable(first, NOW).unwrap().unwrap().key, second);
        assert_eq!(ring.disable(first, NOW), Err(ChangeError::Role { id: first, role: Role::Disabled }));
        assert_eq!(ring.enable(first, NOW), Ok(Role::Retiring));
        assert_eq!(ring.active(NOW), Some(second));
        assert_eq!(ring.enable(second, NOW), Err(ChangeError::Role { id: second, role: Role::Active }));
        check(&ring, NOW);
    }

    #[test]
    fn an_emergency_finds_room_in_the_fullest_ring() {
        let mut ring = new();
        let mut now = NOW;
        while ring.rotate(now).is_ok() {
            now = now.plus(3600);
        }
        now = now.plus(10);
        for tombstone in 0..10 {
            ring.revoke(id(&ring, tombstone), None, Some(Sessions::Keep), now).unwrap();
            check(&ring, now);
        }
        let active = ring.active(now).unwrap();
        ring.revoke(active, None, None, now).unwrap();
        check(&ring, now);
    }

    #[test]
    fn cut_offs_only_rise_and_never_lie_ahead() {
        let mut ring = new();
        assert_eq!(ring.set_not_before(NOW.plus(1), NOW), Err(ChangeError::Ahead { at: NOW.plus(1) }));
        ring.set_not_before(NOW, NOW).unwrap();
        assert_eq!(ring.set_not_before(NOW, NOW.plus(5)), Err(ChangeError::NotLater { at: NOW, in_force: NOW }));
        assert_eq!(ring.set_stale_ok(Some(NOW.plus(86_401)), NOW), Err(ChangeError::StaleTooLong));
        ring.set_stale_ok(Some(NOW.plus(7200)), NOW).unwrap();
        assert_eq!(ring.stale_ok_until, NOW.plus(7200));
        ring.set_stale_ok(None, NOW).unwrap();
        assert_eq!(ring.stale_ok_until, Timestamp::default());
    }

    #[test]
    fn nothing_in_retention_is_pruned() {
        let mut ring = rotated();
        let retiring = id(&ring, 0);
        let until = NOW.plus(3600 + 2 * 86_400 + 120 + 60);
        let just_before = Timestamp::from_unix(until.as_unix() - 1);
        assert!(ring.prune(just_before).is_empty());
        let refused = ring.prune_key(retiring, just_before).unwrap_err();
        assert!(matches!(refused, ChangeError::Retained { until: Some(at), .. } if at == until));
        assert!(matches!(ring.prune_key(id(&ring, 2), until), Err(ChangeError::Retained { until: None, .. })));
        assert_eq!(ring.prune(until), [retiring]);
        let active = ring.active(until).unwrap();
        ring.revoke(active, None, None, until).unwrap();
        assert!(ring.prune(until.plus(TOMBSTONE_KEPT - 1)).iter().all(|id| *id != active));
        assert!(ring.prune(until.plus(TOMBSTONE_KEPT)).contains(&active));
    }

    #[test]
    fn a_policy_never_shortens_a_key() {
        let mut ring = rotated();
        let policy = |lifetime| RingPolicy { max_token_lifetime: lifetime, ..RingPolicy::default() };
        ring.set_policy(policy(172_800), NOW.plus(3600)).unwrap();
        let lifetimes = |ring: &Ring| ring.keys.iter().map(|key| key.max_token_lifetime).collect::<Vec<_>>();
        assert_eq!(lifetimes(&ring), [86_400, 172_800, 172_800], "a retired key keeps its own");
        ring.set_policy(policy(3600), NOW.plus(3600)).unwrap();
        assert_eq!(lifetimes(&ring), [86_400, 172_800, 172_800]);
        assert!(ring.set_policy(policy(0), NOW).is_err());
    }

    #[test]
    fn a_reason_is_short_and_printable() {
        for bad in ["x".repeat(201), "a\nb".into()] {
            let mut ring = new();
            let active = id(&ring, 0);
            assert_eq!(ring.revoke(active, Some(&bad), None, NOW), Err(ChangeError::Reason));
            assert_eq!(ring.revoke_all(Some(&bad), NOW), Err(ChangeError::Reason));
        }
    }
}
