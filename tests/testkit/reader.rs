//! A reader as a vector describes it, made of the library's public parts.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::session::{Buffer, BuildError, Form, SealerBuilder};
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{KeyRing, OpenError, Padding, Policy, Sealer, SessionState, Signer};

use super::ring::Disk;
use super::state::{Empty, Example, Last, ThreeOne, ThreeTwoOne, Two, TwoOne};
use super::vector::{Mint, Opened};
use super::{hex, unhex};

/// How a reader (or a writer) is configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reader {
    /// `sealed` or `signed`.
    pub(crate) mode: String,
    pub(crate) purpose: String,
    pub(crate) carrier: String,
    pub(crate) prefix: Option<String>,
    /// In hexadecimal.
    pub(crate) context: String,
    pub(crate) idle_limit: u64,
    pub(crate) absolute_limit: u64,
    /// The schema of the outermost type.
    pub(crate) known_schema: u16,
    /// All schemas of the chain, the outermost first.
    pub(crate) schemas: Vec<u16>,
}

impl Reader {
    /// The reader of FORMAT.md's Example 12.
    pub(crate) fn example() -> Self {
        Self {
            mode: "sealed".into(),
            purpose: "session".into(),
            carrier: "header".into(),
            prefix: None,
            context: hex(b"tenant-7"),
            idle_limit: 7200,
            absolute_limit: 43_200,
            known_schema: 1,
            schemas: vec![1],
        }
    }

    pub(crate) fn chain(&mut self, schemas: &[u16]) {
        self.schemas = schemas.to_vec();
        self.known_schema = schemas[0];
    }

