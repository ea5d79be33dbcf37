//! The seam to the primitive crates: nothing outside this room names one.
//!
//! | primitive | here | crate |
//! |---|---|---|
//! | XChaCha20-Poly1305 | `AeadKey` | chacha20 and ring, or chacha20poly1305 |
//! | HMAC-SHA256 | `MacKey` | hmac, sha2 |
//! | HKDF-SHA256 | `Prk` | hkdf |
//! | SHA-256 | `sha256` | sha2 |
//! | SipHash-2-4, 128 bits | `SipKey` | siphasher |
//! | operating-system randomness | `Random` | getrandom, rand_core |

mod aead;
mod hash;
mod mac;
mod random;
mod sip;

pub(crate) use aead::{AeadKey, Forged, NONCE_LEN, TAG_LEN};
pub(crate) use hash::{DIGEST_LEN, sha256};
pub(crate) use mac::{MacKey, Prk};
pub use random::RandomError;
pub(crate) use random::{OsRandom, Random, next_draw};
pub(crate) use sip::SipKey;

/// Whether two secrets are the same, in constant time.
pub(crate) fn same_secret(a: &[u8; 32], b: &[u8; 32]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}
