//! First byte, key id, and what the ring says of the key. FORMAT.md, "Opening", steps 4 to 7, 9 and 12.

use super::super::NOW;
use super::super::forge::varint;
use super::super::key::Key;
use super::super::ring::{entry, role, tombstone};
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    modes(cases);
    ids(cases);
    roles(cases);
    retirement(cases);
    expiry(cases);
}

fn modes(cases: &mut Cases) {
    cases.open("mode_sealed", "open", "A sealed token.", |_| {});
    cases.open("mode_signed", "open", "A signed token.", Case::signed);
    cases.open("mode_signed_for_sealed", "mode", "A signed token given to a sealed reader.", |case| {
        case.forge.signed = true;
    });
    cases.open("mode_sealed_for_signed", "mode", "A sealed token given to a signed reader.", |case| {
        case.reader.mode = "signed".into();
    });
    for byte in [0x00, 0x01, 0x10, 0x13, 0x21, 0x91, 0xf1, 0xff] {
        let comment = format!("The first byte is {byte:02x}, and the tag is right over it.");
        cases.open(&format!("mode_byte_{byte:02x}"), "mode", &comment, |case| case.forge.first_byte = Some(byte));
    }
    cases.open("mode_byte_22_signed", "mode", "Version 2 of a signed token, and the tag is right over it.", |case| {
        case.signed();
        case.forge.first_byte = Some(0x22);
    });
}

fn ids(cases: &mut Cases) {
    cases.open("key_of_another_ring", "unknown_key", "A good token under a key that the ring lacks.", |case| {
        case.forge.key = Key::test(9);
    });
    for id in [[0; 3], [0xff; 3], *b"../"] {
        let text = super::hex(&id);
        let comment = format!("The key id is {text}, which the ring lacks.");
        cases.open(&format!("key_id_{text}"), "unknown_key", &comment, |case| case.forge.key_id = Some(id));
    }
    cases.open("key_id_one_bit_off", "unknown_key", "The key id with its last bit flipped.", |case| {
        let [a, b, c] = case.forge.key.id();
        case.forge.key_id = Some([a, b, c ^ 1]);
    });
    cases.open("key_id_reversed", "unknown_key", "The bytes of the key id in the other order.", |case| {
        let [a, b, c] = case.forge.key.id();
        case.forge.key_id = Some([c, b, a]);
    });
}

fn roles(cases: &mut Cases) {
    cases.open("key_retiring", "open", "Sealed under the retiring key.", |case| case.forge.key = role::retiring());
    cases.open("key_staged", "open", "Sealed under the staged key, by a server with a newer ring.", |case| {
        case.forge.key = role::staged();
    });
    cases.open("key_scheduled", "open", "Sealed under a key with a date ahead.", |case| {
        case.forge.key = role::staged();
        case.ring.entry(role::staged()).set("activate_at", NOW + 3600);
    });
    cases.open("key_alone", "open", "A ring of one key.", |case| {
        case.ring = super::Ring::single(Key::test(5));
        case.forge.key = Key::test(5);
    });
    cases.open("key_revoked", "revoked_key", "Truly sealed under the revoked key.", |case| {
        case.forge.key = role::revoked();
    });
    cases.open("key_revoked_signed", "revoked_key", "Truly signed under the revoked key.", |case| {
        case.signed();
        case.forge.key = role::revoked();
    });
    let disable = |case: &mut Case, key: Key| {
        case.forge.key = key;
        case.ring.entry(key).set("status", "\"disabled\"");
    };
    cases.open("key_disabled", "disabled_key", "The active key is disabled.", |case| disable(case, role::active()));
    cases.open("key_disabled_signed", "disabled_key", "The same for a signed token.", |case| {
        case.signed();
        disable(case, role::active());
    });
    cases.open("key_disabled_retiring", "disabled_key", "The retiring key is disabled.", |case| {
        disable(case, role::retiring());
    });
    cases.open("key_disabled_staged", "disabled_key", "The staged key is disabled.", |case| {
        disable(case, role::staged());
    });
}

/// superseded_at of the retiring key: when the active one took over.
const SUPERSEDED: u64 = 1_785_996_400;

/// The last issue time of a key that is superseded then: late and one skew after it.
const LAST_ISSUE: u64 = SUPERSEDED + 86_400 + 60;

