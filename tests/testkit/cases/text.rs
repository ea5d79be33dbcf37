//! Texts that are not a token's one spelling, and prefixes. FORMAT.md, "Text"; "Opening", steps 1 to 3.

use super::super::forge::varint;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    lengths(cases);
    alphabet(cases);
    trailing_bits(cases);
    prefixes(cases);
}

fn lengths(cases: &mut Cases) {
    cases.open("text_shortest", "open", "52 characters: the shortest token, of a state without bytes.", |case| {
        shortest(case);
        assert_eq!(case.forge.text().len(), 52);
    });
    cases.open("text_longest", "open", "4000 characters: the longest token.", |case| {
        longest(case, 0);
        assert_eq!(case.forge.text().len(), 4000);
    });
    cases.open("text_empty", "length", "No text at all.", |case| case.says(""));
    cases.open("text_one_character", "length", "One character.", |case| case.says("E"));
    cases.open("text_51_characters", "length", "One character less than the shortest token has.", |case| {
        case.respelled(|text| text[..51].into());
    });
    cases.open("text_header_only", "length", "The 20 bytes of the header and no more.", |case| {
        case.damaged(|token| token.truncate(20));
    });
    cases.open("text_4001_characters", "length", "One character more than the longest token has.", |case| {
        longest(case, 0);
        case.respelled(|text| text + "A");
    });
    cases.open("text_3001_bytes", "length", "A right tag, and one byte more than a token may have.", |case| {
        longest(case, 1);
        assert_eq!(case.forge.bytes().len(), 3001);
    });
    cases.open("text_4k_plus_1", "text", "53 characters: no number of bytes has so many.", |case| {
        case.respelled(|text| text[..53].into());
    });
}

/// Makes the shortest token: schema 0, three bytes of P.
pub(super) fn shortest(case: &mut Case) {
    case.reader.chain(&[0]);
    case.forge.head = varint(0);
    case.forge.ttl = varint(100);
    case.forge.body = vec![];
}

/// Makes the longest token, and `more` bytes: schema 2 with a long text in it.
fn longest(case: &mut Case, more: usize) {
    case.reader.chain(&[2]);
    case.forge.head = varint(4);
    let note = 2964 - 4 - 10 - 2 - 1 + more;
    case.forge.body = [&case.forge.body[..], &varint(note as u64), &vec![b'x'; note], &[0]].concat();
}

fn alphabet(cases: &mut Cases) {
    let mut refused = |name: &str, comment: &str, change: &dyn Fn(String) -> String| {
        cases.open(&format!("text_{name}"), "text", comment, |case| case.respelled(change));
    };
    refused("padding_1", "One `=` at the end, where padded base64 would have one.", &|text| text + "=");
    refused("leading_space", "A space before.", &|text| format!(" {text}"));
    refused("trailing_space", "A space behind.", &|text| text + " ");
    refused("inner_space", "A space in the middle.", &|text| insert(&text, " "));
    refused("inner_line_feed", "A line feed in the middle.", &|text| insert(&text, "\n"));
    refused("trailing_line_feed", "A line feed behind, as a file has one.", &|text| text + "\n");
    refused("trailing_crlf", "Carriage return and line feed behind.", &|text| text + "\r\n");
    refused("trailing_tab", "A tab behind.", &|text| text + "\t");
    refused("leading_nul", "A NUL before.", &|text| format!("\0{text}"));
    refused("trailing_nul", "A NUL behind.", &|text| text + "\0");
    refused("inner_dot", "A dot in the middle, as a JWT has.", &|text| insert(&text, "."));
    refused("signature_behind", "A token and something like a signature.", &|text| text + ".c2ln");
    refused("percent_encoded", "The first character percent-encoded.", &|text| text.replacen('E', "%45", 1));
    refused("quoted", "In double quotes, as a cookie's value may be.", &|text| format!("\"{text}\""));
    refused("scheme", "With the scheme of the request field before it.", &|text| format!("Bearer {text}"));
    refused("byte_order_mark", "With a byte order mark before it.", &|text| format!("\u{feff}{text}"));
    refused("letter_beyond_ascii", "One letter replaced by `ä`.", &|text| format!("{}ä", &text[..text.len() - 1]));
    refused("fullwidth_letter", "The first letter replaced by its full-width form.", &|text| {
        text.replacen('E', "\u{ff25}", 1)
    });
    for (name, byte, comment) in [
        ("plus", b'+', "`+` of the other alphabet for `-`."),
        ("slash", b'/', "`/` of the other alphabet for `_`."),
        ("no_unicode", 0xff, "A byte ff, so the text is no UTF-8."),
    ] {
        cases.open(&format!("text_{name}"), "text", comment, |case| {
            // Tokens differ in where they have these; a search for a draw makes the case whole.
            let replaced = if byte == b'+' { '-' } else { '_' };
            while !case.forge.text().contains(replaced) {
                case.forge.draw += 1;
            }
            let mut text = case.forge.text().into_bytes();
            let at = text.iter().position(|&found| found == replaced as u8).unwrap();
            text[at] = byte;
            case.says(text);
        });
    }
    cases.open("text_dots", "text", "4000 dots.", |case| case.says(".".repeat(4000)));
    cases.open("text_padding_2", "text", "A token of 4k+2 characters and two `=`.", |case| {
        two_loose_characters(case);
        case.respelled(|text| text + "==");
    });
}

