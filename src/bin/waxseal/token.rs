//! The verbs on a single token: seal, open, inspect.

use serde::Serialize;
use waxseal::session::{Buffer, RawSealer, SealError, UnverifiedClaims, UnverifiedToken};
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{KeyId, KeyRing};

use crate::answer::Answer;
use crate::cli::{Channel, Inspect, Open, Seal};
use crate::error::{CliError, Exit};
use crate::input::{self, instant};
use crate::show::{facts, hex, span, when};

/// Mints the first token of a session.
pub(crate) fn seal(args: &Seal) -> Result<Answer, CliError> {
    let context = input::hex("--context", args.channel.context.as_bytes())?;
    let body = input::body(&args.body)?;
    let (_, sealer) = sealer(&args.channel, args.channel.policy(args.ttl), instant(args.channel.now))?;
    let token = sealer.start(args.schema, &body, &context).map_err(|error| match (error, args.channel.now) {
        (SealError::EndOfTime, Some(_)) => CliError::new(Exit::Usage, "usage", "--now is beyond 2106".into())
            .advise("give at most 4294967295, the last second that a token can hold"),
        _ => error.into(),
    })?;
    let json = SealJson {
        token: token.as_str(),
        session_id: token.id().to_string(),
        key_id: token.key_id(),
        issued_at: token.id().start(),
        expires_at: token.expires_at(),
    };
    Ok(Answer::new(token.as_str().to_owned(), &json))
}

/// Opens a token and says what it says.
pub(crate) fn open(args: &Open) -> Result<Answer, CliError> {
    let context = input::hex("--context", args.channel.context.as_bytes())?;
    let now = instant(args.channel.now);
    let (ring, sealer) = sealer(&args.channel, args.channel.policy(None), now)?;
    let text = input::token(args.token.as_deref())?;
    let mut buffer = Buffer::new();
    let session = sealer.open(text, &context, &mut buffer).map_err(|error| CliError::refused(&error.reason()))?;
    let info = session.info();
    let json = OpenJson {
        session_id: info.id().to_string(),
        started_at: info.id().start(),
        issued_at: info.issued_at(),
        expires_at: info.expires_at(),
        token_lifetime: info.token_lifetime(),
        key_id: info.key_id(),
        key_role: ring.status().ring.key(info.key_id()).map(|key| key.role.as_str()),
        schema: info.schema(),
        mode: args.channel.mode.to_string(),
        purpose: args.channel.purpose.as_str(),
        carrier: args.channel.carrier.to_string(),
        body_hex: hex(session.body()),
    };
    Ok(Answer::new(json.text(now), &json))
}

/// Says what a token says of itself.
pub(crate) fn inspect(args: &Inspect) -> Result<Answer, CliError> {
    let now = instant(args.now);
    let text = input::token(args.token.as_deref())?;
    let token = UnverifiedToken::read(text, args.prefix.as_ref()).map_err(|reason| CliError::refused(&reason))?;
    let claims = token.claims().map(|claims| claims.map_err(|error| error.to_string()));
    let json = InspectJson {
        verified: false,
        mode: token.mode().to_string(),
        key_id: token.key_id(),
        issued_at: token.issued_at(),
        rnd: hex(token.rnd()),
        body_len: token.body_len(),
        claims: claims.as_ref().and_then(|claims| claims.as_ref().ok()).map(ClaimsJson::of),
        claims_error: claims.as_ref().and_then(|claims| claims.as_ref().err()).map(String::as_str),
    };
    Ok(Answer::new(json.text(now), &json))
}

/// The ring and a sealer on it, with `now` as the one instant of this run.
fn sealer(channel: &Channel, policy: waxseal::Policy, now: Timestamp) -> Result<(KeyRing, RawSealer), CliError> {
    let ring = channel.ring.options(KeyRing::options().clock(ManualClock::at(now)))?.load(&channel.ring.path)?;
    let mut builder = RawSealer::builder(&ring, channel.mode, channel.purpose.as_str());
    if let Some(prefix) = &channel.prefix {
        builder = builder.prefix(prefix.as_str());
    }
    let sealer = builder.carrier(channel.carrier.clone()).policy(policy).build();
    let sealer = sealer.map_err(|error| CliError::build(&error, ring.status().ring.policy.max_token_lifetime))?;
    Ok((ring, sealer))
}

