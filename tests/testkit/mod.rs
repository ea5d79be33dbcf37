//! Format v1 a second time, straight from docs/FORMAT.md: whatever the library does, this does not ask it.
//!
//! Every field of a token and of a ring file can be set by hand, so any wrong one can be made too.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) mod cases;
pub(crate) mod examples;
pub(crate) mod forge;
pub(crate) mod judge;
pub(crate) mod key;
pub(crate) mod mint;
pub(crate) mod reader;
pub(crate) mod ring;
pub(crate) mod state;
pub(crate) mod vector;

/// The instant of FORMAT.md's examples.
pub(crate) const NOW: u64 = 1_786_000_000;

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal; blanks between pairs are for the eye.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    assert!(digits.len().is_multiple_of(2) && digits.is_ascii(), "{text} is not hexadecimal");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of strict base64url.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
