//! Interleaved rounds, medians, a histogram, and ids drawn fast.

use std::hint::black_box;
use std::time::Instant;

use waxseal::SessionId;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// How long one batch should take, in nanoseconds.
    pub(crate) batch_ns: u64,
    /// Revoked sessions in the lists that are compared.
    pub(crate) sizes: &'static [usize],
    /// Tokens of which one is drawn each time, more than any cache holds.
    pub(crate) tokens: usize,
    /// Most nodes that share the directory.
    pub(crate) nodes: usize,
    /// Days that are simulated with `--year`, and sessions that are sampled on each.
    pub(crate) days: u64,
    pub(crate) samples: usize,
    /// Of how many slices one is simulated.
    pub(crate) one_in: u64,
    /// Whether all that is shown is that everything runs.
    pub(crate) is_quick: bool,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        rounds: 201,
        batch_ns: 200_000,
        sizes: &[1_000, 1_000_000, 10_000_000],
        tokens: 400_000,
        nodes: 200,
        days: 365,
        samples: 50_000,
        one_in: 10,
        is_quick: false,
    };

    /// Measures next to nothing: it only shows that everything runs.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        batch_ns: 20_000,
        sizes: &[1_000, 20_000],
        tokens: 2_000,
        nodes: 8,
        days: 12,
        samples: 500,
        one_in: 100,
        is_quick: true,
    };

    pub(crate) fn largest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(0)
    }
}

/// Something to time.
pub(crate) type Task<'a> = Box<dyn FnMut() + 'a>;

/// A task whose answer the compiler may not throw away.
pub(crate) fn task<'a, R>(mut run: impl FnMut() -> R + 'a) -> Task<'a> {
    Box::new(move || {
        black_box(run());
    })
}

/// Times every task in every round, and returns ns for each task and round.
pub(crate) fn interleave(plan: &Plan, tasks: &mut [Task<'_>]) -> Vec<Vec<f64>> {
    let batches: Vec<u32> = tasks.iter_mut().map(|task| batch(plan, task)).collect();
    let mut times = vec![Vec::with_capacity(plan.rounds); tasks.len()];
    for _ in 0..plan.rounds {
        for ((task, &batch), times) in tasks.iter_mut().zip(&batches).zip(&mut times) {
            let started = Instant::now();
            (0..batch).for_each(|_| task());
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
        (0..runs).for_each(|_| task());
        if started.elapsed().as_nanos() as u64 >= plan.batch_ns || runs > 1 << 20 {
            return runs;
        }
        runs *= 2;
    }
}

/// The middle of `values`.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// How often something took how long: to a sixteenth of its size, in nanoseconds.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) most: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; 64 * STEPS], count: 0, sum: 0, most: 0 }
    }

    pub(crate) fn add(&mut self, ns: u64) {
        self.counts[Self::place(ns)] += 1;
        self.count += 1;
        self.sum += ns;
        self.most = self.most.max(ns);
    }

    pub(crate) fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// What the `part` of all took at most, 0 to 1.
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        let mut left = (self.count as f64 * part).ceil() as u64;
        for (place, &count) in self.counts.iter().enumerate() {
            if count >= left {
                return Self::value(place).min(self.most);
            }
            left -= count;
        }
        self.most
    }

    /// How many took longer, to a sixteenth.
    pub(crate) fn above(&self, ns: u64) -> u64 {
        self.counts[Self::place(ns) + 1..].iter().sum()
    }

    fn place(ns: u64) -> usize {
        let octave = (ns | STEPS as u64).ilog2() as usize - STEPS.ilog2() as usize;
        octave * STEPS + (ns >> octave) as usize
    }

    /// The greatest value of a place.
    fn value(place: usize) -> u64 {
        if place < STEPS {
            return place as u64;
        }
        let octave = place / STEPS - 1;
        (((place - octave * STEPS) as u64 + 1) << octave) - 1
    }
}

/// Places for each power of two.
const STEPS: usize = 16;

/// SplitMix64: as random as needed here, and a thousand million a second.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// The id of a session that started at `start`, in Unix seconds.
    pub(crate) fn session(&mut self, start: u64) -> SessionId {
        let (high, low) = (self.next(), self.next() as u32);
        let bytes = ((start as u128) << 96 | u128::from(high) << 32 | u128::from(low)).to_be_bytes();
        let mut text = *b"s1.00000000000000000000000000000000";
        for (digits, byte) in text[3..].chunks_exact_mut(2).zip(bytes) {
            digits.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).expect("this is how ids are written")
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";
