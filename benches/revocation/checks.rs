//! What a list adds to opening: the same token with a list and without, in the same rounds.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::RwLock;

use fastbloom::AtomicBloomFilter;
use serde::Serialize;
use waxseal::revocation::Engine;
use waxseal::{KeyRing, Revocations, Revoke, Sealer, SessionId};

use crate::harness::{Draw, Plan, Task, interleave, median, task};
use crate::sessions::Typical;
use crate::world::{BLOOM, ENGINES, Owned, SPREAD, Tokens, fill, ids, list, now, ring_at, sealer};

/// One way to ask, at one size and for one choice of tokens.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) live: usize,
    pub(crate) tokens: &'static str,
    pub(crate) what: &'static str,
    /// What opening takes without a list, ns.
    pub(crate) open: f64,
    /// What asking adds, ns.
    pub(crate) adds: f64,
    /// The same as a part of opening, round by round.
    pub(crate) part: f64,
}

/// What subject and tenant add to opening the same token, with an empty list otherwise.
#[derive(Serialize)]
pub(crate) struct OwnerRow {
    pub(crate) what: &'static str,
    pub(crate) adds: f64,
    pub(crate) part: f64,
}

/// The same token again and again is what the bound is about; the rest is what caches make of it.
pub(crate) const CHOICES: [&str; 3] = ["the same", "1,000 in turn", "one of many"];

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    plan.sizes.iter().flat_map(|&live| measure_at(plan, live)).collect()
}

/// Everything that is asked, and holds the same sessions.
struct Bench {
    bare: Sealer<Owned>,
    with_list: Vec<Sealer<Owned>>,
    set: RwLock<HashSet<SessionId>>,
    filter: AtomicBloomFilter,
}

impl Bench {
    fn new(ring: &KeyRing, now: u64, live: usize) -> Self {
        let with_list = ENGINES.map(|(_, engine)| {
            let list = list(ring, engine);
            fill(&list, now, live);
            sealer(ring, Some(&list))
        });
        let filter = AtomicBloomFilter::with_false_pos(RATE).expected_items(live);
        ids(now, live).for_each(|id| _ = filter.insert(&id));
        let set = RwLock::new(ids(now, live).collect());
        Self { bare: sealer(ring, None), with_list: with_list.into(), set, filter }
    }

    /// Opening without a list, then all that is compared. `choose` gives the index of the next token.
    fn tasks<'a>(&'a self, tokens: &'a Tokens, choose: impl Fn() -> Box<dyn FnMut() -> usize>) -> Vec<Task<'a>> {
        let open = |sealer: &'a Sealer<Owned>| {
            let mut next = choose();
            task(move || sealer.open(black_box(tokens.get(next()))).expect("it was not revoked"))
        };
        let (mut in_set, mut in_filter, mut nothing) = (choose(), choose(), choose());
        let asks = |id: &SessionId| self.set.read().expect("nobody panics").contains(black_box(id));
        let mut tasks = vec![open(&self.bare)];
        tasks.extend(self.with_list.iter().map(open));
        tasks.push(task(move || asks(&tokens.ids[in_set()])));
        tasks.push(task(move || self.filter.contains(black_box(&tokens.ids[in_filter()]))));
        // What fetching the id of the last two takes.
        tasks.push(task(move || *black_box(&tokens.ids[nothing()])));
        tasks
    }
}

fn measure_at(plan: &Plan, live: usize) -> Vec<Row> {
    let now = now();
    let (ring, _) = ring_at(now);
    let bench = Bench::new(&ring, now, live);
    let tokens = Tokens::mint(&bench.bare, now, SPREAD, plan.tokens);
    let mut rows = vec![];
    for (choice, of) in CHOICES.into_iter().zip([1, 1_000.min(plan.tokens), plan.tokens]) {
        // Long enough to come round a few times, or the first time is all that is seen.
        let plan = Plan { batch_ns: plan.batch_ns * if of == 1_000 { 16 } else { 1 }, ..*plan };
        let times = interleave(&plan, &mut bench.tasks(&tokens, || chooser(choice, of)));
        let [open, exact, bloom, set, filter, fetch] = &times[..] else { unreachable!("six tasks") };
        for (what, with, without) in [
            (ENGINES[0].0, exact, open),
            (ENGINES[1].0, bloom, open),
            ("RwLock<HashSet>", set, fetch),
            ("fastbloom", filter, fetch),
        ] {
            rows.push(row(live, choice, what, open, with, without));
        }
    }
    rows
}

fn row(live: usize, tokens: &'static str, what: &'static str, open: &[f64], with: &[f64], without: &[f64]) -> Row {
    let added: Vec<_> = with.iter().zip(without).map(|(with, without)| with - without).collect();
    let parts: Vec<_> = added.iter().zip(open).map(|(added, open)| added / open).collect();
    Row { live, tokens, what, open: median(open), adds: median(&added), part: median(&parts) }
}

fn chooser(choice: &str, of: usize) -> Box<dyn FnMut() -> usize> {
    if choice == CHOICES[2] {
        let mut draw = Draw(3);
        return Box::new(move || draw.below(of as u64) as usize);
    }
    let mut at = 0;
    Box::new(move || {
        at = if at + 1 < of { at + 1 } else { 0 };
        at
    })
}

/// The same token, with lists that know of no session, and of cut-offs of other people or of none.
pub(crate) fn owners(plan: &Plan) -> Vec<OwnerRow> {
    let (ring, _) = ring_at(now());
    let (empty, busy) = (list(&ring, Engine::Exact), list(&ring, BLOOM));
    cut_off_others(&busy, plan.largest().min(10_000));
    let nobody: Sealer<Typical> = sealer(&ring, Some(&empty));
    let somebody: Vec<Sealer<Owned>> = [None, Some(&empty), Some(&busy)].map(|list| sealer(&ring, list)).into();
    let token = somebody[0].start(&Owned::sample()).expect("the sample fits").into_string();
    let mut tasks: Vec<_> =
        somebody.iter().map(|sealer| task(|| sealer.open(black_box(&token)).expect("nobody revoked it"))).collect();
    tasks.push(task(|| nobody.open(black_box(&token)).expect("nobody revoked it")));
    let times = interleave(plan, &mut tasks);
    let rows = [
        ("a list, and a session that says not whose it is", 3, 0),
        ("its subject and tenant beside that, while no cut-off of any lives", 1, 3),
        ("the same, while 10,000 cut-offs of other subjects and 100 of tenants live", 2, 3),
    ];
    rows.map(|(what, with, without)| {
        let Row { adds, part, .. } = row(0, "", "", &times[0], &times[with], &times[without]);
        OwnerRow { what, adds, part }
    })
    .into()
}

fn cut_off_others(list: &Revocations, count: usize) {
    // Tenants first: cut-offs that take turns move each other on by a second.
    let tenants = (0..count / 100).map(|n| Revoke::tenant(&format!("tenant-{n}")));
    let subjects = (0..count).map(|n| Revoke::subject(&format!("user-{n}")));
    for revoke in tenants.chain(subjects) {
        let _ = list.revoke(revoke).wait().expect("nothing can fail in memory");
    }
}

const RATE: f64 = 1e-9;
