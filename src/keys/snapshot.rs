//! A ring made ready for requests: every subkey derived, every date worked out. Immutable.

use core::fmt;
use std::sync::Arc;

use super::ring::{Key, KeyStatus, Ring};
use super::secret::{Secret, key_id};
use crate::crypto::{AeadKey, DIGEST_LEN, MacKey, Prk};
use crate::id::{KeyId, Label, Mode, Use};
use crate::time::Timestamp;

/// What one operation sees of the ring: loaded once, so never a mix of two.
pub(crate) struct Snapshot {
    /// The ring, its secrets taken out and wiped.
    pub(crate) ring: Ring,
    pub(crate) digest: [u8; DIGEST_LEN],
    /// When the ring arrived.
    taken_at: Timestamp,
    entries: Vec<Entry>,
    /// (activation, entry), in the order in which keys take over.
    schedule: Vec<(Timestamp, usize)>,
    /// For each registered label, for each entry.
    channels: Vec<Arc<Vec<Option<Subkeys>>>>,
}

/// One key as an operation sees it.
pub(crate) struct Entry {
    id: KeyId,
    status: KeyStatus,
    /// The last issue time it can honestly have.
    pub(crate) issues_until: Timestamp,
    opens_until: Timestamp,
    superseded_at: Timestamp,
    prk: Option<Prk>,
}

/// What a key id leads to.
pub(crate) enum Lookup<'a> {
    /// A key that opens, or is disabled, and its subkeys.
    Found(&'a Entry, &'a Subkeys),
    /// A key that was retired so long ago that no token of it is alive.
    Expired,
    /// A key that was revoked.
    Revoked,
    /// No key.
    Unknown,
}

/// What is derived from a key for one purpose, mode and carrier; wiped on drop.
///
/// Boxed, since moving an enum also copies what happens to lie in the room that its variant does not
/// use: another key's bytes, which nobody would wipe.
pub(crate) enum Subkeys {
    Sealed { key: Box<AeadKey>, rnd: Box<MacKey> },
    Signed { key: Box<MacKey>, rnd: Box<MacKey> },
}

impl Subkeys {
    /// `HKDF-Expand(PRK, info, 32)` for both uses. FORMAT.md, "Keys".
    pub(crate) fn derive(prk: &Prk, label: &Label) -> Self {
        let rnd = Box::new(MacKey::new(&prk.expand(&label.info(Use::Rnd))));
        let key = prk.expand(&label.info(Use::Token));
        match label.mode {
            Mode::Sealed => Self::Sealed { key: Box::new(AeadKey::new(&key)), rnd },
            Mode::Signed => Self::Signed { key: Box::new(MacKey::new(&key)), rnd },
        }
    }
}

impl Snapshot {
    /// Takes the secrets out of `ring` and derives for every label.
    ///
    /// `now` is when the ring arrived.
    pub(crate) fn new(mut ring: Ring, digest: [u8; DIGEST_LEN], labels: &[Label], now: Timestamp) -> Self {
        let entries: Vec<_> = (0..ring.keys.len()).map(|index| Entry::take(&mut ring, index)).collect();
        let mut schedule: Vec<_> =
            ring.keys.iter().enumerate().filter_map(|(index, key)| Some((key.activate_at?, index))).collect();
        schedule.sort_by_key(|&(at, index)| (at, entries[index].id));
        if ring.not_before > now.plus(ring.policy.skew) {
            let not_before = ring.not_before.as_unix();
            tracing::error!(not_before, "the ring's cut-off lies ahead of this clock; until then it counts as of now");
        }
        let mut snapshot = Self { ring, digest, taken_at: now, entries, schedule, channels: vec![] };
        labels.iter().for_each(|label| snapshot.derive(label));
        snapshot
    }

    /// The same ring with one more label.
    pub(crate) fn with_label(&self, label: &Label) -> Self {
        let mut snapshot = Self {
            ring: self.ring.without_secrets(),
            digest: self.digest,
            taken_at: self.taken_at,
            entries: self.entries.iter().map(Entry::copy).collect(),
            schedule: self.schedule.clone(),
            channels: self.channels.clone(),
        };
        snapshot.derive(label);
        snapshot
    }

    fn derive(&mut self, label: &Label) {
        let derive = |entry: &Entry| entry.prk.as_ref().map(|prk| Subkeys::derive(prk, label));
        self.channels.push(Arc::new(self.entries.iter().map(derive).collect()));
    }

    /// The key that seals at `now` and its subkeys for a channel.
    pub(crate) fn sealing(&self, channel: usize, now: Timestamp) -> Option<(KeyId, &Subkeys)> {
        let &(_, index) = self.schedule.iter().rev().find(|&&(at, _)| at <= now)?;
        let entry = &self.entries[index];
        let seals = entry.status == KeyStatus::Enabled && entry.superseded_at > now;
        let subkeys = self.channels[channel][index].as_ref()?;
        seals.then_some((entry.id, subkeys))
    }

