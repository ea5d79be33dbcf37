//! Where fuzzing begins: a few inputs for each property, written to `fuzz/corpus-seeds`.
//!
//! `cargo test --lib write_the_seeds -- --ignored` writes them anew.

use super::field_seeds;
use super::fixture::{CONTEXT, Desk, ENTRIES, HOUR, NOW, Shop, ShopV1, Side, file_of, forge, spelled, with_digest};
use super::seed::Seed;
use crate::crypto::TAG_LEN;
use crate::id::RND_LEN;
use crate::session::{Buffer, Sealed, Signed};
use crate::state::encode;
use crate::text::MAX_TOKEN_LEN;
use crate::token::{Claims, HEADER_LEN, Header, Padding, pad};

/// The seeds of a property.
pub(super) fn of(property: &str) -> Vec<Seed> {
    match property {
        "authorization_fields" => field_seeds::authorizations(),
        "carrying" => field_seeds::heads(),
        "claims" => cases().iter().flat_map(Case::plaintexts).collect(),
        "cookie_fields" => field_seeds::cookies(),
        "labels" => names(),
        "open_text" => texts::<Sealed>(),
        "ring_file" => files(),
        "roles" => dates(),
        "verify_text" => texts::<Signed>(),
        other => panic!("no property is called {other}"),
    }
}

/// A token that no sealer has to mint.
struct Case {
    name: &'static str,
    answer: &'static str,
    key: &'static str,
    issued_at: u64,
    plaintext: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let case = |name, answer, key, issued_at, plaintext| Case { name, answer, key, issued_at, plaintext };
    let good = || plaintext(3, 3600, None, &shop());
    let aged = |hours| plaintext(3, 3600, Some(hours * HOUR as u32), &shop());
    let mut padded = plaintext(3, 3600, None, &shop());
    padded[0] |= 1;
    pad(&mut padded, 0, Padding::To32);
    let longest = MAX_TOKEN_LEN - HEADER_LEN - TAG_LEN;
    let mut v1 = Vec::new();
    encode(&ShopV1 { user: "ada".into() }, &mut v1).unwrap();
    vec![
        case("start", "accepted", "active", NOW, good()),
        case("renewal", "accepted", "active", NOW, aged(1)),
        case("padded_unaligned", "claims", "active", NOW, padded[..padded.len() - 1].to_vec()),
        case("padded_too_far", "claims", "active", NOW, [&[7, 1, 0, 0x80][..], &[0; 76]].concat()),
        case("padded", "accepted or claims", "active", NOW, padded),
        case("old_schema", "accepted", "active", NOW, plaintext(1, 3600, None, &v1)),
        case("newer_schema", "accepted", "active", NOW, plaintext(4, 3600, None, &shop())),
        case("unknown_schema", "accepted", "active", NOW, plaintext(2, 3600, None, &shop())),
        case("left_over", "accepted", "active", NOW, plaintext(3, 3600, None, &[shop(), vec![0]].concat())),
        case("shortest", "accepted", "active", NOW, vec![6, 1, 0]),
        case("longest", "accepted", "active", NOW, plaintext(3, 3600, None, &vec![7; longest - 4])),
        case("head_not_minimal", "claims", "active", NOW, vec![0x86, 0, 1, 0]),
        case("retiring_key", "accepted", "retiring", NOW - HOUR, plaintext(3, 5000, None, &shop())),
        case("retired_key", "retired_key", "retiring", NOW, good()),
        case("scheduled_key", "accepted", "scheduled", NOW + 120, good()),
        case("staged_key", "accepted", "staged", NOW, good()),
        case("disabled_key", "disabled_key", "disabled", NOW, good()),
        case("expired_key", "expired_key", "expired", NOW, good()),
        case("revoked_key", "revoked_key", "revoked", NOW, good()),
        case("not_yet_valid", "not_yet_valid", "active", NOW + 121, good()),
        case("expired", "expired", "active", NOW - HOUR, good()),
        case("revoked", "revoked", "active", NOW, aged(6)),
    ]
}

fn shop() -> Vec<u8> {
    let mut body = Vec::new();
    encode(&Shop { user: "ada".into(), cart: vec![1042, 7], note: Some(true) }, &mut body).unwrap();
    body
}

