//! The layout against its vectors, the rates against what chance allows, and both against a filter by other hands.

use fastbloom::BloomFilter;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Fingerprints as a keyed hash would give them: SplitMix64, twice each.
fn fingerprints(seed: u64) -> impl Iterator<Item = Fingerprint> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    core::iter::repeat_with(move || ((u128::from(next()) << 64) | u128::from(next())).to_le_bytes())
}

/// The chance that among `draws` of chance `rate` at most `hits` are hits.
fn chance_of_at_most(hits: u64, draws: u64, rate: f64) -> f64 {
    let (draws, mut log) = (draws as f64, draws as f64 * (-rate).ln_1p());
    let odds = rate.ln() - (-rate).ln_1p();
    let mut sum = log.exp();
    for hit in 0..hits {
        log += (draws - hit as f64).ln() - (hit as f64 + 1.0).ln() + odds;
        sum += log.exp();
    }
    sum
}

/// Whether so many hits are within three standard deviations, as they are counted where the numbers are great.
fn is_likely(hits: u64, draws: u64, rate: f64) -> bool {
    let at_most = chance_of_at_most(hits, draws, rate);
    let at_least = 1.0 - hits.checked_sub(1).map_or(0.0, |below| chance_of_at_most(below, draws, rate));
    at_most > THREE_SIGMA && at_least > THREE_SIGMA
}

/// Whether there are no more hits than `rate` allows.
fn is_within(hits: u64, draws: u64, rate: f64) -> bool {
    hits == 0 || 1.0 - chance_of_at_most(hits - 1, draws, rate) > THREE_SIGMA
}

fn wrongly(contains: impl Fn(&Fingerprint) -> bool, draws: u64) -> u64 {
    fingerprints(2).take(draws as usize).filter(|other| contains(other)).count() as u64
}

/// A layer that is full errs as often as its bits say, and no oftener than it may.
fn measure(capacity: usize, rate: f64, draws: u64) {
    let layer = Layer::of(capacity, rate);
    assert!(fingerprints(1).take(capacity).all(|member| layer.insert(&member)));
    assert!(!layer.insert(&[7; 16]), "it is full");
    assert!(fingerprints(1).take(capacity).all(|member| layer.contains(&member)));
    assert!((0.47..0.5).contains(&layer.fill()), "{}", layer.fill());
    let hits = wrongly(|other| layer.contains(other), draws);
    assert!(is_likely(hits, draws, layer.false_positives()), "{hits} of {draws}, not {}", layer.false_positives());
    assert!(is_within(hits, draws, rate), "{hits} of {draws} are more than {rate}");
}

#[test]
fn a_full_layer_errs_as_often_as_it_may() {
    measure(20_000, 1e-3, 500_000);
    measure(5000, 1e-4, 3_000_000);
}

#[test]
#[ignore = "takes minutes; run in release"]
fn a_full_layer_errs_as_seldom_as_it_may() {
    measure(1_000_000, 1e-3, 10_000_000);
    measure(1_000_000, 1e-4, 100_000_000);
    measure(100_000, 1e-6, 200_000_000);
}

#[test]
fn all_layers_together_err_no_oftener_than_asked() {
    let (mut filter, mut count) = (Filter::for_count(1000, 1e-3), 0);
    for member in fingerprints(1) {
        if !filter.insert(&member) {
            let Some(grown) = filter.grown() else { break };
            filter = grown;
            assert!(filter.insert(&member));
        }
        count += 1;
    }
    assert_eq!((count, filter.layers.len()), (1024 * 7, MAX_LAYERS));
    assert!(fingerprints(1).take(count).all(|member| filter.contains(&member)));
    let hits = wrongly(|other| filter.contains(other), 500_000);
    assert!(is_likely(hits, 500_000, filter.false_positives()), "{hits}, not {}", filter.false_positives());
    assert!(is_within(hits, 500_000, 1e-3) && filter.false_positives() <= 1e-3);
}

