//! The ring as data: keys with their dates, the policy, the secrets of revocation.

use core::fmt;

use super::policy::RingPolicy;
use super::secret::Secret;
use crate::id::KeyId;
use crate::time::Timestamp;

/// All keys of a fleet, with the policy and dates that say what each may do.
///
/// Holds secrets: never shown by `Debug`, wiped on drop. Servers do not hold one; they hold a
/// [`KeyRing`](super::KeyRing).
pub struct Ring {
    pub(crate) id: [u8; RING_ID_LEN],
    pub(crate) generation: u64,
    pub(crate) policy: RingPolicy,
    /// Sessions that started at or before this instant are over; 0 for none.
    pub(crate) not_before: Timestamp,
    /// Until when a stale list of revocations is accepted; 0 for never.
    pub(crate) stale_ok_until: Timestamp,
    pub(crate) keys: Vec<Key>,
    pub(crate) revocation: RevocationSecrets,
}

/// One entry of a ring.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) status: KeyStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) activate_at: Option<Timestamp>,
    pub(crate) superseded_at: Option<Timestamp>,
    /// L: the longest token lifetime in force while the key could seal, in seconds. Only ever raised.
    pub(crate) max_token_lifetime: u64,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) secret: Option<Secret>,
}

/// What an operator decided about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Disabled,
    Enabled,
    Revoked,
}

/// The secrets that authenticate shared revocations; independent of the keys, so that rotating
/// those changes nothing here. Kept from the first version on, used once revocation is.
#[derive(Clone, Debug)]
pub(crate) struct RevocationSecrets {
    pub(crate) scope: Secret,
    pub(crate) mac: Vec<MacSecret>,
}

/// A secret under which revocation records are authenticated.
#[derive(Clone, Debug)]
pub(crate) struct MacSecret {
    pub(crate) current: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) secret: Secret,
}

impl Ring {
    /// Marks the ring as changed: `max(previous + 1, now)`.
    pub(crate) fn advance_generation(&mut self, now: Timestamp) {
        self.generation = self.generation.saturating_add(1).max(now.as_unix());
    }

    /// A copy in which every key is without its secret.
    pub(crate) fn without_secrets(&self) -> Self {
        let keys = self.keys.iter().map(|key| Key { secret: None, ..key.clone() }).collect();
        Self { policy: self.policy.clone(), keys, revocation: self.revocation.clone(), ..*self }
    }

    /// The ring's generation: greater with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The ring's policy.
    pub fn policy(&self) -> &RingPolicy {
        &self.policy
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Bytes of a ring's id.
pub(crate) const RING_ID_LEN: usize = 16;
