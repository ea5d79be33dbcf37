//! What a store of sessions does here, and the ids that its clients carry.

use std::time::{Duration, Instant};

use crate::sessions::Typical;

/// Somewhere that sessions are read from.
pub(crate) trait Store {
    fn name(&self) -> &'static str;

    /// Reads one session and decodes it, and waits for that alone.
    fn read(&mut self, id: usize) -> Typical;

    /// How many sessions are read in a second if the client does all it can on this machine's cores.
    fn rate(&self, ids: &Ids, slice: Duration) -> f64;

    /// Bytes that the sessions take on the server.
    fn memory(&self) -> u64;

    /// Characters that each request carries.
    fn carried(&self) -> usize;
}

/// The ids of all sessions: 16 random bytes as 22 characters.
#[derive(Clone)]
pub(crate) struct Ids(Vec<String>);

impl Ids {
    pub(crate) fn draw(count: usize) -> Self {
        Self((0..count).map(|_| id()).collect())
    }

    pub(crate) fn all(&self) -> &[String] {
        &self.0
    }

    /// The number of the session that request number `turn` asks for: no two in a row are neighbours.
    pub(crate) fn pick(&self, turn: usize) -> usize {
        turn.wrapping_mul(7_919) % self.0.len()
    }
}

/// Calls `read` with one turn after the other until `slice` is over; returns how often.
pub(crate) fn until(slice: Duration, mut read: impl FnMut(usize)) -> u64 {
    let started = Instant::now();
    let mut turn = 0;
    while started.elapsed() < slice {
        read(turn);
        turn += 1;
    }
    turn as u64
}

pub(crate) fn decode(state: &[u8]) -> Typical {
    postcard::from_bytes(state).expect("what was stored")
}

fn id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = u128::from_be_bytes(bytes);
    (0..22).map(|digit| char::from(DIGITS[(bits >> (6 * digit)) as usize & 63])).collect()
}
