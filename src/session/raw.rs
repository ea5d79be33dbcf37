//! A sealer without a type: it mints and judges tokens whose state is bytes. Typed sealers stand on it,
//! and tools that have no type, such as the `waxseal` command, use it as it is.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::policy::{Limits, RingTimes, Times};
use super::refusal::{OpenError, Reason};
use crate::crypto::{Random, RandomError, TAG_LEN};
use crate::id::{KeyId, Mode, SessionId};
use crate::keys::{Channel, Lookup, Place, Snapshot};
use crate::seal::{self, MAX_CONTEXT_LEN};
use crate::state::SchemaError;
use crate::text::{self, MAX_TEXT_LEN, MAX_TOKEN_LEN, TextError};
use crate::time::{Clock, Timestamp};
use crate::token::{Claims, HEADER_LEN, Header, Padding, pad};

/// Mints and opens tokens whose state is bytes of any schema.
///
/// Whoever has a type uses [`Sealer`](super::Sealer), which cannot mix schemas up.
#[derive(Clone)]
pub struct RawSealer {
    pub(super) channel: Channel,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) padding: Padding,
    pub(super) prefix: Option<Arc<str>>,
    pub(super) random: &'static dyn Random,
}

/// What a single call may say beside its operands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) context: &'a [u8],
    pub(super) now: Option<Timestamp>,
    pub(super) ttl: Option<Duration>,
}

/// What a token says of its session, verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    id: SessionId,
    key_id: KeyId,
    schema: u16,
    times: Times,
    expires_at: Timestamp,
    mode: Mode,
    place: Place,
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

