//! Tokens whose tag is wrong, and tokens of a writer that got one step wrong. FORMAT.md, "Sealed" and "Signed".

use super::super::forge::Forge;
use super::super::key::{Key, hmac};
use super::super::ring::role;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    for (mode, set) in [("sealed", (|_| {}) as fn(&mut Case)), ("signed", Case::signed)] {
        damaged(cases, mode, set);
        mistaken(cases, mode, set);
    }
    mistaken_seals(cases);
    mistaken_signatures(cases);
}

/// A token that was good until somebody changed its bytes.
fn damaged(cases: &mut Cases, mode: &str, set: fn(&mut Case)) {
    let mut damaged = |name: &str, comment: &str, change: &dyn Fn(&mut Vec<u8>)| {
        cases.open(&format!("forged_{name}_{mode}"), "forged", comment, |case| {
            set(case);
            case.damaged(change);
        });
    };
    damaged("tag_first_bit", "The first bit of the tag is flipped.", &|token| flip(token, 34, 0x80));
    damaged("tag_last_bit", "The last bit of the tag is flipped.", &|token| flip(token, 49, 1));
    damaged("tag_zero", "The tag is all 00.", &|token| token[34..].fill(0));
    damaged("tag_ff", "The tag is all ff.", &|token| token[34..].fill(0xff));
    damaged("tag_cut", "The tag lacks its last byte.", &|token| token.truncate(49));
    damaged("tag_gone", "The tag is not there.", &|token| token.truncate(39));
    damaged("tag_longer", "One byte 00 is appended.", &|token| token.push(0));
    damaged("body_first_bit", "The first bit behind the header is flipped.", &|token| flip(token, 20, 0x80));
    damaged("body_last_bit", "The last bit before the tag is flipped.", &|token| flip(token, 33, 1));
    damaged("body_longer", "One byte is put in before the tag.", &|token| token.insert(34, 0));
    damaged("iat_later", "iat is one second later.", &|token| flip(token, 7, 1));
    damaged("rnd_bit", "One bit of rnd is flipped.", &|token| flip(token, 19, 1));
    damaged("rnd_first_bit", "The first bit of rnd is flipped.", &|token| flip(token, 8, 0x80));
    damaged("halves_swapped", "Header and rest have changed places, but for byte 0 and key id.", &|token| {
        token[4..].rotate_left(16);
    });
    damaged("key_id_of_another", "The key id is that of another key of the ring.", &|token| {
        token[1..4].copy_from_slice(&role::staged().id());
    });
    cases.open(&format!("forged_tag_of_another_{mode}"), "forged", "The tag of another token.", |case| {
        set(case);
        let other = Forge { draw: 8, ..case.forge.clone() }.bytes();
        case.damaged(|token| token[34..].copy_from_slice(&other[34..]));
    });
    cases.open(&format!("forged_rest_of_another_{mode}"), "forged", "All but the header is another token's.", |case| {
        set(case);
        let other = Forge { draw: 8, ..case.forge.clone() }.bytes();
        case.damaged(|token| token[20..].copy_from_slice(&other[20..]));
    });
    cases.open(&format!("forged_two_tokens_{mode}"), "forged", "Two tokens, one behind the other.", |case| {
        set(case);
        case.damaged(|token| token.extend_from_within(..));
    });
}

fn flip(token: &mut [u8], at: usize, bit: u8) {
    token[at] ^= bit;
}

/// A token under a key that is not the one FORMAT.md says.
fn mistaken(cases: &mut Cases, mode: &str, set: fn(&mut Case)) {
    let right = if mode == "sealed" { "seal" } else { "sign" };
    let wrong = if mode == "sealed" { "sign" } else { "seal" };
    let mut keyed = |name: &str, comment: &str, key: &dyn Fn(Key) -> [u8; 32]| {
        cases.open(&format!("forged_key_{name}_{mode}"), "forged", comment, |case| {
            set(case);
            case.forge.subkey = Some(key(case.forge.key));
        });
    };
    keyed("raw", "K itself is used, not a subkey.", &|key| key.0);
    keyed("prk", "PRK is used, not a subkey.", &|key| key.prk());
    keyed("of_rnd", "The subkey of rnd is used.", &|key| key.subkey(&format!("{right}-rnd"), "session", "header"));
    keyed("of_other_mode", "The subkey of the other mode is used.", &|key| key.subkey(wrong, "session", "header"));
    keyed("swapped_labels", "Purpose and carrier have changed places in the info.", &|key| {
        key.subkey(right, "header", "session")
    });
    keyed("without_separators", "There is no 00 in the info.", &|key| {
        key.expand(format!("waxseal/v1/{right}sessionheader").as_bytes())
    });
    keyed("nul_behind", "There is one more 00 behind the carrier.", &|key| key.subkey(right, "session", "header\0"));
    keyed("without_salt", "Extract has no salt.", &|key| {
        let info = format!("waxseal/v1/{right}\0session\0header");
        hmac(&hmac(&[0; 32], &[&key.0]), &[info.as_bytes(), &[1]])
    });
    keyed("of_another_entry", "The subkey of another key of the ring is used.", &|_| {
        role::staged().subkey(right, "session", "header")
    });
}

