//! What is asked to be revoked, and the promise that it lasts.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::entry::CutOffId;
use crate::id::SessionId;
use crate::time::Timestamp;

/// What to revoke. Made by [`session`](Self::session), [`subject`](Self::subject), [`tenant`](Self::tenant) or
/// [`everyone`](Self::everyone), or taken back by [`retract`](Self::retract), and given to [`Revocations::revoke`](super::Revocations::revoke).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Revoke {
    pub(super) what: What,
    pub(super) except: Option<SessionId>,
    pub(super) until: Option<Timestamp>,
    pub(super) level: Level,
    pub(super) actor: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Everyone,
    Retract(CutOffId),
    Session(SessionId),
    Subject(String),
    Tenant(String),
}

impl Revoke {
    /// One session, in all its tokens, on every carrier.
    pub fn session(id: SessionId) -> Self {
        Self::of(What::Session(id))
    }

    /// Every session of a [`subject`](crate::SessionState::subject) that has started by now, in every tenant: "log out everywhere". If two
    /// tenants may both have an `ada`, let the state name its subjects `acme/ada`. An empty name is refused.
    pub fn subject(subject: &str) -> Self {
        Self::of(What::Subject(subject.to_owned()))
    }

    /// Every session of a [`tenant`](crate::SessionState::tenant) that has started by now. An empty name is refused.
    pub fn tenant(tenant: &str) -> Self {
        Self::of(What::Tenant(tenant.to_owned()))
    }

    /// Every session that has started by now.
    pub fn everyone() -> Self {
        Self::of(What::Everyone)
    }

    /// Not a revocation, but one taken back: sessions that this cut-off ended live again, if nothing else ended them.
    pub fn retract(cut_off: CutOffId) -> Self {
        Self::of(What::Retract(cut_off))
    }

    fn of(what: What) -> Self {
        Self { what, except: None, until: None, level: Level::Local, actor: String::new(), reason: String::new() }
    }

    /// All but this session: "log out my other devices".
    pub fn except(mut self, session: SessionId) -> Self {
        self.except = Some(session);
        self
    }

    /// Sessions that had started by `until`, instead of by now. Not later than now.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// How durable it must be. [`Level::Local`] unless set.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Who decides this, kept with the entry: up to 200 bytes, never a secret.
    pub fn actor(mut self, actor: &str) -> Self {
        self.actor = actor.to_owned();
        self
    }

    /// Why, kept with the entry: up to 200 bytes, never a secret.
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = reason.to_owned();
        self
    }
}

/// How durable a revocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// In this server's spool (Redis), or in the directory: it survives a restart, and reaches the others as soon as they can be
    /// reached, however long that takes.
    Local,
    /// Where every other server reads it.
    Shared,
    /// Shared, and copied to at least one replica of the store.
    Replicated,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Shared => "shared",
            Self::Replicated => "replicated",
        })
    }
}

/// A revocation on its way. It is in force on this server already; wait for it to be durable, as a future or by
/// [`wait`](Self::wait).
#[must_use = "a revocation is durable only once this is ready"]
pub struct Revoking {
    shared: Arc<Shared>,
}

/// A revocation that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// How durable it is.
    pub level: Level,
    /// Sessions that started at or before this are over; `None` for a single session.
    pub until: Option<Timestamp>,
    /// By which the cut-off can be retracted; `None` for a single session.
    pub cut_off: Option<CutOffId>,
}