fn insert(text: &str, what: &str) -> String {
    let (front, back) = text.split_at(text.len() / 2);
    format!("{front}{what}{back}")
}

/// Makes a token of 4k+2 characters.
fn two_loose_characters(case: &mut Case) {
    case.forge.ttl = varint(100);
    assert_eq!(case.forge.text().len() % 4, 2);
}

fn trailing_bits(cases: &mut Cases) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let loose = |text: String, bits: usize| {
        let last = ALPHABET.iter().position(|&known| known == text.as_bytes()[text.len() - 1]).unwrap();
        format!("{}{}", &text[..text.len() - 1], ALPHABET[last + bits] as char)
    };
    for bits in 1..=3 {
        let comment = format!("4k+3 characters, the two trailing bits {bits:02b} instead of 00.");
        cases.open(&format!("text_trailing_bits_3_{bits}"), "text", &comment, |case| {
            case.respelled(|text| loose(text, bits));
        });
    }
    for bits in [1, 8, 15] {
        let comment = format!("4k+2 characters, the four trailing bits {bits:04b} instead of 0000.");
        cases.open(&format!("text_trailing_bits_2_{bits}"), "text", &comment, |case| {
            two_loose_characters(case);
            case.respelled(|text| loose(text, bits));
        });
    }
}

fn prefixes(cases: &mut Cases) {
    fn prefixed(case: &mut Case, prefix: &str) {
        case.forge.prefix = prefix.into();
        case.reader.prefix = Some(prefix.into());
    }
    cases.open("prefix", "open", "A prefix on both sides.", |case| prefixed(case, "shop_"));
    cases.open("prefix_1", "open", "The shortest prefix.", |case| prefixed(case, "_"));
    cases.open("prefix_16", "open", "The longest prefix.", |case| prefixed(case, "Waxseal_v1_2026_"));
    cases.open("prefix_not_counted", "open", "The longest token is no longer for its prefix.", |case| {
        longest(case, 0);
        prefixed(case, "shop_");
        assert_eq!(case.forge.text().len(), 4005);
    });
    let mut refused = |name: &str, expect: &str, comment: &str, change: &dyn Fn(String) -> String| {
        cases.open(&format!("prefix_{name}"), expect, comment, |case| {
            prefixed(case, "shop_");
            case.respelled(change);
        });
    };
    refused("missing", "prefix", "The reader asks for a prefix, the text has none.", &|text| text[5..].into());
    refused("case", "prefix", "The case of the prefix differs.", &|text| format!("Shop_{}", &text[5..]));
    refused("cut", "prefix", "The prefix lacks its last character.", &|text| format!("shop{}", &text[5..]));
    refused("other", "prefix", "Another prefix.", &|text| format!("mall_{}", &text[5..]));
    refused("space_before", "prefix", "A space before the prefix.", &|text| format!(" {text}"));
    refused("alone", "length", "Nothing behind the prefix.", &|_| "shop_".into());
    refused("and_51_characters", "length", "The prefix does not count.", &|text| text[..56].into());
    refused("and_padding", "text", "What is behind the prefix is not strict base64url.", &|text| text + "=");
    refused("twice", "mode", "The prefix is stripped once; the second is taken for token.", &|text| {
        format!("shop_{text}")
    });
    cases.open("prefix_unasked", "mode", "The reader asks for no prefix, and takes it for token.", |case| {
        case.forge.prefix = "shop_".into();
    });
}
