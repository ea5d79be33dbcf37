//! Instants, each comparison at its last accepted and its first refused second. FORMAT.md, "Opening", 11 to 14.

use super::super::NOW;
use super::super::forge::varint;
use super::super::key::Key;
use super::super::ring::role;
use super::{Case, Cases, Ring};

pub(super) fn cases(cases: &mut Cases) {
    ahead(cases);
    ends(cases);
    cut_off(cases);
    extremes(cases);
}

fn ahead(cases: &mut Cases) {
    let behind = |seconds: u64| move |case: &mut Case| case.now = NOW - seconds;
    cases.open("ahead_120", "open", "iat is 2 skews ahead of the reader's clock.", behind(120));
    cases.open("ahead_121", "not_yet_valid", "iat is 2 skews and a second ahead.", behind(121));
    cases.open("ahead_a_year", "not_yet_valid", "iat is a year ahead.", behind(31_536_000));
    cases.open("ahead_of_1970", "not_yet_valid", "The reader's clock stands at 0.", behind(NOW));
    cases.open("ahead_121_signed", "not_yet_valid", "A signed token 2 skews and a second ahead.", |case| {
        case.signed();
        case.now = NOW - 121;
    });
    for (skew, expect) in [(2, "not_yet_valid"), (3600, "open")] {
        let comment = format!("The ring's skew is {skew}; iat is 120 ahead.");
        cases.open(&format!("ahead_skew_{skew}"), expect, &comment, |case| {
            case.ring.policy.set("skew", skew);
            case.ring.policy.set("activation_delay", 8000);
            case.now = NOW - 120;
        });
    }
    cases.open("ahead_greatest_iat", "not_yet_valid", "iat is 2^32 - 1, in the year 2106.", |case| {
        case.forge.iat = u32::MAX;
    });
}

fn ends(cases: &mut Cases) {
    let mut pair = |name: &str, what: &str, life: u64, edit: &dyn Fn(&mut Case)| {
        cases.open(&format!("ends_{name}_last_second"), "open", &format!("The last second of {what}."), |case| {
            edit(case);
            case.now = NOW + life - 1;
        });
        cases.open(&format!("ends_{name}"), "expired", &format!("The first second after {what}."), |case| {
            edit(case);
            case.now = NOW + life;
        });
    };
    pair("ttl", "ttl", 3600, &|_| {});
    pair("ttl_signed", "ttl, signed", 3600, &Case::signed);
    pair("ttl_1", "a ttl of 1", 1, &|case| case.forge.ttl = varint(1));
    pair("idle", "the idle limit", 7200, &|case| case.forge.ttl = varint(86_400));
    pair("idle_of_renewal", "the idle limit, which counts from iat", 7200, &|case| {
        case.forge.ttl = varint(86_400);
        case.continues(7000);
    });
    pair("absolute", "the absolute limit", 200, &|case| case.continues(43_000));
    pair("absolute_of_first", "the absolute limit of a first token", 5000, &|case| {
        case.forge.ttl = varint(86_400);
        case.reader.idle_limit = 5000;
        case.reader.absolute_limit = 5000;
    });
    cases.open("ends_before_issue", "expired", "The session was over before iat.", |case| case.continues(43_200));
    cases.open("ends_without_skew", "expired", "skew lengthens no life.", |case| {
        case.now = NOW + 3601;
        case.ring.policy.set("skew", 3600);
        case.ring.policy.set("activation_delay", 8000);
    });
    cases.open("ends_not_by_ring_policy", "open", "The ring's longest lifetime binds the writer alone.", |case| {
        case.ring.policy.set("max_token_lifetime", 7200);
        case.forge.ttl = varint(86_400);
        case.now = NOW + 7199;
    });
    cases.open("ends_long_ago", "expired", "The reader's clock stands at 2^53 - 1.", |case| {
        case.ring = Ring::single(role::active());
        case.now = (1 << 53) - 1;
    });
}

fn cut_off(cases: &mut Cases) {
    let at = |not_before: u64| move |case: &mut Case| case.ring.top.set("not_before", not_before);
    cases.open("cut_off_at_start", "revoked", "start is the cut-off.", at(NOW));
    cases.open("cut_off_before_start", "open", "start is one second after the cut-off.", at(NOW - 1));
    cases.open("cut_off_after_start", "revoked", "start is one second before the cut-off.", at(NOW + 1));
    cases.open("cut_off_signed", "revoked", "start of a signed token is the cut-off.", |case| {
        case.signed();
        at(NOW)(case);
    });
    cases.open("cut_off_of_renewal", "revoked", "start counts, not iat.", |case| {
        case.continues(600);
        at(NOW - 600)(case);
    });
    cases.open("cut_off_before_renewal", "open", "start of a renewal is one second after the cut-off.", |case| {
        case.continues(600);
        at(NOW - 601)(case);
    });
    cases.open("cut_off_stale_ok_until", "open", "stale_ok_until says nothing of tokens.", |case| {
        case.ring.top.set("stale_ok_until", NOW + 600);
    });
}

fn extremes(cases: &mut Cases) {
    let alone = |case: &mut Case, iat: u32, now: u64| {
        case.ring = Ring::single(Key::test(5));
        case.forge.key = Key::test(5);
        case.forge.iat = iat;
        case.now = now;
    };
    cases.open("iat_0", "open", "iat is 0, and so is now.", |case| alone(case, 0, 0));
    cases.open("iat_0_ends", "expired", "iat is 0; an hour later.", |case| alone(case, 0, 3600));
    cases.open("iat_0_today", "expired", "iat is 0; today.", |case| alone(case, 0, NOW));
    cases.open("iat_0_origin_1", "open", "iat is 0, in a renewal in the second of the start.", |case| {
        alone(case, 0, 0);
        case.continues(0);
    });
    cases.open("iat_0_origin_2", "claims", "iat is 0 and origin 2, so start would be -1.", |case| {
        alone(case, 0, 0);
        case.forge.origin = varint(2);
        case.forge.first_rnd = vec![0x15; 12];
    });
    cases.open("iat_2_to_31", "open", "iat is 2^31, negative as a signed number.", |case| {
        alone(case, 1 << 31, (1 << 31) + 3599);
    });
    cases.open("iat_greatest", "open", "iat is 2^32 - 1.", |case| alone(case, u32::MAX, u32::MAX.into()));
    cases.open("iat_greatest_lives_on", "open", "iat + ttl is beyond 2^32.", |case| {
        alone(case, u32::MAX, u64::from(u32::MAX) + 3599);
    });
    cases.open("iat_greatest_ends", "expired", "iat + ttl is beyond 2^32, and reached.", |case| {
        alone(case, u32::MAX, u64::from(u32::MAX) + 3600);
    });
    cases.open("iat_and_ttl_greatest", "open", "iat and ttl are 2^32 - 1.", |case| {
        alone(case, u32::MAX, u64::from(u32::MAX) + 7199);
        case.forge.ttl = varint(u32::MAX.into());
    });
}
