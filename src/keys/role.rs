//! Which key seals and which keys open: a pure function of the instant, never of the order in the file.

use core::fmt;

use super::ring::{Key, KeyStatus, Ring};
use crate::id::KeyId;
use crate::time::Timestamp;

/// What a key does at an instant. FORMAT.md, "Roles".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Seals, and opens.
    Active,
    /// Switched off for now: its tokens are answered with 503.
    Disabled,
    /// Long superseded: no token of it can be alive, so it no longer opens and may be pruned.
    Expired,
    /// Superseded: opens, and never seals again.
    Retiring,
    /// Its secret is gone for good.
    Revoked,
    /// Has a date ahead on which it will seal; opens.
    Scheduled,
    /// Has no date yet; opens, so that it can be activated without waiting.
    Staged,
}

impl Role {
    /// Whether tokens of a key in this role open.
    pub fn opens(self) -> bool {
        matches!(self, Self::Active | Self::Retiring | Self::Scheduled | Self::Staged)
    }

    /// The role in one lowercase word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Retiring => "retiring",
            Self::Revoked => "revoked",
            Self::Scheduled => "scheduled",
            Self::Staged => "staged",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Ring {
    /// The key that seals at `now`, if any.
    pub fn active(&self, now: Timestamp) -> Option<KeyId> {
        let (_, due) = self.dated().filter(|&(at, _)| at <= now).max_by_key(|&(at, key)| (at, key.id))?;
        (due.status == KeyStatus::Enabled && self.superseded_at(due).is_none_or(|at| at > now)).then_some(due.id)
    }

    /// The role of `key` at `now`.
    pub(crate) fn role(&self, key: &Key, now: Timestamp) -> Role {
        match key.status {
            KeyStatus::Revoked => Role::Revoked,
            _ if self.opens_until(key).is_some_and(|until| until <= now) => Role::Expired,
            KeyStatus::Disabled => Role::Disabled,
            KeyStatus::Enabled if self.superseded_at(key).is_some_and(|at| at <= now) => Role::Retiring,
            KeyStatus::Enabled => match key.activate_at {
                None => Role::Staged,
                Some(at) if at > now => Role::Scheduled,
                Some(_) => Role::Active,
            },
        }
    }

    /// From when `key` never seals again: the first instant at which an entry that is greater by
    /// (activation, id), whatever its status, is due.
    pub(crate) fn superseded_at(&self, key: &Key) -> Option<Timestamp> {
        let next = self.next_activation(key);
        match (key.superseded_at, next) {
            (Some(stored), Some(next)) => Some(stored.min(next)),
            (stored, next) => stored.or(next),
        }
    }

    /// When the next greater entry is due.
    fn next_activation(&self, key: &Key) -> Option<Timestamp> {
        let own = (key.activate_at?, key.id);
        self.dated().filter(|&(at, other)| (at, other.id) > own).map(|(at, _)| at).min()
    }

    /// The first instant at which `key` no longer opens; `None` while nothing supersedes it.
    pub(crate) fn opens_until(&self, key: &Key) -> Option<Timestamp> {
        let superseded = self.superseded_at(key)?;
        Some(superseded.plus(self.policy.retention(key.max_token_lifetime)))
    }

    /// The last issue time that `key` can honestly have; later ones were forged with a retired key.
    pub(crate) fn issues_until(&self, key: &Key) -> Option<Timestamp> {
        let superseded = self.superseded_at(key)?;
        Some(superseded.plus(self.policy.late + self.policy.skew))
    }

    fn dated(&self) -> impl Iterator<Item = (Timestamp, &Key)> {
        self.keys.iter().filter_map(|key| key.activate_at.map(|at| (at, key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotate::tests::{key, ring};
    use proptest::prelude::*;

    const DAY: u64 = 86_400;
    const RETENTION: u64 = 2 * DAY + 120;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn roles(ring: &Ring, now: u64) -> Vec<Role> {
        ring.keys.iter().map(|key| ring.role(key, at(now))).collect()
    }

    #[test]
    fn a_key_lives_through_its_roles() {
        let ring = ring(vec![key(1, Some(100)), key(2, Some(1000)), key(3, None)]);
        use Role::*;
        assert_eq!(roles(&ring, 99), [Scheduled, Scheduled, Staged]);
        assert_eq!(roles(&ring, 100), [Active, Scheduled, Staged]);
        assert_eq!(roles(&ring, 999), [Active, Scheduled, Staged]);
        assert_eq!(roles(&ring, 1000), [Retiring, Active, Staged]);
        assert_eq!(roles(&ring, 1000 + RETENTION - 1), [Retiring, Active, Staged]);
        assert_eq!(roles(&ring, 1000 + RETENTION), [Expired, Active, Staged]);
    }

    #[test]
    fn a_tombstone_supersedes_and_leaves_nobody_active() {
        let mut ring = ring(vec![key(1, Some(100)), key(2, Some(1000))]);
        ring.keys[1].status = KeyStatus::Revoked;
        assert_eq!(roles(&ring, 500), [Role::Active, Role::Revoked]);
        assert_eq!(roles(&ring, 1000), [Role::Retiring, Role::Revoked]);
        assert_eq!(ring.active(at(1000)), None);
    }

    #[test]
    fn a_stored_supersession_outlives_the_entry_that_caused_it() {
        let mut ring = ring(vec![key(1, Some(100))]);
        ring.keys[0].superseded_at = Some(at(1000));
        assert_eq!(ring.active(at(999)).map(|id| id.to_string()), Some("010101".into()));
        assert_eq!(ring.active(at(1000)), None);
        assert_eq!(roles(&ring, 1000), [Role::Retiring]);
    }

    #[test]
    fn a_disabled_key_neither_seals_nor_opens() {
        let mut ring = ring(vec![key(1, Some(100)), key(2, Some(1000))]);
        ring.keys[0].status = KeyStatus::Disabled;
        assert_eq!(roles(&ring, 500), [Role::Disabled, Role::Scheduled]);
        assert_eq!(ring.active(at(500)), None);
        assert_eq!(roles(&ring, 1000 + RETENTION), [Role::Expired, Role::Active]);
    }

    #[test]
    fn equal_dates_are_decided_by_id() {
        let ring = ring(vec![key(2, Some(100)), key(1, Some(100))]);
        assert_eq!(roles(&ring, 100), [Role::Active, Role::Retiring]);
    }

    fn any_key() -> impl Strategy<Value = Key> {
        (any::<u8>(), prop::option::of(0_u64..50), prop::option::of(0_u64..60), 0..3_u8).prop_map(
            |(id, date, over, status)| {
                let mut key = key(id, date);
                key.superseded_at = over.filter(|_| date.is_some()).map(|seconds| at(seconds * DAY));
                key.activate_at = date.map(|seconds| at(seconds * DAY));
                key.status = [KeyStatus::Enabled, KeyStatus::Disabled, KeyStatus::Revoked][usize::from(status)];
                key
            },
        )
    }

    proptest! {
        /// CVE-2025-47278: the order in a list decided which key signed.
        #[test]
        fn the_order_in_the_file_decides_nothing(
            keys in prop::collection::vec(any_key(), 1..8)
                .prop_map(|mut keys| { keys.sort_by_key(|key| key.id); keys.dedup_by_key(|key| key.id); keys }),
            shuffled in any::<prop::sample::Index>(),
            now in 0_u64..70,
        ) {
            let straight = ring(keys.clone());
            let mut keys = keys;
            let by = shuffled.index(keys.len());
            keys.rotate_left(by);
            keys.reverse();
            let other = ring(keys);
            let now = at(now * DAY);
            prop_assert_eq!(straight.active(now), other.active(now));
            for key in &straight.keys {
                let same = other.keys.iter().find(|other| other.id == key.id).unwrap();
                prop_assert_eq!(straight.role(key, now), other.role(same, now));
            }
        }

        #[test]
        fn at_most_one_key_seals_and_none_seals_twice(
            keys in prop::collection::vec(any_key(), 1..8)
                .prop_map(|mut keys| { keys.sort_by_key(|key| key.id); keys.dedup_by_key(|key| key.id); keys }),
        ) {
            let ring = ring(keys);
            let mut done = vec![];
            let mut last = None;
            for now in (0..70).map(|day| at(day * DAY)) {
                let active: Vec<_> =
                    ring.keys.iter().filter(|key| ring.role(key, now) == Role::Active).map(|key| key.id).collect();
                prop_assert!(active.len() <= 1);
                prop_assert_eq!(active.first().copied(), ring.active(now));
                if last != ring.active(now) {
                    done.extend(last);
                    last = ring.active(now);
                }
                prop_assert!(!last.is_some_and(|id| done.contains(&id)), "{:?} seals again", last);
            }
        }
    }
}
