//! Typed sealers: start, open, renew and transfer sessions of one type.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use waxseal::{KeyRing, Sealer, SessionState};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<u32> }
//! impl SessionState for Shop {}
//!
//! let ring = KeyRing::generate()?;                       // a server loads its ring from a file
//! let sealer = Sealer::<Shop>::new(&ring, "session")?;
//!
//! let token = sealer.start(&Shop { user: "ada".into(), cart: vec![] })?;
//! let mut session = sealer.open(&token)?;                // on any server with the same ring
//! session.state_mut().cart.push(1042);
//! let token = sealer.renew(&session)?;                   // same session, new state
//! assert_eq!(token.id(), session.id());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use core::marker::PhantomData;
use std::time::Duration;

use serde::Deserialize;

use super::listed::owner;
use super::minted::{SealError, Token};
use super::opened::{Form, Sealed, Session, Signed};
use super::raw::{Call, Content, Judged, RawSealer};
use super::refusal::{OpenError, Reason};
use super::verified::{Buffer, RawSession, SessionInfo};
use crate::id::{Carrier, Label};
#[cfg(feature = "tower")]
use crate::revocation::Revocations;
use crate::state::{self, SchemaError, SessionState};
use crate::text::MAX_TOKEN_LEN;
use crate::time::Timestamp;

/// Seals and opens sessions of type `T`. Cheap to clone, and made to be shared.
///
/// See the [crate docs](crate) for an example.
pub struct Sealer<T, M = Sealed> {
    pub(super) raw: RawSealer,
    /// The schema that is written.
    pub(super) schema: u16,
    pub(super) types: PhantomData<fn() -> (T, M)>,
}

/// Signs and verifies sessions of type `T` whose tokens anyone can read, for clients that must.
///
/// Signed sessions are another Rust type than sealed ones, and their tokens open only here.
pub type Signer<T> = Sealer<T, Signed>;

impl<T: SessionState, M: Form> Sealer<T, M> {
    /// The same sealer for another carrier. Its tokens open only there; see
    /// [`transfer`](Self::transfer).
    ///
    /// Made once when the program starts, not for each request: keys are derived for each purpose and
    /// carrier, and kept while the ring lives.
    pub fn carrier(&self, carrier: Carrier) -> Self {
        let mut sibling = self.clone();
        let label = Label { carrier, ..self.raw.channel.label.clone() };
        sibling.raw.channel = self.raw.channel.ring.channel(label);
        sibling
    }

    /// What its tokens begin with, if anything.
    pub fn prefix(&self) -> Option<&str> {
        self.raw.prefix.as_deref()
    }

    /// The list that it asks, if any.
    #[cfg(feature = "tower")]
    pub(crate) fn revocations(&self) -> Option<&Revocations> {
        self.raw.revocations.as_ref()
    }

    /// The same verbs for a session that began just now, which nobody else can have ended: no list is asked, so that logins
    /// go on while it cannot be relied on.
    #[cfg(any(feature = "tower", test))]
    pub(crate) fn newborn(&self) -> Scoped<'_, T, M> {
        Scoped { sealer: self, call: Call { newborn: true, ..Call::default() } }
    }

    /// The same verbs with `context`: up to 1024 bytes that only the application knows, such as a
    /// tenant or the thumbprint of a client certificate. They are bound into the token, not sent in
    /// it, and must be given again to open it, and again to renew it: a renewal is bound to the context
    /// of its own call, and without one to none.
    pub fn with<'a>(&'a self, context: &'a [u8]) -> Scoped<'a, T, M> {
        Scoped { sealer: self, call: Call { context, ..Call::default() } }
    }

    /// Mints another token of `session` with its present state; id and start stay. Context and lifetime
    /// are this call's: see [`with`](Self::with).
    ///
    /// # Errors
    /// - the session came from a sealer of another ring, purpose or carrier
    /// - its token would no longer open now: it expired, or was revoked, or the list of revocations cannot be relied on now
    /// - any reason why [`start`](Sealer::start) fails
    pub fn renew(&self, session: &Session<T, M>) -> Result<Token, SealError> {
        self.with(&[]).renew(session)
    }

    /// Mints a token of `session`, which came by another carrier, for this sealer's carrier; id and
    /// start stay. So does a login hand out a second token.
    ///
    /// # Errors
    /// As for [`renew`](Self::renew), but for the carrier.
    pub fn transfer(&self, session: &Session<T, M>) -> Result<Token, SealError> {
        self.with(&[]).transfer(session)
    }

    /// The most characters that a renewal of `session` with its present state has, now or until its absolute limit, prefix
    /// included. A token holds how long ago its session began, so renewals grow by up to six characters, and with padding by a step.
    ///
    /// # Errors
    /// Any reason why [`renew`](Self::renew) would fail now, but for a lack of random bytes.
    pub fn measure(&self, session: &Session<T, M>) -> Result<usize, SealError> {
        self.with(&[]).measure(session)
    }

    /// Whether `session` should be renewed though nothing changed: after half of its token's life, or
    /// earlier if the policy says so, and as soon as its key is superseded.
    pub fn is_due(&self, session: &Session<T, M>) -> bool {
        self.with(&[]).is_due(session)
    }
}

