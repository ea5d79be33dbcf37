//! The handle by which a handler reads and changes the session of its request.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Extensions;

use super::departure::Departure;
use super::desk::{Desk, Request};
use super::error::SessionError;
use super::visit::Visit;
use crate::carrier::{Arrived, Signals};
use crate::revocation::Revoking;
use crate::session::{Session, Token};
use crate::state::SessionState;

/// The session of the request that is being handled, or the lack of one.
///
/// Cheap to clone; clones are the same session. The token is opened when the session is first asked for, and what is done to
/// the session is decided at once: whatever can go wrong is an error here, not a surprise on the way out.
///
/// See the [module docs](super) for an example.
pub struct CurrentSession<T> {
    slot: Arc<Slot<T>>,
}

impl<T: SessionState> CurrentSession<T> {
    /// The session of `request`.
    ///
    /// # Errors
    /// [`SessionError::LayerMissing`]
    pub fn of<B>(request: &http::Request<B>) -> Result<Self, SessionError> {
        Self::find(request.extensions(), request.into())
    }

    /// The session of a request without its body.
    ///
    /// # Errors
    /// [`SessionError::LayerMissing`]
    pub fn of_parts(parts: &http::request::Parts) -> Result<Self, SessionError> {
        Self::find(&parts.extensions, parts.into())
    }

    fn find(extensions: &Extensions, request: Request<'_>) -> Result<Self, SessionError> {
        let slot: &Arc<Slot<T>> = extensions.get().ok_or(SessionError::LayerMissing)?;
        slot.begin(request);
        Ok(Self { slot: Arc::clone(slot) })
    }

    /// The session, or `None` for a request without one.
    ///
    /// A cookie that is worth nothing is no session, and is deleted on the way out; unless the fault may be this
    /// server's own.
    ///
    /// # Errors
    /// - [`Invalid`](SessionError::Invalid), [`Malformed`](SessionError::Malformed) or [`Foreign`](SessionError::Foreign):
    ///   an explicit token that is refused is never taken for no token
    /// - [`CrossSite`](SessionError::CrossSite): a cookie session on a method that may change something
    /// - [`Unavailable`](SessionError::Unavailable)
    pub fn get(&self) -> Result<Option<Arc<Session<T>>>, SessionError> {
        self.with(|visit, desk| visit.session(desk))
    }

    /// Begins a new session, whatever the request carried. Call it at every login, so that nobody's session is carried over
    /// into somebody else's. A login need not ask for the old session first: `get` may fail where `start` would not. Of several
    /// sessions begun in one request the last is sent.
    ///
    /// # Errors
    /// - any error of [`get`](Self::get) but `Unavailable`
    /// - [`CrossSite`](SessionError::CrossSite): another site logs its user in; not known of a GET, which must be bound to the
    ///   browser that began the login by other means
    /// - [`Undeliverable`](SessionError::Undeliverable): see [`allow_cookie`](Self::allow_cookie) and
    ///   [`hand_off`](Self::hand_off)
    /// - [`TooLarge`](SessionError::TooLarge), [`Seal`](SessionError::Seal), [`TooLate`](SessionError::TooLate)
    pub fn start(&self, state: T) -> Result<Arc<Session<T>>, SessionError> {
        self.with(|visit, desk| visit.start(desk, &state, false)).map(|(session, _)| session)
    }

    /// Begins a new session as [`start`](Self::start) does. Where no carrier can take its token, returns the token instead of
    /// failing, for the page in the response's body to hand to its script.
    ///
    /// So a form login works for browsers that ask not to be tracked. The response is marked `no-store`; the page should
    /// hold nothing but what takes the token over.
    ///
    /// # Errors
    /// Those of [`start`](Self::start), but for `Undeliverable`.
    pub fn hand_off(&self, state: T) -> Result<Option<Token>, SessionError> {
        self.with(|visit, desk| visit.start(desk, &state, true)).map(|(_, token)| token)
    }

