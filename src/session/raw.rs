//! A sealer without a type: it mints and judges tokens whose state is bytes. Typed sealers stand on it,
//! and tools that have no type, such as the `waxseal` command, use it as it is.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::listed::Doubt;
use super::minted::{SealError, Token};
use super::policy::{Limits, RingTimes, Times};
use super::refusal::{OpenError, Reason};
use super::verified::{Buffer, RawSession, SessionInfo};
use crate::crypto::{Random, TAG_LEN};
use crate::id::{KeyId, SessionId};
use crate::keys::{Channel, Lookup, Snapshot, Subkeys};
use crate::revocation::{Owner, Revocations};
use crate::seal::{self, MAX_CONTEXT_LEN};
use crate::state::SchemaError;
use crate::text::{self, MAX_TOKEN_LEN, TextError};
use crate::time::{Clock, Timestamp};
use crate::token::{Claims, HEADER_LEN, Header, Origin, Padding, pad};

/// Mints and opens tokens whose state is bytes of any schema.
///
/// Whoever has a type uses [`Sealer`](super::Sealer), which cannot mix schemas up, and which knows whose session it is: of
/// a list of revocations this one honours single sessions and everyone's, not those of a subject or a tenant.
#[derive(Clone)]
pub struct RawSealer {
    pub(super) channel: Channel,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) padding: Padding,
    pub(super) prefix: Option<Arc<str>>,
    pub(super) revocations: Option<Revocations>,
    pub(super) random: &'static dyn Random,
}

/// What a single call may say beside its operands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) context: &'a [u8],
    pub(super) now: Option<Timestamp>,
    pub(super) ttl: Option<Duration>,
    /// The session is so new that nobody else knows it: the list of revocations need not be asked.
    pub(super) newborn: bool,
}

