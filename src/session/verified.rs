//! What a token says of its session once it is verified, and the room it is opened in.

use core::fmt;
use core::marker::PhantomData;

use super::policy::Times;
use crate::id::{KeyId, Mode, SessionId};
use crate::keys::Place;
use crate::text::MAX_TOKEN_LEN;
use crate::time::Timestamp;

/// What a token says of its session, verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    pub(super) id: SessionId,
    pub(super) key_id: KeyId,
    pub(super) schema: u16,
    pub(super) times: Times,
    pub(super) expires_at: Timestamp,
    pub(super) mode: Mode,
    pub(super) place: Place,
}

impl SessionInfo {
    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The key the token was sealed under.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The schema that the state was written in.
    pub fn schema(&self) -> u16 {
        self.schema
    }

    /// When the token was issued.
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_unix(self.times.issued_at.into())
    }

    /// When the token ends, by whichever limit comes first.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The token's own lifetime, in seconds.
    pub fn token_lifetime(&self) -> u32 {
        self.times.ttl
    }
}

/// Room for one token while it is opened; reuse it to open without an allocation.
///
/// Holds the plaintext of the last token opened until the next one.
#[derive(Clone, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer. The first use allocates 3,000 bytes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn room(&mut self) -> &mut [u8] {
        self.0.resize(MAX_TOKEN_LEN, 0);
        &mut self.0
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

/// A session opened, its state still bytes in the caller's [`Buffer`].
///
/// `T` is the type of the sealer that opened it, if it has one.
pub struct RawSession<'b, T = ()> {
    pub(super) info: SessionInfo,
    pub(super) body: &'b [u8],
    pub(super) state: PhantomData<fn() -> T>,
}

impl<'b, T> RawSession<'b, T> {
    /// What the token says of its session.
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// The bytes of the state, in [`SessionInfo::schema`].
    pub fn body(&self) -> &'b [u8] {
        self.body
    }
}

impl<T> Clone for RawSession<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RawSession<'_, T> {}

impl<T> fmt::Debug for RawSession<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSession").field("info", &self.info).finish_non_exhaustive()
    }
}
