//! What a server remembers of its ring across a restart: how far it had come, and what is over.
//!
//! Without it a restarted server would take any good ring of the fleet, an older one included, in
//! which a revoked key lives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::disk::{self, DiskError, Replace};
use super::ring::{KeyStatus, Ring};
use super::snapshot::{Refusal, TOMBSTONE_LIFETIME};
use crate::crypto::DIGEST_LEN;
use crate::id::KeyId;
use crate::text::hex;
use crate::time::Timestamp;

/// The state of one ring, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remembered {
    ring_id: String,
    generation: u64,
    digest: String,
    not_before: u64,
    revoked: Vec<(String, u64)>,
    /// Keys of the ring that live, one revived by an operator's word included; not written down.
    #[serde(skip)]
    living: Vec<String>,
}

impl Remembered {
    pub(super) fn of(ring: &Ring, digest: &[u8; DIGEST_LEN]) -> Self {
        let revoked = ring.keys.iter().filter_map(|key| Some((key.id.to_string(), key.revoked_at?.as_unix())));
        let living = ring.keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id.to_string());
        let (revoked, living) = (revoked.collect(), living.collect());
        Self {
            ring_id: hex(&ring.id),
            generation: ring.generation,
            digest: hex(digest),
            not_before: ring.not_before.as_unix(),
            revoked,
            living,
        }
    }

    /// The same, and the dead keys known before of which the ring says nothing: it may be a backup from
    /// before they were made.
    fn and(&self, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.ring_id == self.ring_id);
        let silent = |id: &String| !self.living.contains(id) && self.revoked.iter().all(|(known, _)| known != id);
        let kept = before.into_iter().flat_map(|before| &before.revoked).filter(|(id, _)| silent(id));
        let mut revoked: Vec<_> = self.revoked.iter().chain(kept).cloned().collect();
        revoked.sort_by(|(_, one), (_, other)| other.cmp(one));
        revoked.truncate(MOST_REVOKED);
        Self { revoked, living: vec![], ..self.clone() }
    }

    /// Whether `ring` may be started with. FORMAT.md, "Taking a new ring".
    pub(super) fn allows(&self, ring: &Ring, digest: &[u8; DIGEST_LEN], now: Timestamp) -> Result<(), Refusal> {
        if self.ring_id != hex(&ring.id) {
            return Err(Refusal::Foreign);
        }
        if ring.generation < self.generation {
            return Err(Refusal::Older { old: self.generation, new: ring.generation });
        }
        if ring.generation == self.generation && self.digest != hex(digest) {
            return Err(Refusal::Fork { generation: ring.generation });
        }
        if ring.not_before.as_unix() < self.not_before {
            return Err(Refusal::NotBefore);
        }
        let dead = |id: KeyId| {
            let known = self.revoked.iter().find(|(name, _)| KeyId::from_hex(name) == Some(id));
            known.is_some_and(|&(_, at)| now < Timestamp::from_unix(at).plus(TOMBSTONE_LIFETIME))
        };
        match ring.keys.iter().find(|key| key.status != KeyStatus::Revoked && dead(key.id)) {
            Some(key) => Err(Refusal::Tombstone { id: key.id }),
            None => Ok(()),
        }
    }
}

/// The file in which a server remembers.
#[derive(Clone, Debug)]
pub(super) struct StateFile(PathBuf);

impl StateFile {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// What was remembered; `None` if there is no such file yet.
    pub(super) fn read(&self) -> Result<Option<Remembered>, String> {
        match disk::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes what is to be remembered, unless it stands there already.
    pub(super) fn write(&self, remembered: &Remembered) -> Result<(), DiskError> {
        let known = self.read().ok().flatten();
        let remembered = remembered.and(known.as_ref());
        if known.as_ref() == Some(&remembered) {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&remembered).expect("strings and numbers always serialize");
        let replace = if self.0.exists() { Replace::Always } else { Replace::Never };
        disk::write(&self.0, &bytes, replace)
    }
}

/// Most revoked keys that are remembered, the latest ones: four rings full of tombstones.
const MOST_REVOKED: usize = 1024;