/// What a token to be minted holds.
pub(super) struct Content<'a, W> {
    pub(super) schema: u16,
    pub(super) owner: Owner<'a>,
    /// Appends the bytes of the state.
    pub(super) write: W,
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
        call: Call<'_>,
        content: Content<'_, impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>>,
    ) -> Result<Token, SealError> {
        let ring = self.channel.ring.snapshot();
        let mut draft = self.draft(&ring, of, Age::Present, call, content)?;
        let id = draft.close(call.context, self.random, |id| of.is_none() && self.is_taken(id))?;
        let Draft { header, claims, token, .. } = draft;
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
        call: Call<'_>,
        content: Content<'_, impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>>,
    ) -> Result<usize, SealError> {
        let ring = self.channel.ring.snapshot();
        let draft = self.draft(&ring, Some(of), Age::Greatest, call, content)?;
        let prefix = self.prefix.as_deref().unwrap_or("");
        Ok(prefix.len() + text::encoded_len(draft.token.len() + TAG_LEN))
    }

    /// A token but for what needs randomness: all that can go wrong before it.
    fn draft<'r>(
        &self,
        ring: &'r Snapshot,
        of: Option<&SessionInfo>,
        age: Age,
        call: Call<'_>,
        content: Content<'_, impl FnOnce(&mut Vec<u8>) -> Result<(), SchemaError>>,
    ) -> Result<Draft<'r>, SealError> {
        check_context(call.context).map_err(|bytes| SealError::ContextTooLong { bytes })?;
        let now = self.now(call);
        let issued_at = match of {
            None => self.first_second(ring, content.owner, now)?,
            Some(info) => self.next_second(ring, info, content.owner, now, call)?,
        };
        let issued_at = u32::try_from(issued_at.as_unix()).map_err(|_| SealError::EndOfTime)?;
        let (key_id, subkeys) = ring.sealing(self.channel.place.channel, now).ok_or(SealError::NoActiveKey)?;
        let start = of.map_or(issued_at, |info| info.id.start_seconds());
        let asked = asked_seconds(call.ttl, self.limits.ttl)?;
        let ring_max = ring.ring.policy.max_token_lifetime;
        let ttl = self.limits.lifetime(asked, issued_at, start, ring_max).ok_or(SealError::SessionOver)?;

        let mut claims = match of {
            None => Claims::start(content.schema, ttl),
            Some(info) => Claims::renewal(content.schema, ttl, info.id, issued_at),
        };
        if let (Age::Greatest, Origin::Earlier { age, .. }) = (age, &mut claims.origin) {
            *age = self.limits.absolute;
        }
        claims.padded = self.padding != Padding::None;
        let mut token = Vec::with_capacity(TYPICAL_TOKEN_LEN);
        token.resize(HEADER_LEN, 0);
        claims.write(&mut token);
        (content.write)(&mut token)?;
        pad(&mut token, HEADER_LEN, self.padding);
        if token.len() + TAG_LEN > MAX_TOKEN_LEN {
            return Err(SealError::TooLong { excess: token.len() + TAG_LEN - MAX_TOKEN_LEN });
        }
        Ok(Draft { subkeys, header: Header::new(self.channel.label.mode, key_id, issued_at), claims, token })
    }

    /// What a refusal becomes for the caller; `id` is the session's, where it is known to be true.
    fn refuse(&self, reason: Reason, id: Option<SessionId>) -> OpenError {
        let error = id.map_or_else(|| reason.into(), |id| OpenError::of(id, reason));
        if matches!(reason, Reason::Expired { .. } | Reason::ExpiredKey { .. }) && self.clock.is_suspect() {
            return error.under_a_suspect_clock();
        }
        error
    }

    /// Whether a session did not come by this sealer's carrier, on this sealer's ring.
    pub(super) fn arrived_elsewhere(&self, info: &SessionInfo) -> bool {
        info.place != self.channel.place
    }

    /// A renewal is issued no earlier than what it renews, so that id and start never change.
    fn next_second(
        &self,
        ring: &Snapshot,
        info: &SessionInfo,
        owner: Owner<'_>,
        now: Timestamp,
        call: Call<'_>,
    ) -> Result<Timestamp, SealError> {
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
        let doubt = self.judge_id(info.id, now, call).map_err(SealError::Session)?;
        let doubt = doubt.or_else(|| self.doubt_life(call));
        self.judge_owner(owner, info.id, doubt, now, call).map_err(SealError::Session)?;
        Ok(info.issued_at().max(now))
    }

    fn spell(&self, token: &[u8]) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("");
        let mut text = String::with_capacity(prefix.len() + token.len().div_ceil(3) * 4);
        text.push_str(prefix);
        text::encode(token, &mut text);
        text
    }

    /// Opens a token: everything but the state, and what is to be judged by it.
    pub(super) fn judge<'b>(&self, text: &[u8], call: Call<'_>, buffer: &'b mut [u8]) -> Result<Judged<'b>, OpenError> {
        let mut id = None;
        self.take_steps(text, call, buffer, &mut id).map_err(|reason| self.refuse(reason, id))
    }

    /// FORMAT.md, "Opening", steps 1 to 14. Leaves the session's id in `known` once the tag has verified.
    fn take_steps<'b>(
        &self,
        text: &[u8],
        call: Call<'_>,
        buffer: &'b mut [u8],
        known: &mut Option<SessionId>,
    ) -> Result<Judged<'b>, Reason> {
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
        let read = Claims::read(&token[HEADER_LEN..len - TAG_LEN], mode).and_then(|(claims, body)| {
            let id = claims.session_id(header.issued_at, header.rnd)?;
            Ok((claims, body, id))
        });
        *known = read.as_ref().ok().map(|&(.., id)| id);
        if entry.is_disabled() {
            return Err(Reason::DisabledKey { key_id });
        }
        let (claims, body, id) = read.map_err(Reason::Claims)?;
        let times = Times { issued_at: header.issued_at, ttl: claims.ttl, id };
        let expires_at = self.limits.accept(&times, &ring.times(entry, now), now)?;
        let doubt = self.judge_id(id, now, call)?;
        let info =
            SessionInfo { id, key_id, schema: claims.schema, times, expires_at, mode, place: self.channel.place };
        Ok(Judged { info, body, now, doubt })
    }

    /// Judges what was judged but for its owner. FORMAT.md, "Opening", steps 18 and 19.
    pub(super) fn settle(&self, judged: &Judged<'_>, owner: Owner<'_>, call: Call<'_>) -> Result<(), OpenError> {
        let id = judged.info.id;
        self.judge_owner(owner, id, judged.doubt, judged.now, call).map_err(|reason| OpenError::of(id, reason))
    }
}

/// A token that was judged but for its state.
pub(super) struct Judged<'b> {
    pub(super) info: SessionInfo,
    pub(super) body: &'b [u8],
    /// The one reading of the clock.
    now: Timestamp,
    doubt: Doubt,
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

