//! What stands before the session's state in a token: schema, lifetime, and where the session began.
//!
//! ```text
//! head varint (2 * schema + padded) | ttl varint | origin varint | [12 bytes] | body | [padding]
//! ```
//!
//! The claims are read only after the tag has verified.

use core::fmt;

use super::varint;
use crate::id::{Mode, RND_LEN, SessionId};

/// The statements of a token about itself. FORMAT.md, "P: claims and state".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) schema: u16,
    pub(crate) padded: bool,
    /// Lifetime from the issue time, in seconds; at least 1.
    pub(crate) ttl: u32,
    pub(crate) origin: Origin,
}

/// Where the session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// With this token.
    Here,
    /// With a token whose `rnd` was this, `age` seconds before this one was issued.
    Earlier { age: u32, first_rnd: [u8; RND_LEN] },
}

impl Claims {
    /// Claims of a token that starts a session.
    pub(crate) fn start(schema: u16, ttl: u32) -> Self {
        Self { schema, padded: false, ttl, origin: Origin::Here }
    }

    /// Claims of a later token of the session `id`, issued at `issued_at`, which is not before its start.
    pub(crate) fn renewal(schema: u16, ttl: u32, id: SessionId, issued_at: u32) -> Self {
        let age = issued_at.saturating_sub(id.start_seconds());
        Self { schema, padded: false, ttl, origin: Origin::Earlier { age, first_rnd: id.first_rnd() } }
    }

    /// Appends the claims to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        varint::write(u64::from(self.schema) << 1 | u64::from(self.padded), out);
        varint::write(self.ttl.into(), out);
        match self.origin {
            Origin::Here => varint::write(0, out),
            Origin::Earlier { age, first_rnd } => {
                varint::write(u64::from(age) + 1, out);
                out.extend_from_slice(&first_rnd);
            }
        }
    }

    /// Takes the claims and the padding off `plaintext`; what is left is the body.
    ///
    /// # Errors
    /// A number is cut short, not minimal or out of range, or the padding is not as it must be.
    pub(crate) fn read(plaintext: &[u8], mode: Mode) -> Result<(Self, &[u8]), ClaimsError> {
        let mut rest = plaintext;
        let head = varint::read(&mut rest, MAX_HEAD).ok_or(ClaimsError::Schema)?;
        let ttl = varint::read(&mut rest, u32::MAX.into()).ok_or(ClaimsError::Ttl)?;
        let origin = varint::read(&mut rest, MAX_ORIGIN).ok_or(ClaimsError::Origin)?;
        let claims = Self {
            schema: (head >> 1) as u16,
            padded: head & 1 == 1,
            ttl: if ttl == 0 { return Err(ClaimsError::Ttl) } else { ttl as u32 },
            origin: Origin::read(origin, &mut rest)?,
        };
        if claims.padded && mode == Mode::Signed {
            return Err(ClaimsError::Padding);
        }
        if claims.padded {
            rest = unpad(plaintext.len(), rest).ok_or(ClaimsError::Padding)?;
        }
        Ok((claims, rest))
    }

    /// The session's id, for a token with this issue time and `rnd`.
    ///
    /// # Errors
    /// The session would have begun before 1970.
    pub(crate) fn session_id(&self, issued_at: u32, rnd: [u8; RND_LEN]) -> Result<SessionId, ClaimsError> {
        match self.origin {
            Origin::Here => Ok(SessionId::new(issued_at, rnd)),
            Origin::Earlier { age, first_rnd } => {
                let start = issued_at.checked_sub(age).ok_or(ClaimsError::Origin)?;
                Ok(SessionId::new(start, first_rnd))
            }
        }
    }
}

impl Origin {
    fn read(origin: u64, rest: &mut &[u8]) -> Result<Self, ClaimsError> {
        let Some(age) = origin.checked_sub(1) else { return Ok(Self::Here) };
        let (first_rnd, left) = rest.split_first_chunk().ok_or(ClaimsError::Origin)?;
        *rest = left;
        Ok(Self::Earlier { age: age as u32, first_rnd: *first_rnd })
    }
}

/// Whether and how far the body of a sealed token is padded, to hide its exact length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// Not at all: the shortest token.
    #[default]
    None,
    /// To a multiple of 16 bytes.
    To16,
    /// To a multiple of 32 bytes.
    To32,
    /// To a multiple of 64 bytes.
    To64,
}

impl Padding {
    fn block(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::To16 => Some(16),
            Self::To32 => Some(32),
            Self::To64 => Some(64),
        }
    }
}

/// Pads the plaintext that begins at `start` of `out`: one 80, then 00s to the end of the block.
///
/// Its claims must have `padded` set.
pub(crate) fn pad(out: &mut Vec<u8>, start: usize, padding: Padding) {
    if let Some(block) = padding.block() {
        out.push(PAD);
        let len = (out.len() - start).next_multiple_of(block);
        out.resize(start + len, 0);
    }
}

