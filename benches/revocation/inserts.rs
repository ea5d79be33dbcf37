//! Revoking in memory, one session after the other, from nothing to the size.

use std::collections::HashSet;
use std::sync::RwLock;
use std::time::Instant;

use fastbloom::AtomicBloomFilter;
use serde::Serialize;
use waxseal::SessionId;

use crate::harness::{Histogram, Plan};
use crate::world::{ENGINES, end, ids, list, now, ring_at};

/// All insertions of one fill.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) live: usize,
    pub(crate) what: &'static str,
    pub(crate) mean: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// Whoever inserted waited so long when a table grew, ns.
    pub(crate) most: u64,
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    plan.sizes.iter().flat_map(|&live| measure_at(live)).collect()
}

fn measure_at(live: usize) -> Vec<Row> {
    let now = now();
    let (ring, _) = ring_at(now);
    // Small fills are repeated, so that more than a handful is timed.
    let repeats = (20_000 / live).max(1);
    let mut rows: Vec<_> = ENGINES
        .map(|(name, engine)| {
            row(live, name, repeats, || {
                let list = list(&ring, engine);
                move |id| end(&list, id)
            })
        })
        .into();
    rows.push(row(live, "RwLock<HashSet>", repeats, || {
        let set = RwLock::new(HashSet::new());
        move |id: SessionId| _ = set.write().expect("nobody panics").insert(id)
    }));
    rows.push(row(live, "fastbloom, of a fixed size", repeats, || {
        let filter = AtomicBloomFilter::with_false_pos(1e-9).expected_items(live);
        move |id: SessionId| _ = filter.insert(&id)
    }));
    rows
}

fn row<F: FnMut(SessionId)>(live: usize, what: &'static str, repeats: usize, begin: impl Fn() -> F) -> Row {
    let mut all = Histogram::new();
    for _ in 0..repeats {
        let mut insert = begin();
        for id in ids(now(), live) {
            let started = Instant::now();
            insert(id);
            all.add(started.elapsed().as_nanos() as u64);
        }
    }
    Row { live, what, mean: all.mean(), p50: all.quantile(0.5), p99: all.quantile(0.99), most: all.most }
}
