//! RustCrypto's XChaCha20-Poly1305: Rust alone, and the reference for the other.
//!
//! Its Poly1305 chooses AVX2 code at run time whose helpers are not inlined, at about a microsecond a message.
//! `RUSTFLAGS='--cfg poly1305_backend="soft"'`, which only the final build can set, spares most of that.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

use super::{Forged, NONCE_LEN, TAG_LEN};

/// A key for authenticated encryption; wiped on drop.
pub(crate) struct AeadKey(XChaCha20Poly1305);

impl AeadKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts `buffer` in place and returns the tag over `associated_data` and the ciphertext.
    ///
    /// `nonce` must never be used for two messages under this key.
    pub(crate) fn seal(&self, nonce: &[u8; NONCE_LEN], associated_data: &[u8], buffer: &mut [u8]) -> [u8; TAG_LEN] {
        self.0
            .encrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(buffer))
            .expect("a token is far shorter than the 256 GiB that ChaCha20 can encrypt")
            .into()
    }

    /// Verifies `tag` and decrypts `buffer` in place.
    ///
    /// # Errors
    /// The tag does not belong to these bytes under this key; the buffer holds no plaintext.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated_data: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Forged> {
        self.0
            .decrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(buffer), tag.into())
            .map_err(|_| Forged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_wiped_on_drop() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<XChaCha20Poly1305>();
    }
}
