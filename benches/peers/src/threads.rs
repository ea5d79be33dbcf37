//! Scaling: two threads that open under one ring while it is swapped underneath, against two rings of their own.
//!
//! Both cases run beside the same third thread, which changes the ring's file and has the rings in use reload it.

use std::hint::black_box;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use waxseal::keys::{DiskError, Ring, RingFile, RingPolicy};
use waxseal::time::{Clock, SystemClock, Timestamp};
use waxseal::{KeyRing, Sealer};

use crate::harness::{Plan, median};
use crate::sessions::{Sample, Typical};

/// Tokens opened in a second, all threads together.
#[derive(Serialize)]
pub(crate) struct Scaling {
    pub(crate) one_thread: f64,
    pub(crate) two_threads: f64,
    pub(crate) two_copies: f64,
    /// Two threads on one ring against two on a ring each, round by round.
    pub(crate) shared_over_copies: f64,
    /// Swaps in a second while it was measured.
    pub(crate) swaps: f64,
}

pub(crate) fn measure(plan: Plan) -> Scaling {
    let folder = tempfile::tempdir().expect("room for a file");
    let file = RingFile::at(folder.path().join("ring.json"));
    create(&file);
    let readers: Vec<_> = (0..3).map(|_| Reader::load(&folder.path().join("ring.json"))).collect();
    let [shared, first, second] = &readers[..] else { unreachable!("three were made") };
    let cases: [(&[&Reader], &[&Reader]); 3] =
        [(&[shared], &[shared]), (&[shared, shared], &[shared]), (&[first, second], &[first, second])];
    let swapper = Swapper { case: AtomicUsize::new(0), stop: AtomicBool::new(false), swaps: AtomicUsize::new(0) };
    let mut rates = [const { Vec::new() }; 3];
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| swapper.run(&file, &cases.map(|(_, swapped)| swapped)));
        for _ in 0..plan.rounds {
            for (case, (threads, _)) in cases.iter().enumerate() {
                swapper.case.store(case, Ordering::Relaxed);
                rates[case].push(rate(threads, plan.slice()));
            }
        }
        swapper.stop.store(true, Ordering::Relaxed);
    });
    let swaps = swapper.swaps.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    let ratios = rates[1].iter().zip(&rates[2]).map(|(shared, copies)| shared / copies).collect();
    let [one_thread, two_threads, two_copies] = rates.map(median);
    Scaling { one_thread, two_threads, two_copies, shared_over_copies: median(ratios), swaps }
}

/// A ring in memory, and a token of it.
struct Reader {
    ring: KeyRing,
    sealer: Sealer<Typical>,
    token: String,
}

impl Reader {
    fn load(path: &Path) -> Self {
        let ring = KeyRing::load(path).expect("a ring was written");
        let sealer = Sealer::new(&ring, "session").expect("the purpose is one");
        let token = sealer.start(&Typical::sample()).expect("the sample fits").into_string();
        Self { ring, sealer, token }
    }

    /// Opens for as long as `slice`; returns how often in a second.
    fn work(&self, start: &Barrier, slice: Duration) -> f64 {
        let mut opened = 0;
        start.wait();
        let started = Instant::now();
        while started.elapsed() < slice {
            for _ in 0..100 {
                drop(black_box(self.sealer.open(black_box(&self.token)).expect("our own token")));
            }
            opened += 100;
        }
        f64::from(opened) / started.elapsed().as_secs_f64()
    }
}

/// The thread that swaps rings.
struct Swapper {
    case: AtomicUsize,
    stop: AtomicBool,
    swaps: AtomicUsize,
}

impl Swapper {
    fn run(&self, file: &RingFile, cases: &[&[&Reader]; 3]) {
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            turn += 1;
            change(file, turn);
            // One reload each turn in every case, so that all cases have the same work beside them.
            let swapped = cases[self.case.load(Ordering::Relaxed)];
            swapped[turn as usize % swapped.len()].ring.reload().expect("a newer state of the ring");
            self.swaps.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
    }
}

/// How often all of `readers`, on a thread each, open in a second.
fn rate(readers: &[&Reader], slice: Duration) -> f64 {
    let start = Barrier::new(readers.len());
    thread::scope(|scope| {
        let threads: Vec<_> = readers.iter().map(|reader| scope.spawn(|| reader.work(&start, slice))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it opens")).sum()
    })
}

fn create(file: &RingFile) {
    let ring = Ring::create(RingPolicy::default(), now()).expect("the operating system gives random bytes");
    file.create(&ring, now()).expect("room for a file");
}

/// Another generation of the same ring, for a reason that changes nothing here.
fn change(file: &RingFile, turn: u64) {
    let until = now().plus(3_600 + turn % 60);
    let change = |ring: &mut Ring| -> Result<_, DiskError> {
        ring.set_stale_ok(Some(until), now()).expect("within a day");
        Ok(((), true))
    };
    file.update(now(), "stale-ok", change).expect("the file is ours");
}

fn now() -> Timestamp {
    SystemClock::new(Duration::from_secs(60)).now()
}

/// Between two swaps.
const PAUSE: Duration = Duration::from_millis(2);
