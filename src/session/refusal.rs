//! Why a token was refused: nothing for the client, everything for the log.

use core::fmt;

use crate::id::{KeyId, SessionId};
use crate::state::{BodyError, SchemaError};
use crate::token::ClaimsError;

/// A token was refused. Displayed alike for every reason.
///
/// Answer with [`status`](Self::status) and nothing more; write [`reason`](Self::reason) to the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpenError {
    reason: Reason,
    suspect_clock: bool,
    /// Authentic, whatever the reason.
    id: Option<SessionId>,
}

impl OpenError {
    /// The exact reason, for logs and tests; never for the client.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The session, if the tag was good and its claims could be read: so that a logout of a session that cannot be opened can
    /// still end it. Of a token that was refused before that nothing is known.
    pub fn session_id(&self) -> Option<SessionId> {
        self.id
    }

    /// The HTTP status to answer with: 401, or 503 where an authentic token came to a server that
    /// cannot judge it now.
    pub fn status(&self) -> u16 {
        match self.reason {
            Reason::DisabledKey { .. } | Reason::NewerSchema { .. } | Reason::UnknownRevocation { .. } => 503,
            _ => 401,
        }
    }

    /// Whether the fault may be this server's own: an old ring or list of revocations, an old or a broken version of the
    /// service, a wrong clock. Then the client must keep its token, since another server may open it, or this one later.
    pub fn keep_token(&self) -> bool {
        match self.reason {
            Reason::Body(_)
            | Reason::Context { .. }
            | Reason::DisabledKey { .. }
            | Reason::Identity { .. }
            | Reason::NewerSchema { .. }
            | Reason::NotYetValid { .. }
            | Reason::UnknownKey { .. }
            | Reason::UnknownRevocation { .. }
            | Reason::UnknownSchema { .. } => true,
            Reason::Expired { .. } | Reason::ExpiredKey { .. } => self.suspect_clock,
            _ => false,
        }
    }

    /// The refusal was judged while the clock had doubts about itself.
    pub(super) fn under_a_suspect_clock(self) -> Self {
        Self { suspect_clock: true, ..self }
    }

    /// The refusal of a token whose tag is good.
    pub(super) fn of(id: SessionId, reason: Reason) -> Self {
        Self { id: Some(id), ..reason.into() }
    }
}

impl From<Reason> for OpenError {
    fn from(reason: Reason) -> Self {
        Self { reason, suspect_clock: false, id: None }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid session token")
    }
}

/// For developers, and so with the reason.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenError").field(&self.reason).finish()
    }
}

impl std::error::Error for OpenError {}

/// Why a token was refused. FORMAT.md, "Opening", in the order in which they are judged.
///
/// Up to [`Forged`](Self::Forged) nothing the token says is known to be true, its key id included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller's context is longer than 1024 bytes.
    Context {
        /// How long it is.
        bytes: usize,
    },
    /// The prefix that this sealer asks for is missing.
    Prefix,
    /// The text is too short or too long for a token.
    Length {
        /// How long it is.
        chars: usize,
    },
    /// The text is not strict base64url.
    Text,
    /// Not a token of this version and mode.
    Mode {
        /// The first byte.
        byte: u8,
    },
    /// The ring has no such key. It may be newer than this server's ring.
    UnknownKey {
        /// The key id, as claimed.
        key_id: KeyId,
    },
    /// The key was revoked.
    RevokedKey {
        /// The key id, as claimed.
        key_id: KeyId,
    },
    /// The key was retired so long ago that no token of it can be alive.
    ExpiredKey {
        /// The key id, as claimed.
        key_id: KeyId,
    },
    /// The tag does not verify: another key, purpose, carrier or context, or a changed token.
    Forged {
        /// The key id, as claimed.
        key_id: KeyId,
    },
    /// The key is switched off for now.
    DisabledKey {
        /// The key id.
        key_id: KeyId,
    },
    /// The claims cannot be read, though they are authentic.
    Claims(ClaimsError),
    /// Issued too far ahead of this server's clock.
    NotYetValid {
        /// By how many seconds.
        seconds: u64,
    },
    /// Issued after its key had been retired everywhere: forged by somebody who has that key.
    RetiredKey,
    /// Its life is over.
    Expired {
        /// The limit that ended it.
        limit: PolicyLimit,
        /// For how many seconds.
        seconds: u64,
    },
    /// The session was ended: by itself, or with all of its subject, its tenant or everyone.
    Revoked,
    /// Written by a newer version of the service.
    NewerSchema {
        /// The schema of the token.
        found: u16,
        /// The newest one known here.
        known: u16,
    },
    /// No step of the upgrade chain has this schema.
    UnknownSchema {
        /// The schema of the token.
        schema: u16,
    },
    /// The state does not decode: its type was changed without raising its schema.
    Body(BodyError),
    /// Subject or tenant would change in the upgrade from this schema.
    Identity {
        /// The schema of the token.
        schema: u16,
    },
    /// The list of revocations cannot be relied on, and nothing that it holds ends this session.
    UnknownRevocation {
        /// For how many seconds it has been older than this server may rely on; `None` if it was never loaded.
        stale_for: Option<u64>,
    },
}