    /// Changes the state of the session. Sealed once on the way out, however often it is called, and not at all if the state
    /// is what it was.
    ///
    /// On an error the session is as it was before the call. `change` may call [`get`](Self::get), and sees the session
    /// unchanged.
    ///
    /// # Errors
    /// - [`Anonymous`](SessionError::Anonymous), and any error of [`get`](Self::get)
    /// - [`SubjectChanged`](SessionError::SubjectChanged): that needs [`start`](Self::start)
    /// - [`Undeliverable`](SessionError::Undeliverable), [`TooLarge`](SessionError::TooLarge),
    ///   [`Seal`](SessionError::Seal), [`TooLate`](SessionError::TooLate)
    /// - [`Concurrent`](SessionError::Concurrent): another change came in between
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, SessionError> {
        let base = self.with(|visit, desk| {
            visit.still_open()?;
            visit.session(desk)
        })?;
        let base = base.ok_or(SessionError::Anonymous)?;
        // Nothing is locked while the caller's code runs.
        let (changed, result) = base.edit(change).map_err(|error| SessionError::Seal(error.into()))?;
        match changed {
            Some(changed) => self.with(|visit, desk| visit.change(desk, &base, changed)).map(|()| result),
            None => Ok(result),
        }
    }

    /// Makes the response carry a new token of the session though nothing changed, such as for a button "stay logged in".
    ///
    /// Not needed for sessions that are in use: a token that is due is renewed by itself.
    ///
    /// # Errors
    /// Those of [`update`](Self::update) but `SubjectChanged` and `Concurrent`.
    pub fn renew(&self) -> Result<(), SessionError> {
        self.with(|visit, desk| visit.renew(desk))
    }

    /// Ends the session: the client is told to forget its token, by whichever carrier. Without a session nothing is to be
    /// ended, and that is no error.
    ///
    /// With [`revocations`](crate::session::SealerBuilder::revocations) the session is over on the server at once, every copy
    /// of its tokens included, and the response waits until that is [durable](super::SessionLayer::logout_level). If it cannot
    /// be made so, the response's status becomes 503; the client is told to forget its token all the same. Without a list a
    /// copy of the token made before stays good until it expires; see SECURITY.md.
    ///
    /// # Errors
    /// - any error of [`get`](Self::get) but `Unavailable`: who cannot be read can still log out
    /// - [`TooLate`](SessionError::TooLate)
    pub fn end(&self) -> Result<(), SessionError> {
        self.with(|visit, desk| visit.end(desk))
    }

    /// Ends every session of this session's [`subject`](SessionState::subject), in every tenant, this one included: "log out
    /// everywhere". The response is that of [`end`](Self::end).
    ///
    /// Whoever logs in from now on begins a new session, and stays.
    ///
    /// # Errors
    /// - [`Anonymous`](SessionError::Anonymous), and any error of [`get`](Self::get): who cannot be read is not known
    /// - [`NoRevocations`](SessionError::NoRevocations), [`NoSubject`](SessionError::NoSubject)
    /// - [`TooLate`](SessionError::TooLate)
    pub fn end_everywhere(&self) -> Result<(), SessionError> {
        self.with(|visit, desk| visit.end_everywhere(desk))
    }

    /// Ends every other session of this session's [`subject`](SessionState::subject), in every tenant: "log out my other
    /// devices". This one goes on; also if it was [begun](Self::start) in this request, such as after a change of password.
    ///
    /// The response waits until that is [durable](super::SessionLayer::logout_level). If it cannot be made so, its status
    /// becomes 503.
    ///
    /// # Errors
    /// Those of [`end_everywhere`](Self::end_everywhere).
    pub fn end_others(&self) -> Result<(), SessionError> {
        self.with(|visit, desk| visit.end_others(desk))
    }

    /// Sets a cookie in this response even if the browser sends a signal, since the user chose it for this site, such as by
    /// ticking "remember me with a cookie". An explicit choice beats a general signal in both specifications.
    ///
    /// Must be called before [`start`](Self::start) or [`update`](Self::update), and in later requests again, or a script of
    /// the page moves the session to the header. [`SessionLayer::allow_cookie_if`](super::SessionLayer::allow_cookie_if) does
    /// that for a choice that is kept in the state.
    pub fn allow_cookie(&self) {
        if let Some(visit) = self.slot.stage().visit() {
            visit.situation.allowed = true;
        }
    }

