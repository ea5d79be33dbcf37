//! Extractors for axum: the session as an argument of a handler.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::current::CurrentSession;
use super::error::SessionError;
use crate::session::Session;
use crate::state::SessionState;

/// The session, whatever it is; fails only if the layer is missing.
impl<S: Send + Sync, T: SessionState> FromRequestParts<S> for CurrentSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::of_parts(parts)
    }
}

/// A session that was opened, for handlers that need one. Dereferences to its state.
///
/// Where visitors have sessions too before they log in, it may be a visitor's: take [`Authenticated`] for what needs a login.
///
/// As an argument, a request without a session is answered 401. As `Option<OpenSession<T>>`, a request without one is `None`,
/// and a bearer token that is refused is still answered 401: a bad token is not no token.
pub struct OpenSession<T> {
    current: CurrentSession<T>,
    session: Arc<Session<T>>,
}

impl<T: SessionState> OpenSession<T> {
    /// The session with its id, times and key.
    pub fn session(&self) -> &Session<T> {
        &self.session
    }

    /// As [`CurrentSession::update`]; this value shows the change.
    ///
    /// # Errors
    /// See [`CurrentSession::update`].
    pub fn update<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> Result<R, SessionError> {
        let result = self.current.update(change)?;
        self.session = self.current.get()?.ok_or(SessionError::Anonymous)?;
        Ok(result)
    }

    /// As [`CurrentSession::end`].
    ///
    /// # Errors
    /// See [`CurrentSession::end`].
    pub fn end(self) -> Result<(), SessionError> {
        self.current.end()
    }

    /// As [`CurrentSession::end_everywhere`].
    ///
    /// # Errors
    /// See [`CurrentSession::end_everywhere`].
    pub fn end_everywhere(self) -> Result<(), SessionError> {
        self.current.end_everywhere()
    }

    /// As [`CurrentSession::end_others`].
    ///
    /// # Errors
    /// See [`CurrentSession::end_others`].
    pub fn end_others(&self) -> Result<(), SessionError> {
        self.current.end_others()
    }

    /// The handle, for the other verbs.
    pub fn current(&self) -> &CurrentSession<T> {
        &self.current
    }

    fn of(parts: &Parts) -> Result<Option<Self>, SessionError> {
        let current = CurrentSession::of_parts(parts)?;
        Ok(current.get()?.map(|session| Self { current, session }))
    }
}

impl<S: Send + Sync, T: SessionState> FromRequestParts<S> for OpenSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::of(parts)?.ok_or(SessionError::Anonymous)
    }
}

impl<S: Send + Sync, T: SessionState> OptionalFromRequestParts<S> for OpenSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        Self::of(parts)
    }
}

impl<T> Deref for OpenSession<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.session.state()
    }
}

impl<T> fmt::Debug for OpenSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSession").field("session", &self.session).finish_non_exhaustive()
    }
}

/// A session of somebody: its state has a [`subject`](SessionState::subject) that is not empty. Anything else is answered 401.
///
/// For states that are also kept for visitors who have not logged in. Dereferences to its state.
pub struct Authenticated<T>(OpenSession<T>);

impl<T: SessionState> Authenticated<T> {
    /// Whose session it is.
    pub fn subject(&self) -> &str {
        // It had one when it was extracted, and no update may change it.
        self.0.subject().unwrap_or("")
    }

    /// The session with its id, times and key.
    pub fn session(&self) -> &Session<T> {
        self.0.session()
    }

    /// As [`OpenSession::update`].
    ///
    /// # Errors
    /// See [`CurrentSession::update`].
    pub fn update<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> Result<R, SessionError> {
        self.0.update(change)
    }

    /// As [`OpenSession::end`].
    ///
    /// # Errors
    /// See [`CurrentSession::end`].
    pub fn end(self) -> Result<(), SessionError> {
        self.0.end()
    }

    /// As [`CurrentSession::end_everywhere`].
    ///
    /// # Errors
    /// See [`CurrentSession::end_everywhere`].
    pub fn end_everywhere(self) -> Result<(), SessionError> {
        self.0.end_everywhere()
    }

    /// As [`CurrentSession::end_others`].
    ///
    /// # Errors
    /// See [`CurrentSession::end_others`].
    pub fn end_others(&self) -> Result<(), SessionError> {
        self.0.end_others()
    }

    /// The handle, for the other verbs.
    pub fn current(&self) -> &CurrentSession<T> {
        self.0.current()
    }

    /// An empty name is nobody's: a state may have a field for it before anybody logged in.
    fn of(session: OpenSession<T>) -> Option<Self> {
        session.subject().is_some_and(|subject| !subject.is_empty()).then_some(Self(session))
    }
}

impl<S: Send + Sync, T: SessionState> FromRequestParts<S> for Authenticated<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        OpenSession::of(parts)?.and_then(Self::of).ok_or(SessionError::Anonymous)
    }
}

impl<S: Send + Sync, T: SessionState> OptionalFromRequestParts<S> for Authenticated<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        Ok(OpenSession::of(parts)?.and_then(Self::of))
    }
}

impl<T> Deref for Authenticated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Authenticated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticated").field(&self.0).finish()
    }
}