impl<T: SessionState> Sealer<T> {
    /// Begins a new session and mints its first token. Always a new session: there is no way to
    /// seal a state again by accident, and so to escape a logout.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn start(&self, state: &T) -> Result<Token, SealError> {
        self.with(&[]).start(state)
    }

    /// Opens a token.
    ///
    /// Allocates only what `T` itself needs, and nothing for a token that is refused.
    ///
    /// # Errors
    /// See [`OpenError`]; what a client may be told of it is nothing.
    pub fn open(&self, text: impl AsRef<[u8]>) -> Result<Session<T>, OpenError> {
        self.with(&[]).open(text)
    }

    /// Opens a token into `buffer` and leaves the state there, to be borrowed from. Only a schema newer
    /// than `T`'s is refused here; [`RawSession::borrow`] judges the rest.
    ///
    /// With [`revocations`](super::SealerBuilder::revocations) the state is decoded once all the same, since only it says whose
    /// session it is; one that does not decode is then refused here.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_raw<'b>(&self, text: impl AsRef<[u8]>, buffer: &'b mut Buffer) -> Result<RawSession<'b, T>, OpenError> {
        self.with(&[]).open_raw(text, buffer)
    }
}

impl<T: SessionState> Signer<T> {
    /// Begins a new session and signs its first token, readable by anyone.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn sign(&self, state: &T) -> Result<Token, SealError> {
        self.with(&[]).sign(state)
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn verify(&self, text: impl AsRef<[u8]>) -> Result<Session<T, Signed>, OpenError> {
        self.with(&[]).verify(text)
    }

    /// Verifies a token into `buffer` and leaves the state there, to be borrowed from. With
    /// [`revocations`](super::SealerBuilder::revocations) the state is decoded once all the same, as by
    /// [`open_raw`](Sealer::open_raw).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn verify_raw<'b>(
        &self,
        text: impl AsRef<[u8]>,
        buffer: &'b mut Buffer,
    ) -> Result<RawSession<'b, T>, OpenError> {
        self.with(&[]).verify_raw(text, buffer)
    }
}

impl<T, M> Clone for Sealer<T, M> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), ..*self }
    }
}

impl<T, M> fmt::Debug for Sealer<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("label", &self.raw.channel.label).finish_non_exhaustive()
    }
}

/// A sealer with a context, an instant or a lifetime for one call. See [`Sealer::with`].
#[must_use]
pub struct Scoped<'a, T, M = Sealed> {
    sealer: &'a Sealer<T, M>,
    call: Call<'a>,
}

