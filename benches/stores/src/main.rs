//! Opening a token beside reading a session from the stores that sessions use today, on loopback and in the same run.
//!
//! ```sh
//! cargo run --release --manifest-path benches/stores/Cargo.toml -- --out docs/performance
//! ```
//!
//! Starts each server itself, on a free port of the loopback address and in a folder that goes away, and stops it. A server
//! that is not installed is skipped, and that is said. `--quick` shows only that everything runs. What the numbers are made
//! of is in docs/PERFORMANCE.md.

mod memcached;
mod postgres;
mod programs;
mod redis;
mod report;
#[path = "../../session/sessions.rs"]
#[allow(dead_code, reason = "only the typical session is read here")]
mod sessions;
mod store;
mod token;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use report::{Report, Row};
use sessions::{Sample, Typical};
use store::{Ids, Store};

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan {
    sessions: usize,
    rounds: usize,
    /// Reads of each store in one round.
    reads: usize,
    /// How long throughput is measured.
    slice: Duration,
}

const FULL: Plan = Plan { sessions: 100_000, rounds: 100, reads: 500, slice: Duration::from_secs(5) };
const QUICK: Plan = Plan { sessions: 500, rounds: 2, reads: 20, slice: Duration::from_millis(20) };

fn main() -> Result<(), Box<dyn Error>> {
    let (plan, out) = arguments()?;
    let ids = Ids::draw(plan.sessions);
    let state = postcard::to_allocvec(&Typical::sample())?;
    let (mut stores, mut skipped) = (Vec::<Box<dyn Store>>::new(), Vec::new());
    stores.push(Box::new(token::Token::new(&ids)));
    for start in [redis::start, memcached::start, postgres::start] {
        match start(&ids, &state) {
            Ok(store) => stores.push(store),
            Err(error) => skipped.push(error.to_string()),
        }
    }
    let report = Report { sessions: plan.sessions, rows: measure(plan, &ids, &mut stores), skipped };
    println!("{}", report.markdown());
    if let Some(out) = out {
        fs::create_dir_all(&out)?;
        fs::write(out.join("stores.md"), report.markdown())?;
        fs::write(out.join("stores.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    }
    Ok(())
}

/// Latencies in interleaved rounds, one request at a time; then what two cores can do, store by store.
fn measure(plan: Plan, ids: &Ids, stores: &mut [Box<dyn Store>]) -> Vec<Row> {
    let mut times = vec![Vec::with_capacity(plan.rounds * plan.reads); stores.len()];
    for round in 0..plan.rounds {
        for (store, times) in stores.iter_mut().zip(&mut times) {
            for read in 0..plan.reads {
                let id = ids.pick(round * plan.reads + read);
                let started = Instant::now();
                let state = store.read(id);
                times.push(started.elapsed().as_nanos() as u64);
                assert_eq!(state.flags, 77);
            }
        }
    }
    let rows = stores.iter().zip(times).map(|(store, times)| Row::of(&**store, times, store.rate(ids, plan.slice)));
    rows.collect()
}

fn arguments() -> Result<(Plan, Option<PathBuf>), Box<dyn Error>> {
    let (mut plan, mut out, mut arguments) = (FULL, None, std::env::args().skip(1));
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => plan = QUICK,
            "--out" => out = Some(PathBuf::from(arguments.next().ok_or("--out names a folder")?)),
            other => return Err(format!("no such argument: {other}; there are --quick and --out FOLDER").into()),
        }
    }
    Ok((plan, out))
}
