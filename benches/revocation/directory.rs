//! A directory of many writers: what one node reads and writes, counted by the kernel.

use std::error::Error;
use std::time::{Duration, Instant};

use serde::Serialize;
use waxseal::{Revocations, Revoke, Stale};

use crate::harness::{Draw, Plan, median};
use crate::world::{SPREAD, now, ring_at};

/// One node of many.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) nodes: usize,
    /// Revocations of the whole fleet in a day.
    pub(crate) revoked_a_day: u64,
    /// Bytes in a second, by a node that looks every five seconds.
    pub(crate) reads: f64,
    pub(crate) writes: f64,
    /// A pass, in microseconds.
    pub(crate) pass: f64,
    /// Bytes of all journals at the end.
    pub(crate) directory: u64,
}

pub(crate) fn measure(plan: &Plan) -> Result<Vec<Row>, Box<dyn Error>> {
    [0, 1_000_000].into_iter().map(|revoked_a_day| row(plan.nodes, revoked_a_day)).collect()
}

fn row(nodes: usize, revoked_a_day: u64) -> Result<Row, Box<dyn Error>> {
    let (folder, now) = (tempfile::tempdir()?, now());
    let (ring, clock) = ring_at(now);
    Revocations::init_directory(&ring, folder.path())?;
    let join = || Revocations::directory(&ring, folder.path(), Stale::refuse_after(Duration::from_secs(900)));
    let fleet = (0..nodes).map(|_| join()).collect::<Result<Vec<_>, _>>()?;
    let (mut draw, mut owed, mut passes, mut counted) = (Draw(9), 0, vec![], Counted::default());
    for round in 0..WARM + ROUNDS {
        clock.advance(POLL);
        owed += revoked_a_day * POLL;
        let before = Counted::now();
        let mut writing = vec![];
        while owed >= DAY {
            owed -= DAY;
            let start = now - draw.below(SPREAD);
            writing.push(fleet[draw.below(nodes as u64) as usize].revoke(Revoke::session(draw.session(start))));
        }
        for writing in writing {
            let _ = writing.wait()?;
        }
        for node in &fleet {
            let begun = Instant::now();
            node.sync()?;
            passes.push(begun.elapsed().as_nanos() as f64 / 1_000.0);
        }
        // The first rounds read what was there before.
        if round >= WARM {
            counted.add(&before);
        }
    }
    let directory =
        std::fs::read_dir(folder.path())?.map(|entry| Ok(entry?.metadata()?.len())).sum::<std::io::Result<_>>()?;
    let share = (nodes as u64 * ROUNDS * POLL) as f64;
    let (reads, writes) = (counted.read as f64 / share, counted.written as f64 / share);
    Ok(Row { nodes, revoked_a_day, reads, writes, pass: median(&passes), directory })
}

/// Bytes that this process has read and written, as the kernel counts them.
#[derive(Default)]
struct Counted {
    read: u64,
    written: u64,
}

impl Counted {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let of = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0);
        Self { read: of("rchar:"), written: of("wchar:") }
    }

    fn add(&mut self, before: &Self) {
        let now = Self::now();
        self.read += now.read - before.read;
        self.written += now.written - before.written;
    }
}

const POLL: u64 = 5;
const WARM: u64 = 4;
const ROUNDS: u64 = 24;
const DAY: u64 = 86_400;
