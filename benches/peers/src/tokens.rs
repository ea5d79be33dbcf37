//! Tokens: every contender on the same session, in interleaved rounds.

use std::hint::black_box;

use serde::Serialize;

use crate::allocator::allocations;
use crate::contenders::{self, Contender, Kind, Profile};
use crate::harness::{Plan, Span, Task, Times, interleave, task};
use crate::sessions::{Large, Sample, Small, Typical};

/// What all contenders did with one session.
#[derive(Serialize)]
pub(crate) struct Table {
    pub(crate) session: &'static str,
    /// Bytes of the state in postcard.
    pub(crate) state: usize,
    pub(crate) rows: Vec<Row>,
}

/// What one contender did.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) readable: bool,
    pub(crate) carries: &'static str,
    pub(crate) seal: Cost,
    pub(crate) open: Cost,
    /// Characters of the token.
    pub(crate) chars: usize,
    /// Characters of the token in a cookie.
    pub(crate) on_the_wire: usize,
}

/// What one operation cost.
#[derive(Serialize)]
pub(crate) struct Cost {
    pub(crate) ns: Span,
    pub(crate) allocations: u64,
    /// The library's time as a share of this one's, round by round.
    pub(crate) waxseal_takes: f64,
}

pub(crate) fn measure(plan: Plan) -> Vec<Table> {
    vec![table::<Small>(plan), table::<Typical>(plan), table::<Large>(plan)]
}

impl Table {
    pub(crate) fn row(&self, name: &str) -> &Row {
        self.rows.iter().find(|row| row.name == name).expect("a contender of this name")
    }
}

fn table<S: Sample>(plan: Plan) -> Table {
    let (contenders, state) = (contenders::all::<S>(), S::sample());
    let body = postcard::to_allocvec(&state).expect("the sample is written");
    let tokens: Vec<_> = contenders.iter().map(|contender| contender.seal(&state)).collect();
    for (contender, token) in contenders.iter().zip(&tokens) {
        let opened = postcard::to_allocvec(&contender.open(token)).expect("the sample is written");
        assert_eq!(opened, body, "{} returns what it was given", contender.profile().name);
    }
    let mut tasks = tasks(&contenders, &state, &tokens);
    let times = interleave(plan, &mut tasks);
    let (seals, opens) = times.split_at(contenders.len());
    let rows = (0..contenders.len()).map(|index| {
        let (contender, token) = (&*contenders[index], &tokens[index]);
        let Profile { name, kind, carries } = contender.profile();
        // Sealed against sealed; what is only signed is held against the library's own signed form.
        let ours = if kind == Kind::Readable { 2 } else { 0 };
        let cost = |times: &[Times], allocations| Cost {
            ns: times[index].span(),
            allocations,
            waxseal_takes: times[ours].ratio(&times[index]),
        };
        Row {
            name,
            readable: kind == Kind::Readable,
            carries,
            seal: cost(seals, allocations(|| contender.seal(&state))),
            open: cost(opens, allocations(|| contender.open(token))),
            chars: contender.chars(token),
            on_the_wire: contender.on_the_wire(token),
        }
    });
    Table { session: S::NAME, state: body.len(), rows: rows.collect() }
}

/// First all seals, then all opens, in the order of `contenders`.
fn tasks<'a, S: Sample>(contenders: &'a [Box<dyn Contender<S>>], state: &'a S, tokens: &'a [String]) -> Vec<Task<'a>> {
    let seals = contenders.iter().map(|contender| task(move || contender.seal(black_box(state))));
    let opens = contenders.iter().zip(tokens).map(|(contender, token)| task(move || contender.open(black_box(token))));
    seals.chain(opens).collect()
}