    /// The one key a token may open under, never a trial of several.
    pub(crate) fn find(&self, channel: usize, id: KeyId, now: Timestamp) -> Lookup<'_> {
        let Some(index) = self.entries.iter().position(|entry| entry.id == id) else { return Lookup::Unknown };
        let entry = &self.entries[index];
        match &self.channels[channel][index] {
            None => Lookup::Revoked,
            Some(_) if entry.opens_until <= now => Lookup::Expired,
            Some(subkeys) => Lookup::Found(entry, subkeys),
        }
    }

    /// Sessions that started at or before this are over; 0 for none.
    ///
    /// A cut-off from a clock far ahead counts as of the ring's arrival, so that it ends the sessions it
    /// can mean and logins go on. Asked anew each time, since it may be this clock that was behind.
    pub(crate) fn not_before(&self, now: Timestamp) -> Timestamp {
        let (said, skew) = (self.ring.not_before, self.ring.policy.skew);
        if said > now.plus(skew) { self.taken_at } else { said }
    }

    /// Whether a key is in the ring and never seals again.
    pub(crate) fn is_superseded(&self, id: KeyId, now: Timestamp) -> bool {
        self.entries.iter().any(|entry| entry.id == id && entry.superseded_at <= now)
    }

    /// Whether `next` may replace this ring on a running server: only forward, losing nothing.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) fn accepts(&self, next: &Ring, now: Timestamp) -> Result<(), Refusal> {
        let (old, new) = (self.ring.generation, next.generation);
        if next.id != self.ring.id {
            return Err(Refusal::Foreign);
        }
        if new <= old {
            return Err(if new < old { Refusal::Older { old, new } } else { Refusal::Fork { generation: old } });
        }
        if next.not_before < self.ring.not_before {
            return Err(Refusal::NotBefore);
        }
        // The writer's clock may be ahead of ours when it drops what has expired.
        let late = now.plus(2 * self.ring.policy.skew);
        for (key, entry) in self.ring.keys.iter().zip(&self.entries) {
            let kept = next.keys.iter().find(|other| other.id == key.id);
            match entry.prk.as_ref() {
                None if key.forgettable(now) => {}
                None if kept.is_some_and(|other| other.status == KeyStatus::Revoked) => {}
                None => return Err(Refusal::Tombstone { id: key.id }),
                Some(_) if entry.opens_until <= late => {}
                Some(prk) if kept.is_some_and(|other| other.is_of(prk)) => {}
                Some(_) => return Err(Refusal::Key { id: key.id }),
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Whether an operator switched the key off.
    pub(crate) fn is_disabled(&self) -> bool {
        self.status == KeyStatus::Disabled
    }

    fn take(ring: &mut Ring, index: usize) -> Self {
        let prk = ring.keys[index].secret.take().as_ref().map(Secret::prk);
        let key = &ring.keys[index];
        let end = Timestamp::from_unix(u64::MAX);
        Self {
            id: key.id,
            status: key.status,
            issues_until: ring.issues_until(key).unwrap_or(end),
            opens_until: ring.opens_until(key).unwrap_or(end),
            superseded_at: ring.superseded_at(key).unwrap_or(end),
            prk,
        }
    }

    fn copy(&self) -> Self {
        Self { prk: self.prk.clone(), ..*self }
    }
}

impl Key {
    /// Whether this is the key that `prk` belongs to, or its tombstone.
    fn is_of(&self, prk: &Prk) -> bool {
        self.status == KeyStatus::Revoked
            || self.secret.as_ref().is_some_and(|secret| {
                let other = secret.prk();
                key_id(&other) == self.id && other.same(prk)
            })
    }

    /// Whether this is a tombstone old enough to be dropped.
    fn forgettable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_some_and(|at| at.plus(TOMBSTONE_LIFETIME) <= now)
    }
}

/// Why a ring may not replace the one in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is another ring altogether.
    Foreign,
    /// The same generation with other contents: two writers that did not know of each other.
    Fork {
        /// The generation.
        generation: u64,
    },
    /// A key that tokens may still be sealed under is missing or has another secret.
    Key {
        /// The key.
        id: KeyId,
    },
    /// The cut-off for sessions was lowered.
    NotBefore,
    /// It is an older state of the ring.
    Older {
        /// The generation in use.
        old: u64,
        /// The generation of the file.
        new: u64,
    },
    /// A revoked key is back or forgotten.
    Tombstone {
        /// The key.
        id: KeyId,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => {
                f.write_str("it is another ring; was one made on this host, or copied from another fleet?")
            }
            Self::Fork { generation } => write!(
                f,
                "it has generation {generation} with other contents; restore the one that the fleet has and rotate that"
            ),
            Self::Key { id } => write!(f, "key {id} is missing or changed while its tokens are alive"),
            Self::NotBefore => f.write_str("its cut-off for sessions is lower than the one in force"),
            Self::Older { old, new } => write!(f, "its generation {new} is older than {old}; was a backup restored?"),
            Self::Tombstone { id } => write!(f, "key {id} was revoked and may not come back"),
        }
    }
}

