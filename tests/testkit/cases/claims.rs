//! Claims and padding of authentic tokens. FORMAT.md, "P: claims and state"; "Opening", step 10.

use super::super::forge::varint;
use super::super::unhex;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    numbers(cases);
    origins(cases);
    padded(cases);
    padding_refused(cases);
}

/// Replaces everything of P by these bytes.
fn plaintext(case: &mut Case, hex: &str) {
    case.forge.head = unhex(hex);
    for part in [&mut case.forge.ttl, &mut case.forge.origin, &mut case.forge.first_rnd, &mut case.forge.body] {
        part.clear();
    }
}

fn numbers(cases: &mut Cases) {
    cases.open("claims_ttl_1", "open", "The least ttl.", |case| case.forge.ttl = varint(1));
    cases.open("claims_ttl_max", "open", "The greatest ttl, in 5 bytes.", |case| {
        case.forge.ttl = varint(u32::MAX.into());
    });
    cases.open("claims_ttl_16383", "open", "The greatest ttl in 2 bytes.", |case| case.forge.ttl = varint(16_383));
    cases.open("claims_ttl_16384", "open", "The least ttl in 3 bytes.", |case| case.forge.ttl = varint(16_384));
    let mut refused = |name: &str, comment: &str, hex: &str| {
        cases.open(&format!("claims_{name}"), "claims", comment, |case| plaintext(case, hex));
    };
    let rest = "d285d8cc04 b1a803 8104";
    refused("head_not_minimal", "head is `8200`, not `02`.", &format!("8200 901c 00 {rest}"));
    refused("head_5_bytes", "head is `8280808000`, not `02`.", &format!("8280808000 901c 00 {rest}"));
    refused("head_131072", "head is 131072, the first out of range.", &format!("808008 901c 00 {rest}"));
    refused("head_6_bytes", "head has six bytes.", &format!("828080808000 901c 00 {rest}"));
    refused("head_2_to_34", "head is 2^34: cut to 16 bits it would be 0.", &format!("8080808040 901c 00 {rest}"));
    refused("head_cut", "P ends within head.", "828080");
    refused("ttl_not_minimal", "ttl is `90 9c 00`, not `90 1c`.", &format!("02 909c00 00 {rest}"));
    refused("ttl_0", "ttl is 0.", &format!("02 00 00 {rest}"));
    refused("ttl_0_not_minimal", "ttl is 0, and not minimal.", &format!("02 8000 00 {rest}"));
    refused("ttl_2_to_32", "ttl is 2^32, the first out of range.", &format!("02 8080808010 00 {rest}"));
    refused("ttl_6_bytes", "ttl has six bytes.", &format!("02 808080808001 00 {rest}"));
    refused("ttl_11_bytes", "ttl has eleven bytes.", &format!("02 ffffffffffffffffffff01 00 {rest}"));
    refused("ttl_cut", "P ends within ttl.", "02 9080");
    refused("ttl_missing", "P ends behind head.", "828001");
    refused("origin_not_minimal", "origin is `8000`, not `00`.", &format!("02 901c 8000 {rest}"));
    refused("origin_6_bytes", "origin has six bytes.", &format!("02 901c 808080808001 {rest}"));
    refused("origin_cut", "P ends within origin.", "02 901c 80");
    refused("origin_missing", "P ends behind ttl.", "02 909c01");
    cases.open("claims_ttl_0_signed", "claims", "ttl is 0 in a signed token.", |case| {
        case.signed();
        case.forge.ttl = vec![0];
    });
}

fn origins(cases: &mut Cases) {
    cases.open("origin_601", "open", "A renewal 600 seconds after the start.", |case| case.continues(600));
    cases.open("origin_1", "open", "A renewal in the second of the start.", |case| case.continues(0));
    cases.open("origin_signed", "open", "A signed renewal.", |case| {
        case.signed();
        case.continues(600);
    });
    cases.open("origin_another_key", "open", "A session that started under the key before.", |case| {
        case.continues(7000);
        case.forge.key = super::role::staged();
    });
    let any_rnd = |case: &mut Case| case.forge.first_rnd = vec![0x15; 12];
    cases.open("origin_start_0", "open", "start is 0: origin is iat + 1.", |case| {
        case.wide_limits();
        case.forge.origin = varint(u64::from(case.forge.iat) + 1);
        any_rnd(case);
    });
    cases.open("origin_start_below_0", "claims", "origin is iat + 2, so start would be -1.", |case| {
        case.wide_limits();
        case.forge.origin = varint(u64::from(case.forge.iat) + 2);
        any_rnd(case);
    });
    cases.open("origin_2_to_32", "open", "The greatest origin, which needs the greatest iat.", |case| {
        case.wide_limits();
        case.forge.iat = u32::MAX;
        case.now = u64::from(u32::MAX) - 1;
        case.forge.origin = varint(1 << 32);
        any_rnd(case);
    });
    cases.open("origin_2_to_32_plus_1", "claims", "origin is 2^32 + 1, the first out of range.", |case| {
        case.forge.origin = varint((1 << 32) + 1);
        any_rnd(case);
    });
    cases.open("origin_rnd_cut", "claims", "P ends within first rnd, after 11 bytes.", |case| {
        case.forge.origin = varint(1);
        case.forge.first_rnd = vec![0x15; 11];
        case.forge.body = vec![];
    });
    cases.open("origin_rnd_missing", "claims", "P ends behind an origin that is not 0.", |case| {
        case.forge.origin = varint(1);
        case.forge.body = vec![];
    });
}

