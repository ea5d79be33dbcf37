//! Building a sealer: every decision is checked here, once, against the ring.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

use super::opened::{Form, Sealed};
use super::policy::{Limit, LimitError, Policy};
use super::raw::RawSealer;
use super::sealer::Sealer;
use crate::crypto::OsRandom;
use crate::id::{Carrier, Label, LabelError, Mode, Purpose};
use crate::keys::KeyRing;
use crate::revocation::Revocations;
use crate::state::SessionState;
use crate::time::Clock;
use crate::token::Padding;

/// The settings that a sealer has with or without a type.
#[derive(Clone)]
struct Settings {
    ring: KeyRing,
    mode: Mode,
    purpose: String,
    carrier: Carrier,
    policy: Policy,
    clock: Option<Arc<dyn Clock>>,
    padding: Padding,
    prefix: Option<String>,
    revocations: Option<Revocations>,
}

impl Settings {
    fn new(ring: &KeyRing, mode: Mode, purpose: &str) -> Self {
        Self {
            ring: ring.clone(),
            mode,
            purpose: purpose.to_owned(),
            carrier: Carrier::Header,
            policy: Policy::default(),
            clock: None,
            padding: Padding::None,
            prefix: None,
            revocations: None,
        }
    }

    fn build(self) -> Result<RawSealer, BuildError> {
        let purpose: Purpose = self.purpose.parse()?;
        if self.mode == Mode::Signed && self.padding != Padding::None {
            return Err(BuildError::PaddedSignature);
        }
        self.prefix.as_deref().map(check_prefix).transpose()?;
        let limits = self.policy.resolve(self.ring.snapshot().ring.policy.max_token_lifetime)?;
        Ok(RawSealer {
            clock: self.clock.unwrap_or_else(|| self.ring.clock()),
            channel: self.ring.channel(Label { mode: self.mode, purpose, carrier: self.carrier }),
            limits,
            padding: self.padding,
            prefix: self.prefix.map(Arc::from),
            revocations: self.revocations,
            random: &OsRandom,
        })
    }
}

/// One to 16 characters of `A-Za-z0-9_`, the last one `_`. FORMAT.md, "Text".
pub(super) fn check_prefix(prefix: &str) -> Result<(), BuildError> {
    let allowed = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if allowed && prefix.ends_with('_') && prefix.len() <= MAX_PREFIX_LEN { Ok(()) } else { Err(BuildError::Prefix) }
}

/// Builds a [`Sealer`] or a [`Signer`](super::Signer). See [`Sealer::builder`].
#[must_use]
pub struct SealerBuilder<T, M = Sealed> {
    settings: Settings,
    schema: u16,
    types: PhantomData<fn() -> (T, M)>,
}

impl<T: SessionState, M: Form> Sealer<T, M> {
    /// A sealer with the default policy, for tokens in a header.
    ///
    /// `purpose` is 1 to 64 bytes of `[a-z0-9._/-]`, such as `session`; tokens of one purpose never
    /// open under another.
    ///
    /// # Security
    /// One purpose on one ring is one type, in all services that share the ring. The bytes of another type under the same
    /// purpose are authentic, and would be decoded as whatever they look like.
    ///
    /// # Errors
    /// The purpose is not one.
    pub fn new(ring: &KeyRing, purpose: &str) -> Result<Self, BuildError> {
        Self::builder(ring, purpose).build()
    }

    /// A sealer with a policy, carrier, clock, padding or prefix of its own.
    pub fn builder(ring: &KeyRing, purpose: &str) -> SealerBuilder<T, M> {
        SealerBuilder::new(ring, purpose)
    }
}

impl<T: SessionState, M: Form> SealerBuilder<T, M> {
    fn new(ring: &KeyRing, purpose: &str) -> Self {
        Self { settings: Settings::new(ring, M::MODE, purpose), schema: T::SCHEMA, types: PhantomData }
    }

    /// How long sessions live. [`Policy::default`] unless set.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How tokens travel. [`Carrier::Header`] unless set.
    pub fn carrier(mut self, carrier: Carrier) -> Self {
        self.settings.carrier = carrier;
        self
    }

