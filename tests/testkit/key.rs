//! Keys: PRK, key id and subkeys. FORMAT.md, "Keys".

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// K, 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(pub(crate) [u8; 32]);

impl Key {
    /// A key that a loader takes: `SHA-256("waxseal test key N")`.
    pub(crate) fn test(number: u32) -> Self {
        Self(sha256(format!("waxseal test key {number}").as_bytes()))
    }

    /// The key of FORMAT.md's examples, 00 01 .. 1f, which a loader refuses.
    pub(crate) fn example() -> Self {
        Self(core::array::from_fn(|index| index as u8))
    }

    /// `Extract("waxseal/v1", K)`, which RFC 5869 defines as an HMAC.
    pub(crate) fn prk(self) -> [u8; 32] {
        hmac(b"waxseal/v1", &[&self.0])
    }

    /// `Expand(PRK, info, 32)`: one block.
    pub(crate) fn expand(self, info: &[u8]) -> [u8; 32] {
        hmac(&self.prk(), &[info, &[1]])
    }

    pub(crate) fn id(self) -> [u8; 3] {
        let [a, b, c, ..] = self.expand(b"waxseal/v1/kid");
        [a, b, c]
    }

    pub(crate) fn id_text(self) -> String {
        super::hex(&self.id())
    }

    /// The subkey of a use, a purpose and a carrier.
    pub(crate) fn subkey(self, usage: &str, purpose: &str, carrier: &str) -> [u8; 32] {
        self.expand(format!("waxseal/v1/{usage}\0{purpose}\0{carrier}").as_bytes())
    }
}

/// HMAC-SHA-256 of the parts, one after the other.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
