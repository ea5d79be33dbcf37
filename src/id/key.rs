//! The public name of a key: three bytes derived from it, in every token's header.

use core::fmt;

use serde::{Serialize, Serializer};

use crate::text;

/// The id of a key in the ring. Displayed as 6 lowercase hexadecimal digits.
///
/// Derived from the key itself, so a damaged or swapped secret is noticed when the ring is loaded.
/// FORMAT.md, "Keys".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::LEN]);

impl KeyId {
    /// Bytes of a key id.
    pub const LEN: usize = 3;

    /// The key id with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they stand in a token's header.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Reads 6 lowercase hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        text::unhex(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The hexadecimal digits.
impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