impl Draft<'_> {
    /// Closes the token and returns its session's id: one that is not taken, if so many draws find one.
    fn close(
        &mut self,
        context: &[u8],
        random: &dyn Random,
        mut is_taken: impl FnMut(SessionId) -> bool,
    ) -> Result<SessionId, SealError> {
        let mut redraws = 0;
        loop {
            let rnd = seal::close(self.subkeys, self.header, context, &mut self.token, random)?;
            let id = self.claims.session_id(self.header.issued_at, rnd).map_err(|_| SealError::EndOfTime)?;
            if !is_taken(id) {
                return Ok(id);
            }
            if redraws == MOST_REDRAWS {
                tracing::warn!(session = %id, "every id that was drawn for a new session is revoked or looks so");
                return Ok(id);
            }
            redraws += 1;
            // Back to the plaintext, which the next draw closes.
            seal::open(self.subkeys, context, &mut self.token).expect("a token that was just closed opens");
            self.token.truncate(self.token.len() - TAG_LEN);
        }
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
        let write = |token: &mut Vec<u8>| {
            token.extend_from_slice(body);
            Ok(())
        };
        self.sealer.mint(None, self.call, Content { schema, owner: Owner::default(), write })
    }

    /// As [`RawSealer::open`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<'b>(self, text: impl AsRef<[u8]>, buffer: &'b mut Buffer) -> Result<RawSession<'b>, OpenError> {
        let judged = self.sealer.judge(text.as_ref(), self.call, buffer.room())?;
        self.sealer.settle(&judged, Owner::default(), self.call)?;
        Ok(RawSession { info: judged.info, body: judged.body, state: PhantomData })
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

/// How often the id of a new session is drawn again. One that looks revoked by chance is rare, eight in a row never are.
const MOST_REDRAWS: u32 = 8;

/// Room to begin with, in bytes; a larger token grows once or twice.
const TYPICAL_TOKEN_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::OsRandom;
    use crate::id::Mode;
    use crate::{KeyRing, Sealer, SessionState};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Count(u32);
    impl SessionState for Count {}

    /// The ids that are drawn while the first `taken` of them are taken, and the session of the token at last.
    fn drawn(mode: Mode, taken: usize) -> Vec<SessionId> {
        let ring = KeyRing::generate().unwrap();
        let sealer = RawSealer::builder(&ring, mode, "session").build().unwrap();
        let snapshot = sealer.channel.ring.snapshot();
        let write = |token: &mut Vec<u8>| {
            token.push(7);
            Ok(())
        };
        let content = Content { schema: 1, owner: Owner::default(), write };
        let mut draft = sealer.draft(&snapshot, None, Age::Present, Call::default(), content).unwrap();
        let mut ids = vec![];
        let id = draft.close(b"", &OsRandom, |id| {
            ids.push(id);
            ids.len() <= taken
        });
        let mut buffer = Buffer::new();
        let session = sealer.open(sealer.spell(&draft.token), b"", &mut buffer).unwrap();
        assert_eq!((session.info().id(), session.body()), (id.unwrap(), &[7][..]));
        assert_eq!(ids.last(), Some(&session.info().id()));
        ids
    }

    #[test]
    fn an_id_that_is_taken_is_drawn_again_and_at_last_accepted() {
        for mode in [Mode::Sealed, Mode::Signed] {
            for (taken, draws) in [(0, 1), (1, 2), (8, 9), (9, 9), (100, 9)] {
                let mut ids = drawn(mode, taken);
                assert_eq!(ids.len(), draws);
                ids.sort_unstable();
                ids.dedup();
                assert_eq!(ids.len(), draws, "no id is drawn twice");
            }
        }
    }

    #[test]
    fn a_refusal_of_an_authentic_token_names_its_session() {
        let ring = KeyRing::generate().unwrap();
        let (sealer, now) = (Sealer::<Count>::new(&ring, "session").unwrap(), ring.clock().now());
        let token = sealer.start(&Count(1)).unwrap();
        let error = sealer.with(&[]).at(now.plus(1_000_000_000)).open(&token).unwrap_err();
        assert_eq!((error.reason().code(), error.session_id()), ("expired", Some(token.id())));
        let error = sealer.with(b"other").open(&token).unwrap_err();
        assert_eq!((error.reason().code(), error.session_id()), ("forged", None));
    }
}
