//! Two failures at once, on purpose: the earlier step answers. FORMAT.md, "Opening".

use super::super::NOW;
use super::super::forge::varint;
use super::super::ring::role;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    before_the_tag(cases);
    behind_the_tag(cases);
}

fn order(cases: &mut Cases, first: &str, second: &str, edit: impl FnOnce(&mut Case)) {
    let comment = format!("`{first}` and `{second}` both hold; the earlier step answers.");
    cases.open(&format!("order_{first}_{second}"), first, &comment, edit);
}

/// Flips the last bit of the tag.
fn forged(case: &mut Case) {
    let mut tag = case.forge.bytes()[case.forge.bytes().len() - 16..].to_vec();
    tag[15] ^= 1;
    case.forge.tag = Some(tag);
}

fn disabled(case: &mut Case) {
    case.ring.entry(role::active()).set("status", "\"disabled\"");
}

fn before_the_tag(cases: &mut Cases) {
    order(cases, "prefix", "length", |case| {
        case.reader.prefix = Some("shop_".into());
        case.says("shop");
    });
    order(cases, "length", "text", |case| case.says("!".repeat(51)));
    order(cases, "text", "mode", |case| {
        case.forge.first_byte = Some(0x21);
        case.respelled(|text| text + "=");
    });
    order(cases, "mode", "unknown_key", |case| {
        case.forge.first_byte = Some(0x21);
        case.forge.key_id = Some([0xff; 3]);
    });
    order(cases, "mode", "revoked_key", |case| {
        case.forge.signed = true;
        case.forge.key = role::revoked();
    });
    order(cases, "unknown_key", "forged", |case| {
        case.forge.key_id = Some([0xff; 3]);
        forged(case);
    });
    order(cases, "revoked_key", "forged", |case| {
        case.forge.key = role::revoked();
        forged(case);
    });
    order(cases, "revoked_key", "expired_key", |case| {
        case.forge.key = role::revoked();
        case.now = NOW + 400_000_000;
    });
    order(cases, "expired_key", "forged", |case| {
        case.forge.key = role::retiring();
        case.now = NOW + 200_000;
        forged(case);
    });
    order(cases, "expired_key", "disabled_key", |case| {
        case.forge.key = role::retiring();
        case.ring.entry(role::retiring()).set("status", "\"disabled\"");
        case.now = NOW + 200_000;
    });
}

fn behind_the_tag(cases: &mut Cases) {
    order(cases, "forged", "disabled_key", |case| {
        disabled(case);
        forged(case);
    });
    order(cases, "forged", "claims", |case| {
        case.forge.ttl = vec![0];
        forged(case);
    });
    order(cases, "forged", "expired", |case| {
        case.now = NOW + 3600;
        forged(case);
    });
    order(cases, "disabled_key", "claims", |case| {
        disabled(case);
        case.forge.ttl = vec![0];
    });
    order(cases, "disabled_key", "expired", |case| {
        disabled(case);
        case.now = NOW + 3600;
    });
    order(cases, "claims", "not_yet_valid", |case| {
        case.forge.ttl = vec![0];
        case.now = NOW - 121;
    });
    order(cases, "claims", "newer_schema", |case| {
        case.forge.head = varint(4);
        case.forge.ttl = vec![0];
    });
    order(cases, "not_yet_valid", "retired_key", |case| {
        case.forge.key = role::retiring();
        case.forge.iat = (NOW + 200_000) as u32;
    });
    order(cases, "not_yet_valid", "revoked", |case| {
        case.now = NOW - 121;
        case.continues(600);
        case.ring.top.set("not_before", NOW - 600);
    });
    order(cases, "retired_key", "expired", |case| {
        case.forge.key = role::retiring();
        case.forge.iat = 1_786_082_861;
        case.forge.ttl = varint(1);
        case.now = u64::from(case.forge.iat) + 1;
    });
    order(cases, "expired", "revoked", |case| {
        case.now = NOW + 3600;
        case.ring.top.set("not_before", NOW);
    });
    order(cases, "revoked", "newer_schema", |case| {
        case.forge.head = varint(4);
        case.ring.top.set("not_before", NOW);
    });
    order(cases, "newer_schema", "body", |case| {
        case.forge.head = varint(4);
        case.forge.body = vec![0xff];
    });
    order(cases, "unknown_schema", "body", |case| {
        case.forge.head = varint(0);
        case.forge.body = vec![0xff];
    });
    order(cases, "expired", "newer_schema", |case| {
        case.forge.head = varint(4);
        case.now = NOW + 3600;
    });
}