fn plaintext(schema: u16, ttl: u32, age: Option<u32>, body: &[u8]) -> Vec<u8> {
    let start = Claims::start(schema, ttl);
    let claims = match age {
        None => start,
        Some(age) => {
            let id = start.session_id(NOW as u32 - age, [0xc3; RND_LEN]).unwrap();
            Claims::renewal(schema, ttl, id, NOW as u32)
        }
    };
    let mut plaintext = Vec::new();
    claims.write(&mut plaintext);
    plaintext.extend_from_slice(body);
    plaintext
}

impl Case {
    fn key(&self) -> usize {
        ENTRIES.iter().position(|entry| entry.name == self.key).unwrap()
    }

    fn text<M: Side>(&self) -> Seed {
        let (key_id, subkeys) = &M::desk().keys[self.key()];
        let issued_at = self.issued_at as u32;
        let header = Header { mode: M::MODE.byte(), key_id: *key_id, issued_at, rnd: [0x5a; RND_LEN] };
        let bytes = spelled(&forge(subkeys, header, &self.plaintext)).into_bytes();
        Seed { name: self.name, bytes, answer: self.answer }
    }

    /// As an input of `claims`, for the sealed mode; every third one for the signed mode instead.
    fn plaintexts(&self) -> Option<Seed> {
        let signed = u8::from(self.name.len().is_multiple_of(3));
        let choice = (self.key() as u8) << 1 | signed;
        let bytes = [&[choice][..], &(self.issued_at as u32).to_be_bytes(), &self.plaintext].concat();
        Some(Seed { name: self.name, bytes, answer: "" })
    }
}

fn texts<M: Side>() -> Vec<Seed> {
    // FORMAT.md, Examples 1, 3 and 10: another ring's.
    let other_rings = [
        ("format_example_1", "EQ-opWp0MoAVYPyyL9B1s1fpyUo2YhWBHz6uIYF99kR0E1VH_YOSH1sNgy-whgjf3M0"),
        ("format_example_3", "Eg-opWp0MoB04GGP1J047VqGqNUCkBwA0oXYzASxqAOBBGy9KaBFnHzZ559qLa3wvlY"),
        ("format_example_10", "shop_EQ-opWp0MoAVYPyyL9B1s1fpyUo2YhWBHz6uIYF99kR0E1VH_YOSH1sNgy-whgjf3M0"),
    ];
    let other_rings = other_rings.map(|(name, text)| Seed { name, bytes: text.into(), answer: "refused" });
    cases().iter().map(Case::text::<M>).chain(other_rings).collect()
}