impl Reason {
    /// One lowercase word, for metrics: the code of FORMAT.md, or `context` and `identity`, which it leaves
    /// to the caller and the application.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(_) => "body",
            Self::Claims(_) => "claims",
            Self::Context { .. } => "context",
            Self::DisabledKey { .. } => "disabled_key",
            Self::Expired { .. } => "expired",
            Self::ExpiredKey { .. } => "expired_key",
            Self::Forged { .. } => "forged",
            Self::Identity { .. } => "identity",
            Self::Length { .. } => "length",
            Self::Mode { .. } => "mode",
            Self::NewerSchema { .. } => "newer_schema",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Prefix => "prefix",
            Self::RetiredKey => "retired_key",
            Self::Revoked => "revoked",
            Self::RevokedKey { .. } => "revoked_key",
            Self::Text => "text",
            Self::UnknownKey { .. } => "unknown_key",
            Self::UnknownRevocation { .. } => "unknown_revocation",
            Self::UnknownSchema { .. } => "unknown_schema",
        }
    }
}

impl From<SchemaError> for Reason {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Body(error) => Self::Body(error),
            SchemaError::Identity { schema } => Self::Identity { schema },
            SchemaError::Newer { found, known } => Self::NewerSchema { found, known },
            SchemaError::Unknown { schema } => Self::UnknownSchema { schema },
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => write!(f, "the state does not decode: {error}"),
            Self::Claims(error) => error.fmt(f),
            Self::Context { bytes } => write!(f, "the context has {bytes} bytes, more than 1024"),
            Self::DisabledKey { key_id } => write!(f, "key {key_id} is disabled"),
            Self::Expired { limit, seconds } => write!(f, "expired {seconds} s ago by its {limit}"),
            Self::ExpiredKey { key_id } => write!(f, "key {key_id} was retired before any living token was issued"),
            Self::Forged { key_id } => {
                write!(f, "the tag does not verify under key {key_id} for this purpose, mode, carrier and context")
            }
            Self::Identity { schema } => {
                write!(f, "subject or tenant would change in the upgrade from schema {schema}")
            }
            Self::Length { chars } => write!(f, "{chars} characters are not a token; it has 52 to 4000"),
            Self::Mode { byte } => write!(f, "first byte {byte:02x} is not of this version and mode"),
            Self::NewerSchema { found, known } => {
                write!(f, "schema {found} is newer than {known}, the newest known here")
            }
            Self::NotYetValid { seconds } => write!(f, "issued {seconds} s ahead of this clock"),
            Self::Prefix => f.write_str("the prefix is missing"),
            Self::RetiredKey => f.write_str("issued after its key was retired"),
            Self::Revoked => f.write_str("the session was ended"),
            Self::RevokedKey { key_id } => write!(f, "key {key_id} was revoked"),
            Self::Text => f.write_str("not strict base64url"),
            Self::UnknownKey { key_id } => write!(f, "the ring has no key {key_id}"),
            Self::UnknownRevocation { stale_for: None } => {
                f.write_str("the list of revocations was never loaded, so the session may have been ended")
            }
            Self::UnknownRevocation { stale_for: Some(seconds) } => write!(
                f,
                "the list of revocations has been too old to rely on for {seconds} s, so the session may have been ended"
            ),
            Self::UnknownSchema { schema } => write!(f, "no step of the upgrade chain has schema {schema}"),
        }
    }
}

