//! What revocation derives from the ring: keys that authenticate what is exchanged, and names that tell nobody anything.

use std::sync::Arc;

use crate::crypto::{MacKey, Prk, SipKey};
use crate::keys::Snapshot;

/// The 16 bytes that name a subject or a tenant wherever a cut-off is written down.
pub(crate) type ScopeId = [u8; 16];

/// What is derived from the ring's revocation secrets; wiped on drop. FORMAT.md, "Revocation secrets".
#[derive(Clone)]
pub(crate) struct Secrets {
    /// The ring's id, bound into everything that is written.
    pub(crate) ring_id: [u8; 16],
    /// The secret in use first, then those that are still accepted.
    pub(crate) macs: Vec<Arc<Macs>>,
    pub(crate) names: Names,
}

/// The two keys of one MAC secret.
pub(crate) struct Macs {
    pub(crate) journal: MacKey,
    pub(crate) snapshot: MacKey,
}

/// Keyed names for what must not be written in the clear, or found by trying.
#[derive(Clone)]
pub(crate) struct Names {
    scope: SipKey,
    fingerprint: SipKey,
    /// Of [`slot`](Self::slot).
    slot: [u64; 2],
}

impl Secrets {
    /// Those of a ring that no loader takes, for the examples of FORMAT.md.
    #[cfg(test)]
    pub(crate) fn example(ring_id: [u8; 16], scope: &Prk, macs: &[Prk]) -> Self {
        Self { ring_id, macs: macs.iter().map(Macs::derive).collect(), names: Names::derive(scope) }
    }

    pub(crate) fn of(ring: &Snapshot) -> Self {
        let revocation = &ring.ring.revocation;
        let mut macs: Vec<_> = revocation.mac.iter().collect();
        // Written under the one that is current, accepted under all.
        macs.sort_by_key(|mac| !mac.current);
        let scope = revocation.scope.prk();
        Self {
            ring_id: ring.ring.id,
            macs: macs.iter().map(|mac| Macs::derive(&mac.secret.prk())).collect(),
            names: Names::derive(&scope),
        }
    }
}

impl Macs {
    fn derive(prk: &Prk) -> Arc<Self> {
        let (journal, snapshot) = (MacKey::new(&prk.expand(JOURNAL)), MacKey::new(&prk.expand(SNAPSHOT)));
        Arc::new(Self { journal, snapshot })
    }

    /// Whether both come from the same secret.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.snapshot.tag::<32>(&[]) == other.snapshot.tag::<32>(&[])
    }
}

impl Names {
    fn derive(scope: &Prk) -> Self {
        let fingerprint = SipKey::derive(scope, FINGERPRINT);
        // No session has this id.
        let slot = halves(&fingerprint.hash(&[0; 16]));
        Self { scope: SipKey::derive(scope, ID), fingerprint, slot }
    }

    /// Whether both come from the same secret.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.fingerprint(&[0; 16]) == other.fingerprint(&[0; 16])
    }

    pub(crate) fn subject(&self, subject: &str) -> ScopeId {
        self.scope(SUBJECT, subject)
    }

    pub(crate) fn tenant(&self, tenant: &str) -> ScopeId {
        self.scope(TENANT, tenant)
    }

    /// What stands for a session in a filter. Nobody without the ring can aim at another session's.
    pub(crate) fn fingerprint(&self, id: &[u8; 16]) -> [u8; 16] {
        self.fingerprint.hash(id)
    }

    /// Where a session is looked for in a table that holds it whole: one multiplication, under a secret too, so that nobody can
    /// fill a table at one place. It is compared with nothing, so that two sessions may have the same.
    pub(crate) fn slot(&self, id: &[u8; 16]) -> u64 {
        let ([a, b], [key_a, key_b]) = (halves(id), self.slot);
        let product = u128::from(a ^ key_a) * u128::from(b ^ key_b);
        (product >> 64) as u64 ^ product as u64
    }

    fn scope(&self, kind: u8, name: &str) -> ScopeId {
        self.scope.hash_both(&[kind], name.as_bytes())
    }
}

fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

const SUBJECT: u8 = 3;
const TENANT: u8 = 2;

const ID: &[u8] = b"waxseal/v1/rev/id";
const FINGERPRINT: &[u8] = b"waxseal/v1/rev/fingerprint";
const JOURNAL: &[u8] = b"waxseal/v1/rev/journal";
const SNAPSHOT: &[u8] = b"waxseal/v1/rev/snapshot";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRing;

    #[test]
    fn a_subject_is_no_tenant_and_length_does_not_matter() {
        let names = Secrets::of(&KeyRing::generate().unwrap().snapshot()).names;
        assert_ne!(names.subject("ada"), names.tenant("ada"));
        for len in 0..200 {
            let name = "n".repeat(len);
            assert_eq!(names.subject(&name), names.scope.hash(&[&[SUBJECT], name.as_bytes()].concat()));
        }
    }
}