#[derive(Serialize)]
struct SealJson<'a> {
    token: &'a str,
    session_id: String,
    key_id: KeyId,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct OpenJson<'a> {
    session_id: String,
    started_at: Timestamp,
    issued_at: Timestamp,
    expires_at: Timestamp,
    /// In seconds.
    token_lifetime: u32,
    key_id: KeyId,
    key_role: Option<&'static str>,
    schema: u16,
    mode: String,
    purpose: &'a str,
    carrier: String,
    body_hex: String,
}

impl OpenJson<'_> {
    fn text(&self, now: Timestamp) -> String {
        let role = self.key_role.map_or_else(String::new, |role| format!(" ({role})"));
        facts(&[
            ("session id", self.session_id.clone()),
            ("started", when(self.started_at, now)),
            ("issued", when(self.issued_at, now)),
            ("expires", when(self.expires_at, now)),
            ("token lifetime", lifetime(self.token_lifetime)),
            ("key id", format!("{}{role}", self.key_id)),
            ("schema", self.schema.to_string()),
            ("mode", self.mode.clone()),
            ("purpose", self.purpose.to_owned()),
            ("carrier", self.carrier.clone()),
            ("body", body(&self.body_hex)),
        ])
    }
}

#[derive(Serialize)]
struct InspectJson<'a> {
    /// Always false: for whoever reads this without having read the help.
    verified: bool,
    mode: String,
    key_id: KeyId,
    issued_at: Timestamp,
    rnd: String,
    /// Bytes between header and tag: claims, state and padding.
    body_len: usize,
    claims: Option<ClaimsJson>,
    claims_error: Option<&'a str>,
}

#[derive(Serialize)]
struct ClaimsJson {
    session_id: String,
    started_at: Timestamp,
    /// In seconds.
    token_lifetime: u32,
    schema: u16,
    body_hex: String,
}

impl ClaimsJson {
    fn of(claims: &UnverifiedClaims<'_>) -> Self {
        Self {
            session_id: claims.id.to_string(),
            started_at: claims.id.start(),
            token_lifetime: claims.token_lifetime,
            schema: claims.schema,
            body_hex: hex(claims.body),
        }
    }
}

impl InspectJson<'_> {
    fn text(&self, now: Timestamp) -> String {
        let mut rows = vec![
            ("mode", self.mode.clone()),
            ("key id", self.key_id.to_string()),
            ("issued", when(self.issued_at, now)),
            ("rnd", self.rnd.clone()),
        ];
        match (&self.claims, self.claims_error) {
            (Some(claims), _) => rows.extend([
                ("session id", claims.session_id.clone()),
                ("started", when(claims.started_at, now)),
                ("token lifetime", lifetime(claims.token_lifetime)),
                ("schema", claims.schema.to_string()),
                ("body", body(&claims.body_hex)),
            ]),
            (None, Some(error)) => rows.push(("claims", format!("{} bytes, and {error}", self.body_len))),
            (None, None) => rows.push(("body", format!("{} bytes, encrypted, claims included", self.body_len))),
        }
        format!("NOT VERIFIED: anyone can write a token that says this.\n\n{}", facts(&rows))
    }
}

fn lifetime(seconds: u32) -> String {
    match seconds {
        0..60 => span(seconds.into()),
        _ => format!("{seconds} s ({})", span(seconds.into())),
    }
}

fn body(hex: &str) -> String {
    match hex.len() / 2 {
        0 => "empty".to_owned(),
        1 => format!("1 byte: {hex}"),
        len => format!("{len} bytes: {hex}"),
    }
}
