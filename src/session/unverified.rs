//! What a token says of itself, with nothing of it verified: for tools, never for a decision.
//!
//! Whoever holds a token can read this much without a key, and whoever made it may have lied.

use core::fmt;

use super::build::{BuildError, check_prefix};
use super::refusal::Reason;
use crate::crypto::TAG_LEN;
use crate::id::{KeyId, Mode, RND_LEN, SessionId};
use crate::text::{self, MAX_TOKEN_LEN};
use crate::time::Timestamp;
use crate::token::{Claims, ClaimsError, HEADER_LEN, Header};

/// A token's header, and for a signed one its claims and state. **Nothing of it is verified.**
///
/// ```
/// use waxseal::session::UnverifiedToken;
///
/// let text = "Eg-opWp0MoA5Vg7MdQTr3qyhKG8CkBwA0oXYzASxqAOBBNb7kWSN58aEFGn_RrhV7sc";
/// let token = UnverifiedToken::read(text, None)?;
/// assert_eq!(token.key_id().to_string(), "0fa8a5");      // says the token
/// # Ok::<(), waxseal::session::Reason>(())
/// ```
#[derive(Clone)]
pub struct UnverifiedToken {
    mode: Mode,
    header: Header,
    body: Vec<u8>,
}

impl UnverifiedToken {
    /// Reads `text`, which must begin with `prefix` if there is one. FORMAT.md, "Opening", steps 1 to 4.
    ///
    /// # Errors
    /// The text is not a token of this version, of either mode.
    pub fn read(text: impl AsRef<[u8]>, prefix: Option<&Prefix>) -> Result<Self, Reason> {
        let text = text.as_ref();
        let text = match prefix {
            None => text,
            Some(Prefix(prefix)) => text.strip_prefix(prefix.as_bytes()).ok_or(Reason::Prefix)?,
        };
        let mut token = vec![0; MAX_TOKEN_LEN];
        let len = text::decode_token(text, &mut token)?;
        token.truncate(len);
        let header = Header::of(&token).ok_or(Reason::Text)?;
        let modes = [Mode::Sealed, Mode::Signed];
        let mode = modes.into_iter().find(|mode| mode.byte() == header.mode);
        let mode = mode.ok_or(Reason::Mode { byte: header.mode })?;
        let body = token.get(HEADER_LEN..len.saturating_sub(TAG_LEN)).ok_or(Reason::Text)?.to_vec();
        Ok(Self { mode, header, body })
    }

    /// Sealed or signed.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The key it names.
    pub fn key_id(&self) -> KeyId {
        self.header.key_id
    }

    /// When it says it was issued.
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_unix(self.header.issued_at.into())
    }

    /// The 12 bytes that set it apart from every other token.
    pub fn rnd(&self) -> &[u8; RND_LEN] {
        &self.header.rnd
    }

    /// Bytes between header and tag: claims, state and padding, encrypted in a sealed token.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The claims and state of a signed token, which hides nothing; `None` for a sealed one.
    ///
    /// # Errors
    /// The claims cannot be read, so nobody will open this token.
    pub fn claims(&self) -> Option<Result<UnverifiedClaims<'_>, ClaimsError>> {
        (self.mode == Mode::Signed).then(|| self.read_claims())
    }

    fn read_claims(&self) -> Result<UnverifiedClaims<'_>, ClaimsError> {
        let (claims, body) = Claims::read(&self.body, self.mode)?;
        let id = claims.session_id(self.header.issued_at, self.header.rnd)?;
        Ok(UnverifiedClaims { id, schema: claims.schema, token_lifetime: claims.ttl, body })
    }
}

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("header", &self.header).finish_non_exhaustive()
    }
}

/// What a signed token claims. **Nothing of it is verified.**
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct UnverifiedClaims<'a> {
    /// The session it says it belongs to.
    pub id: SessionId,
    /// The schema it says its state is in.
    pub schema: u16,
    /// The lifetime it says it has, in seconds from its issue.
    pub token_lifetime: u32,
    /// The bytes of the state.
    pub body: &'a [u8],
}

impl fmt::Debug for UnverifiedClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedClaims").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What tokens begin with, in front of their base64url: 1 to 16 characters of `A-Za-z0-9_`, the last one `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::str::FromStr for Prefix {
    type Err = BuildError;

    fn from_str(text: &str) -> Result<Self, BuildError> {
        check_prefix(text).map(|()| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FORMAT.md, examples 1, 9 and 10.
    const SEALED: &str = "EQ-opWp0MoAVYPyyL9B1s1fpyUo2YhWBHz6uIYF99kR0E1VH_YOSH1sNgy-whgjf3M0";
    const SIGNED: &str = "Eg-opWp0MoA5Vg7MdQTr3qyhKG8CkBwA0oXYzASxqAOBBNb7kWSN58aEFGn_RrhV7sc";

    #[test]
    fn a_sealed_token_shows_its_header() {
        let prefix: Prefix = "shop_".parse().unwrap();
        let text = format!("shop_{SEALED}");
        let token = UnverifiedToken::read(&text, Some(&prefix)).unwrap();
        assert_eq!((token.mode(), token.body_len()), (Mode::Sealed, 14));
        assert_eq!((token.key_id().to_string(), token.issued_at().as_unix()), ("0fa8a5".into(), 1_786_000_000));
        assert_eq!(text::hex(token.rnd()), "1560fcb22fd075b357e9c94a");
        assert!(token.claims().is_none());
        assert_eq!(UnverifiedToken::read(SEALED, Some(&prefix)).unwrap_err(), Reason::Prefix);
        assert_eq!(UnverifiedToken::read(&text, None).unwrap_err(), Reason::Mode { byte: 0xb2 });
    }

    #[test]
    fn a_signed_token_shows_its_claims() {
        let token = UnverifiedToken::read(SIGNED, None).unwrap();
        let claims = token.claims().unwrap().unwrap();
        assert_eq!((claims.schema, claims.token_lifetime), (1, 3600));
        assert_eq!(claims.id.to_string(), "s1.6a74328039560ecc7504ebdeaca1286f");
        assert_eq!(text::hex(claims.body), "d285d8cc04b1a8038104");
    }

    #[test]
    fn other_versions_are_not_guessed_at() {
        let read = |first: &str| UnverifiedToken::read(format!("{first}{}", &SEALED[2..]), None).unwrap_err();
        assert_eq!(read("IQ"), Reason::Mode { byte: 0x21 });
        assert_eq!(read("E_"), Reason::Mode { byte: 0x13 });
    }

    #[test]
    fn a_prefix_is_checked() {
        for bad in ["", "shop", "shop-", "_ ", "aaaaaaaaaaaaaaaa_"] {
            assert_eq!(bad.parse::<Prefix>(), Err(BuildError::Prefix), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = UnverifiedToken::read(&text, None);
        }

        #[test]
        fn any_signed_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 38..100)) {
            let mut text = String::new();
            text::encode(&[&[0x12], &bytes[..]].concat(), &mut text);
            let _ = UnverifiedToken::read(&text, None).unwrap().claims();
        }
    }
}