impl Revoking {
    /// Waits until it is durable.
    ///
    /// # Errors
    /// See [`RevokeError`].
    pub fn wait(self) -> Result<Revoked, RevokeError> {
        let mut state = self.shared.state();
        loop {
            if let Some(done) = state.done.clone() {
                return done;
            }
            state = self.shared.decided.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A revocation that was decided at once.
    pub(super) fn ready(done: Result<Revoked, RevokeError>) -> Self {
        let (revoking, promise) = Self::new();
        promise.keep(done);
        revoking
    }

    /// One that is decided when a test says so.
    #[cfg(all(test, feature = "tower"))]
    pub(crate) fn promised() -> (Self, impl FnOnce(Result<Revoked, RevokeError>)) {
        let (revoking, promise) = Self::new();
        (revoking, move |done| promise.keep(done))
    }

    pub(super) fn new() -> (Self, Arc<Promise>) {
        let shared = Arc::<Shared>::default();
        (Self { shared: Arc::clone(&shared) }, Arc::new(Promise(shared)))
    }
}

impl Future for Revoking {
    type Output = Result<Revoked, RevokeError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.state();
        if let Some(done) = state.done.clone() {
            return Poll::Ready(done);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Revoking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoking").finish_non_exhaustive()
    }
}

/// Whoever writes holds it: to be kept, or broken by dropping it.
pub(super) struct Promise(Arc<Shared>);

/// Between whoever waits and whoever writes.
#[derive(Default)]
struct Shared {
    state: Mutex<Waiting>,
    decided: Condvar,
}

#[derive(Default)]
struct Waiting {
    done: Option<Result<Revoked, RevokeError>>,
    /// How durable it is so far.
    reached: Option<Level>,
    waker: Option<Waker>,
}

impl Promise {
    /// Tells whoever waits, or will. What was said first stays said.
    pub(super) fn keep(&self, done: Result<Revoked, RevokeError>) {
        self.0.decide(|_| done);
    }

    /// Notes how durable it is, on the way to more.
    pub(super) fn has_reached(&self, level: Level) {
        self.0.state().reached = Some(level);
    }

    /// Tells whoever waits that it took too long.
    pub(super) fn give_up(&self, why: &str) {
        self.0.decide(|reached| Err(RevokeError::NotDurable { reached, why: why.to_owned() }));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.give_up("whoever was to write it has stopped");
    }
}

impl Shared {
    fn decide(&self, done: impl FnOnce(Option<Level>) -> Result<Revoked, RevokeError>) {
        let waker = {
            let mut state = self.state();
            if state.done.is_some() {
                return;
            }
            state.done = Some(done(state.reached));
            state.waker.take()
        };
        self.decided.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far sharing came.
pub(super) struct Reached {
    /// `None` if no other server can read it.
    pub(super) level: Option<Level>,
    /// Why not further.
    pub(super) why: String,
}

/// Why a revocation is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The instant lies ahead of now: it would end sessions that do not exist yet. Nothing was revoked.
    Ahead {
        /// The instant.
        until: Timestamp,
    },
    /// The name is empty, which is nobody's. Nothing was revoked.
    NoName,
    /// The cut-off in force ends all these sessions already, and more; or so many were made within a second that another one
    /// would lie ahead of the clock. Nothing was revoked.
    NotLater {
        /// The cut-off in force.
        in_force: Timestamp,
    },
    /// It is in force on this server and not as durable as was asked for. As long as no other server can read it, it is tried
    /// again while this server runs.
    NotDurable {
        /// The level that was reached.
        reached: Option<Level>,
        /// Why not further.
        why: String,
    },
    /// The operating system gave no random bytes. Nothing was revoked.
    Random,
    /// It is in force, and as durable as it can be in a list of this kind, which is less than was asked for.
    Unsupported {
        /// The level that was asked for.
        asked: Level,
        /// The level that was reached.
        reached: Level,
    },
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { until } => write!(f, "{until} lies ahead of now; a cut-off ends sessions that there are"),
            Self::NoName => f.write_str("an empty name is nobody's; name the subject or the tenant"),
            Self::NotLater { in_force } => {
                write!(f, "sessions up to {in_force} are over already; for one that began since, try again in a second")
            }
            Self::NotDurable { reached: Some(at @ (Level::Shared | Level::Replicated)), why } => {
                write!(f, "revoked, but only {at}: {why}")
            }
            Self::NotDurable { why, .. } => {
                write!(f, "revoked on this server, but not durably: {why}; it is tried again until it is")
            }
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Unsupported { asked, reached } => {
                write!(f, "revoked, and {reached}; a list like this one is never {asked}")
            }
        }
    }
}

impl std::error::Error for RevokeError {}
