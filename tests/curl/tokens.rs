//! Tokens of every kind, in the cookie and as bearer tokens: good, old, damaged, of another time or place.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::{Deserialize, Serialize};
use waxseal::{Carrier, Sealer, SessionState, Signer};

use crate::ask::{Ask, whoami};
use crate::face::{Face, ada_by, malformed, nobody, refused, unavailable};
use crate::keys::{self, Keys, ago, mint, now, sealer};
use crate::row::{Row, row};
use crate::run::Protocol;
use crate::shop::{Shop, ShopV1, ShopV2};
use crate::site::Site;

/// What becomes of a token, with the word for the log if it is refused.
#[derive(Clone, Copy)]
enum Verdict {
    Opens,
    /// Opens, and another goes out.
    Renewed,
    /// Good for nothing anywhere: a cookie is deleted.
    Worthless(&'static str),
    /// Refused, but the fault may be this server's: a cookie stays.
    Kept(&'static str),
    /// Begins like no token of ours: worthless in our cookie, and somebody else's as a bearer token.
    Foreign(&'static str),
    /// Worthless in the cookie, and as a bearer token it is not even one.
    Malformed(&'static str),
    /// Authentic, and cannot be judged now.
    Unavailable(&'static str),
}

use Verdict::{Foreign, Kept, Malformed, Opens, Renewed, Unavailable, Worthless};

#[test]
#[ignore = "needs curl"]
fn tokens_in_the_cookie() {
    check(
        &keys::cookie(),
        |ask, token| ask.cookie(token),
        |verdict| match verdict {
            Opens => (ada_by("cookie"), None),
            Renewed => (Face::written(200).sets_cookie().user("ada").by("cookie"), None),
            Worthless(why) | Foreign(why) | Malformed(why) => (Face::written(200).deletes_cookie().nobody(), Some(why)),
            Kept(why) => (nobody(), Some(why)),
            Unavailable(why) => (unavailable(), Some(why)),
        },
    );
}

#[test]
#[ignore = "needs curl"]
fn bearer_tokens() {
    check(
        &Carrier::Header,
        |ask, token| ask.bearer(token),
        |verdict| match verdict {
            Opens => (ada_by("header"), None),
            Renewed => (Face::written(200).gives_token().user("ada").by("header"), None),
            Worthless(why) | Kept(why) => (refused(), Some(why)),
            Foreign(_) => (nobody(), None),
            Malformed(_) => (malformed(), None),
            Unavailable(why) => (unavailable(), Some(why)),
        },
    );
}

/// Puts every token to a server: each must get its face, and the log must say why it was refused, in that order. Else a
/// row might try something else than its name says.
fn check(carrier: &Carrier, present: fn(Ask, &[u8]) -> Ask, judge: fn(Verdict) -> (Face, Option<&'static str>)) {
    let site = Site::start();
    let mut rows: Vec<Row> = vec![];
    let mut reasons = vec![];
    for (name, token, verdict) in minted(&site.keys, carrier).into_iter().chain(damaged(&site.keys, carrier)) {
        let (face, reason) = judge(verdict);
        rows.push(row(name, present(whoami(), &token), face));
        reasons.extend(reason.into_iter().flat_map(|reason| Protocol::BOTH.map(|_| (name, reason))));
    }
    site.check(&rows);
    let log = site.server.log();
    // Most are for information; what this version cannot read of its own service is an error.
    let logged = log.lines().filter_map(|line| line.split_once(" code="));
    let logged: Vec<_> = logged.filter_map(|(_, code)| code.split(' ').next()).collect();
    assert_eq!(logged.len(), reasons.len(), "{log}");
    for (logged, (name, reason)) in logged.into_iter().zip(reasons) {
        assert_eq!(logged, reason, "{name}");
    }
}

/// Status, fields and body tell nobody why a token was refused.
#[test]
#[ignore = "needs curl"]
fn refusals_are_the_same_to_the_byte() {
    let site = Site::start();
    let cases = minted(&site.keys, &Carrier::Header).into_iter().chain(damaged(&site.keys, &Carrier::Header));
    let refused = cases.filter(|(_, _, verdict)| matches!(verdict, Worthless(_) | Kept(_)));
    let refused: Vec<_> = refused.collect();
    assert!(refused.len() > 20, "{}", refused.len());
    for protocol in Protocol::BOTH {
        let answers = refused.iter().map(|(_, token, _)| site.send(protocol, &whoami().bearer(token)).unwrap());
        let answers: BTreeSet<_> = answers.map(|answer| answer.without_date()).collect();
        assert_eq!(answers.len(), 1, "{answers:#?}");
    }
    site.check_log();
}

type Case = (&'static str, Vec<u8>, Verdict);

/// Tokens that a sealer made, though not always one such as the server's.
fn minted(keys: &Keys, carrier: &Carrier) -> Vec<Case> {
    let ada = Shop::of("ada".into());
    let (own, before, old) = (sealer(&keys.now, carrier), sealer(&keys.before, carrier), sealer(&keys.old, carrier));
    let at = |sealer: &Sealer<Shop>, at| mint(sealer, "ada", at);
    let of = |sealer: Sealer<Shop>| at(&sealer, now());
    let elsewhere = match carrier {
        Carrier::Cookie(_) => Carrier::Header,
        Carrier::Header => keys::cookie(),
    };
    let short = own.with(&[]).ttl(Duration::from_secs(60)).at(ago(100)).start(&ada).unwrap().into_string();
    let purpose = Sealer::builder(&keys.now, "password-reset").carrier(carrier.clone()).build().unwrap();
    let signer: Signer<Shop> = Signer::builder(&keys.now, "session").carrier(carrier.clone()).build().unwrap();
    let v1 = ShopV1 { user: "ada".into(), skus: vec![7] };
    let v2 = ShopV2 { user: "ada".into(), cart: vec![] };
    let cases = [
        ("fresh", at(&own, now()), Opens),
        ("of schema 1", sealer(&keys.now, carrier).start(&v1).unwrap().into_string(), Opens),
        ("of schema 2", sealer(&keys.now, carrier).start(&v2).unwrap().into_string(), Opens),
        ("from a clock that is ahead by less than the skew", at(&own, now().plus(2)), Opens),
        ("past half of its life", at(&own, ago(500)), Renewed),
        ("under a retiring key", at(&old, ago(keys::UNDER_RETIRING)), Renewed),
        (
            "of schema 4",
            sealer(&keys.now, carrier).start(&Tomorrow { user: 7 }).unwrap().into_string(),
            Unavailable("newer_schema"),
        ),
        ("under a disabled key", keys.disabled(carrier), Unavailable("disabled_key")),
        (
            "of another layout with this schema",
            sealer(&keys.now, carrier).start(&Mistake(7)).unwrap().into_string(),
            Kept("body"),
        ),
        ("from a clock that is far ahead", at(&own, now().plus(300)), Kept("not_yet_valid")),
        ("of another ring", of(sealer(&keys.other, carrier)), Kept("unknown_key")),
        ("expired", short, Worthless("expired")),
        ("under an expired key", at(&before, ago(keys::UNDER_EXPIRED)), Worthless("expired_key")),
        ("under a revoked key", at(&before, ago(keys::UNDER_REVOKED)), Worthless("revoked_key")),
        ("sealed now with a key that has retired", at(&old, now()), Worthless("retired_key")),
        ("of the other carrier", of(sealer(&keys.now, &elsewhere)), Worthless("forged")),
        ("of a cookie with another name", of(sealer(&keys.now, &keys::plain_cookie())), Worthless("forged")),
        ("of another purpose", of(purpose), Worthless("forged")),
        ("of a context", own.with(b"tenant").start(&ada).unwrap().into_string(), Worthless("forged")),
        ("signed, not sealed", signer.sign(&ada).unwrap().into_string(), Worthless("mode")),
    ];
    cases.map(|(name, token, verdict)| (name, token.into_bytes(), verdict)).into()
}

/// A good token that something happened to.
fn damaged(keys: &Keys, carrier: &Carrier) -> Vec<Case> {
    let token = mint(&sealer(&keys.now, carrier), "ada", now());
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let flip = |at: usize, bits: u8| {
        let mut bytes = bytes.clone();
        bytes[at] ^= bits;
        encode(&bytes)
    };
    let put = |at: usize, text: &str| format!("{}{text}{}", &token[..at], &token[at + 1..]);
    let tag = bytes.len() - 16;
    let last = token.len() - 1;
    let cases = [
        // Version and mode, key id, issue time, rnd, body, tag: FORMAT.md, "Token".
        ("another version", flip(0, 0x20), Foreign("mode")),
        ("another mode", flip(0, 0x03), Worthless("mode")),
        ("the key id's first bit", flip(1, 0x80), Kept("unknown_key")),
        ("the key id's last bit", flip(3, 0x01), Kept("unknown_key")),
        ("the issue time's first bit", flip(4, 0x80), Worthless("forged")),
        ("the issue time's last bit", flip(7, 0x01), Worthless("forged")),
        ("rnd's first bit", flip(8, 0x80), Worthless("forged")),
        ("rnd's last bit", flip(19, 0x01), Worthless("forged")),
        ("the body's first bit", flip(20, 0x80), Worthless("forged")),
        ("the body's last bit", flip(tag - 1, 0x01), Worthless("forged")),
        ("the tag's first bit", flip(tag, 0x80), Worthless("forged")),
        ("the tag's last bit", flip(bytes.len() - 1, 0x01), Worthless("forged")),
        ("one byte short", encode(&bytes[..bytes.len() - 1]), Worthless("forged")),
        ("without its tag", encode(&bytes[..tag]), Worthless("length")),
        ("the shortest there can be", token[..52].to_owned(), Worthless("forged")),
        ("shorter than any", token[..51].to_owned(), Worthless("length")),
        ("its first character", token[..1].to_owned(), Foreign("length")),
        ("one byte more", encode(&[&bytes[..], b"\0"].concat()), Worthless("forged")),
        ("twice", format!("{token}{token}"), Worthless("forged")),
        ("twice with a full stop", format!("{token}.{token}"), Worthless("text")),
        ("twice with a blank", format!("{token} {token}"), Malformed("text")),
        ("a prefix", format!("shop_{token}"), Foreign("mode")),
        ("padding", format!("{token}=="), Worthless("text")),
        ("too little padding", format!("{token}="), Worthless("text")),
        ("a plus sign", put(30, "+"), Worthless("text")),
        ("a slash", put(30, "/"), Worthless("text")),
        ("a percent sign", put(30, "%2D"), Malformed("text")),
        ("an escaped NUL at the end", format!("{token}%00"), Malformed("text")),
        ("a letter with an accent", put(30, "é"), Malformed("text")),
        ("a wide letter", put(30, "Ａ"), Malformed("text")),
        ("an invisible blank at the end", format!("{token}\u{200b}"), Malformed("text")),
        ("in quotes", format!("\"{token}\""), Malformed("text")),
        ("bits behind the last byte", put(last, trailing(&token)), Worthless("text")),
        ("the longest there can be", format!("EQ{}", "A".repeat(3_998)), Kept("unknown_key")),
        ("longer than any", format!("EQ{}", "A".repeat(3_999)), Worthless("length")),
    ];
    let mut cases: Vec<Case> = cases.map(|(name, token, verdict)| (name, token.into_bytes(), verdict)).into();
    cases.push(("a byte that is no text", [token.as_bytes(), b"\xff"].concat(), Malformed("text")));
    cases
}

/// The last character with one bit more, which belongs to no byte.
fn trailing(token: &str) -> &'static str {
    match token.as_bytes().last() {
        Some(b'A') => "B",
        Some(b'Q') => "R",
        Some(b'g') => "h",
        Some(b'w') => "x",
        other => panic!("a token of ada's ends in two characters for one byte, not in {other:?}"),
    }
}

/// The state of a newer version of the server.
#[derive(Serialize, Deserialize)]
struct Tomorrow {
    user: u64,
}

impl SessionState for Tomorrow {
    const SCHEMA: u16 = 4;
}

/// A state that was changed without a new schema.
#[derive(Serialize, Deserialize)]
struct Mistake(u8);

impl SessionState for Mistake {
    const SCHEMA: u16 = 3;
}
