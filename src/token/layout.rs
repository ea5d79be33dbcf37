//! The token as bytes: header, body, tag. Parse and write, no keys.
//!
//! ```text
//! 0      1          4             8          20          20+n      20+n+16
//! | mode | key id   | issued at   | rnd      | body      | tag     |
//! |  1   |  3       |  4          |  12      | n >= 3    |  16     |
//! ```

use crate::crypto::TAG_LEN;
use crate::id::{KeyId, Mode, RND_LEN};

/// Bytes of a token's header, in both modes.
pub(crate) const HEADER_LEN: usize = 20;

/// The first 20 bytes of a token. FORMAT.md, "Token".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) mode: u8,
    pub(crate) key_id: KeyId,
    pub(crate) issued_at: u32,
    pub(crate) rnd: [u8; RND_LEN],
}

impl Header {
    pub(crate) fn new(mode: Mode, key_id: KeyId, issued_at: u32) -> Self {
        Self { mode: mode.byte(), key_id, issued_at, rnd: [0; RND_LEN] }
    }

    /// Mode, key id and issue time, which `rnd` is derived from.
    pub(crate) fn fixed(&self) -> [u8; 8] {
        let [a, b, c] = *self.key_id.as_bytes();
        let [d, e, f, g] = self.issued_at.to_be_bytes();
        [self.mode, a, b, c, d, e, f, g]
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&self.fixed());
        bytes[8..].copy_from_slice(&self.rnd);
        bytes
    }

    /// The header of `token`; `None` if it is shorter than one.
    pub(crate) fn of(token: &[u8]) -> Option<Self> {
        token.first_chunk().map(Self::parse)
    }

    fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let [mode, a, b, c, d, e, f, g, rnd @ ..] = *bytes;
        Self { mode, key_id: KeyId::from_bytes([a, b, c]), issued_at: u32::from_be_bytes([d, e, f, g]), rnd }
    }
}

/// A token cut at its seams.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a [u8; HEADER_LEN],
    pub(crate) body: &'a mut [u8],
    pub(crate) tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    /// Cuts `token`; `None` if it is shorter than header and tag.
    pub(crate) fn split(token: &'a mut [u8]) -> Option<Self> {
        let (header, rest) = token.split_first_chunk_mut()?;
        let (body, tag) = rest.split_last_chunk_mut()?;
        Some(Self { header, body, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_header_is_its_bytes(bytes: [u8; HEADER_LEN]) {
            prop_assert_eq!(Header::parse(&bytes).to_bytes(), bytes);
        }

        #[test]
        fn parts_cover_the_token(token in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut copy = token.clone();
            match Parts::split(&mut copy) {
                None => prop_assert!(token.len() < HEADER_LEN + TAG_LEN),
                Some(parts) => prop_assert_eq!([&parts.header[..], parts.body, parts.tag].concat(), token),
            }
        }
    }
}
