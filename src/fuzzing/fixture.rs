//! A fixed ring, clock and sealers, and a forge for tokens that no sealer would mint.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crypto::{NONCE_LEN, Prk, TAG_LEN, sha256};
use crate::id::{Carrier, KeyId, Label, Mode};
use crate::keys::{Ring, RingOptions, Subkeys};
use crate::session::Sealer;
use crate::session::{Form, OpenError, Policy, RawSealer, Sealed, Session, Signed};
use crate::state::{Older, SchemaError, SessionState};
use crate::text;
use crate::time::{ManualClock, Timestamp};
use crate::token::{HEADER_LEN, Header, Padding};

/// The instant at which every property is tried, in Unix seconds.
pub(super) const NOW: u64 = 1_786_000_000;
pub(super) const CONTEXT: &[u8] = b"tenant-7";
pub(super) const IDLE: u64 = 2 * HOUR;
pub(super) const ABSOLUTE: u64 = 12 * HOUR;
/// Sessions that began until then are over.
pub(super) const NOT_BEFORE: u64 = NOW - 6 * HOUR;
pub(super) const SKEW: u64 = 60;
pub(super) const LATE: u64 = DAY;
pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 24 * HOUR;

/// The state of the typed sealers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Shop {
    pub(super) user: String,
    pub(super) cart: Vec<u32>,
    pub(super) note: Option<bool>,
}

/// What the state was before its cart; there is no schema 2.
#[derive(Serialize, Deserialize)]
pub(super) struct ShopV1 {
    pub(super) user: String,
}

impl SessionState for ShopV1 {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

impl SessionState for Shop {
    const SCHEMA: u16 = 3;

    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<ShopV1, _>(|v1| Self { user: v1.user, cart: vec![], note: None })
    }
}

/// A key of the fixed ring. Its secret is the SHA-256 of its name.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) status: &'static str,
    pub(super) activate_at: Option<u64>,
    pub(super) superseded_at: Option<u64>,
    pub(super) lifetime: u64,
}

/// One key in every role, in the order in which they take over, each superseded by the next.
pub(super) const ENTRIES: [Entry; 7] = [
    entry("revoked", "revoked", Some(NOW - 90 * DAY)),
    entry("expired", "enabled", Some(NOW - 60 * DAY)),
    entry("retiring", "enabled", Some(NOW - 30 * DAY)),
    entry("disabled", "disabled", Some(NOW - LATE - HOUR)),
    entry("active", "enabled", Some(NOW - HOUR)),
    entry("scheduled", "enabled", Some(NOW + HOUR)),
    entry("staged", "enabled", None),
];

const fn entry(name: &'static str, status: &'static str, activate_at: Option<u64>) -> Entry {
    Entry { name, status, activate_at, superseded_at: None, lifetime: DAY }
}

impl Entry {
    fn secret(&self) -> [u8; 32] {
        sha256(self.name.as_bytes())
    }

    /// FORMAT.md, "Keys", once more.
    fn prk(&self) -> Prk {
        Prk::extract(b"waxseal/v1", &self.secret())
    }

    fn id(&self) -> KeyId {
        let [a, b, c, ..] = *self.prk().expand(b"waxseal/v1/kid");
        KeyId::from_bytes([a, b, c])
    }

