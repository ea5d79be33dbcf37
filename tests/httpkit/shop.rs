//! A shop with sessions, its keys and its clock, all of which stand still.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::session::SealerBuilder;
use waxseal::time::{Clock, ManualClock, Timestamp};
use waxseal::{Carrier, KeyRing, Older, Policy, Revocations, SchemaError, Sealer, SessionState};

use crate::testkit::NOW;
use crate::testkit::reader::load_with;
use crate::testkit::ring::Ring;

/// What a session of the shop holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shop {
    pub(crate) user: String,
    pub(crate) count: u32,
    /// Grows as a test needs it.
    pub(crate) note: String,
    /// "Remember me with a cookie."
    pub(crate) remember: bool,
}

/// A session with this user, whose first count is 1.
pub(crate) fn shop(user: &str) -> Shop {
    Shop { user: user.into(), count: 1, note: String::new(), remember: false }
}

impl SessionState for Shop {
    const SCHEMA: u16 = 3;

    fn subject(&self) -> Option<&str> {
        (!self.user.is_empty()).then_some(&self.user)
    }

    /// There is no schema 2. Mallory's upgrade has a bug: it makes her somebody else.
    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<ShopV1, _>(|v1| shop(if v1.user == "mallory" { "ada" } else { &v1.user }))
    }
}

/// What a session was before it had a count.
#[derive(Serialize, Deserialize)]
pub(crate) struct ShopV1 {
    pub(crate) user: String,
}

impl SessionState for ShopV1 {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

/// The shop's servers: one ring, one clock, and the sealers of both carriers.
pub(crate) struct Servers {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ring: KeyRing,
    /// What layers are made of.
    pub(crate) sealer: Sealer<Shop>,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self::with(&Ring::example(), None)
    }

    /// Servers with this ring, whose tokens begin with `prefix`.
    pub(crate) fn with(ring: &Ring, prefix: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(NOW)));
        let ring = load_with(&ring.text(), Arc::clone(&clock));
        let sealer = sealer(&ring, Arc::clone(&clock), prefix);
        Self { clock, ring, sealer }
    }

    /// The same servers with a list of revocations, which is new.
    pub(crate) fn listed(self) -> (Self, Revocations) {
        let list = Revocations::in_memory(&self.ring);
        let servers = self.asking(&list);
        (servers, list)
    }

    /// The same servers with this list.
    pub(crate) fn asking(self, list: &Revocations) -> Self {
        let sealer = builder(&self.ring, Arc::clone(&self.clock)).revocations(list).build().unwrap();
        Self { sealer, ..self }
    }

    /// The sealer of tokens in the cookie called `name`.
    pub(crate) fn cookie(&self, name: &str) -> Sealer<Shop> {
        self.sealer.carrier(Carrier::cookie(name).unwrap())
    }
}

/// A sealer whose tokens live for [`LIFE`] and are due after half of it.
pub(crate) fn sealer(ring: &KeyRing, clock: impl Clock, prefix: Option<&str>) -> Sealer<Shop> {
    let builder = builder(ring, clock);
    match prefix {
        Some(prefix) => builder.prefix(prefix).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

fn builder(ring: &KeyRing, clock: impl Clock) -> SealerBuilder<Shop> {
    let policy = Policy::default()
        .token_lifetime(Duration::from_secs(LIFE))
        .idle_limit(Duration::from_secs(2 * LIFE))
        .absolute_limit(Duration::from_secs(12 * LIFE));
    Sealer::builder(ring, "session").policy(policy).clock(clock)
}

/// Seconds that a token lives.
pub(crate) const LIFE: u64 = 3_600;

/// The layer's own name for its cookie.
pub(crate) const COOKIE: &str = "__Host-Http-id";