/// Which limit ended a token's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyLimit {
    /// The session is as old as a session may be.
    Absolute,
    /// The session was not renewed in time.
    Idle,
    /// The token's own lifetime.
    TokenLifetime,
}

impl fmt::Display for PolicyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "absolute limit",
            Self::Idle => "idle limit",
            Self::TokenLifetime => "token lifetime",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_nothing() {
        let key_id = KeyId::from_bytes([1, 2, 3]);
        for reason in
            [Reason::Text, Reason::Forged { key_id }, Reason::Revoked, Reason::NewerSchema { found: 2, known: 1 }]
        {
            assert_eq!(OpenError::from(reason).to_string(), "invalid session token");
        }
    }

    /// One row for each reason: a refusal that may be this server's fault takes no token away.
    #[test]
    fn what_may_be_this_servers_fault_takes_no_token_away() {
        let key_id = KeyId::from_bytes([1, 2, 3]);
        let expired = Reason::Expired { limit: PolicyLimit::Idle, seconds: 1 };
        for (reason, keeps) in [
            (Reason::Body(BodyError::Decode), true),
            (Reason::Claims(ClaimsError::Schema), false),
            (Reason::Context { bytes: 2000 }, true),
            (Reason::DisabledKey { key_id }, true),
            (expired, false),
            (Reason::ExpiredKey { key_id }, false),
            (Reason::Forged { key_id }, false),
            (Reason::Identity { schema: 1 }, true),
            (Reason::Length { chars: 7 }, false),
            (Reason::Mode { byte: 0 }, false),
            (Reason::NewerSchema { found: 2, known: 1 }, true),
            (Reason::NotYetValid { seconds: 300 }, true),
            (Reason::Prefix, false),
            (Reason::RetiredKey, false),
            (Reason::Revoked, false),
            (Reason::RevokedKey { key_id }, false),
            (Reason::Text, false),
            (Reason::UnknownKey { key_id }, true),
            (Reason::UnknownRevocation { stale_for: Some(60) }, true),
            (Reason::UnknownSchema { schema: 7 }, true),
        ] {
            assert_eq!(OpenError::from(reason).keep_token(), keeps, "{}", reason.code());
        }
        for by_the_clock in [expired, Reason::ExpiredKey { key_id }] {
            assert!(OpenError::from(by_the_clock).under_a_suspect_clock().keep_token());
        }
        assert!(!OpenError::from(Reason::Text).under_a_suspect_clock().keep_token());
    }

    #[test]
    fn a_refusal_is_small() {
        assert!(size_of::<OpenError>() <= 48, "{} bytes", size_of::<OpenError>());
    }

    #[test]
    fn only_an_authentic_token_can_buy_a_503() {
        let key_id = KeyId::from_bytes([1, 2, 3]);
        assert_eq!(OpenError::from(Reason::UnknownKey { key_id }).status(), 401);
        assert_eq!(OpenError::from(Reason::DisabledKey { key_id }).status(), 503);
        assert_eq!(OpenError::from(Reason::NewerSchema { found: 2, known: 1 }).status(), 503);
        assert_eq!(OpenError::from(Reason::UnknownRevocation { stale_for: None }).status(), 503);
    }

    #[test]
    fn the_log_says_what_is_wrong_with_the_list_and_for_how_long() {
        let never = Reason::UnknownRevocation { stale_for: None }.to_string();
        assert_eq!(never, "the list of revocations was never loaded, so the session may have been ended");
        let stale = Reason::UnknownRevocation { stale_for: Some(901) }.to_string();
        assert!(stale.contains("too old to rely on for 901 s"), "{stale}");
    }
}