fn mistaken_seals(cases: &mut Cases) {
    let mut seal = |name: &str, comment: &str, edit: &dyn Fn(&mut Forge, [u8; 20])| {
        cases.open(&format!("forged_seal_{name}"), "forged", comment, |case| {
            let header = case.forge.header();
            edit(&mut case.forge, header);
        });
    };
    seal("nonce_zeros_first", "The four 00 of the nonce stand before the header.", &|forge, header| {
        forge.nonce = Some([&[0; 4], &header[..]].concat().try_into().unwrap());
    });
    seal("nonce_of_rnd", "The nonce is rnd and twelve 00.", &|forge, header| {
        forge.nonce = Some([&header[8..], &[0; 12]].concat().try_into().unwrap());
    });
    seal("aad_context_only", "The header is not in the associated data.", &|forge, _| {
        forge.associated_data = Some(forge.context.clone());
    });
    seal("aad_header_only", "The context is not in the associated data.", &|forge, header| {
        forge.associated_data = Some(header.to_vec());
    });
    seal("aad_swapped", "The context stands before the header.", &|forge, header| {
        forge.associated_data = Some([&forge.context[..], &header].concat());
    });
    seal("aad_with_length", "The length of the context is in the associated data.", &|forge, header| {
        let length = (forge.context.len() as u64).to_le_bytes();
        forge.associated_data = Some([&header[..], &length, &forge.context].concat());
    });
}

fn mistaken_signatures(cases: &mut Cases) {
    let mut sign = |name: &str, comment: &str, edit: &dyn Fn(&mut Forge, [u8; 20])| {
        cases.open(&format!("forged_sign_{name}"), "forged", comment, |case| {
            case.signed();
            let header = case.forge.header();
            edit(&mut case.forge, header);
        });
    };
    sign("without_length", "The length of the context is not in the message.", &|forge, header| {
        forge.message = Some([&header[..], &forge.context, &forge.plaintext()].concat());
    });
    sign("length_big_endian", "The length of the context is BE64.", &|forge, header| {
        let length = (forge.context.len() as u64).to_be_bytes();
        forge.message = Some([&header[..], &length, &forge.context, &forge.plaintext()].concat());
    });
    sign("length_of_4_bytes", "The length of the context has 4 bytes.", &|forge, header| {
        let length = (forge.context.len() as u32).to_le_bytes();
        forge.message = Some([&header[..], &length, &forge.context, &forge.plaintext()].concat());
    });
    sign("body_only", "Only P is in the message.", &|forge, _| forge.message = Some(forge.plaintext()));
    sign("header_only", "P is not in the message.", &|forge, header| {
        let length = (forge.context.len() as u64).to_le_bytes();
        forge.message = Some([&header[..], &length, &forge.context].concat());
    });
    sign("end_of_mac", "The tag is the last 16 bytes of the MAC.", &|forge, header| {
        let key = forge.key.subkey("sign", "session", "header");
        let length = (forge.context.len() as u64).to_le_bytes();
        forge.tag = Some(hmac(&key, &[&header, &length, &forge.context, &forge.plaintext()])[16..].to_vec());
    });
    sign("whole_mac", "The tag is the whole MAC.", &|forge, header| {
        let key = forge.key.subkey("sign", "session", "header");
        let length = (forge.context.len() as u64).to_le_bytes();
        forge.tag = Some(hmac(&key, &[&header, &length, &forge.context, &forge.plaintext()]).to_vec());
    });
    cases.open("forged_sign_byte_moved", "forged", "A byte has moved from the context to P.", |case| {
        case.signed();
        // The writer had the context `tenant-7\x02` and P without its first byte, so the bytes of context and P in a row
        // are the same; only the length tells them apart.
        let header = case.forge.header();
        let length = 9_u64.to_le_bytes();
        case.forge.message = Some([&header[..], &length, &case.forge.context, &case.forge.plaintext()].concat());
    });
}
