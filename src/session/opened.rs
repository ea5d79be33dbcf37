//! A session that was opened: only opening can make one.

use core::fmt;
use core::marker::PhantomData;

use super::verified::SessionInfo;
use crate::id::{KeyId, Mode, SessionId};
#[cfg(feature = "tower")]
use crate::state::{self, SchemaError, SessionState};
use crate::time::Timestamp;

/// A session whose token was verified. The proof travels with the value: nothing else makes one.
pub struct Session<T, M = Sealed> {
    pub(super) info: SessionInfo,
    state: T,
    form: PhantomData<fn() -> M>,
}

/// A session whose token anyone can read. It is not a [`Session`], so the two cannot be mixed up.
pub type SignedSession<T> = Session<T, Signed>;

impl<T, M> Session<T, M> {
    pub(super) fn new(info: SessionInfo, state: T) -> Self {
        Self { info, state, form: PhantomData }
    }

    /// The session's id: the same for all its tokens, on every carrier.
    pub fn id(&self) -> SessionId {
        self.info.id()
    }

    /// When the session began.
    pub fn start(&self) -> Timestamp {
        self.info.id().start()
    }

    /// When this token was issued.
    pub fn issued_at(&self) -> Timestamp {
        self.info.issued_at()
    }

    /// When this token ends, by whichever limit comes first.
    pub fn expires_at(&self) -> Timestamp {
        self.info.expires_at()
    }

    /// The key this token was sealed under.
    pub fn key_id(&self) -> KeyId {
        self.info.key_id()
    }

    /// The schema this token's state was written in, before any upgrade.
    pub fn schema(&self) -> u16 {
        self.info.schema()
    }

    /// What the session holds.
    pub fn state(&self) -> &T {
        &self.state
    }

    /// What the session holds, to be changed; a change reaches the client with the next renewal.
    pub fn state_mut(&mut self) -> &mut T {
        &mut self.state
    }

    /// What the session held, without the proof.
    pub fn into_state(self) -> T {
        self.state
    }
}

#[cfg(feature = "tower")]
impl<T: SessionState, M> Session<T, M> {
    /// Applies `change` to a copy of the state: this session with the new state, or `None` if the change
    /// left it as it was, and what `change` returned. This session itself stays as it is.
    ///
    /// The copy is made by way of its bytes, so that a state need not be `Clone`; and bytes are compared, since
    /// it need not be `PartialEq` either. Both readings are of the copy: a map may be written in another order
    /// than the one it was copied from.
    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<(Option<Self>, R), SchemaError> {
        let (mut before, mut after) = (Vec::with_capacity(TYPICAL_LEN), Vec::with_capacity(TYPICAL_LEN));
        state::encode_as(&self.state, T::SCHEMA, &mut before)?;
        let mut state: T = state::decode(T::SCHEMA, &before)?;
        before.clear();
        state::encode_as(&state, T::SCHEMA, &mut before)?;
        let result = change(&mut state);
        state::encode_as(&state, T::SCHEMA, &mut after)?;
        let changed = (before != after).then(|| Self::new(self.info, state));
        Ok((changed, result))
    }
}

impl<T, M> fmt::Debug for Session<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Marks sealed sessions: their tokens are encrypted.
#[derive(Clone, Copy, Debug)]
pub enum Sealed {}

/// Marks signed sessions: their tokens are readable by anyone.
#[derive(Clone, Copy, Debug)]
pub enum Signed {}

/// What is common to both forms of a session; cannot be implemented outside.
pub trait Form: private::Only + 'static {
    /// The mode of its tokens.
    const MODE: Mode;
}

impl Form for Sealed {
    const MODE: Mode = Mode::Sealed;
}

impl Form for Signed {
    const MODE: Mode = Mode::Signed;
}

/// Room to begin with for the bytes of a state; a larger one grows once or twice.
#[cfg(feature = "tower")]
const TYPICAL_LEN: usize = 512;

mod private {
    pub trait Only {}
    impl Only for super::Sealed {}
    impl Only for super::Signed {}
}
