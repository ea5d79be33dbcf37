//! SipHash-2-4 with 128 bits of output: a short keyed hash, for names and fingerprints.

use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::mac::Prk;

/// A key of SipHash-2-4-128; wiped on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct SipKey(Box<[u8; 16]>);

impl SipKey {
    /// The first 16 bytes of `HKDF-Expand(PRK, info, 32)`.
    pub(crate) fn derive(prk: &Prk, info: &[u8]) -> Self {
        let mut key = Box::new([0; 16]);
        key.copy_from_slice(&prk.expand(info)[..16]);
        Self(key)
    }

    /// The 128 bits of `message`, as the reference implementation writes them.
    pub(crate) fn hash(&self, message: &[u8]) -> [u8; 16] {
        SipHasher24::new_with_key(&self.0).hash(message).as_bytes()
    }

    /// The same of `first` and `rest`, one behind the other.
    pub(crate) fn hash_both(&self, first: &[u8], rest: &[u8]) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(first);
        hasher.write(rest);
        hasher.finish128().as_bytes()
    }
}

impl Zeroize for SipKey {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and a later line of `vectors_sip128` in the reference implementation, of the key and messages `00 01 02 ..`.
    #[test]
    fn the_reference_vectors() {
        let key = SipKey(Box::new(core::array::from_fn(|index| index as u8)));
        let message: Vec<u8> = (0..63).collect();
        assert_eq!(crate::text::hex(&key.hash(&[])), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(crate::text::hex(&key.hash(&message[..1])), "da87c1d86b99af44347659119b22fc45");
    }
}
