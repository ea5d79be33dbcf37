//! SHA-256, for the digest at the end of a ring file.

use sha2::{Digest, Sha256};

/// Bytes of a SHA-256 digest.
pub(crate) const DIGEST_LEN: usize = 32;

/// SHA-256 of `bytes` (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::digest(bytes).into()
}