impl std::error::Error for Refusal {}

/// How long a revoked key stays in the ring, in seconds: a year.
pub(super) const TOMBSTONE_LIFETIME: u64 = 31_536_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Carrier;
    use crate::keys::rotate::tests::{Counted, new};

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn label() -> Label {
        Label { mode: Mode::Sealed, purpose: "session".parse().unwrap(), carrier: Carrier::Header }
    }

    fn snapshot(ring: Ring) -> Snapshot {
        Snapshot::new(ring, [0; 32], &[label()], NOW)
    }

    fn rotated(at: Timestamp) -> Ring {
        let mut ring = new();
        ring.rotate_with(at, &Counted::from(101)).unwrap();
        ring.advance_generation(at);
        ring
    }

    #[test]
    fn a_snapshot_agrees_with_the_roles() {
        let ring = rotated(NOW);
        let after = snapshot(rotated(NOW));
        for now in [NOW, NOW.plus(3599), NOW.plus(3600), NOW.plus(500_000)] {
            assert_eq!(after.sealing(0, now).map(|(id, _)| id), ring.active(now));
            for key in &ring.keys {
                let opens = matches!(after.find(0, key.id, now), Lookup::Found(..));
                assert_eq!(opens, ring.role(key, now).opens(), "{} at {now}", key.id);
            }
        }
        let first = ring.keys[0].id;
        assert!(!after.is_superseded(first, NOW.plus(3599)) && after.is_superseded(first, NOW.plus(3600)));
        assert!(matches!(after.find(0, KeyId::from_bytes([0; 3]), NOW), Lookup::Unknown));
    }

    #[test]
    fn secrets_are_taken_out() {
        assert!(snapshot(new()).ring.keys.iter().all(|key| key.secret.is_none()));
    }

    #[test]
    fn only_forward_and_nothing_lost() {
        let old = snapshot(new());
        assert_eq!(old.accepts(&rotated(NOW), NOW), Ok(()));
        let mut foreign = rotated(NOW);
        foreign.id = [9; 16];
        assert_eq!(old.accepts(&foreign, NOW), Err(Refusal::Foreign));
        let generation = NOW.as_unix();
        assert_eq!(old.accepts(&new(), NOW), Err(Refusal::Fork { generation }));
        let ahead = snapshot(rotated(NOW));
        let older = Refusal::Older { old: generation + 1, new: generation };
        assert_eq!(ahead.accepts(&new(), NOW), Err(older));
    }

    #[test]
    fn a_key_in_retention_may_not_vanish_but_may_be_revoked() {
        let old = snapshot(rotated(NOW));
        let mut next = rotated(NOW);
        next.generation += 1;
        let gone = next.keys.remove(0).id;
        let expired = NOW.plus(3600 + 2 * 86_400 + 120);
        assert_eq!(old.accepts(&next, NOW), Err(Refusal::Key { id: gone }));
        assert_eq!(old.accepts(&next, expired), Ok(()));
        let mut swapped = rotated(NOW);
        swapped.generation += 1;
        swapped.keys[0].secret = swapped.keys[1].secret.clone();
        assert_eq!(old.accepts(&swapped, NOW), Err(Refusal::Key { id: gone }));
        let mut revoked = rotated(NOW);
        revoked.generation += 1;
        revoked.keys[0].status = KeyStatus::Revoked;
        revoked.keys[0].revoked_at = Some(NOW);
        revoked.keys[0].secret = None;
        assert_eq!(old.accepts(&revoked, NOW), Ok(()));
        let mut risen = rotated(NOW);
        risen.generation += 2;
        let revoked = snapshot(revoked);
        assert_eq!(revoked.accepts(&risen, NOW), Err(Refusal::Tombstone { id: gone }));
        risen.keys.remove(0);
        assert_eq!(revoked.accepts(&risen, NOW.plus(TOMBSTONE_LIFETIME)), Ok(()));
        assert!(matches!(revoked.find(0, gone, NOW), Lookup::Revoked));
    }

    #[test]
    fn a_cut_off_is_never_lowered_and_one_from_ahead_counts_as_of_now() {
        let mut ring = new();
        ring.not_before = NOW.plus(60);
        let old = snapshot(ring);
        assert_eq!(old.not_before(NOW), NOW.plus(60));
        assert_eq!(old.accepts(&rotated(NOW), NOW), Err(Refusal::NotBefore));
        let mut ring = new();
        ring.not_before = NOW.plus(86_400);
        let ahead = snapshot(ring);
        assert_eq!(ahead.not_before(NOW.plus(86_339)), NOW);
        assert_eq!(ahead.not_before(NOW.plus(86_340)), NOW.plus(86_400), "once this clock is right");
    }
}
