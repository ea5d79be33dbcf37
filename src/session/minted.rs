//! A token just minted, and why one was not.

use core::fmt;

use super::refusal::Reason;
use crate::crypto::RandomError;
use crate::id::{KeyId, SessionId};
use crate::seal::MAX_CONTEXT_LEN;
use crate::state::SchemaError;
use crate::text::MAX_TEXT_LEN;
use crate::time::Timestamp;

/// A token just minted. Its text is a credential, so `Debug` does not show it.
#[derive(Clone)]
#[must_use = "a session lives in the token that is handed to the client"]
pub struct Token {
    pub(super) text: String,
    pub(super) id: SessionId,
    pub(super) key_id: KeyId,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl Token {
    /// The text to hand to the client.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text to hand to the client.
    pub fn into_string(self) -> String {
        self.text
    }

    /// The id of its session.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The key it was sealed under.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl AsRef<str> for Token {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl AsRef<[u8]> for Token {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why no token was minted. For the operator, and so exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The context is longer than 1024 bytes.
    ContextTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A cut-off that would end the new session lies ahead of this server's clock: the ring's for everyone, or one of the
    /// list of revocations.
    CutOffAhead,
    /// The clock is beyond the year 2106, or before 1970.
    EndOfTime,
    /// The session was opened by a sealer of another ring, purpose, mode or carrier.
    ForeignSession,
    /// The lifetime asked for is not a whole number of seconds from 1 to 4,294,967,295.
    Lifetime,
    /// No key of the ring seals at this instant.
    NoActiveKey,
    /// The operating system gave no random bytes.
    Random(RandomError),
    /// The state cannot be written.
    Schema(SchemaError),
    /// The session to renew would no longer open.
    Session(Reason),
    /// The session has reached its absolute limit.
    SessionOver,
    /// The state is too large for a token.
    TooLong {
        /// By how many bytes.
        excess: usize,
    },
}

impl From<SchemaError> for SealError {
    fn from(error: SchemaError) -> Self {
        Self::Schema(error)
    }
}

impl From<RandomError> for SealError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextTooLong { bytes } => write!(f, "the context has {bytes} bytes, more than {MAX_CONTEXT_LEN}"),
            Self::CutOffAhead => f.write_str("a cut-off for sessions is ahead of this clock; set the clock"),
            Self::EndOfTime => f.write_str("the clock is outside 1970 to 2106; set the clock"),
            Self::ForeignSession => f.write_str(
                "the session was opened by a sealer of another ring, purpose, mode or carrier; \
                 `transfer` changes the carrier",
            ),
            Self::Lifetime => f.write_str("a lifetime is 1 to 4294967295 whole seconds"),
            Self::NoActiveKey => {
                f.write_str("no key of the ring seals now; look at `waxseal keys list` and at this clock")
            }
            Self::Random(error) => error.fmt(f),
            Self::Schema(error) => write!(f, "the state cannot be written: {error}"),
            Self::Session(reason) => write!(f, "the session cannot be renewed: {reason}"),
            Self::SessionOver => f.write_str("the session has reached its absolute limit"),
            Self::TooLong { excess } => {
                write!(f, "the state is {excess} bytes too large for a token of {MAX_TEXT_LEN} characters")
            }
        }
    }
}

impl std::error::Error for SealError {}
