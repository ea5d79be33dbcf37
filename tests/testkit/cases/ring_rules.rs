//! Ring files whose values break a rule. FORMAT.md, "Members", "Secrets" and "Policy".

use super::super::key::Key;
use super::super::ring::{Object, Ring, entry, mac, role, secret, tombstone};
use super::super::{decode, encode};
use super::Cases;

pub(super) fn cases(cases: &mut Cases) {
    top(cases);
    ids(cases);
    counts(cases);
    entries(cases);
    tombstones(cases);
    secrets(cases);
    policy(cases);
}

/// A name, a comment, a change.
type Edit<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Ring));

fn refused(cases: &mut Cases, edits: &[Edit<'_>]) {
    edits.iter().for_each(|(name, comment, edit)| cases.ring(name, "refused", comment, edit));
}

fn loaded(cases: &mut Cases, edits: &[Edit<'_>]) {
    edits.iter().for_each(|(name, comment, edit)| cases.ring(name, "load", comment, edit));
}

fn top(cases: &mut Cases) {
    loaded(
        cases,
        &[
            ("generation_1", "The least generation.", &|ring| ring.top.set("generation", 1)),
            ("generation_greatest", "The greatest generation.", &|ring| ring.top.set("generation", u64::MAX)),
        ],
    );
    let id = "6b1f0c9d2e8a4475b3d0917c5ae8f264";
    refused(
        cases,
        &[
            ("format_0", "The format is 0.", &|ring| ring.top.set("format", 0)),
            ("format_2", "The format is 2.", &|ring| ring.top.set("format", 2)),
            ("format_text", "The format is a string.", &|ring| ring.top.set("format", "\"1\"")),
            ("generation_0", "The generation is 0.", &|ring| ring.top.set("generation", 0)),
            ("ring_id_upper_case", "ring_id is upper case.", &|ring| {
                ring.top.set("ring_id", format!("\"{}\"", id.to_uppercase()));
            }),
            ("ring_id_short", "ring_id lacks a digit.", &|ring| ring.top.set("ring_id", format!("\"{}\"", &id[1..]))),
            ("ring_id_long", "ring_id has a digit more.", &|ring| ring.top.set("ring_id", format!("\"0{id}\""))),
            ("ring_id_number", "ring_id is a number.", &|ring| ring.top.set("ring_id", 6)),
        ],
    );
}

fn ids(cases: &mut Cases) {
    let set = |ring: &mut Ring, id: &str| ring.keys[2].set("id", format!("\"{id}\""));
    let own = role::active().id_text();
    refused(
        cases,
        &[
            ("key_id_derived", "The id is not the one of the secret.", &|ring| set(ring, "123456")),
            ("key_id_upper_case", "The id is upper case.", &|ring| set(ring, &own.to_uppercase())),
            ("key_id_short", "The id lacks a digit.", &|ring| set(ring, &own[..5])),
            ("key_id_long", "The id has a digit more.", &|ring| set(ring, &format!("{own}0"))),
            ("key_twice", "One key stands there twice.", &|ring| {
                ring.keys.push(entry(role::active(), "1780000000"));
            }),
            ("key_and_its_tombstone", "A key and its tombstone.", &|ring| {
                ring.keys.push(tombstone(role::active(), "1780000000"));
            }),
            ("tombstone_twice", "One tombstone stands there twice.", &|ring| {
                ring.keys.push(tombstone(role::revoked(), "null"));
            }),
        ],
    );
}

fn counts(cases: &mut Cases) {
    let keys =
        |count: u32| move |ring: &mut Ring| ring.keys = (1..=count).map(|n| entry(Key::test(n), "null")).collect();
    let tombstones = |count: u32| {
        move |ring: &mut Ring| {
            let numbered = |number: u32| {
                let mut tombstone = tombstone(role::revoked(), "null");
                tombstone.set("id", format!("\"{number:06x}\""));
                tombstone
            };
            ring.keys.truncate(3);
            ring.keys.remove(0);
            ring.keys.extend((0..count).map(numbered));
        }
    };
    let macs = |count: u32| {
        move |ring: &mut Ring| {
            ring.mac = (0..count).map(|n| mac("verify_only", Key::test(200 + n))).collect();
            ring.mac.iter_mut().take(1).for_each(|first| first.set("status", "\"current\""));
        }
    };
    loaded(
        cases,
        &[
            ("keys_16", "The most keys.", &keys(16)),
            ("tombstones_256", "The most tombstones.", &tombstones(256)),
            ("tombstones_alone", "No key has a secret.", &|ring| ring.keys.truncate(1)),
            ("mac_8", "The most MAC secrets.", &macs(8)),
            ("mac_1", "The fewest MAC secrets.", &macs(1)),
        ],
    );
    refused(
        cases,
        &[
            ("keys_none", "There is no entry.", &|ring| ring.keys.clear()),
            ("keys_17", "One key too many.", &keys(17)),
            ("tombstones_257", "One tombstone too many.", &tombstones(257)),
            ("mac_none", "There is no MAC secret.", &|ring| ring.mac.clear()),
            ("mac_9", "One MAC secret too many.", &macs(9)),
            ("mac_no_current", "No MAC secret is current.", &|ring| ring.mac[0].set("status", "\"verify_only\"")),
            ("mac_two_current", "Two MAC secrets are current.", &|ring| ring.mac[1].set("status", "\"current\"")),
            ("mac_status", "A MAC secret has the status of a key.", &|ring| ring.mac[1].set("status", "\"enabled\"")),
        ],
    );
}

fn entries(cases: &mut Cases) {
    let active = |edit: fn(&mut Object)| move |ring: &mut Ring| edit(&mut ring.keys[2]);
    loaded(
        cases,
        &[
            ("key_disabled", "A disabled key.", &active(|key| key.set("status", "\"disabled\""))),
            ("key_lifetime_1", "The least L.", &active(|key| key.set("max_token_lifetime", 1))),
            ("key_lifetime_greatest", "The greatest L.", &active(|key| key.set("max_token_lifetime", u32::MAX))),
            (
                "key_reason_200",
                "The longest reason.",
                &active(|key| key.set("reason", format!("\"{}\"", "é".repeat(100)))),
            ),
            ("key_reason_empty", "An empty reason.", &active(|key| key.set("reason", "\"\""))),
            ("key_superseded", "A stored superseded_at.", &active(|key| key.set("superseded_at", 1_785_999_999))),
        ],
    );
    refused(
        cases,
        &[
            ("key_status", "A status that is none.", &active(|key| key.set("status", "\"active\""))),
            ("key_status_case", "A status in upper case.", &active(|key| key.set("status", "\"Enabled\""))),
            ("key_lifetime_0", "L is 0.", &active(|key| key.set("max_token_lifetime", 0))),
            ("key_lifetime_2_to_32", "L is 2^32.", &active(|key| key.set("max_token_lifetime", 1_u64 << 32))),
            (
                "key_reason_201",
                "A reason of 201 bytes.",
                &active(|key| key.set("reason", format!("\"{}\"", "r".repeat(201)))),
            ),
            (
                "key_reason_202",
                "A reason of 101 characters and 202 bytes.",
                &active(|key| {
                    key.set("reason", format!("\"{}\"", "é".repeat(101)));
                }),
            ),
            ("key_revoked_at", "A key that is not revoked has a revoked_at.", &active(|key| key.set("revoked_at", 1))),
            (
                "key_without_a_secret",
                "A key that is not revoked has no secret.",
                &active(|key| key.set("secret", "null")),
            ),
        ],
    );
}

fn tombstones(cases: &mut Cases) {
    refused(
        cases,
        &[
            ("tombstone_secret", "A revoked key still has its secret.", &|ring| {
                ring.keys[0].set("secret", secret(role::revoked()));
            }),
            ("tombstone_undated", "A revoked key has no revoked_at.", &|ring| ring.keys[0].set("revoked_at", "null")),
            ("tombstone_enabled", "What looks like a tombstone is enabled.", &|ring| {
                ring.keys[0].set("status", "\"enabled\"");
            }),
            ("tombstone_disabled", "What looks like a tombstone is disabled.", &|ring| {
                ring.keys[0].set("status", "\"disabled\"");
            }),
        ],
    );
}

fn secrets(cases: &mut Cases) {
    let good = encode(&Key::test(101).0);
    let scope = |text: String| move |ring: &mut Ring| ring.scope = format!("\"{text}\"");
    let steps = |from: u8, by: u8| {
        scope(encode(&core::array::from_fn::<u8, 32, _>(|at| from.wrapping_add(by.wrapping_mul(at as u8)))))
    };
    // One bit beyond the 32 bytes.
    let loose = good[..42].to_owned() + &good[42..].chars().map(|last| (last as u8 + 1) as char).collect::<String>();
    assert!(decode(&loose).is_none());
    refused(
        cases,
        &[
            ("secret_zero", "32 bytes 00.", &steps(0, 0)),
            ("secret_equal", "32 equal bytes.", &steps(0xa5, 0)),
            ("secret_counting", "00 01 .. 1f, the first example key.", &steps(0, 1)),
            ("secret_counting_down", "1f 1e .. 00, the second example key.", &steps(31, 255)),
            ("secret_stepping", "Every byte differs from the one before by 3, modulo 256.", &steps(200, 3)),
            ("secret_short", "A secret lacks its last character.", &scope(good[..42].into())),
            ("secret_31_bytes", "A secret of 31 bytes.", &scope(encode(&Key::test(101).0[..31]))),
            ("secret_33_bytes", "A secret of 33 bytes.", &scope(encode(&[&Key::test(101).0[..], &[7]].concat()))),
            ("secret_empty", "An empty secret.", &scope(String::new())),
            ("secret_padded", "A secret with `=` at its end.", &scope(format!("{good}="))),
            ("secret_trailing_bits", "The trailing bits of a secret are not zero.", &scope(loose)),
            ("secret_alphabet", "A secret in the other alphabet.", &scope(format!("+{}", &good[1..]))),
            ("secret_space", "A secret with a space in it.", &scope(format!("{} {}", &good[..21], &good[22..]))),
            ("secret_null", "The scope is null.", &|ring| ring.scope = "null".into()),
            ("secret_of_key_counting", "The example key as key of an entry.", &|ring| {
                ring.keys.push(entry(Key::example(), "null"));
            }),
            ("secret_of_mac_zero", "A MAC secret of 32 bytes 00.", &|ring| {
                ring.mac[1].set("secret", format!("\"{}\"", "A".repeat(43)))
            }),
            ("secret_twice_mac", "Two MAC secrets are equal.", &|ring| {
                ring.mac[1].set("secret", secret(Key::test(102)))
            }),
            ("secret_twice_scope", "The scope is a MAC secret too.", &|ring| ring.scope = secret(Key::test(102))),
            ("secret_twice_key", "The scope is a key too.", &|ring| ring.scope = secret(role::active())),
            ("secret_twice_key_and_mac", "A MAC secret is a key too.", &|ring| {
                ring.mac[0].set("secret", secret(role::staged()));
            }),
        ],
    );
    let mut almost = Key::example().0;
    almost[31] ^= 1;
    let almost = scope(encode(&almost));
    loaded(cases, &[("secret_almost_counting", "00 01 .. 1e 1e, which is no progression.", &almost)]);
}

fn policy(cases: &mut Cases) {
    // Every member at its bounds; the others so that the two rules that bind several hold.
    let wide = |name: &'static str, value: u64| {
        move |ring: &mut Ring| {
            for (name, value) in
                [("activation_delay", 20_000), ("rotate_every", u32::MAX.into()), ("distribution", 0), (name, value)]
            {
                ring.policy.set(name, value);
            }
        }
    };
    for (name, least, greatest) in [
        ("max_token_lifetime", 1, 315_360_000),
        ("skew", 2, 3600),
        ("refresh", 1, 3600),
        ("late", 0, u64::from(u32::MAX)),
    ] {
        let comment = |what: &str| format!("{name} is {what}.");
        cases.ring(&format!("policy_{name}_least"), "load", &comment("the least"), wide(name, least));
        cases.ring(&format!("policy_{name}_greatest"), "load", &comment("the greatest"), wide(name, greatest));
        cases.ring(
            &format!("policy_{name}_above"),
            "refused",
            &comment("one above the greatest"),
            wide(name, greatest + 1),
        );
        if least > 0 {
            cases.ring(
                &format!("policy_{name}_below"),
                "refused",
                &comment("one below the least"),
                wide(name, least - 1),
            );
        }
    }
    let delay = |seconds: u64| move |ring: &mut Ring| ring.policy.set("activation_delay", seconds);
    let third = |seconds: u64| {
        move |ring: &mut Ring| {
            ring.policy.set("refresh", 16);
            ring.policy.set("activation_delay", seconds);
        }
    };
    let every = |seconds: u64| move |ring: &mut Ring| ring.policy.set("rotate_every", seconds);
    loaded(
        cases,
        &[
            ("policy_delay_least", "activation_delay is 2.4 refresh + distribution + 2 skew.", &delay(756)),
            ("policy_delay_rounded_up", "2.4 times 16 is 38.4 and counts as 39.", &third(759)),
            ("policy_rotation_least", "Routine rotation needs 14 keys.", &every(15_720)),
        ],
    );
    refused(
        cases,
        &[
            ("policy_delay_short", "activation_delay is one second too short.", &delay(755)),
            ("policy_delay_rounded_down", "2.4 times 16 is 38.4 and counts as 39.", &third(758)),
            ("policy_rotation_short", "Routine rotation needs 15 keys.", &every(15_719)),
            ("policy_rotation_0", "rotate_every is 0.", &every(0)),
            ("policy_delay_2_to_32", "activation_delay is 2^32.", &delay(1 << 32)),
            ("policy_rotation_2_to_32", "rotate_every is 2^32.", &every(1 << 32)),
            ("policy_distribution_2_to_32", "distribution is 2^32.", &|ring| {
                ring.policy.set("distribution", 1_u64 << 32);
                ring.policy.set("activation_delay", u32::MAX);
            }),
        ],
    );
}
