//! The library and the testkit, which share no code, give every token the same answer.

use proptest::prelude::*;
use proptest::sample::select;

use super::testkit::NOW;
use super::testkit::forge::{Forge, varint};
use super::testkit::judge::judge;
use super::testkit::key::Key;
use super::testkit::reader::{Reader, load};
use super::testkit::ring::{Ring, entry};

/// An instant near one that matters.
fn near(instants: Vec<u64>) -> impl Strategy<Value = u64> {
    (select(instants), -2..=2_i64).prop_map(|(at, off)| at.saturating_add_signed(off))
}

/// Dates relative to [`NOW`] at which a key with an hour for everything changes its role.
fn any_date() -> impl Strategy<Value = String> {
    let ago = [0, 60, 120, 3600, 3660, 7200, 7320, 9000, 100_000].map(|seconds| NOW - seconds).to_vec();
    prop_oneof![
        3 => near(ago).prop_map(|at| at.to_string()),
        3 => Just("null".to_owned()),
        1 => near(vec![NOW + 60, NOW + 3600]).prop_map(|at| at.to_string()),
    ]
}

fn any_ring() -> impl Strategy<Value = Ring> {
    let key = (any_date(), any_date(), 0..24_u8, select(vec![3600_u64, 86_400]));
    let not_before = prop_oneof![6 => Just(0), 1 => near(vec![NOW, NOW - 600, NOW - 3600])];
    (prop::collection::vec(key, 4), select(vec![2_u64, 60]), not_before).prop_map(|(keys, skew, not_before)| {
        let mut ring = Ring::example();
        for (name, value) in [("skew", skew), ("late", 3600), ("max_token_lifetime", 86_400)] {
            ring.policy.set(name, value);
        }
        ring.top.set("not_before", not_before);
        ring.keys = (1_u32..)
            .zip(keys)
            .map(|(number, (activate, superseded, fate, lifetime))| {
                let mut entry = entry(Key::test(number), &activate);
                entry.set("max_token_lifetime", lifetime);
                match fate {
                    0 => {
                        for (name, value) in [("status", "\"revoked\""), ("revoked_at", "1"), ("secret", "null")] {
                            entry.set(name, value);
                        }
                    }
                    1 => entry.set("status", "\"disabled\""),
                    2 | 3 => entry.set("superseded_at", superseded),
                    _ => {}
                }
                entry
            })
            .collect();
        ring
    })
}

/// A number of the claims, mostly well written.
fn any_number(values: Vec<u64>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        30 => near(values).prop_map(varint),
        1 => any::<u32>().prop_map(|value| varint(value.into())),
        1 => prop::collection::vec(any::<u8>(), 0..7),
    ]
}

fn any_token() -> impl Strategy<Value = Forge> {
    let head = prop_oneof![10 => Just(varint(2)), 2 => any_number(vec![0, 2, 4, 6, 131_070]), 1 => Just(varint(3))];
    let origin = prop_oneof![
        8 => Just((varint(0), 0)),
        4 => any_number(vec![1, 2, 601, 3601, 43_200, 1 << 32]).prop_map(|origin| (origin, 12)),
        1 => (any_number(vec![0, NOW + 1]), 11..=12_usize),
    ];
    let iat = near(vec![NOW, NOW - 60, NOW + 4, NOW + 120, NOW - 600, NOW - 3600, NOW - 7200, NOW - 86_400]);
    let ttl = any_number(vec![2, 600, 3600, 7200, 86_400, u32::MAX.into()]);
    let body = prop_oneof![
        8 => Just(None),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Some),
    ];
    let padding = prop_oneof![
        Just(vec![]),
        select(vec![1_usize, 2, 16, 64, 65]).prop_map(|len| [&[0x80][..], &vec![0; len - 1]].concat()),
    ];
    (prop_oneof![30 => 1..5_u32, 1 => Just(5)], any::<bool>(), iat, head, ttl, origin, body, padding, 0..60_u8)
        .prop_map(|(key, signed, iat, head, ttl, (origin, rnd), body, padding, odd)| {
            let mut forge = Forge::new("", Key::test(key));
            if let Some(body) = body {
                forge.body = body;
            }
            let padding = if head.first().is_some_and(|head| head & 1 == 1) { padding } else { vec![] };
            forge = Forge { signed, iat: iat as u32, head, ttl, origin, padding, first_rnd: vec![7; rnd], ..forge };
            match odd {
                0 => forge.first_byte = Some(0x21),
                1 => forge.purpose = "other".into(),
                2 => forge.tag = Some(vec![0; 16]),
                _ => {}
            }
            forge
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn library_and_testkit_agree(
        ring in any_ring(), forge in any_token(), chain in select(vec![vec![0_u16], vec![1], vec![2, 1], vec![3, 1]]),
        idle in select(vec![600_u64, 7200, 86_400]), asks_signed in prop::option::weighted(0.05, any::<bool>()),
        now in near(vec![NOW, NOW, NOW + 600, NOW + 3600]),
    ) {
        let mut reader = Reader { idle_limit: idle, absolute_limit: 90_000, ..Reader::example() };
        reader.chain(&chain);
        let signed = asks_signed.unwrap_or(forge.signed);
        reader.mode = if signed { "signed" } else { "sealed" }.into();
        let text = forge.text();
        let keys: Vec<_> = (1..6).map(Key::test).collect();
        let expected = judge(&reader, &ring, &keys, now, text.as_bytes());
        let found = reader.answer(&load(&ring.text(), now), text.as_bytes());
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn the_testkit_judges_as_the_vectors_do() {
    use super::testkit::cases::all_with_rings;
    let keys: Vec<_> = (1..10).map(Key::test).collect();
    let mut judged = 0;
    for (open, ring) in all_with_rings() {
        let text = open.token.as_ref().map_or_else(
            || super::testkit::unhex(open.token_hex.as_deref().unwrap()),
            |text| text.clone().into_bytes(),
        );
        let answer = judge(&open.reader, &ring, &keys, open.now, &text);
        assert_eq!(answer.as_ref().err().copied().unwrap_or("open"), open.expect, "{}", open.name);
        assert_eq!(answer.ok(), open.opened, "{}", open.name);
        judged += 1;
    }
    assert!(judged > 300);
}