#[test]
fn it_errs_no_oftener_than_a_filter_by_other_hands() {
    let (count, rate, draws) = (20_000, 1e-3, 500_000);
    let ours = Layer::of(count, rate);
    let mut theirs = BloomFilter::with_false_pos(rate).seed(&7).expected_items(count);
    for member in fingerprints(1).take(count) {
        ours.insert(&member);
        theirs.insert(&member);
    }
    assert!(fingerprints(1).take(count).all(|member| ours.contains(&member) && theirs.contains(&member)));
    let (our_hits, their_hits) =
        (wrongly(|other| ours.contains(other), draws), wrongly(|other| theirs.contains(other), draws));
    let noise = 3.0 * ((our_hits + their_hits) as f64).sqrt();
    assert!((our_hits as f64) <= their_hits as f64 + noise, "{our_hits} of ours, {their_hits} of theirs");
    let bits = ours.words.len() as f64 * 64.0;
    assert!(bits < theirs.num_bits() as f64 * 1.1, "{bits} bits of ours, {} of theirs", theirs.num_bits());
}

#[test]
fn the_vectors_of_the_layout() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let all = |name: &str| vectors[name].as_array().filter(|all| !all.is_empty()).unwrap().clone();
    let fingerprint = |value: &Value| crate::text::unhex::<16>(value.as_str().unwrap()).unwrap();
    for case in all("shapes") {
        let shape = Shape { bits: number(&case["bits"]), probes: number(&case["probes"]) as u32 };
        assert_eq!(Shape::of(number(&case["capacity"]), case["rate"].as_f64().unwrap()), shape, "{case}");
    }
    for case in all("places") {
        let expected: Vec<_> = case["places"].as_array().unwrap().iter().map(|place| number(place) as usize).collect();
        let found = places(&fingerprint(&case["fingerprint"]), number(&case["probes"]) as u32, number(&case["bits"]));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{case}");
    }
    for case in all("layers") {
        let layer = Layer::of(number(&case["capacity"]) as usize, case["rate"].as_f64().unwrap());
        let members = case["fingerprints"].as_array().unwrap();
        assert!(members.iter().all(|member| layer.insert(&fingerprint(member))));
        let bytes: Vec<_> = layer.words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        assert_eq!(crate::text::hex(&bytes), case["words"].as_str().unwrap());
    }
}

#[test]
fn rates_that_are_none_make_a_filter_all_the_same() {
    for (rate, probes) in [(f64::NAN, 40), (-1.0, 40), (0.0, 40), (1e-300, 40), (0.5, 1), (1.0, 1), (f64::INFINITY, 1)]
    {
        assert_eq!(Shape::of(100, rate).probes, probes, "{rate}");
    }
    assert_eq!(Shape::of(0, 0.5).bits, 512);
}

/// Sessions whose places fall together would look revoked in every second filter, and however low the rate.
#[test]
fn a_small_filter_errs_as_seldom_as_it_may() {
    for capacity in [64, 512] {
        let layer = Layer::of(capacity, 1e-9);
        assert!(fingerprints(1).take(capacity).all(|member| layer.insert(&member)));
        assert_eq!(wrongly(|other| layer.contains(other), 2_000_000), 0);
    }
}

/// As FORMAT.md has it, in whole numbers of any size.
fn slow_mix(x: u128) -> u128 {
    let x = (x ^ (x >> 30)) * 0xbf58_476d_1ce4_e5b9 % (1 << 64);
    let x = (x ^ (x >> 27)) * 0x94d0_49bb_1331_11eb % (1 << 64);
    x ^ (x >> 31)
}

proptest! {
    #[test]
    fn the_places_are_those_of_the_formula(fingerprint: [u8; 16], probes in 1..=40_u32, units in 1..1_u64 << 40) {
        let half = |at: usize| u64::from_le_bytes(fingerprint[at..at + 8].try_into().unwrap());
        let (a, b, bits) = (u128::from(half(0)), u128::from(half(8) | 1), units * 512);
        let slow = (0..u128::from(probes))
            .map(|i| ((slow_mix((a + i * b) % (1 << 64)) * u128::from(bits)) >> 64) as usize);
        prop_assert!(places(&fingerprint, probes, bits).eq(slow));
    }
}

/// The chance beyond three standard deviations, on one side.
const THREE_SIGMA: f64 = 0.001_35;