    /// Where the time comes from. The ring's clock unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Some(Arc::new(clock));
        self
    }

    /// Pads the state, to hide how long it is. Not at all unless set; only for sealed tokens.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.settings.padding = padding;
        self
    }

    /// Begins every token with `prefix`, such as `shop_`, so that secret scanners find leaked ones;
    /// tokens without it are refused. 1 to 16 characters of `A-Za-z0-9_`, the last one `_`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.settings.prefix = Some(prefix.to_owned());
        self
    }

    /// Asks `revocations` of every session that is opened or renewed, by its id, its subject and its tenant. A new session
    /// begins after every cut-off that would end it.
    ///
    /// While the list cannot be relied on, no session opens: [`Reason::UnknownRevocation`](super::Reason::UnknownRevocation).
    /// Logins go on.
    pub fn revocations(mut self, revocations: &Revocations) -> Self {
        self.settings.revocations = Some(revocations.clone());
        self
    }

    /// Writes states in an older schema, while servers that know only that one still run.
    ///
    /// Both schemas are read. Needs [`SessionState::downgrade`].
    pub fn write_schema(mut self, schema: u16) -> Self {
        self.schema = schema;
        self
    }

    /// Checks the settings against the ring and registers with it.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(self) -> Result<Sealer<T, M>, BuildError> {
        if self.schema > T::SCHEMA {
            return Err(BuildError::WriteSchema { asked: self.schema, known: T::SCHEMA });
        }
        Ok(Sealer { raw: self.settings.build()?, schema: self.schema, types: PhantomData })
    }
}

impl<T, M> fmt::Debug for SealerBuilder<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealerBuilder").finish_non_exhaustive()
    }
}

/// Builds a [`RawSealer`]. See [`RawSealer::builder`].
#[must_use]
pub struct RawBuilder {
    settings: Settings,
}

impl RawSealer {
    /// A sealer without a type, for `purpose` on `ring`.
    pub fn builder(ring: &KeyRing, mode: Mode, purpose: &str) -> RawBuilder {
        RawBuilder { settings: Settings::new(ring, mode, purpose) }
    }
}

impl RawBuilder {
    /// As [`SealerBuilder::policy`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// As [`SealerBuilder::carrier`].
    pub fn carrier(mut self, carrier: Carrier) -> Self {
        self.settings.carrier = carrier;
        self
    }

    /// As [`SealerBuilder::padding`].
    pub fn padding(mut self, padding: Padding) -> Self {
        self.settings.padding = padding;
        self
    }

    /// As [`SealerBuilder::prefix`].
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.settings.prefix = Some(prefix.to_owned());
        self
    }

    /// As [`SealerBuilder::revocations`], but by the session's id and for everyone alone: who has no type cannot tell whose
    /// session it is. A session that was ended for its subject or its tenant opens here.
    pub fn revocations(mut self, revocations: &Revocations) -> Self {
        self.settings.revocations = Some(revocations.clone());
        self
    }

    /// As [`SealerBuilder::build`].
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(self) -> Result<RawSealer, BuildError> {
        self.settings.build()
    }
}

impl fmt::Debug for RawBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBuilder").finish_non_exhaustive()
    }
}

/// Why a sealer could not be built.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A limit is above one that it must not exceed.
    Contradiction {
        /// The limit.
        limit: Limit,
        /// What it exceeds.
        above: Limit,
    },
    /// The purpose is not one.
    Label(LabelError),
    /// A signed token's length is no secret, so it is never padded.
    PaddedSignature,
    /// The prefix is not one.
    Prefix,
    /// A limit is not a whole number of seconds from 1 to 4,294,967,295.
    Range {
        /// The limit.
        limit: Limit,
    },
    /// A schema newer than the type's own cannot be written.
    WriteSchema {
        /// The schema asked for.
        asked: u16,
        /// The type's own.
        known: u16,
    },
}

impl From<LabelError> for BuildError {
    fn from(error: LabelError) -> Self {
        Self::Label(error)
    }
}

impl From<LimitError> for BuildError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Contradiction { limit, above } => Self::Contradiction { limit, above },
            LimitError::Range { limit } => Self::Range { limit },
        }
    }
}

/// As displayed: `main` shows an error by `Debug`, and the next step is in the text.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contradiction { limit: Limit::RenewAfter, .. } => {
                f.write_str("the age for renewal must be below the token lifetime, or no token would ever be due")
            }
            Self::Contradiction { limit, above } => write!(f, "the {limit} must not exceed the {above}"),
            Self::Label(error) => error.fmt(f),
            Self::PaddedSignature => {
                f.write_str("signed tokens are readable and never padded; seal them, or do not pad")
            }
            Self::Prefix => {
                write!(f, "a prefix is 1 to {MAX_PREFIX_LEN} characters out of A-Z a-z 0-9 _, and the last one is _")
            }
            Self::Range { limit } => write!(f, "the {limit} must be a whole number of seconds from 1 to 4294967295"),
            Self::WriteSchema { asked, known } => {
                write!(f, "schema {asked} cannot be written; the type's own, {known}, is the newest")
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// Longest prefix, in characters.
const MAX_PREFIX_LEN: usize = 16;
