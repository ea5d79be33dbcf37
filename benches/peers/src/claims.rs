//! What every token says: the session's id, when it was issued, when it ends, and the state.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How long a token lives, in seconds: a day, as waxseal's do by default.
pub(crate) const LIFETIME: u32 = 86_400;

/// The session's id, 16 bytes as waxseal's. Peers are given it: sealing draws no new one.
pub(crate) const ID: [u8; 16] = *b"\x69\x2c\x0f\x80\x5e\x91\x0a\xd3\x7b\x44\xf1\x06\xc8\x2e\xb9\x55";

/// [`ID`] as base64url, for formats made of text.
const ID_TEXT: &str = "aSwPgF6RCtN7RPEGyC65VQ";

/// The claims of tokens in JSON, under the names of RFC 7519.
#[derive(Serialize, Deserialize)]
pub(crate) struct Json<Id, S> {
    jti: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    exp: u64,
    state: S,
}

impl<'a, S> Json<&'static str, &'a S> {
    pub(crate) fn now(state: &'a S) -> Self {
        let iat = now();
        Self { jti: ID_TEXT, iat: Some(iat), exp: iat + u64::from(LIFETIME), state }
    }

    /// For an envelope that has an issue time of its own.
    pub(crate) fn undated(state: &'a S) -> Self {
        Self { iat: None, ..Self::now(state) }
    }
}

impl<Id, S> Json<Id, S> {
    /// The state, of a token that has not ended.
    pub(crate) fn judged(self) -> Option<S> {
        (now() < self.exp).then_some(self.state)
    }

    /// The state, of a token that the peer has judged.
    pub(crate) fn into_state(self) -> S {
        self.state
    }
}

/// The claims of tokens in postcard, as small as they get.
#[derive(Serialize, Deserialize)]
pub(crate) struct Compact<S> {
    id: [u8; 16],
    issued_at: u32,
    lifetime: u32,
    state: S,
}

impl<'a, S> Compact<&'a S> {
    pub(crate) fn now(state: &'a S) -> Self {
        Self { id: ID, issued_at: now() as u32, lifetime: LIFETIME, state }
    }
}

impl<S> Compact<S> {
    /// The state, of a token that has not ended.
    pub(crate) fn judged(self) -> Option<S> {
        (now() < u64::from(self.issued_at) + u64::from(self.lifetime)).then_some(self.state)
    }
}

/// The same for an envelope that has an issue time of its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct Undated<S> {
    id: [u8; 16],
    lifetime: u32,
    state: S,
}

impl<'a, S> Undated<&'a S> {
    pub(crate) fn of(state: &'a S) -> Self {
        Self { id: ID, lifetime: LIFETIME, state }
    }
}

impl<S> Undated<S> {
    /// The state, of a token that was issued at `issued_at` and has not ended.
    pub(crate) fn judged(self, issued_at: u64) -> Option<S> {
        (now() < issued_at + u64::from(self.lifetime)).then_some(self.state)
    }
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}
