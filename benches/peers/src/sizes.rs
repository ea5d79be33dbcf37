//! Cost against size: a state of 10 bytes to the most that a token holds.

use std::hint::black_box;

use serde::{Deserialize, Serialize};
use waxseal::session::Buffer;
use waxseal::{KeyRing, Sealer, SessionState};

use crate::harness::{Plan, Span, interleave, task};

/// One size.
#[derive(Serialize)]
pub(crate) struct Row {
    /// Bytes of the state in postcard.
    pub(crate) state: usize,
    /// Characters of the token.
    pub(crate) chars: usize,
    pub(crate) seal: Span,
    pub(crate) open: Span,
    pub(crate) open_raw: Span,
}

/// A state that is nothing but a text.
#[derive(Serialize, Deserialize)]
struct Text(String);

impl SessionState for Text {}

pub(crate) fn measure(plan: Plan) -> Vec<Row> {
    let ring = KeyRing::generate().expect("the operating system gives random bytes");
    let sealer = Sealer::<Text>::new(&ring, "session").expect("the purpose is one");
    STATES.iter().map(|&state| row(plan, &sealer, state)).collect()
}

fn row(plan: Plan, sealer: &Sealer<Text>, state: usize) -> Row {
    // postcard writes a length of one byte, or of two from 128 on.
    let text = Text("x".repeat(state - if state > 128 { 2 } else { 1 }));
    let token = sealer.start(&text).expect("it fits").into_string();
    let mut buffer = Buffer::new();
    let times = interleave(
        plan,
        &mut [
            task(|| sealer.start(black_box(&text))),
            task(|| sealer.open(black_box(&token))),
            task(|| sealer.open_raw(black_box(&token), &mut buffer).map(|session| session.body().len())),
        ],
    );
    let [seal, open, open_raw] = [0, 1, 2].map(|task: usize| times[task].span());
    Row { state, chars: token.len(), seal, open, open_raw }
}

/// Bytes of each state.
const STATES: [usize; 8] = [10, 30, 100, 300, 600, 1_000, 2_000, 2_950];
