//! A key of the ring: 32 uniform bytes, and what is derived from them.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypto::{Prk, Random, RandomError};
use crate::id::KeyId;
use crate::text;

/// 32 secret bytes, wiped on drop and never shown.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct Secret(Box<[u8; Self::LEN]>);

impl Secret {
    pub(crate) const LEN: usize = 32;

    /// A new secret from the operating system.
    pub(crate) fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = Box::new([0; Self::LEN]);
        random.fill(&mut bytes[..])?;
        Ok(Self(bytes))
    }

    /// Reads the 43 characters of a ring file.
    ///
    /// # Errors
    /// - the text is not the one spelling of 32 bytes
    /// - the bytes were plainly not drawn at random
    pub(crate) fn from_text(text: &str) -> Result<Self, SecretError> {
        let mut bytes = text::decode_exact(text).map_err(|_| SecretError::NotASecret)?;
        let secret = Self::from_bytes(&bytes);
        bytes.zeroize();
        secret
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, SecretError> {
        if is_a_sequence(bytes) {
            return Err(SecretError::Published);
        }
        Ok(Self(Box::new(*bytes)))
    }

    /// For the examples of FORMAT.md, which are refused otherwise.
    #[cfg(test)]
    pub(crate) fn unchecked(bytes: [u8; Self::LEN]) -> Self {
        Self(Box::new(bytes))
    }

    /// The 43 characters of a ring file, in a string that is wiped on drop.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(43));
        text::encode(&self.0[..], &mut text);
        text
    }

    /// `HKDF-Extract("waxseal/v1", K)`. FORMAT.md, "Keys".
    pub(crate) fn prk(&self) -> Prk {
        Prk::extract(SALT, &self.0[..])
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        crate::crypto::same_secret(&self.0, &other.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// `HKDF-Expand(PRK, "waxseal/v1/kid", 32)[..3]`. FORMAT.md, "Keys".
pub(crate) fn key_id(prk: &Prk) -> KeyId {
    let [a, b, c, ..] = *prk.expand(KEY_ID_INFO);
    KeyId::from_bytes([a, b, c])
}

/// Whether each byte differs from the one before by the same amount, modulo 256.
///
/// So are all-equal bytes and the example keys `00 01 02 ..` that documents and tests print, ours
/// included; a random key never is (one in 2^240).
fn is_a_sequence(bytes: &[u8; Secret::LEN]) -> bool {
    let step = bytes[1].wrapping_sub(bytes[0]);
    bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step)
}

/// Bytes that are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// Not 43 characters of canonical base64url.
    NotASecret,
    /// All-equal or evenly stepped bytes, as in published examples.
    Published,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASecret => "a secret is 43 characters of canonical base64url, which are 32 bytes",
            Self::Published => "the secret is an all-equal or evenly stepped example, known to everybody",
        })
    }
}

impl std::error::Error for SecretError {}

const SALT: &[u8] = b"waxseal/v1";
const KEY_ID_INFO: &[u8] = b"waxseal/v1/kid";

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(from: u8, step: u8) -> [u8; 32] {
        core::array::from_fn(|index| from.wrapping_add(step.wrapping_mul(index as u8)))
    }

    #[test]
    fn example_keys_are_refused() {
        for bytes in [[0; 32], [0xa5; 32], counting(0, 1), counting(0x20, 1), counting(31, 255), counting(1, 3)] {
            assert_eq!(Secret::from_bytes(&bytes).unwrap_err(), SecretError::Published);
        }
        let mut one_off = counting(0, 1);
        one_off[31] ^= 1;
        assert!(Secret::from_bytes(&one_off).is_ok());
    }

    #[test]
    fn only_43_canonical_characters_are_a_secret() {
        let text = Secret::from_bytes(&[[1; 16], [2; 16]].concat().try_into().unwrap()).unwrap().to_text();
        assert_eq!(text.len(), 43);
        assert!(Secret::from_text(&text).is_ok());
        let loose = format!("{}B", &text[..42]);
        for bad in ["", &text[..42], &format!("{}A", *text), &format!("{}=", *text), &loose] {
            assert_eq!(Secret::from_text(bad).unwrap_err(), SecretError::NotASecret, "{bad}");
        }
    }

    #[test]
    fn the_reference_key_id() {
        let prk = Prk::extract(SALT, &counting(0, 1));
        assert_eq!(key_id(&prk).to_string(), "0fa8a5");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(
            format!("{:?}", Secret::from_bytes(&[[1; 16], [2; 16]].concat().try_into().unwrap()).unwrap()),
            "Secret { .. }"
        );
    }
}