impl<T: SessionState, M: Form> Scoped<'_, T, M> {
    /// Acts as if it were `now`.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.call.now = Some(now);
        self
    }

    /// Asks for this token lifetime, in whole seconds, instead of the policy's. The limits of policy
    /// and ring still apply.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.call.ttl = Some(ttl);
        self
    }

    /// As [`Sealer::renew`].
    ///
    /// # Errors
    /// See [`Sealer::renew`].
    pub fn renew(self, session: &Session<T, M>) -> Result<Token, SealError> {
        if self.sealer.raw.arrived_elsewhere(&session.info) {
            return Err(SealError::ForeignSession);
        }
        self.mint(Some(&session.info), session.state())
    }

    /// As [`Sealer::transfer`].
    ///
    /// # Errors
    /// See [`Sealer::transfer`].
    pub fn transfer(self, session: &Session<T, M>) -> Result<Token, SealError> {
        self.mint(Some(&session.info), session.state())
    }

    /// As [`Sealer::measure`].
    ///
    /// # Errors
    /// See [`Sealer::measure`].
    pub fn measure(self, session: &Session<T, M>) -> Result<usize, SealError> {
        self.sealer.raw.measure(&session.info, self.call, self.content(session.state()))
    }

    /// As [`Sealer::is_due`].
    pub fn is_due(self, session: &Session<T, M>) -> bool {
        let raw = &self.sealer.raw;
        let now = raw.now(self.call);
        let life = session.expires_at().since(session.issued_at());
        now.since(session.issued_at()) >= u64::from(raw.limits.renew_after).min(life / 2)
            || raw.channel.ring.snapshot().is_superseded(session.key_id(), now)
    }

    fn mint(self, of: Option<&SessionInfo>, state: &T) -> Result<Token, SealError> {
        self.sealer.raw.mint(of, self.call, self.content(state))
    }

    fn content(self, state: &T) -> Content<'_, impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>> {
        let schema = self.sealer.schema;
        Content {
            schema,
            owner: owner(state),
            write: move |token: &mut Vec<u8>| state::encode_as(state, schema, token),
        }
    }

    /// Opens on the stack: a small buffer for most tokens, since zeroing a large one takes time.
    fn read(self, text: &[u8]) -> Result<Session<T, M>, OpenError> {
        if text.len() <= SMALL_TEXT_LEN {
            self.read_into(text, &mut [0; SMALL_TEXT_LEN])
        } else {
            self.read_into(text, &mut [0; MAX_TOKEN_LEN])
        }
    }

    fn read_into(self, text: &[u8], buffer: &mut [u8]) -> Result<Session<T, M>, OpenError> {
        let raw = &self.sealer.raw;
        let judged = raw.judge(text, self.call, buffer)?;
        let state = self.decode(&judged)?;
        Ok(Session::new(judged.info, state))
    }

    /// The state, once it is known that its owner's sessions go on.
    fn decode(self, judged: &Judged<'_>) -> Result<T, OpenError> {
        let info = &judged.info;
        let state =
            state::decode(info.schema(), judged.body).map_err(|error| OpenError::of(info.id(), error.into()))?;
        if self.sealer.raw.revocations.is_some() {
            self.sealer.raw.settle(judged, owner(&state), self.call)?;
        }
        Ok(state)
    }

    fn read_raw<'b>(self, text: &[u8], buffer: &'b mut Buffer) -> Result<RawSession<'b, T>, OpenError> {
        let raw = &self.sealer.raw;
        let judged = raw.judge(text, self.call, buffer.room())?;
        let (info, body) = (judged.info, judged.body);
        if info.schema() > T::SCHEMA {
            let reason = Reason::NewerSchema { found: info.schema(), known: T::SCHEMA };
            return Err(OpenError::of(info.id(), reason));
        }
        if raw.revocations.is_some() {
            // Whose session it is stands in the state alone.
            self.decode(&judged)?;
        }
        Ok(RawSession { info, body, state: PhantomData })
    }
}

impl<T: SessionState> Scoped<'_, T> {
    /// As [`Sealer::start`].
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn start(self, state: &T) -> Result<Token, SealError> {
        self.mint(None, state)
    }

    /// As [`Sealer::open`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(self, text: impl AsRef<[u8]>) -> Result<Session<T>, OpenError> {
        self.read(text.as_ref())
    }

    /// As [`Sealer::open_raw`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_raw<'b>(self, text: impl AsRef<[u8]>, buffer: &'b mut Buffer) -> Result<RawSession<'b, T>, OpenError> {
        self.read_raw(text.as_ref(), buffer)
    }
}

impl<T: SessionState> Scoped<'_, T, Signed> {
    /// As [`Signer::sign`](Sealer::sign).
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn sign(self, state: &T) -> Result<Token, SealError> {
        self.mint(None, state)
    }

    /// As [`Signer::verify`](Sealer::verify).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn verify(self, text: impl AsRef<[u8]>) -> Result<Session<T, Signed>, OpenError> {
        self.read(text.as_ref())
    }

    /// As [`Signer::verify_raw`](Sealer::verify_raw).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn verify_raw<'b>(
        self,
        text: impl AsRef<[u8]>,
        buffer: &'b mut Buffer,
    ) -> Result<RawSession<'b, T>, OpenError> {
        self.read_raw(text.as_ref(), buffer)
    }
}

impl<T, M> Clone for Scoped<'_, T, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, M> Copy for Scoped<'_, T, M> {}

impl<T, M> fmt::Debug for Scoped<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}

impl<'b, T: SessionState> RawSession<'b, T> {
    /// Decodes the state as a type that borrows from the buffer and is laid out as `T` is.
    ///
    /// A session in an older schema cannot be borrowed; open it typed, which upgrades it.
    ///
    /// # Errors
    /// - the session is in another schema than `T`'s
    /// - the bytes do not decode
    pub fn borrow<B: Deserialize<'b>>(&self) -> Result<B, SchemaError> {
        let schema = self.info.schema();
        if schema != T::SCHEMA {
            return Err(SchemaError::Unknown { schema });
        }
        Ok(state::decode_exact(self.body)?)
    }
}

/// The longest text that is opened in the small buffer, in characters; its bytes are fewer.
const SMALL_TEXT_LEN: usize = 512;