impl RawSealer {
    /// Mints the first token of a session.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn start(&self, schema: u16, body: &[u8], context: &[u8]) -> Result<Token, SealError> {
        self.with_context(context).start(schema, body)
    }

    /// Opens a token into `buffer`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<'b>(
        &self,
        text: impl AsRef<[u8]>,
        context: &[u8],
        buffer: &'b mut Buffer,
    ) -> Result<RawSession<'b>, OpenError> {
        self.with_context(context).open(text, buffer)
    }

    /// The same verbs with a context, an instant or a lifetime for one call.
    pub fn with_context<'a>(&'a self, context: &'a [u8]) -> RawScoped<'a> {
        RawScoped { sealer: self, call: Call { context, ..Call::default() } }
    }

    pub(super) fn now(&self, call: Call<'_>) -> Timestamp {
        call.now.unwrap_or_else(|| self.clock.now())
    }

    /// Mints a token, of a new session or of the one that `of` came from. FORMAT.md, "Minting".
    pub(super) fn mint(
        &self,
        of: Option<&SessionInfo>,
        schema: u16,
        call: Call<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>,
    ) -> Result<Token, SealError> {
        check_context(call.context).map_err(|bytes| SealError::ContextTooLong { bytes })?;
        let now = self.now(call);
        let ring = self.channel.ring.snapshot();
        let issued_at = match of {
            None => first_second(&ring, now)?,
            Some(info) => self.next_second(&ring, info, now)?,
        };
        let issued_at = u32::try_from(issued_at.as_unix()).map_err(|_| SealError::EndOfTime)?;
        let (key_id, subkeys) = ring.sealing(self.channel.place.channel, now).ok_or(SealError::NoActiveKey)?;
        let start = of.map_or(issued_at, |info| info.id.start_seconds());
        let asked = asked_seconds(call.ttl, self.limits.ttl)?;
        let ring_max = ring.ring.policy.max_token_lifetime;
        let ttl = self.limits.lifetime(asked, issued_at, start, ring_max).ok_or(SealError::SessionOver)?;

        let mut claims = match of {
            None => Claims::start(schema, ttl),
            Some(info) => Claims::renewal(schema, ttl, info.id, issued_at),
        };
        claims.padded = self.padding != Padding::None;
        let mut token = Vec::with_capacity(TYPICAL_TOKEN_LEN);
        token.resize(HEADER_LEN, 0);
        claims.write(&mut token);
        write(&mut token)?;
        pad(&mut token, HEADER_LEN, self.padding);
        if token.len() + TAG_LEN > MAX_TOKEN_LEN {
            return Err(SealError::TooLong { excess: token.len() + TAG_LEN - MAX_TOKEN_LEN });
        }
        let header = Header::new(self.channel.label.mode, key_id, issued_at);
        let rnd = seal::close(subkeys, header, call.context, &mut token, self.random)?;
        let id = claims.session_id(issued_at, rnd).map_err(|_| SealError::EndOfTime)?;
        let expires_at = self.limits.expires_at(&Times { issued_at, ttl, id });
        Ok(Token { text: self.spell(&token), id, key_id, expires_at })
    }

    /// Whether a session did not come by this sealer's carrier, on this sealer's ring.
    pub(super) fn arrived_elsewhere(&self, info: &SessionInfo) -> bool {
        info.place != self.channel.place
    }

    /// A renewal is issued no earlier than what it renews, so that id and start never change.
    fn next_second(&self, ring: &Snapshot, info: &SessionInfo, now: Timestamp) -> Result<Timestamp, SealError> {
        let (own, theirs) = (self.channel.place, info.place);
        if (own.ring, own.purpose, self.channel.label.mode) != (theirs.ring, theirs.purpose, info.mode) {
            return Err(SealError::ForeignSession);
        }
        let Lookup::Found(entry, _) = ring.find(self.channel.place.channel, info.key_id, now) else {
            return Err(SealError::Session(missing(ring, info.key_id, now, own.channel)));
        };
        if entry.is_disabled() {
            return Err(SealError::Session(Reason::DisabledKey { key_id: info.key_id }));
        }
        self.limits.accept(&info.times, &ring.times(entry, now), now).map_err(SealError::Session)?;
        Ok(info.issued_at().max(now))
    }

    fn spell(&self, token: &[u8]) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("");
        let mut text = String::with_capacity(prefix.len() + token.len().div_ceil(3) * 4);
        text.push_str(prefix);
        text::encode(token, &mut text);
        text
    }

    /// Opens a token: everything but the state. FORMAT.md, "Opening", steps 1 to 14.
    pub(super) fn judge<'b>(
        &self,
        text: &[u8],
        call: Call<'_>,
        buffer: &'b mut [u8],
    ) -> Result<(SessionInfo, &'b [u8]), Reason> {
        check_context(call.context).map_err(|bytes| Reason::Context { bytes })?;
        let text = match self.prefix.as_deref() {
            None => text,
            Some(prefix) => text.strip_prefix(prefix.as_bytes()).ok_or(Reason::Prefix)?,
        };
        let len = text::decode_token(text, buffer)?;
        let token = &mut buffer[..len];
        let mode = self.channel.label.mode;
        let header = Header::of(token).ok_or(Reason::Text)?;
        if header.mode != mode.byte() {
            return Err(Reason::Mode { byte: header.mode });
        }
        let key_id = header.key_id;
        let now = self.now(call);
        let ring = self.channel.ring.snapshot();
        let channel = self.channel.place.channel;
        let Lookup::Found(entry, subkeys) = ring.find(channel, key_id, now) else {
            let reason = missing(&ring, key_id, now, channel);
            if matches!(reason, Reason::UnknownKey { .. }) {
                self.channel.ring.hint(now);
            }
            return Err(reason);
        };
        if seal::open(subkeys, call.context, token).is_err() {
            token.fill(0);
            return Err(Reason::Forged { key_id });
        }
        if entry.is_disabled() {
            return Err(Reason::DisabledKey { key_id });
        }
        let (claims, body) = Claims::read(&token[HEADER_LEN..len - TAG_LEN], mode).map_err(Reason::Claims)?;
        let id = claims.session_id(header.issued_at, header.rnd).map_err(Reason::Claims)?;
        let times = Times { issued_at: header.issued_at, ttl: claims.ttl, id };
        let expires_at = self.limits.accept(&times, &ring.times(entry, now), now)?;
        let info =
            SessionInfo { id, key_id, schema: claims.schema, times, expires_at, mode, place: self.channel.place };
        Ok((info, body))
    }
}

