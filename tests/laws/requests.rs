//! Any request to any handler: good tokens and bad ones, in any fields, among any bytes that a field may hold.

use std::sync::OnceLock;

use proptest::prelude::*;
use waxseal::time::Timestamp;
use waxseal::web::CookiePolicy;

use super::visits::{Act, Visit, servers};
use crate::httpkit::shop::{COOKIE, LIFE, Shop, shop};
use crate::testkit::NOW;

/// The texts of some tokens: for either carrier and either name of the cookie; fresh, due and over.
fn tokens() -> &'static [Vec<u8>] {
    static TOKENS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let servers = servers();
        let sealers = [servers.sealer.clone(), servers.cookie(COOKIE), servers.cookie("id")];
        let made = sealers.iter().flat_map(|sealer| {
            [0, LIFE / 2, LIFE].into_iter().flat_map(move |age| {
                [false, true].map(|remember| {
                    let at = Timestamp::from_unix(NOW - age);
                    let token = sealer.with(&[]).at(at).start(&Shop { remember, ..shop("ada") }).unwrap();
                    token.into_string().into_bytes()
                })
            })
        });
        made.collect()
    })
}

fn any_token() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => any::<prop::sample::Index>().prop_map(|index| index.get(tokens()).clone()),
        1 => "E[Q-Za-v][A-Za-z0-9_-]{0,80}".prop_map(String::into_bytes),
        1 => hostile(0..30),
    ]
}

/// Bytes that a field's value may hold.
fn hostile(len: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => b' '..=b'~', 2 => 0x80..=0xff_u8, 1 => Just(b'\t')];
    prop::collection::vec(byte, len)
}

fn any_cookie() -> impl Strategy<Value = Vec<u8>> {
    let ours = prop::sample::select(vec![COOKIE, COOKIE, COOKIE, "id"]);
    let piece = prop_oneof![
        6 => (ours, any_token()).prop_map(|(name, token)| [name.as_bytes(), b"=", &token].concat()),
        2 => Just(b"theme=dark".to_vec()),
        1 => hostile(0..20),
    ];
    let far = Just(vec![b'x'; 17_000]);
    prop_oneof![20 => prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.join(&b"; "[..])), 1 => far]
}

fn any_authorization() -> impl Strategy<Value = Vec<u8>> {
    let scheme = prop::sample::select(vec!["Bearer ", "bearer  ", "Bearer", "Basic "]);
    prop_oneof![
        8 => any_token().prop_map(|token| [b"Bearer ", &token[..]].concat()),
        1 => (scheme, any_token()).prop_map(|(scheme, token)| [scheme.as_bytes(), &token].concat()),
        1 => hostile(0..40),
    ]
}

fn any_field() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let of = |name, values: &[&'static str]| {
        let some = prop::sample::select(values.to_vec()).prop_map(|value| value.as_bytes().to_vec());
        prop_oneof![9 => some, 1 => hostile(0..8)].prop_map(move |value| (name, value))
    };
    prop_oneof![
        6 => any_cookie().prop_map(|value| ("cookie", value)),
        2 => any_authorization().prop_map(|value| ("authorization", value)),
        2 => of("dnt", &["1", "1", "0", "null", "1x"]),
        2 => of("sec-gpc", &["1", "1", "0", "?1"]),
        3 => of("sec-fetch-site", &["same-origin", "same-origin", "none", "same-site", "cross-site"]),
        2 => of("sec-fetch-mode", &["navigate", "cors", "cors", "no-cors"]),
        3 => of("session-transport", &["header", "header", "HEADER", "cookie"]),
        1 => of("origin", &["https://shop.example", "https://evil.example", "null"]),
        2 => of("host", &["shop.example", "localhost:3000"]),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Allow),
        1 => Just(Act::Arrived),
        4 => (0..3_u32).prop_map(Act::Change),
        2 => Just(Act::End),
        3 => Just(Act::Get),
        1 => Just(Act::Grow),
        2 => Just(Act::HandOff),
        1 => Just(Act::Renew),
        3 => any::<bool>().prop_map(Act::Start),
    ]
}

pub(crate) fn any_visit() -> impl Strategy<Value = Visit> {
    let respect = |dnt, gpc| CookiePolicy::RespectSignals { dnt, gpc };
    let policies = vec![
        CookiePolicy::Always,
        CookiePolicy::Never,
        respect(true, true),
        respect(true, true),
        respect(true, false),
        respect(false, true),
    ];
    let own = prop::sample::select(vec![
        ("set-cookie", "theme=dark"),
        ("set-cookie", "__Host-Http-id=handmade"),
        ("set-cookie", "id=handmade; Path=/"),
        ("cache-control", "public, max-age=60"),
        ("cache-control", "private"),
        ("cdn-cache-control", "max-age=60"),
        ("vary", "Accept, cookie"),
        ("vary", "*"),
        ("vary", "dnt"),
    ]);
    (
        (prop::sample::select(policies), any::<bool>(), prop::bool::weighted(0.2)),
        prop::sample::select(vec![4_093_usize, 4_093, 900]),
        prop::sample::select(vec!["GET", "POST", "POST", "HEAD", "DELETE"]),
        prop::collection::vec(any_field(), 0..7),
        prop::collection::vec(any_act(), 0..5),
        prop::sample::select(vec![200_u16, 200, 200, 204, 303, 404, 409, 500, 503]),
        prop::collection::vec(own, 0..3),
    )
        .prop_map(|((policy, hears, plain_http), budget, method, fields, acts, status, own)| Visit {
            policy,
            hears,
            plain_http,
            budget,
            method,
            fields,
            acts,
            status,
            own,
        })
}
