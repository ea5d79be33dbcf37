//! Schemas and states of authentic tokens. FORMAT.md, "Opening", steps 15 to 17.

use super::super::forge::varint;
use super::super::unhex;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    schemas(cases);
    examples(cases);
    texts(cases);
}

/// A good state of every schema but 0 and 1.
const WIDE: &str = "d285d8cc04 b1a803 8104 03616263 0101";

fn schema(case: &mut Case, schema: u64, chain: &[u16], body: &str) {
    case.forge.head = varint(2 * schema);
    case.forge.body = unhex(body);
    case.reader.chain(chain);
}

fn schemas(cases: &mut Cases) {
    let mut case = |name: &str, expect: &str, comment: &str, number: u64, chain: &[u16], body: &str| {
        cases.open(&format!("schema_{name}"), expect, comment, |case| schema(case, number, chain, body));
    };
    let state = "d285d8cc04 b1a803 8104";
    case("0", "open", "The least schema, whose state has no bytes.", 0, &[0], "");
    case("65535", "open", "The greatest schema.", 65535, &[65535, 1], WIDE);
    case("2_alone", "open", "A type without a chain.", 2, &[2], WIDE);
    case("older", "open", "A state of the type before.", 1, &[2, 1], state);
    case("older_over_a_gap", "open", "The chain leaves numbers out.", 1, &[3, 1], state);
    case("two_steps", "open", "Two steps down the chain.", 1, &[3, 2, 1], state);
    case("one_of_two_steps", "open", "One of two steps down the chain.", 2, &[3, 2, 1], WIDE);
    case("newer", "newer_schema", "The token's schema is one above the reader's.", 2, &[1], state);
    case("newer_65535", "newer_schema", "The greatest schema is above the reader's.", 65535, &[3, 2, 1], WIDE);
    case("newer_than_0", "newer_schema", "The reader knows schema 0 alone.", 1, &[0], "");
    case("gap", "unknown_schema", "The token's schema falls into a gap of the chain.", 2, &[3, 1], WIDE);
    case("below_chain", "unknown_schema", "The token's schema is below the whole chain.", 0, &[3, 2, 1], "");
    case("older_without_chain", "unknown_schema", "The reader knows the newer schema alone.", 1, &[2], state);
    cases.open("schema_newer_signed", "newer_schema", "The same for a signed token.", |case| {
        schema(case, 2, &[1], WIDE);
        case.signed();
    });
}

fn examples(cases: &mut Cases) {
    let mut case = |name: &str, expect: &str, comment: &str, body: &str| {
        cases.open(&format!("body_{name}"), expect, comment, |case| schema(case, 1, &[1], body));
    };
    case("zeros", "open", "All numbers are 0.", "00 00 00");
    case("greatest", "open", "All numbers are the greatest.", "ffffffffffffffffff01 ffffffff0f ffff03");
    case("not_minimal", "open", "513 is spelled `818400`, which postcard allows.", "d285d8cc04 b1a803 818400");
    case("one_left_over", "body", "One byte is left over.", "d285d8cc04 b1a803 8104 00");
    case("many_left_over", "body", "The state stands there twice.", "d285d8cc04 b1a803 8104 d285d8cc04 b1a803 8104");
    case("cut_in_number", "body", "The state ends within its last number.", "d285d8cc04 b1a803 81");
    case("cut_before_number", "body", "The state lacks its last number.", "d285d8cc04 b1a803");
    case("empty", "body", "The state has no bytes.", "");
    case("u16_too_great", "body", "The u16 is 65536.", "d285d8cc04 b1a803 808004");
    case("u16_4_bytes", "body", "The u16 has four bytes.", "d285d8cc04 b1a803 81848000");
    case("u32_too_great", "body", "The u32 is 2^32.", "d285d8cc04 8080808010 8104");
    case("u64_too_great", "body", "The u64 is 2^64.", "80808080808080808002 b1a803 8104");
    case("u64_11_bytes", "body", "The u64 has eleven bytes.", "8080808080808080808001 b1a803 8104");
    case("of_schema_2", "body", "The state is that of schema 2, the number says 1.", WIDE);
    cases.open("body_left_over_signed", "body", "One byte is left over in a signed token.", |case| {
        case.signed();
        case.forge.body.push(0);
    });
    cases.open("body_left_over_older", "body", "One byte is left over in a state of the type before.", |case| {
        schema(case, 1, &[2, 1], "d285d8cc04 b1a803 8104 00");
    });
}

fn texts(cases: &mut Cases) {
    let mut case = |name: &str, expect: &str, comment: &str, rest: &str| {
        let body = format!("d285d8cc04 b1a803 8104 {rest}");
        cases.open(&format!("body_{name}"), expect, comment, |case| schema(case, 2, &[2], &body));
    };
    case("text", "open", "A text beyond ASCII and a choice.", "02c3bc 0100");
    case("text_empty", "open", "An empty text and no choice.", "00 00");
    case("text_no_utf8", "body", "The text is no UTF-8.", "02c328 00");
    case("text_surrogate", "body", "The text is a surrogate.", "03eda080 00");
    case("text_overlong", "body", "The text is `/` in two bytes, which UTF-8 forbids.", "02c0af 00");
    case("text_beyond_end", "body", "The text is one byte longer than what is left.", "03 6162");
    case("text_of_2_to_60", "body", "The text claims 2^60 bytes.", "808080808080808010 00");
    case("text_of_2_to_64", "body", "The text claims 2^64 - 1 bytes.", "ffffffffffffffffff01 00");
    case("option_2", "body", "The choice begins with 02, neither absent nor present.", "00 02");
    case("bool_2", "body", "The choice is 02, neither false nor true.", "00 0102");
    case("option_cut", "body", "The choice is present and not there.", "00 01");
    case("of_schema_1", "body", "The state is that of schema 1, the number says 2.", "");
}