fn files() -> Vec<Seed> {
    let all = file_of(&ENTRIES);
    let edited = |from: &str, to: &str| {
        let text = String::from_utf8(all.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        with_digest(text.replacen(from, to, 1).as_bytes())
    };
    let seed = |name, answer, bytes| Seed { name, bytes, answer };
    vec![
        seed("every_role", "accepted", all.clone()),
        seed("one_key", "accepted", file_of(&ENTRIES[4..5])),
        seed("only_revoked", "accepted", file_of(&ENTRIES[..1])),
        seed("reversed", "accepted", file_of(&ENTRIES.iter().rev().copied().collect::<Vec<_>>())),
        seed("spaced", "accepted", edited(":1,\n", " : 1 ,\r\n\t")),
        seed("escaped", "accepted", edited("laptop", "l\\u0061ptop \\u00fc\\ud83d\\ude00")),
        seed("every_number", "accepted", {
            let text = String::from_utf8(all.clone()).unwrap();
            let text = text.replace("\"refresh\":15", "\"refresh\":14").replace("\"late\":86400", "\"late\":86401");
            with_digest(text.replace("\"stale_ok_until\":0", "\"stale_ok_until\":1786000001").as_bytes())
        }),
        seed("secret_as_name", "refused", edited("\"format\":1", &format!("\"`{}\":1", "Ab0-_".repeat(9)))),
        seed("escapes_as_name", "refused", edited("\"format\":1", "\"\\u001b[31m\\n\":1")),
        seed("no_digest", "refused", all[..all.len() - 90].to_vec()),
        seed("cut", "refused", all[..all.len() / 2].to_vec()),
        seed("wrong_digest", "refused", all.iter().map(|&byte| if byte == b'6' { b'7' } else { byte }).collect()),
        seed("format_2", "refused", edited("\"format\":1", "\"format\":2")),
        seed("unknown_field", "refused", edited("\"format\":1", "\"format\":1,\"extra\":[[{}]]")),
        seed("policy_as_array", "refused", {
            let text = String::from_utf8(all.clone()).unwrap();
            let (from, to) = (text.find("\"policy\":{").unwrap() + 9, text.find("},\n\"not_before\"").unwrap() + 1);
            with_digest(format!("{}[86400,60,15,600,86400,3600,2592000]{}", &text[..from], &text[to..]).as_bytes())
        }),
        seed("status_as_object", "refused", edited("\"enabled\"", "{\"enabled\":null}")),
        seed("twice", "refused", edited("\"format\":1", "\"format\":1,\"format\":1")),
        seed("negative", "refused", edited("\"skew\":60", "\"skew\":-60")),
        seed("end_of_time", "accepted", edited("\"created_at\":0", "\"created_at\":18446744073709551615")),
        seed("no_keys", "refused", file_of(&[])),
        seed("published_secret", "refused", {
            let text = String::from_utf8(all.clone()).unwrap();
            let at = text.find("\"secret\":\"").unwrap() + 10;
            with_digest(format!("{}{}{}", &text[..at], "A".repeat(43), &text[at + 43..]).as_bytes())
        }),
    ]
}

fn dates() -> Vec<Seed> {
    let seed = |name, bytes: &[u8]| Seed { name, bytes: bytes.to_vec(), answer: "" };
    vec![
        seed("none", &[]),
        seed("rotation", &[0, 0x90, 0, 0, 0xf0, 0, 0, 0x10, 0, 1, 0, 0]),
        seed("all_at_once", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        seed("superseded_early", &[8, 0x90, 0x80, 8, 0xf0, 0xe0, 24, 0x10, 0x7f]),
        seed("disabled_and_revoked", &[2, 0x90, 0, 4, 0xf0, 0, 5, 0, 0, 18, 0x10, 0]),
    ]
}

fn names() -> Vec<Seed> {
    let names = [
        ("purpose", "session"),
        ("purpose_path", "shop/v2.reset-password_x"),
        ("carrier_header", "header"),
        ("carrier_cookie", "cookie:__Host-Http-id"),
        ("carrier_no_name", "cookie:"),
        ("cookie_symbols", "!#$%&'*+-.^_`|~"),
        ("mode", "signed"),
        ("session_id", "s1.6a7432801560fcb22fd075b357e9c94a"),
        ("session_id_upper", "s1.6A7432801560FCB22FD075B357E9C94A"),
        ("key_id", "0fa8a5"),
        ("controls", "a\nb\0c\u{1b}[31m"),
        ("not_ascii", "séance\u{2028}\u{1f600}"),
    ];
    names.map(|(name, text)| Seed { name, bytes: text.into(), answer: "" }).into()
}

type Property = fn(&[u8]);

const PROPERTIES: [(&str, Property); 9] = [
    ("authorization_fields", super::authorization_fields),
    ("carrying", super::carrying),
    ("claims", super::claims),
    ("cookie_fields", super::cookie_fields),
    ("labels", super::labels),
    ("open_text", super::open_text),
    ("ring_file", super::ring_file),
    ("roles", super::roles),
    ("verify_text", super::verify_text),
];

#[test]
fn every_property_holds_for_its_seeds() {
    for (name, property) in PROPERTIES {
        let seeds = of(name);
        assert!((5..=32).contains(&seeds.len()), "{name} has {} seeds", seeds.len());
        seeds.iter().for_each(|seed| property(&seed.bytes));
    }
}

/// A seed that stops at the door would leave the rooms behind it unfuzzed.
#[test]
fn seeds_reach_what_they_are_meant_to() {
    fn check<M: Side>(desk: &Desk<M>) {
        for seed in texts::<M>() {
            let mut buffer = Buffer::new();
            let opened = desk.raw.open(&seed.bytes, CONTEXT, &mut buffer);
            let code = opened.map_or_else(|error| error.reason().code(), |_| "accepted");
            assert!(
                seed.answer.contains(code) || seed.answer == "refused" && code != "accepted",
                "{}: {code}",
                seed.name
            );
        }
    }
    check(Sealed::desk());
    check(Signed::desk());
    for seed in files() {
        let accepted = crate::keys::Ring::from_file(&seed.bytes).is_ok();
        assert_eq!(accepted, seed.answer == "accepted", "{}", seed.name);
    }
}

#[test]
#[ignore = "writes fuzz/corpus-seeds"]
fn write_the_seeds() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus-seeds");
    if root.exists() {
        std::fs::remove_dir_all(&root).unwrap();
    }
    for (name, _) in PROPERTIES {
        std::fs::create_dir_all(root.join(name)).unwrap();
        for seed in of(name) {
            std::fs::write(root.join(name).join(seed.name), seed.bytes).unwrap();
        }
    }
}
