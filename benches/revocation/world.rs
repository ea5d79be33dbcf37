//! What every part needs: a session with an owner, lists that are filled, tokens to open.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::revocation::Engine;
use waxseal::time::{Clock, ManualClock, SystemClock, Timestamp};
use waxseal::{KeyRing, Revocations, Revoke, Sealer, SessionId, SessionState};

use crate::harness::Draw;
use crate::sessions::{Sample, Typical};

/// A typical session that says whose it is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Owned(Typical);

impl SessionState for Owned {
    fn subject(&self) -> Option<&str> {
        Some(&self.0.user_id)
    }

    fn tenant(&self) -> Option<&str> {
        Some(&self.0.tenant_id)
    }
}

impl Owned {
    pub(crate) fn sample() -> Self {
        Self(Typical::sample())
    }
}

/// The engines that are compared, by name.
pub(crate) const ENGINES: [(&str, Engine); 2] = [("exact", Engine::Exact), ("bloom", BLOOM)];

pub(crate) const BLOOM: Engine = Engine::Bloom { false_positives: 1e-9 };

/// Sessions of the lists started within so many seconds: as long as their tokens live, so that tokens can be opened that
/// are looked for among all of them.
pub(crate) const SPREAD: u64 = 80_000;

/// A ring whose clock stands still at `now` until it is moved, and whose key sealed two months before that already.
pub(crate) fn ring_at(now: u64) -> (KeyRing, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix(now - TWO_MONTHS)));
    let ring =
        KeyRing::options().clock(Arc::clone(&clock)).generate().expect("the operating system gives random bytes");
    clock.set(Timestamp::from_unix(now));
    (ring, clock)
}

/// A sealer as servers have it: on the system's clock, and with `list` if there is one.
pub(crate) fn sealer<T: SessionState>(ring: &KeyRing, list: Option<&Revocations>) -> Sealer<T> {
    let builder = Sealer::builder(ring, "session").clock(SystemClock::new(Duration::from_secs(60)));
    let builder = list.into_iter().fold(builder, |builder, list| builder.revocations(list));
    builder.build().expect("the purpose is one")
}

/// The time of day, in Unix seconds.
pub(crate) fn now() -> u64 {
    SystemClock::new(Duration::from_secs(60)).now().as_unix()
}

pub(crate) fn list(ring: &KeyRing, engine: Engine) -> Revocations {
    let list = Revocations::in_memory(ring);
    list.set_engine(engine).expect("a rate between 0 and 1");
    list
}

/// Revokes a session in memory.
pub(crate) fn end(list: &Revocations, id: SessionId) {
    let _ = list.revoke(Revoke::session(id)).wait().expect("nothing can fail in memory");
}

/// Revoked sessions, always the same for the same `now`.
pub(crate) fn ids(now: u64, count: usize) -> impl Iterator<Item = SessionId> {
    let mut draw = Draw(7);
    (0..count).map(move |_| {
        let start = now - draw.below(SPREAD);
        draw.session(start)
    })
}

pub(crate) fn fill(list: &Revocations, now: u64, count: usize) {
    ids(now, count).for_each(|id| end(list, id));
}

/// Tokens of one length side by side, so that nothing but their bytes is fetched.
pub(crate) struct Tokens {
    len: usize,
    text: Vec<u8>,
    pub(crate) ids: Vec<SessionId>,
}

impl Tokens {
    /// `count` sessions that started within `spread` seconds before `now`.
    pub(crate) fn mint(sealer: &Sealer<Owned>, now: u64, spread: u64, count: usize) -> Self {
        let (state, mut draw) = (Owned::sample(), Draw(count as u64));
        let mut tokens = Self { len: 0, text: vec![], ids: vec![] };
        for _ in 0..count {
            let start = Timestamp::from_unix(now - draw.below(spread));
            let token = sealer.with(&[]).at(start).start(&state).expect("the sample fits");
            tokens.ids.push(token.id());
            tokens.len = token.as_str().len();
            tokens.text.extend_from_slice(token.as_str().as_bytes());
        }
        tokens
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        &self.text[index * self.len..][..self.len]
    }
}

const TWO_MONTHS: u64 = 62 * 86_400;
