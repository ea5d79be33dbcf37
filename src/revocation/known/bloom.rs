//! A filter over session ids: it may say "revoked" wrongly, never "clear" wrongly. FORMAT.md, "Revocation filter".
//!
//! Bits are only ever set, each by one atomic step, so whoever asks while a session is taken in sees it or does not, and
//! sees all that were taken in before. A filter grows by layers; the rates of all its layers add up to what was asked for
//! at most. Which bits are a session's follows from its fingerprint, which is keyed: nobody can aim at another's.

use std::sync::Arc;

use super::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Layers of bits, each for twice as many sessions as the one before it.
pub(super) struct Filter {
    rate: f64,
    layers: Vec<Arc<Layer>>,
}

/// The fingerprint of a session.
pub(super) type Fingerprint = [u8; 16];

impl Filter {
    /// An empty filter for `count` sessions at least, that says "revoked" wrongly at `rate` at most, in 0 to 1.
    pub(super) fn for_count(count: usize, rate: f64) -> Self {
        let capacity = count.next_power_of_two().max(MIN_CAPACITY);
        Self { rate, layers: vec![Arc::new(Layer::of(capacity, rate / 2.0))] }
    }

    pub(super) fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.layers.iter().any(|layer| layer.contains(fingerprint))
    }

    /// Takes a session in; called by one writer at a time. False, and nothing is done, if it would be one too many.
    pub(super) fn insert(&self, fingerprint: &Fingerprint) -> bool {
        self.layers.last().is_some_and(|layer| layer.insert(fingerprint))
    }

    /// The same filter, and a layer more; `None` if it has as many as one should look through.
    pub(super) fn grown(&self) -> Option<Self> {
        let number = self.layers.len();
        let last = self.layers.last().filter(|_| number < MAX_LAYERS)?;
        let next = Layer::of(last.capacity * 2, self.rate / f64::from(1_u32 << (number + 1)));
        Some(Self { rate: self.rate, layers: self.layers.iter().cloned().chain([Arc::new(next)]).collect() })
    }

    /// How often it says "revoked" wrongly, as its bits stand.
    pub(super) fn false_positives(&self) -> f64 {
        1.0 - self.layers.iter().map(|layer| 1.0 - layer.false_positives()).product::<f64>()
    }

    /// The part of its bits that is set, in the layer where it is greatest.
    pub(super) fn fill(&self) -> f64 {
        self.layers.iter().map(|layer| layer.fill()).fold(0.0, f64::max)
    }

    pub(super) fn bytes(&self) -> usize {
        self.layers.iter().map(|layer| size_of_val(&*layer.words)).sum()
    }
}

struct Layer {
    capacity: usize,
    used: AtomicUsize,
    /// Bits that stand for one session: k.
    probes: u32,
    /// m bits, 64 to a word, the least significant first.
    words: Box<[AtomicU64]>,
}

impl Layer {
    fn of(capacity: usize, rate: f64) -> Self {
        let shape = Shape::of(capacity as u64, rate);
        let words = (0..shape.bits / 64).map(|_| AtomicU64::new(0)).collect();
        Self { capacity, used: AtomicUsize::new(0), probes: shape.probes, words }
    }

    fn contains(&self, fingerprint: &Fingerprint) -> bool {
        places(fingerprint, self.probes, self.words.len() as u64 * 64)
            .all(|bit| self.words[bit / 64].load(Ordering::Acquire) >> (bit % 64) & 1 == 1)
    }

    fn insert(&self, fingerprint: &Fingerprint) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        if used >= self.capacity {
            return false;
        }
        for bit in places(fingerprint, self.probes, self.words.len() as u64 * 64) {
            self.words[bit / 64].fetch_or(1 << (bit % 64), Ordering::Release);
        }
        self.used.store(used + 1, Ordering::Relaxed);
        true
    }

    fn fill(&self) -> f64 {
        let set: u64 = self.words.iter().map(|word| u64::from(word.load(Ordering::Relaxed).count_ones())).sum();
        set as f64 / (self.words.len() as f64 * 64.0)
    }

    fn false_positives(&self) -> f64 {
        self.fill().powi(self.probes as i32)
    }
}

/// How many bits a layer has, and how many of them stand for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    bits: u64,
    probes: u32,
}

impl Shape {
    /// For `capacity` sessions at `rate`. In whole numbers, and powers of two that are exact, so that it is the same
    /// everywhere: logarithms are not.
    fn of(capacity: u64, rate: f64) -> Self {
        let probes = (1..MAX_PROBES).find(|probes| 0.5_f64.powi(*probes as i32) <= rate).unwrap_or(MAX_PROBES);
        // 1.46 bits for each, a little above 1 / ln 2: then less than half of them are set when it is full.
        let bits = (u128::from(capacity) * u128::from(probes) * 73).div_ceil(50).next_multiple_of(512).max(512);
        Self { bits: u64::try_from(bits).unwrap_or(u64::MAX - 511), probes }
    }
}

/// The bits of a session among `bits`: `mix(a + i b) * bits >> 64`. Without `mix` the places of a session would be evenly
/// spaced: those of one in `bits` would all be the same, and look set however many they are.
fn places(fingerprint: &Fingerprint, probes: u32, bits: u64) -> impl Iterator<Item = usize> + use<> {
    let [a, b] = [0, 8].map(|at| fingerprint[at..].first_chunk().map_or(0, |half| u64::from_le_bytes(*half)));
    (0..u64::from(probes)).map(move |i| {
        let hash = mix(a.wrapping_add(i.wrapping_mul(b | 1)));
        ((u128::from(hash) * u128::from(bits)) >> 64) as usize
    })
}

/// The finaliser of SplitMix64: every bit depends on every other.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Sessions of the smallest layer. Most slices are nearly empty.
const MIN_CAPACITY: usize = 64;

/// Looking through more costs more than putting a greater one together.
const MAX_LAYERS: usize = 3;

/// Rates below 2^-40 are none that anybody could tell from 0.
const MAX_PROBES: u32 = 40;

#[cfg(test)]
mod tests;
