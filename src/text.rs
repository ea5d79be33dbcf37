//! The token as text: strict base64url, one spelling for each token.
//!
//! RFC 4648 section 5 without padding. A decoder that accepted padding, white space, the other
//! alphabet or loose trailing bits would give one token several spellings; each is refused.
//! Lengths are judged before anything is decoded.

use core::fmt;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::NO_PAD;

/// With vector instructions where the machine has them. They take whole blocks of good characters only: every
/// other character, the last ones and the trailing bits are left to the scalar engine, which is as strict as ever.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
static BASE64URL: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

/// Shortest token text, in characters: 36 bytes of overhead and 3 of claims.
pub const MIN_TEXT_LEN: usize = 52;

/// Longest token text, in characters, so that a cookie stays below the 4,096 bytes browsers keep.
pub const MAX_TEXT_LEN: usize = 4000;

/// Most bytes a token has: [`MAX_TEXT_LEN`] characters of base64url.
pub(crate) const MAX_TOKEN_LEN: usize = MAX_TEXT_LEN / 4 * 3;

/// Bytes of text that [`decode_token`] can write for `chars` characters.
pub(crate) const fn decoded_len(chars: usize) -> usize {
    chars / 4 * 3 + (chars % 4) * 3 / 4
}

/// Characters of base64url for `bytes` bytes.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Decodes a token's text into `out` and returns how many bytes were written.
///
/// `out` must hold [`decoded_len`] bytes of the text.
///
/// # Errors
/// - the text is shorter than [`MIN_TEXT_LEN`] or longer than [`MAX_TEXT_LEN`] characters
/// - it is not strict base64url
pub(crate) fn decode_token(text: &[u8], out: &mut [u8]) -> Result<usize, TextError> {
    if !(MIN_TEXT_LEN..=MAX_TEXT_LEN).contains(&text.len()) {
        return Err(TextError::Length { chars: text.len() });
    }
    BASE64URL.decode_slice(text, out).map_err(|_| TextError::NotBase64Url)
}

/// Appends the base64url text of `bytes` to `out`.
pub(crate) fn encode(bytes: &[u8], out: &mut String) {
    BASE64URL.encode_string(bytes, out);
}

/// Decodes exactly `N` bytes of base64url, for keys and digests in files.
///
/// # Errors
/// The text is not the one spelling of `N` bytes.
pub(crate) fn decode_exact<const N: usize>(text: &str) -> Result<[u8; N], TextError> {
    let chars = text.len();
    if decoded_len(chars) != N {
        return Err(TextError::Length { chars });
    }
    let mut out = [0; N];
    match BASE64URL.decode_slice(text, &mut out) {
        Ok(written) if written == N => Ok(out),
        _ => {
            zeroize::Zeroize::zeroize(&mut out);
            Err(TextError::NotBase64Url)
        }
    }
}

/// Lowercase hexadecimal of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads lowercase hexadecimal of exactly `N` bytes.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Why a text is not the text of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    /// Too short or too long to be one, in characters.
    Length {
        /// How many characters there were.
        chars: usize,
    },
    /// A character outside the alphabet, padding, or trailing bits that are not zero.
    NotBase64Url,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &[u8]) -> Result<Vec<u8>, TextError> {
        let mut out = vec![0; MAX_TOKEN_LEN];
        decode_token(text, &mut out).map(|len| out[..len].to_vec())
    }

    #[test]
    fn lengths_are_judged_before_the_alphabet() {
        for chars in [0, 1, MIN_TEXT_LEN - 1, MAX_TEXT_LEN + 1, 1 << 20] {
            assert_eq!(decode(&vec![b'!'; chars]), Err(TextError::Length { chars }));
        }
        assert!(decode(&[b'A'; MIN_TEXT_LEN]).is_ok());
        assert!(decode(&[b'A'; MAX_TEXT_LEN]).is_ok());
    }

    #[test]
    fn other_spellings_are_refused() {
        let good = [b'A'; 54];
        for (at, byte) in [(0, b'+'), (0, b'/'), (53, b'='), (7, b' '), (7, b'\n'), (7, 0), (7, 0xff), (53, b'B')] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(decode(&bad), Err(TextError::NotBase64Url), "{byte:#x} at {at}");
        }
        assert_eq!(decode(&[b'A'; 53]), Err(TextError::NotBase64Url), "4k+1 characters");
    }

    proptest! {
        /// The reference is the scalar engine; the texts are long enough for vectors, and damaged anywhere.
        #[test]
        fn vectors_change_no_answer(
            bytes in prop::collection::vec(any::<u8>(), 39..700),
            damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let scalar = base64::engine::general_purpose::URL_SAFE_NO_PAD;
            let mut text = String::new();
            encode(&bytes, &mut text);
            prop_assert_eq!(&text, &scalar.encode(&bytes));
            let mut text = text.into_bytes();
            if let Some((at, byte)) = damage {
                *at.get_mut(&mut text) = byte;
            }
            prop_assert_eq!(decode(&text).ok(), scalar.decode(&text).ok());
        }

        #[test]
        fn accepted_text_has_one_spelling(text in "[A-Za-z0-9_-]{52,80}") {
            if let Ok(bytes) = decode(text.as_bytes()) {
                let mut again = String::new();
                encode(&bytes, &mut again);
                prop_assert_eq!(again, text);
            }
        }

        #[test]
        fn hex_round_trips(bytes in any::<[u8; 16]>()) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }
}
