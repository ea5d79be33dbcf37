//! A sealer without a type: it mints and judges tokens whose state is bytes. Typed sealers stand on it,
//! and tools that have no type, such as the `waxseal` command, use it as it is.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::minted::{SealError, Token};
use super::policy::{Limits, RingTimes, Times};
use super::refusal::{OpenError, Reason};
use super::verified::{Buffer, RawSession, SessionInfo};
use crate::crypto::{Random, TAG_LEN};
use crate::id::KeyId;
use crate::keys::{Channel, Lookup, Snapshot, Subkeys};
use crate::seal::{self, MAX_CONTEXT_LEN};
use crate::state::SchemaError;
use crate::text::{self, MAX_TOKEN_LEN, TextError};
use crate::time::{Clock, Timestamp};
use crate::token::{Claims, HEADER_LEN, Header, Origin, Padding, pad};

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
        let ring = self.channel.ring.snapshot();
        let Draft { subkeys, header, claims, mut token } = self.draft(&ring, of, Age::Present, schema, call, write)?;
        let rnd = seal::close(subkeys, header, call.context, &mut token, self.random)?;
        let id = claims.session_id(header.issued_at, rnd).map_err(|_| SealError::EndOfTime)?;
        let times = Times { issued_at: header.issued_at, ttl: claims.ttl, id };
        Ok(Token {
            text: self.spell(&token),
            id,
            key_id: header.key_id,
            issued_at: Timestamp::from_unix(header.issued_at.into()),
            expires_at: self.limits.expires_at(&times),
        })
    }

    /// The most characters that a token has which [`mint`](Self::mint) mints now or later: the older a session, the longer.
    pub(super) fn measure(
        &self,
        of: &SessionInfo,
        schema: u16,
        call: Call<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>,
    ) -> Result<usize, SealError> {
        let ring = self.channel.ring.snapshot();
        let draft = self.draft(&ring, Some(of), Age::Greatest, schema, call, write)?;
        let prefix = self.prefix.as_deref().unwrap_or("");
        Ok(prefix.len() + text::encoded_len(draft.token.len() + TAG_LEN))
    }

    /// A token but for what needs randomness: all that can go wrong before it.
    fn draft<'r>(
        &self,
        ring: &'r Snapshot,
        of: Option<&SessionInfo>,
        age: Age,
        schema: u16,
        call: Call<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>,
    ) -> Result<Draft<'r>, SealError> {
        check_context(call.context).map_err(|bytes| SealError::ContextTooLong { bytes })?;
        let now = self.now(call);
        let issued_at = match of {
            None => first_second(ring, now)?,
            Some(info) => self.next_second(ring, info, now)?,
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
        if let (Age::Greatest, Origin::Earlier { age, .. }) = (age, &mut claims.origin) {
            *age = self.limits.absolute;
        }
        claims.padded = self.padding != Padding::None;
        let mut token = Vec::with_capacity(TYPICAL_TOKEN_LEN);
        token.resize(HEADER_LEN, 0);
        claims.write(&mut token);
        write(&mut token)?;
        pad(&mut token, HEADER_LEN, self.padding);
        if token.len() + TAG_LEN > MAX_TOKEN_LEN {
            return Err(SealError::TooLong { excess: token.len() + TAG_LEN - MAX_TOKEN_LEN });
        }
        Ok(Draft { subkeys, header: Header::new(self.channel.label.mode, key_id, issued_at), claims, token })
    }

    /// What a refusal becomes for the caller.
    pub(super) fn refuse(&self, reason: Reason) -> OpenError {
        if matches!(reason, Reason::Expired { .. } | Reason::ExpiredKey { .. }) && self.clock.is_suspect() {
            return OpenError::under_a_suspect_clock(reason);
        }
        reason.into()
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

/// How old a session is taken to be in the claims of a draft.
#[derive(Clone, Copy)]
enum Age {
    /// As old as it can become.
    Greatest,
    /// As old as it is.
    Present,
}

/// A token all but closed: header, then claims and state, in the clear.
struct Draft<'r> {
    subkeys: &'r Subkeys,
    header: Header,
    claims: Claims,
    token: Vec<u8>,
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
        let judged = self.sealer.judge(text.as_ref(), self.call, buffer.room());
        let (info, body) = judged.map_err(|reason| self.sealer.refuse(reason))?;
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

impl From<TextError> for Reason {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Length { chars } => Self::Length { chars },
            TextError::NotBase64Url => Self::Text,
        }
    }
}

/// Room to begin with, in bytes; a larger token grows once or twice.
const TYPICAL_TOKEN_LEN: usize = 512;