    fn json(&self) -> String {
        let Self { status, lifetime, .. } = self;
        let date = |at: Option<u64>| at.map_or("null".to_owned(), |at| at.to_string());
        let revoked = self.status == "revoked";
        let (id, activate, superseded) = (self.id(), date(self.activate_at), date(self.superseded_at));
        let revoked_at = date(self.activate_at.or(Some(NOW)).filter(|_| revoked));
        let reason = if revoked { r#""laptop lost""# } else { "null" };
        let secret = if revoked { "null".to_owned() } else { quoted(&self.secret()) };
        format!(
            r#"{{"id":"{id}","status":"{status}","created_at":{},"activate_at":{activate},"superseded_at":{superseded},"max_token_lifetime":{lifetime},"revoked_at":{revoked_at},"reason":{reason},"secret":{secret}}}"#,
            NOW - 100 * DAY,
        )
    }
}

fn quoted(secret: &[u8]) -> String {
    format!("\"{}\"", spelled(secret))
}

/// The base64url of `bytes`.
pub(super) fn spelled(bytes: &[u8]) -> String {
    let mut out = String::new();
    text::encode(bytes, &mut out);
    out
}

/// The ring file with these keys.
pub(super) fn file_of(entries: &[Entry]) -> Vec<u8> {
    let keys: Vec<_> = entries.iter().map(Entry::json).collect();
    let (scope, first, second) = (quoted(&sha256(b"scope")), quoted(&sha256(b"mac 1")), quoted(&sha256(b"mac 2")));
    let text = format!(
        r#"{{"format":1,
"ring_id":"6b1f0c9d2e8a4475b3d0917c5ae8f264",
"generation":{NOW},
"policy":{{"max_token_lifetime":{DAY},"skew":{SKEW},"refresh":15,"distribution":600,"late":{LATE},"activation_delay":3600,"rotate_every":2592000}},
"not_before":{NOT_BEFORE},
"stale_ok_until":0,
"keys":[{}],
"revocation_secrets":{{"scope":{scope},"mac":[{{"status":"current","created_at":{NOW},"secret":{first}}},{{"status":"verify_only","created_at":0,"secret":{second}}}]}},
"#,
        keys.join(",\n "),
    );
    with_digest(text.as_bytes())
}

/// `bytes` up to where their digest begins, and the digest that belongs there.
pub(super) fn with_digest(bytes: &[u8]) -> Vec<u8> {
    let open = b"\"digest\":\"sha256:";
    let end = bytes.windows(open.len()).rposition(|window| window == open).unwrap_or(bytes.len());
    let signed = [&bytes[..end], open].concat();
    let digest = text::hex(&sha256(&signed));
    [&signed, digest.as_bytes(), b"\"}\n"].concat()
}

/// All that a property needs for tokens of one mode.
pub(super) struct Desk<M> {
    pub(super) raw: RawSealer,
    pub(super) typed: Sealer<Shop, M>,
    /// Sealers on the same ring that must refuse every token of `raw`.
    pub(super) strangers: Vec<RawSealer>,
    /// Every key's id and subkeys, in the order of [`ENTRIES`].
    pub(super) keys: Vec<(KeyId, Subkeys)>,
}

/// A mode, with its desk and its word for opening.
pub(super) trait Side: Form + Sized {
    fn desk() -> &'static Desk<Self>;
    fn open(typed: &Sealer<Shop, Self>, text: &[u8]) -> Result<Session<Shop, Self>, OpenError>;
}

impl Side for Sealed {
    fn desk() -> &'static Desk<Self> {
        static DESK: OnceLock<Desk<Sealed>> = OnceLock::new();
        DESK.get_or_init(Desk::new)
    }

    fn open(typed: &Sealer<Shop>, text: &[u8]) -> Result<Session<Shop>, OpenError> {
        typed.with(CONTEXT).open(text)
    }
}

impl Side for Signed {
    fn desk() -> &'static Desk<Self> {
        static DESK: OnceLock<Desk<Signed>> = OnceLock::new();
        DESK.get_or_init(Desk::new)
    }

    fn open(typed: &Sealer<Shop, Self>, text: &[u8]) -> Result<Session<Shop, Self>, OpenError> {
        typed.with(CONTEXT).verify(text)
    }
}

impl<M: Form> Desk<M> {
    fn new() -> Self {
        let (ring, _) = Ring::from_file(&file_of(&ENTRIES)).expect("the fixed ring is one");
        let ring = RingOptions::in_memory(ring, Arc::new(ManualClock::at(Timestamp::from_unix(NOW))));
        let policy =
            Policy::default().idle_limit(Duration::from_secs(IDLE)).absolute_limit(Duration::from_secs(ABSOLUTE));
        let raw = |mode, purpose, carrier| {
            let builder = RawSealer::builder(&ring, mode, purpose).policy(policy.clone()).carrier(carrier);
            builder.build().expect("a sealer")
        };
        let other = if M::MODE == Mode::Sealed { Mode::Signed } else { Mode::Sealed };
        let padding = if M::MODE == Mode::Sealed { Padding::To16 } else { Padding::None };
        let cookie = Carrier::cookie("id").expect("a cookie's name");
        let label = Label { mode: M::MODE, purpose: "session".parse().expect("a purpose"), carrier: Carrier::Header };
        Self {
            raw: raw(M::MODE, "session", Carrier::Header),
            typed: Sealer::builder(&ring, "session").policy(policy.clone()).padding(padding).build().expect("a sealer"),
            strangers: vec![
                raw(other, "session", Carrier::Header),
                raw(M::MODE, "session", cookie),
                raw(M::MODE, "reset", Carrier::Header),
            ],
            keys: ENTRIES.iter().map(|entry| (entry.id(), Subkeys::derive(&entry.prk(), &label))).collect(),
        }
    }
}

/// The one token with this header, context and plaintext: its tag is right whatever they say.
///
/// FORMAT.md, "Sealed" and "Signed", once more.
pub(super) fn forge(subkeys: &Subkeys, header: Header, plaintext: &[u8]) -> Vec<u8> {
    let header = header.to_bytes();
    let mut body = plaintext.to_vec();
    let tag: [u8; TAG_LEN] = match subkeys {
        Subkeys::Sealed { key, .. } => {
            let mut nonce = [0; NONCE_LEN];
            nonce[..HEADER_LEN].copy_from_slice(&header);
            key.seal(&nonce, &[&header[..], CONTEXT].concat(), &mut body)
        }
        Subkeys::Signed { key, .. } => key.tag(&[&header, &(CONTEXT.len() as u64).to_le_bytes(), CONTEXT, &body]),
    };
    [&header[..], &body, &tag].concat()
}
