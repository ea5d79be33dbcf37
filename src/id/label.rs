//! What a token is for and how it travels: bound into the key it is sealed under, at no cost on the wire.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

/// What the tokens of a sealer are for, such as `session` or `password-reset`.
///
/// 1 to 64 bytes of `[a-z0-9._/-]`. A token opens only under the purpose it was sealed for.
/// FORMAT.md, "Keys".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(Arc<str>);

impl Purpose {
    /// The purpose as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purpose {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'/' | b'-');
        if text.is_empty() || text.len() > MAX_NAME_LEN || !text.bytes().all(allowed) {
            return Err(LabelError::Purpose(clip(text)));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a cookie: 1 to 64 RFC 6265 token characters, case-sensitive, prefix included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CookieName(Arc<str>);

impl CookieName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CookieName {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        if text.is_empty() || text.len() > MAX_NAME_LEN || !text.bytes().all(is_token_character) {
            return Err(LabelError::Cookie(clip(text)));
        }
        Ok(Self(text.into()))
    }
}

/// How a token travels. Bound into its key: a cookie's token is refused as a bearer token, and under
/// another cookie's name.
///
/// Displayed and parsed as `header` or `cookie:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A cookie of this name.
    Cookie(CookieName),
    /// `Authorization: Bearer` on requests, `Session-Token` on responses.
    Header,
}

impl Carrier {
    /// A cookie called `name`.
    ///
    /// # Errors
    /// `name` is not 1 to 64 RFC 6265 token characters.
    pub fn cookie(name: &str) -> Result<Self, LabelError> {
        name.parse().map(Self::Cookie)
    }
}

impl FromStr for Carrier {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        match text.strip_prefix("cookie:") {
            Some(name) => Self::cookie(name),
            None if text == "header" => Ok(Self::Header),
            None => Err(LabelError::Carrier(clip(text))),
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(name) => write!(f, "cookie:{}", name.as_str()),
            Self::Header => f.write_str("header"),
        }
    }
}

/// Whether the body of a token is hidden or readable. A verifier accepts exactly one; the token never selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Encrypted and authenticated: XChaCha20-Poly1305.
    Sealed,
    /// Authenticated but readable by anyone: HMAC-SHA256.
    Signed,
}

impl Mode {
    /// The first byte of a token: version 1 in the high nibble, the mode in the low one.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Sealed => 0x11,
            Self::Signed => 0x12,
        }
    }
}

impl FromStr for Mode {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        match text {
            "sealed" => Ok(Self::Sealed),
            "signed" => Ok(Self::Signed),
            _ => Err(LabelError::Mode(clip(text))),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sealed => "sealed",
            Self::Signed => "signed",
        })
    }
}

/// Everything a subkey is derived for, but the use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) mode: Mode,
    pub(crate) purpose: Purpose,
    pub(crate) carrier: Carrier,
}

impl Label {
    /// The HKDF info of a subkey: `waxseal/v1/` use 00 purpose 00 carrier. FORMAT.md, "Keys".
    ///
    /// Neither use nor purpose can hold a 00, so no two labels share their bytes.
    pub(crate) fn info(&self, part: Use) -> Vec<u8> {
        let name = match (self.mode, part) {
            (Mode::Sealed, Use::Token) => "seal",
            (Mode::Sealed, Use::Rnd) => "seal-rnd",
            (Mode::Signed, Use::Token) => "sign",
            (Mode::Signed, Use::Rnd) => "sign-rnd",
        };
        format!("waxseal/v1/{name}\0{}\0{}", self.purpose, self.carrier).into_bytes()
    }
}

/// What a subkey does within its mode.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// Derives `rnd`.
    Rnd,
    /// Encrypts or authenticates the token.
    Token,
}

/// A purpose, carrier, cookie name or mode that is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// Neither `header` nor `cookie:NAME`.
    Carrier(String),
    /// Not a cookie name.
    Cookie(String),
    /// Neither `sealed` nor `signed`.
    Mode(String),
    /// Not a purpose.
    Purpose(String),
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carrier(text) => write!(f, "carrier `{text}` is neither `header` nor `cookie:NAME`"),
            Self::Cookie(text) => write!(
                f,
                "cookie name `{text}` is not 1 to {MAX_NAME_LEN} characters out of A-Z a-z 0-9 and !#$%&'*+-.^_`|~"
            ),
            Self::Mode(text) => write!(f, "mode `{text}` is neither `sealed` nor `signed`"),
            Self::Purpose(text) => {
                write!(f, "purpose `{text}` is not 1 to {MAX_NAME_LEN} characters out of a-z 0-9 . _ / -")
            }
        }
    }
}

impl std::error::Error for LabelError {}

/// RFC 9110 section 5.6.2, `tchar`, which RFC 6265 names a token character.
pub(crate) fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The start of a wrong name, printable and short enough for one line.
fn clip(text: &str) -> String {
    text.chars().take(MAX_NAME_LEN).flat_map(char::escape_default).collect()
}

/// Longest purpose and longest cookie name, in bytes.
const MAX_NAME_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_at_their_limits() {
        let long = "a".repeat(65);
        for bad in ["", "Session", "a b", "a\0b", "ü", &long] {
            assert!(bad.parse::<Purpose>().is_err(), "{bad:?}");
        }
        for bad in ["", "a=b", "a;b", "a b", "a\u{a0}", &long] {
            assert!(bad.parse::<CookieName>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(64).parse::<Purpose>().is_ok());
        assert!("__Host-Http-id".parse::<CookieName>().is_ok());
    }

    #[test]
    fn carriers_display_as_they_parse() {
        for text in ["header", "cookie:id", "cookie:__Host-Http-id", "cookie:cookie"] {
            assert_eq!(text.parse::<Carrier>().unwrap().to_string(), text);
        }
        for bad in ["", "Header", "cookie", "cookie:", "bearer", "header "] {
            assert!(bad.parse::<Carrier>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_wrong_name_is_quoted_short_and_printable() {
        let error = "\u{1b}[2J".repeat(50).parse::<Purpose>().unwrap_err().to_string();
        assert!(error.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{error}");
        assert!(error.len() < 600);
    }

    #[test]
    fn the_info_separates_every_part() {
        let label = Label { mode: Mode::Sealed, purpose: "session".parse().unwrap(), carrier: Carrier::Header };
        assert_eq!(label.info(Use::Token), b"waxseal/v1/seal\0session\0header");
        assert_eq!(label.info(Use::Rnd), b"waxseal/v1/seal-rnd\0session\0header");
    }
}
