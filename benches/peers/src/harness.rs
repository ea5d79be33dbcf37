//! Interleaved rounds: every task in every round, so that a machine that slows down slows all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Serialize;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// How long one batch of a task should take, in nanoseconds.
    batch_ns: u64,
}

impl Plan {
    pub(crate) const FULL: Self = Self { rounds: 201, batch_ns: 200_000 };

    /// Measures next to nothing: it only shows that everything runs.
    pub(crate) const QUICK: Self = Self { rounds: 3, batch_ns: 20_000 };

    /// How long threads work in one round.
    pub(crate) fn slice(&self) -> Duration {
        Duration::from_nanos(100 * self.batch_ns)
    }
}

/// Something to time.
pub(crate) struct Task<'a>(Box<dyn FnMut(u32) + 'a>);

/// A task whose answer the compiler may not throw away.
pub(crate) fn task<'a, R>(mut run: impl FnMut() -> R + 'a) -> Task<'a> {
    Task(Box::new(move |times| (0..times).for_each(|_| drop(black_box(run())))))
}

/// What a task took, in nanoseconds, in each round.
pub(crate) struct Times(Vec<f64>);

/// The least and the middle of a task's times, in nanoseconds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Span {
    pub(crate) min: f64,
    pub(crate) median: f64,
}

impl Times {
    pub(crate) fn span(&self) -> Span {
        Span { min: self.0.iter().copied().fold(f64::INFINITY, f64::min), median: median(self.0.clone()) }
    }

    /// The middle of the ratios to `other`, round by round.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }

    /// What is above `base`: of the least times, and the middle of the differences round by round.
    pub(crate) fn above(&self, base: &Self) -> Span {
        let differences = self.0.iter().zip(&base.0).map(|(own, base)| own - base).collect();
        Span { min: self.span().min - base.span().min, median: median(differences) }
    }
}

/// Times every task in every round.
pub(crate) fn interleave(plan: Plan, tasks: &mut [Task<'_>]) -> Vec<Times> {
    let batches: Vec<u32> = tasks.iter_mut().map(|task| batch(plan, task)).collect();
    let mut times: Vec<_> = tasks.iter().map(|_| Times(Vec::with_capacity(plan.rounds))).collect();
    for _ in 0..plan.rounds {
        for ((task, &batch), times) in tasks.iter_mut().zip(&batches).zip(&mut times) {
            times.0.push(clocked(task, batch) / f64::from(batch));
        }
    }
    times
}

/// How many runs fill a batch.
fn batch(plan: Plan, task: &mut Task<'_>) -> u32 {
    let mut runs = 1;
    while clocked(task, runs) < plan.batch_ns as f64 && runs < 1 << 20 {
        runs *= 2;
    }
    runs
}

fn clocked(task: &mut Task<'_>, runs: u32) -> f64 {
    let started = Instant::now();
    (task.0)(runs);
    started.elapsed().as_nanos() as f64
}

/// The middle of `values`, of which there must be one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
