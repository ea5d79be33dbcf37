//! Interleaved rounds, medians and ratios.

use std::hint::black_box;
use std::time::Instant;

/// How much is measured.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// How long one batch should take, in nanoseconds.
    batch_ns: u64,
}

impl Plan {
    /// `--quick` measures next to nothing: it only shows that everything runs.
    pub(crate) fn from_args() -> Self {
        if std::env::args().any(|argument| argument == "--quick") {
            Self { rounds: 3, batch_ns: 20_000 }
        } else {
            Self { rounds: 301, batch_ns: 200_000 }
        }
    }
}

/// Something to time, under a name.
pub(crate) struct Task<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut() + 'a>,
}

/// Times every task in every round, and returns ns for each task and round.
pub(crate) fn interleave(plan: &Plan, tasks: &mut [Task<'_>]) -> Vec<Vec<f64>> {
    let batches: Vec<u32> = tasks.iter_mut().map(|task| batch(plan, task)).collect();
    let mut times = vec![Vec::with_capacity(plan.rounds); tasks.len()];
    for _ in 0..plan.rounds {
        for ((task, &batch), times) in tasks.iter_mut().zip(&batches).zip(&mut times) {
            let started = Instant::now();
            (0..batch).for_each(|_| (task.run)());
            times.push(started.elapsed().as_nanos() as f64 / f64::from(batch));
        }
    }
    times
}

/// How many runs fill a batch.
fn batch(plan: &Plan, task: &mut Task<'_>) -> u32 {
    let mut runs = 1;
    loop {
        let started = Instant::now();
        (0..runs).for_each(|_| (task.run)());
        if started.elapsed().as_nanos() as u64 >= plan.batch_ns || runs > 1 << 20 {
            return runs;
        }
        runs *= 2;
    }
}

/// A task whose answer the compiler may not throw away.
pub(crate) fn task<'a, R>(name: &'static str, mut run: impl FnMut() -> R + 'a) -> Task<'a> {
    Task {
        name,
        run: Box::new(move || {
            black_box(run());
        }),
    }
}

/// One operation and what it is held against.
pub(crate) struct Row {
    pub(crate) session: &'static str,
    pub(crate) body: usize,
    pub(crate) chars: usize,
    pub(crate) operation: &'static str,
    pub(crate) ns: f64,
    pub(crate) floors: Vec<(&'static str, f64)>,
    pub(crate) ratio: f64,
}

/// The middle of `values`.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The table, in Markdown.
pub(crate) fn print(rows: &[Row]) {
    println!("| session | body | chars | operation | ns | floors | ratio | made of |");
    println!("|---|---:|---:|---|---:|---:|---:|---|");
    for row in rows {
        let sum: f64 = row.floors.iter().map(|(_, ns)| ns).sum();
        let parts: Vec<_> = row.floors.iter().map(|(name, ns)| format!("{name} {ns:.0}")).collect();
        println!(
            "| {} | {} | {} | {} | {:.0} | {:.0} | {:.2} | {} |",
            row.session,
            row.body,
            row.chars,
            row.operation,
            row.ns,
            sum,
            row.ratio,
            parts.join(", ")
        );
    }
}