/// Takes the padding off `rest`, the end of a plaintext of `len` bytes.
fn unpad(len: usize, rest: &[u8]) -> Option<&[u8]> {
    let last = rest.iter().rposition(|&byte| byte != 0)?;
    let aligned = len.is_multiple_of(PAD_UNIT);
    let short = rest.len() - last <= MAX_PADDING;
    (aligned && short && rest[last] == PAD).then_some(&rest[..last])
}

/// Why the claims of an authentic token cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimsError {
    /// Where the session began: not minimal, cut short, or before 1970.
    Origin,
    /// The padding is missing, misplaced, or on a signed token.
    Padding,
    /// The schema: not minimal, or out of range.
    Schema,
    /// The lifetime: not minimal, zero, or out of range.
    Ttl,
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin => "where the session began cannot be read",
            Self::Padding => "the padding is not as it must be",
            Self::Schema => "the schema cannot be read",
            Self::Ttl => "the lifetime cannot be read",
        })
    }
}

impl std::error::Error for ClaimsError {}

/// 2 * 65535 + 1.
const MAX_HEAD: u64 = 131_071;

/// An age of 2^32 - 1 seconds, and one.
const MAX_ORIGIN: u64 = 1 << 32;

/// The first byte of padding.
const PAD: u8 = 0x80;

/// A padded plaintext is a multiple of this many bytes.
const PAD_UNIT: usize = 16;

/// Most bytes of padding.
const MAX_PADDING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_claims() -> impl Strategy<Value = Claims> {
        let origin = prop_oneof![
            Just(Origin::Here),
            any::<(u32, [u8; RND_LEN])>().prop_map(|(age, first_rnd)| Origin::Earlier { age, first_rnd }),
        ];
        (any::<u16>(), any::<bool>(), 1_u32.., origin).prop_map(|(schema, padded, ttl, origin)| Claims {
            schema,
            padded,
            ttl,
            origin,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(claims in any_claims(), body: Vec<u8>, block in 1_u8..4) {
            let padding = [Padding::To16, Padding::To32, Padding::To64][usize::from(block) - 1];
            let mut plaintext = vec![0xee; 5];
            claims.write(&mut plaintext);
            plaintext.extend_from_slice(&body);
            if claims.padded {
                pad(&mut plaintext, 5, padding);
            }
            prop_assert_eq!(Claims::read(&plaintext[5..], Mode::Sealed), Ok((claims, &body[..])));
        }

        #[test]
        fn what_is_read_is_written_the_same(plaintext in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok((claims, body)) = Claims::read(&plaintext, Mode::Sealed) {
                let mut again = Vec::new();
                claims.write(&mut again);
                again.extend_from_slice(body);
                prop_assert_eq!(&again[..], &plaintext[..again.len()]);
            }
        }
    }

    #[test]
    fn wrong_padding_is_refused() {
        let read = |hex: &str| {
            let bytes: Vec<u8> = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            Claims::read(&bytes, Mode::Sealed).map(|(_, body)| body.to_vec())
        };
        let refused = Err(ClaimsError::Padding);
        assert_eq!(read("03 01 00 aa bb 80 00 00 00 00 00 00 00 00 00 00"), Ok(vec![0xaa, 0xbb]));
        assert_eq!(read("03 01 00 aa 80 80 00 00 00 00 00 00 00 00 00 00"), Ok(vec![0xaa, 0x80]));
        assert_eq!(read("03 01 00 80 00 00 00 00 00 00 00 00 00 00 00 00"), Ok(vec![]));
        assert_eq!(read("03 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), refused, "all zero");
        assert_eq!(read("03 01 00 aa bb 80 00 00 00 00 00 00 00 00 00"), refused, "15 bytes");
        assert_eq!(read("03 01 00 aa bb 80 00 00 00 00 00 00 00 00 00 01"), refused, "no 80");
        assert_eq!(read("03 01 00"), refused, "nothing to strip");
        let signed = [&[3, 1, 0, 0x80][..], &[0; 12]].concat();
        assert_eq!(Claims::read(&signed, Mode::Signed), Err(ClaimsError::Padding), "a signed token");
        let long = |zeros: usize| {
            let body = vec![0xaa; 16 - (4 + zeros) % 16];
            [&[3, 1, 0][..], &body, &[0x80], &vec![0; zeros]].concat()
        };
        assert!(Claims::read(&long(63), Mode::Sealed).is_ok());
        assert_eq!(Claims::read(&long(64), Mode::Sealed), Err(ClaimsError::Padding), "65 bytes");
    }

    #[test]
    fn a_session_cannot_begin_before_1970() {
        let claims = Claims { origin: Origin::Earlier { age: 11, first_rnd: [0; 12] }, ..Claims::start(1, 1) };
        assert_eq!(claims.session_id(10, [1; 12]), Err(ClaimsError::Origin));
        assert_eq!(claims.session_id(11, [1; 12]).unwrap().start_seconds(), 0);
    }
}