    /// The signals that came with the request, whatever the policy makes of them. The response then says that it depends on
    /// them: `Vary: DNT, Sec-GPC`.
    pub fn signals(&self) -> Signals {
        self.slot.stage().visit().map_or_else(Signals::default, |visit| {
            visit.asked_signals = true;
            visit.situation.signals
        })
    }

    /// How the request's session arrived.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn arrived(&self) -> Result<Arrived, SessionError> {
        self.with(|visit, desk| visit.arrived(desk))
    }

    pub(super) fn with<R>(
        &self,
        act: impl FnOnce(&mut Visit<T>, &Desk<T>) -> Result<R, SessionError>,
    ) -> Result<R, SessionError> {
        let mut stage = self.slot.stage();
        // A handle is only made once its visit has begun.
        let done = act(stage.visit().ok_or(SessionError::LayerMissing)?, &self.slot.desk);
        done.inspect_err(|error| {
            if let SessionError::Undeliverable(why) = error {
                tracing::info!(
                    ?why,
                    "a session cannot reach this client; pages that a server renders want CookiePolicy::Always"
                );
            }
        })
    }
}

impl<T> Clone for CurrentSession<T> {
    fn clone(&self) -> Self {
        Self { slot: Arc::clone(&self.slot) }
    }
}

impl<T> fmt::Debug for CurrentSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentSession").finish_non_exhaustive()
    }
}

/// What the layer puts into a request's extensions: a visit that begins when somebody asks for it.
pub(super) struct Slot<T> {
    pub(super) desk: Arc<Desk<T>>,
    stage: Mutex<Stage<T>>,
}

/// What became of a visit when its response's head leaves.
pub(super) struct Closed {
    pub(super) departure: Departure,
    /// The handler asked for the signals.
    pub(super) asked_signals: bool,
    /// What must be durable before.
    pub(super) revoking: Vec<Revoking>,
}

enum Stage<T> {
    /// Nobody asked yet.
    Before,
    /// Nobody asked before the response's head was on its way.
    Gone,
    /// Somebody asked.
    Visit(Visit<T>),
}

impl<T: SessionState> Slot<T> {
    pub(super) fn new(desk: Arc<Desk<T>>) -> Self {
        Self { desk, stage: Mutex::new(Stage::Before) }
    }

    fn begin(&self, request: Request<'_>) {
        let mut stage = self.stage();
        let closed = match *stage {
            Stage::Before => false,
            Stage::Gone => true,
            Stage::Visit(_) => return,
        };
        *stage = Stage::Visit(Visit::begin(&self.desk, request, closed));
    }

    /// See [`Visit::close`].
    pub(super) fn close(&self, failed: bool) -> Closed {
        let mut stage = self.stage();
        match &mut *stage {
            Stage::Visit(visit) => Closed {
                departure: visit.close(&self.desk, failed),
                asked_signals: visit.asked_signals,
                revoking: core::mem::take(&mut visit.revoking),
            },
            Stage::Before | Stage::Gone => {
                *stage = Stage::Gone;
                Closed { departure: Departure::Untouched, asked_signals: false, revoking: Vec::new() }
            }
        }
    }
}

impl<T> Slot<T> {
    /// Nobody will answer, or the answer is on its way: whoever has a handle can read, and no more.
    pub(super) fn abandon(&self) {
        let mut stage = self.stage();
        match &mut *stage {
            Stage::Visit(visit) => visit.closed = true,
            Stage::Before | Stage::Gone => *stage = Stage::Gone,
        }
    }

    /// Of the caller's code only the state's own runs while this is locked: its serde, schemas, subject and choice. Nothing is
    /// set before it is through, so a poisoned lock holds nothing half done.
    fn stage(&self) -> MutexGuard<'_, Stage<T>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Stage<T> {
    fn visit(&mut self) -> Option<&mut Visit<T>> {
        match self {
            Self::Visit(visit) => Some(visit),
            Self::Before | Self::Gone => None,
        }
    }
}
