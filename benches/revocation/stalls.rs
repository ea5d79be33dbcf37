//! How long single checks take while another thread writes as much as it can.
//!
//! On a machine with few processors a thread that checks is now and then taken off; that is not the list's doing. The
//! kernel counts how long a thread waited for a processor (`/proc/thread-self/schedstat`), and what took long without
//! such a wait is reported apart.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use waxseal::revocation::Engine;
use waxseal::{Revocations, Sealer};

use crate::harness::{Histogram, Plan};
use crate::world::{BLOOM, ENGINES, Owned, SPREAD, Tokens, end, fill, ids, list, now, ring_at, sealer};

/// All checks of one thread while something else went on.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) while_: String,
    pub(crate) checks: u64,
    pub(crate) seconds: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) p99999: u64,
    pub(crate) most: u64,
    /// Of those that took more than [`LONG`], how many waited for a processor for most of it.
    pub(crate) away: u64,
    /// The longest of the others, ns.
    pub(crate) most_on_processor: u64,
    /// Others above a millisecond.
    pub(crate) above_1_ms: u64,
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let (now, live) = (now(), plan.largest());
    let (ring, clock) = ring_at(now);
    let mut rows = vec![];
    let watch = |what: String, list: &Revocations, tokens: &Tokens, write: &mut (dyn FnMut() + Send)| {
        observe(what, &sealer(&ring, Some(list)), tokens, write)
    };
    let tokens = Tokens::mint(&sealer(&ring, None), now, SPREAD, 1_000);
    let calm = Duration::from_millis(if live > 1_000_000 { 3_000 } else { 30 });
    let exact = list(&ring, Engine::Exact);
    rows.push(watch("nobody writes, nothing is revoked".into(), &exact, &tokens, &mut || thread::sleep(calm)));
    for (name, engine) in ENGINES {
        let filled = list(&ring, engine);
        let what = format!("{name}: grows from nothing to {} sessions", grouped(live));
        rows.push(watch(what, &filled, &tokens, &mut || fill(&filled, now, live)));
    }
    fill(&exact, now, live / 2);
    clock.advance(3 * 4096);
    ids(now, live).skip(live / 2).for_each(|id| end(&exact, id));
    rows.push(watch("exact: nobody writes".into(), &exact, &tokens, &mut || thread::sleep(calm)));
    rows.push(watch("exact: another thread computes".into(), &exact, &tokens, &mut || spin(calm)));
    let exchange = |engine| exact.set_engine(engine).expect("the rate is one");
    rows.push(watch("exact becomes bloom".into(), &exact, &tokens, &mut || exchange(BLOOM)));
    rows.push(watch("bloom becomes exact".into(), &exact, &tokens, &mut || exchange(Engine::Exact)));
    // The first half was decided so much earlier.
    for what in ["half of all expire at once", "the other half expires"] {
        let retention = exact.status().retention;
        clock.advance(if what.starts_with("half") { retention - 4096 } else { 3 * 4096 + 4096 });
        rows.push(watch(format!("exact: {what}"), &exact, &tokens, &mut || exact.sync().expect("it is in memory")));
    }
    rows
}

/// Opens `tokens` in turn for as long as `write` takes.
fn observe(what: String, sealer: &Sealer<Owned>, tokens: &Tokens, write: &mut (dyn FnMut() + Send)) -> Row {
    let (is_over, mut all) = (AtomicBool::new(false), Watch::new());
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            write();
            is_over.store(true, Ordering::Release);
        });
        for at in (0..tokens.ids.len()).cycle() {
            all.time(|| sealer.open(black_box(tokens.get(at))).expect("it was not revoked"));
            // Asked rarely, so that asking costs nothing.
            if at == 0 && is_over.load(Ordering::Acquire) {
                break;
            }
        }
    });
    all.row(what, begun.elapsed())
}

/// Takes the time of each check.
struct Watch {
    all: Histogram,
    schedule: Option<File>,
    /// Nanoseconds that this thread has waited for a processor.
    waited: u64,
    since: u32,
    away: u64,
    on_processor: Histogram,
}

impl Watch {
    fn new() -> Self {
        let schedule = File::open("/proc/thread-self/schedstat").ok();
        let mut watch =
            Self { all: Histogram::new(), schedule, waited: 0, since: 0, away: 0, on_processor: Histogram::new() };
        watch.look();
        watch
    }

    fn time<R>(&mut self, check: impl FnOnce() -> R) {
        let started = Instant::now();
        black_box(check());
        let ns = started.elapsed().as_nanos() as u64;
        self.all.add(ns);
        self.since += 1;
        if ns > LONG {
            if self.look() * 2 > ns {
                self.away += 1;
            } else {
                self.on_processor.add(ns);
            }
        } else if self.since > 1_000 {
            self.look();
        }
    }

    /// How long this thread has waited since the last look.
    fn look(&mut self) -> u64 {
        self.since = 0;
        let mut text = [0; 64];
        let read = self.schedule.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        let text = String::from_utf8_lossy(&text[..read]);
        let waited = text.split(' ').nth(1).and_then(|ns| ns.parse().ok()).unwrap_or(0);
        waited - std::mem::replace(&mut self.waited, waited)
    }

    fn row(&self, while_: String, took: Duration) -> Row {
        let [p50, p99, p999, p99999] = [0.5, 0.99, 0.999, 0.99999].map(|part| self.all.quantile(part));
        Row {
            while_,
            checks: self.all.count,
            seconds: took.as_secs_f64(),
            p50,
            p99,
            p999,
            p99999,
            most: self.all.most,
            away: self.away,
            most_on_processor: self.on_processor.most,
            above_1_ms: self.on_processor.above(1_000_000),
        }
    }
}

fn spin(long: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < long {
        black_box(crate::harness::Draw(1).next());
    }
}

/// A number with a comma after each thousand.
pub(crate) fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// What takes longer is looked into, ns.
const LONG: u64 = 100_000;