    /// What the library answers to `token`: what it opened, or the code of its refusal.
    ///
    /// Asks in both ways, typed and raw, and holds one against the other.
    pub(crate) fn answer(&self, ring: &KeyRing, token: &[u8]) -> Result<Opened, &'static str> {
        assert_eq!(self.schemas.first(), Some(&self.known_schema));
        match &self.schemas[..] {
            [0] => self.ask::<Empty>(ring, token),
            [1] => self.ask::<Example>(ring, token),
            [2] => self.ask::<Two>(ring, token),
            [2, 1] => self.ask::<TwoOne>(ring, token),
            [3, 1] => self.ask::<ThreeOne>(ring, token),
            [3, 2, 1] => self.ask::<ThreeTwoOne>(ring, token),
            [65535, 1] => self.ask::<Last>(ring, token),
            other => panic!("testkit/state.rs has no chain {other:?}"),
        }
    }

    fn ask<T: SessionState>(&self, ring: &KeyRing, token: &[u8]) -> Result<Opened, &'static str> {
        let context = unhex(&self.context);
        let mut buffer = Buffer::new();
        let (typed, raw) = if self.mode == "sealed" {
            let sealer = self.sealer::<T>(ring);
            let typed = sealer.with(&context).open(token).map(|session| of(&session));
            (typed, sealer.with(&context).open_raw(token, &mut buffer))
        } else {
            let signer = self.signer::<T>(ring);
            let typed = signer.with(&context).verify(token).map(|session| of(&session));
            (typed, signer.with(&context).verify_raw(token, &mut buffer))
        };
        let code = |error: OpenError| error.reason().code();
        // Only the state itself is beyond a raw session.
        let only_typed = matches!(typed.as_ref().map_err(|error| code(*error)), Err("body" | "unknown_schema"));
        assert_eq!(raw.is_ok(), typed.is_ok() || only_typed, "raw {raw:?} and typed {typed:?} differ");
        if let (Err(raw), Err(typed)) = (&raw, &typed) {
            assert_eq!(raw.reason(), typed.reason());
        }
        let opened = typed.map_err(code)?;
        let raw = raw.map_err(code)?;
        let (info, body) = (raw.info(), hex(raw.body()));
        let raw = [info.id().to_string(), info.key_id().to_string(), info.issued_at().as_unix().to_string()];
        assert_eq!(raw, [&opened.session_id[..], &opened.key_id, &opened.issued_at.to_string()]);
        assert_eq!((info.expires_at().as_unix(), info.schema()), (opened.expires_at, opened.schema));
        Ok(Opened { body, ..opened })
    }

    /// The text that the library mints from the inputs of `mint`, whatever it draws.
    pub(crate) fn mint(&self, ring: &KeyRing, mint: &Mint) -> String {
        match mint.schema {
            1 => self.mint_as::<Example>(ring, mint),
            2 => self.mint_as::<Two>(ring, mint),
            other => panic!("no schema {other} is minted"),
        }
    }

    fn mint_as<T: SessionState>(&self, ring: &KeyRing, mint: &Mint) -> String {
        let state: T = postcard::from_bytes(&unhex(&mint.body)).unwrap();
        let (context, lifetime) = (unhex(&self.context), Duration::from_secs(mint.lifetime));
        let padding = match mint.padding {
            None => Padding::None,
            Some(16) => Padding::To16,
            Some(32) => Padding::To32,
            Some(64) => Padding::To64,
            Some(other) => panic!("no writer pads to {other}"),
        };
        let token = if self.mode == "sealed" {
            let sealer = self.configure(Sealer::<T>::builder(ring, &self.purpose).padding(padding)).unwrap();
            let scoped = sealer.with(&context).ttl(lifetime);
            match &mint.renews {
                None => scoped.start(&state),
                Some(renews) => {
                    let sibling = sealer.carrier(renews.carrier.parse().unwrap());
                    let mut session = sibling.with(&context).open(&renews.token).unwrap();
                    *session.state_mut() = state;
                    if renews.carrier == self.carrier { scoped.renew(&session) } else { scoped.transfer(&session) }
                }
            }
        } else {
            let signer = self.signer::<T>(ring);
            let scoped = signer.with(&context).ttl(lifetime);
            match &mint.renews {
                None => scoped.sign(&state),
                Some(renews) => {
                    let mut session = signer.with(&context).verify(&renews.token).unwrap();
                    *session.state_mut() = state;
                    scoped.renew(&session)
                }
            }
        };
        token.unwrap().into_string()
    }

    pub(crate) fn sealer<T: SessionState>(&self, ring: &KeyRing) -> Sealer<T> {
        self.configure(Sealer::builder(ring, &self.purpose)).unwrap()
    }

    pub(crate) fn signer<T: SessionState>(&self, ring: &KeyRing) -> Signer<T> {
        self.configure(Signer::builder(ring, &self.purpose)).unwrap()
    }

    pub(crate) fn configure<T: SessionState, M: Form>(
        &self,
        builder: SealerBuilder<T, M>,
    ) -> Result<Sealer<T, M>, BuildError> {
        let policy = Policy::default()
            .idle_limit(Duration::from_secs(self.idle_limit))
            .absolute_limit(Duration::from_secs(self.absolute_limit));
        let builder = builder.carrier(self.carrier.parse().unwrap()).policy(policy);
        match &self.prefix {
            Some(prefix) => builder.prefix(prefix).build(),
            None => builder.build(),
        }
    }
}

fn of<T, M>(session: &waxseal::Session<T, M>) -> Opened {
    Opened {
        session_id: session.id().to_string(),
        issued_at: session.issued_at().as_unix(),
        expires_at: session.expires_at().as_unix(),
        key_id: session.key_id().to_string(),
        schema: session.schema(),
        body: String::new(),
    }
}

/// A ring loaded from a file of this text by a server whose clock stands at `now`.
pub(crate) fn load(text: &str, now: u64) -> KeyRing {
    load_with(text, Arc::new(ManualClock::at(Timestamp::from_unix(now))))
}

/// A ring loaded from a file of this text, on a clock of the test's.
pub(crate) fn load_with(text: &str, clock: Arc<ManualClock>) -> KeyRing {
    let disk = Disk::with(text.as_bytes());
    KeyRing::options().clock(clock).load(&disk.path).unwrap()
}
