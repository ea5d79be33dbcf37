//! What a ring says of itself, without a secret: for people, for JSON, and for comparing servers.

use serde::{Serialize, Serializer};

use super::policy::{ROUTINE_KEYS, RingPolicy};
use super::ring::{KeyStatus, Ring};
use super::role::Role;
use crate::crypto::DIGEST_LEN;
use crate::id::KeyId;
use crate::text::hex;
use crate::time::Timestamp;

/// A ring at an instant. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RingReport {
    /// 32 hexadecimal digits that every file of this ring shares.
    pub ring_id: String,
    /// Greater with every change.
    pub generation: u64,
    /// `sha256:` and the digest that the file ends with.
    pub digest: String,
    /// The instant this report speaks of.
    pub now: Timestamp,
    /// The key that seals; `None` if no key does.
    pub active: Option<KeyId>,
    /// Sessions that started at or before this are over.
    pub not_before: Option<Timestamp>,
    /// Until when a stale list of revocations is accepted; `None` if it is not.
    pub stale_ok_until: Option<Timestamp>,
    /// How many more keys routine rotation may add before others expire.
    pub slots_left: usize,
    /// What the fleet agreed on.
    pub policy: RingPolicy,
    /// Every key, in the order in which they take over; staged ones last.
    pub keys: Vec<KeyReport>,
}

/// A key at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyReport {
    /// Its id.
    pub id: KeyId,
    /// What it does.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it seals; `None` while it is staged.
    pub activate_at: Option<Timestamp>,
    /// From when it never seals again.
    pub superseded_at: Option<Timestamp>,
    /// From when it no longer opens.
    pub opens_until: Option<Timestamp>,
    /// The longest its tokens may live, in seconds.
    pub max_token_lifetime: u64,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked, in the operator's words.
    pub reason: Option<String>,
}

/// How a server's ring is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RingStatus {
    /// The ring in use.
    #[serde(flatten)]
    pub ring: RingReport,
    /// When the file was last read and found good, or unchanged.
    pub checked_at: Timestamp,
    /// Why the file could not be used since; the ring in use is the last good one.
    pub last_error: Option<String>,
}

impl Ring {
    /// What each key does at `now`, without a secret.
    pub fn report(&self, now: Timestamp) -> RingReport {
        RingReport::of(self, self.digest(), now)
    }
}

impl RingReport {
    pub(crate) fn of(ring: &Ring, digest: [u8; DIGEST_LEN], now: Timestamp) -> Self {
        let mut keys: Vec<_> = ring
            .keys
            .iter()
            .map(|key| KeyReport {
                id: key.id,
                role: ring.role(key, now),
                created_at: key.created_at,
                activate_at: key.activate_at,
                superseded_at: ring.superseded_at(key),
                opens_until: ring.opens_until(key),
                max_token_lifetime: key.max_token_lifetime,
                revoked_at: key.revoked_at,
                reason: key.reason.clone(),
            })
            .collect();
        keys.sort_by_key(|key| (key.activate_at.is_none(), key.activate_at, key.id));
        Self {
            ring_id: hex(&ring.id),
            generation: ring.generation,
            digest: format!("sha256:{}", hex(&digest)),
            now,
            active: ring.active(now),
            not_before: Some(ring.not_before).filter(|at| at.as_unix() > 0),
            stale_ok_until: Some(ring.stale_ok_until).filter(|&until| until > now),
            // By status: a server's copy of the ring holds no secrets to count.
            slots_left: ROUTINE_KEYS
                .saturating_sub(ring.keys.iter().filter(|key| key.status != KeyStatus::Revoked).count()),
            policy: ring.policy.clone(),
            keys,
        }
    }

    /// The report on one key.
    pub fn key(&self, id: KeyId) -> Option<&KeyReport> {
        self.keys.iter().find(|key| key.id == id)
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotate::tests::new;

    #[test]
    fn a_report_counts_the_slots_that_routine_has_left() {
        let (mut ring, now) = (new(), Timestamp::from_unix(1_786_000_000));
        assert_eq!(ring.report(now).slots_left, 12);
        let active = ring.active(now).unwrap();
        ring.revoke(active, Some("lost"), None, now).unwrap();
        assert_eq!(ring.report(now).slots_left, 12, "a tombstone takes none");
        assert_eq!(ring.without_secrets().report(now).slots_left, 12);
        let report = ring.report(now);
        let key = report.key(active).unwrap();
        assert_eq!((key.revoked_at, key.reason.as_deref()), (Some(now), Some("lost")));
    }

    #[test]
    fn a_report_holds_no_secret() {
        let ring = new();
        let now = Timestamp::from_unix(1_786_000_000);
        let json = serde_json::to_string(&RingReport::of(&ring, [0xab; 32], now)).unwrap();
        for key in &ring.keys {
            assert!(!json.contains(&key.secret.as_ref().unwrap().to_text()[..10]));
        }
        assert!(json.contains("\"role\":\"active\"") && json.contains("\"digest\":\"sha256:abab"), "{json}");
    }
}
