//! What users wait for: seal, open, sign, verify, beside the floors of the same work in the same run.
//!
//! A floor is a piece of work that cannot be avoided, measured alone on the same bytes and with the primitives of the same
//! build: with the feature `ring` and without. The sum of an operation's floors is what it would cost to do nothing else. Rounds are interleaved, so that a
//! machine that slows down slows every row down; ratios are taken round by round and their median is
//! printed.
//!
//! `cargo bench --bench session`, or with `-- --quick` for a run that only shows that it works.

mod floors;
mod harness;
mod primitives;
mod sessions;

use harness::{Plan, Row};
use sessions::{Large, Small, Typical};

fn main() {
    let plan = Plan::from_args();
    println!("median ns of {} rounds; ratio = operation / sum of its floors, round by round\n", plan.rounds);
    let mut rows = Vec::new();
    rows.extend(measure::<Small>(&plan));
    rows.extend(measure::<Typical>(&plan));
    rows.extend(measure::<Large>(&plan));
    harness::print(&rows);
}

fn measure<T: sessions::Sample>(plan: &Plan) -> Vec<Row> {
    floors::Bench::<T>::new().rows(plan)
}