fn padded(cases: &mut Cases) {
    for block in [16, 32, 64] {
        let comment = format!("Padded to a multiple of {block} bytes.");
        cases.open(&format!("padding_{block}"), "open", &comment, |case| case.forge.pad(block));
    }
    let body = |case: &mut Case, body: &[u8]| {
        case.reader.chain(&[2]);
        case.forge.body = body.to_vec();
        case.forge.pad(16);
        case.forge.head = varint(5);
    };
    cases.open("padding_1_byte", "open", "One byte of padding, the least.", |case| {
        body(case, &unhex("01 02 03 06 616263646566 00"));
        assert_eq!(case.forge.padding.len(), 1);
    });
    cases.open("padding_behind_80_00", "open", "The state itself ends in 80 00 .. 00.", |case| {
        case.reader.chain(&[2]);
        // U+0080 is c2 80, and a choice that is absent ends the state in 00.
        case.forge.body = unhex("01 02 03 03 61c280 00");
        case.forge.pad(16);
        case.forge.head = varint(5);
    });
    cases.open("padding_of_nothing", "open", "The state has no bytes.", |case| {
        super::text::shortest(case);
        case.forge.pad(16);
        case.forge.head = varint(1);
    });
    cases.open("padding_renewal", "open", "A padded renewal.", |case| {
        case.continues(600);
        case.forge.pad(32);
    });
    cases.open("padding_64_bytes", "open", "64 bytes of padding, the most.", |case| {
        plaintext(case, "03 901c 00");
        case.forge.body = unhex("d285d8cc04 ffffffff0f 8104");
        case.forge.padding = [&[0x80][..], &[0; 63]].concat();
        // The fields again, for what the vector says the token holds.
        (case.forge.head, case.forge.ttl, case.forge.origin) = (varint(3), varint(3600), varint(0));
    });
    cases.open("padding_48", "open", "A multiple of 16 that no writer pads to.", |case| case.forge.pad(48));
}

fn padding_refused(cases: &mut Cases) {
    let mut refused = |name: &str, comment: &str, hex: &str| {
        cases.open(&format!("padding_{name}"), "claims", comment, |case| plaintext(case, hex));
    };
    let state = "d285d8cc04 b1a803 8104";
    refused("15_bytes", "P has 15 bytes.", &format!("03 901c 00 {state} 80"));
    refused("24_bytes", "P has 24 bytes, a multiple of 8 only.", &format!("03 901c 00 {state} 80{}", "00".repeat(9)));
    refused("only_zeros", "Only 00 behind the claims.", &format!("03 901c 00 {}", "00".repeat(12)));
    refused("without_80", "There is no 80 before the 00s.", &format!("03 901c 00 {state} 0100"));
    refused("ends_in_01", "Behind 80 stands a 01.", &format!("03 901c 00 {state} 8001"));
    refused("81", "The padding begins with 81.", &format!("03 901c 00 {state} 8100"));
    refused("65_bytes", "65 bytes of padding.", &format!("03 901c 00 d285d8cc04 ffffff7f 8104 80{}", "00".repeat(64)));
    refused("nothing_left", "16 bytes of claims and nothing behind them.", &format!("03 901c 01 {}", "80".repeat(12)));
    refused(
        "80_in_first_rnd",
        "The only 80 is the last byte of first rnd.",
        &format!("03 901c 01 {} 80 {}", "15".repeat(11), "00".repeat(16)),
    );
    cases.open("padding_signed", "claims", "A signed token with the flag and good padding.", |case| {
        case.signed();
        case.forge.pad(16);
    });
    cases.open("padding_unflagged", "body", "Padding without the flag is left over.", |case| {
        case.forge.padding = vec![0x80, 0];
    });
}