impl Snapshot {
    fn times(&self, entry: &crate::keys::Entry, now: Timestamp) -> RingTimes {
        let (skew, not_before) = (self.ring.policy.skew, self.not_before(now));
        RingTimes { skew, not_before, issues_until: entry.issues_until }
    }
}

/// The reason for a key id that leads to no key that opens.
fn missing(ring: &Snapshot, key_id: KeyId, now: Timestamp, channel: usize) -> Reason {
    match ring.find(channel, key_id, now) {
        Lookup::Expired => Reason::ExpiredKey { key_id },
        Lookup::Revoked => Reason::RevokedKey { key_id },
        Lookup::Found(..) | Lookup::Unknown => Reason::UnknownKey { key_id },
    }
}

/// A login in the second of a cut-off starts one second later, or it would be born revoked.
fn first_second(ring: &Snapshot, now: Timestamp) -> Result<Timestamp, SealError> {
    let not_before = ring.not_before(now);
    if not_before.as_unix() == 0 || now > not_before {
        return Ok(now);
    }
    let first = not_before.plus(1);
    if first > now.plus(2 * ring.ring.policy.skew) { Err(SealError::CutOffAhead) } else { Ok(first) }
}

fn asked_seconds(ttl: Option<Duration>, default: u32) -> Result<u32, SealError> {
    let Some(ttl) = ttl else { return Ok(default) };
    match u32::try_from(ttl.as_secs()) {
        Ok(seconds @ 1..) if ttl.subsec_nanos() == 0 => Ok(seconds),
        _ => Err(SealError::Lifetime),
    }
}

fn check_context(context: &[u8]) -> Result<(), usize> {
    if context.len() > MAX_CONTEXT_LEN { Err(context.len()) } else { Ok(()) }
}

/// A [`RawSealer`] with a context, an instant or a lifetime for one call.
#[derive(Clone, Copy)]
#[must_use]
pub struct RawScoped<'a> {
    sealer: &'a RawSealer,
    call: Call<'a>,
}

impl RawScoped<'_> {
    /// Acts as if it were `now`.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.call.now = Some(now);
        self
    }

    /// Asks for this lifetime, in whole seconds, instead of the policy's.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.call.ttl = Some(ttl);
        self
    }

    /// As [`RawSealer::start`].
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn start(self, schema: u16, body: &[u8]) -> Result<Token, SealError> {
        self.sealer.mint(None, schema, self.call, |token| {
            token.extend_from_slice(body);
            Ok(())
        })
    }

    /// As [`RawSealer::open`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<'b>(self, text: impl AsRef<[u8]>, buffer: &'b mut Buffer) -> Result<RawSession<'b>, OpenError> {
        let (info, body) = self.sealer.judge(text.as_ref(), self.call, buffer.room())?;
        Ok(RawSession { info, body, state: PhantomData })
    }
}

impl fmt::Debug for RawScoped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawScoped").finish_non_exhaustive()
    }
}

impl fmt::Debug for RawSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSealer").field("label", &self.channel.label).finish_non_exhaustive()
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

/// A token just minted. Its text is a credential, so `Debug` does not show it.
#[derive(Clone)]
#[must_use = "a session lives in the token that is handed to the client"]
pub struct Token {
    text: String,
    id: SessionId,
    key_id: KeyId,
    expires_at: Timestamp,
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
    /// The ring's cut-off for everyone lies ahead of this server's clock.
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

impl From<TextError> for Reason {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Length { chars } => Self::Length { chars },
            TextError::NotBase64Url => Self::Text,
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextTooLong { bytes } => write!(f, "the context has {bytes} bytes, more than {MAX_CONTEXT_LEN}"),
            Self::CutOffAhead => f.write_str("the ring's cut-off for sessions is ahead of this clock; set the clock"),
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

/// Room to begin with, in bytes; a larger token grows once or twice.
const TYPICAL_TOKEN_LEN: usize = 512;