fn retirement(cases: &mut Cases) {
    let issued = |case: &mut Case, key: Key, iat: u64| {
        case.forge.key = key;
        case.forge.iat = iat as u32;
        case.now = iat;
    };
    cases.open("retired_last_issue", "open", "The last iat that a retiring key may have.", |case| {
        issued(case, role::retiring(), LAST_ISSUE);
    });
    cases.open("retired_first_refused", "retired_key", "iat one second after the last of a retiring key.", |case| {
        issued(case, role::retiring(), LAST_ISSUE + 1);
    });
    cases.open("retired_by_tombstone", "retired_key", "A revoked key supersedes as any other does.", |case| {
        issued(case, role::retiring(), LAST_ISSUE + 1);
        case.ring.keys.retain(|key| key.get("status") == "\"enabled\"" && key.get("activate_at") != "1785996400");
        case.ring.keys.push(tombstone(Key::test(6), "1785996400"));
    });
    cases.open("retired_by_stored_date", "retired_key", "A stored superseded_at holds with no successor.", |case| {
        issued(case, role::retiring(), LAST_ISSUE + 1);
        case.ring.keys.retain(|key| key.get("activate_at") != "1785996400");
        case.ring.entry(role::retiring()).set("superseded_at", SUPERSEDED);
    });
    cases.open("retired_by_earlier_stored_date", "retired_key", "The earlier of stored date and successor.", |case| {
        issued(case, role::retiring(), LAST_ISSUE);
        case.ring.entry(role::retiring()).set("superseded_at", SUPERSEDED - 1);
    });
    cases.open("retired_not_by_later_stored_date", "retired_key", "A later stored date raises nothing.", |case| {
        issued(case, role::retiring(), LAST_ISSUE + 1);
        case.ring.entry(role::retiring()).set("superseded_at", SUPERSEDED + 10);
    });
    cases.open("retired_not_by_staged", "open", "A key without a date supersedes nothing.", |case| {
        issued(case, role::active(), SUPERSEDED + 10 * 86_400);
    });
    cases.open("retired_staged_stored_date", "retired_key", "A staged key with a stored superseded_at.", |case| {
        issued(case, role::staged(), LAST_ISSUE + 1);
        case.ring.entry(role::staged()).set("superseded_at", SUPERSEDED);
    });
    let mut keys = [Key::test(7), Key::test(8)];
    keys.sort_by_key(|key| key.id());
    let [lesser, greater] = keys;
    for (name, key, expect) in [("lesser", lesser, "retired_key"), ("greater", greater, "open")] {
        let comment = format!("Two keys with one date: the greater id is the successor; this is the {name}.");
        cases.open(&format!("retired_equal_dates_{name}"), expect, &comment, |case| {
            issued(case, key, LAST_ISSUE + 1);
            let date = SUPERSEDED.to_string();
            case.ring.keys = vec![entry(greater, &date), entry(lesser, &date)];
        });
    }
}

fn expiry(cases: &mut Cases) {
    // A key whose own L is an hour: it stops opening before its tokens must have ended.
    const LAST: u64 = SUPERSEDED + 3600 + 86_400 + 120 - 1;
    let alive = |case: &mut Case, now: u64| {
        case.forge.key = role::retiring();
        case.forge.iat = (now - 1000) as u32;
        case.forge.iat = case.forge.iat.min(LAST_ISSUE as u32);
        case.forge.ttl = varint(86_400);
        case.wide_limits();
        case.ring.entry(role::retiring()).set("max_token_lifetime", 3600);
        case.now = now;
    };
    cases.open("expired_key_last_second", "open", "The last second in which a superseded key opens.", |case| {
        alive(case, LAST);
    });
    cases.open("expired_key_first_refused", "expired_key", "The first second in which it does not.", |case| {
        alive(case, LAST + 1);
    });
    cases.open("expired_key_signed", "expired_key", "The same for a signed token.", |case| {
        case.signed();
        alive(case, LAST + 1);
    });
    cases.open("expired_key_own_lifetime", "expired_key", "L is the entry's own, not the policy's.", |case| {
        alive(case, LAST + 1);
        case.ring.policy.set("max_token_lifetime", 172_800);
    });
    cases.open("expired_key_longer_lifetime", "open", "A longer L of the entry keeps it for longer.", |case| {
        alive(case, LAST + 1);
        case.ring.entry(role::retiring()).set("max_token_lifetime", 7200);
    });
    cases.open("expired_key_staged", "expired_key", "A staged key with a superseded_at of long ago.", |case| {
        case.forge.key = role::staged();
        case.ring.entry(role::staged()).set("superseded_at", NOW - 86_400 - 86_400 - 120);
    });
    cases.open("expired_key_by_tombstone", "expired_key", "A tombstone's date ends the key before it.", |case| {
        alive(case, LAST + 1);
        case.ring.keys.retain(|key| key.get("status") == "\"enabled\"" && key.get("activate_at") != "1785996400");
        case.ring.keys.push(tombstone(Key::test(6), "1785996400"));
    });
}
