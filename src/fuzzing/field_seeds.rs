//! Where the fuzzing of header fields begins.

use super::seed::Seed;

pub(super) fn cookies() -> Vec<Seed> {
    let many = [b"x=1;".repeat(199), b"id=A".to_vec()].concat();
    let cases: [(&str, &[u8]); 14] = [
        ("one", b"id=A"),
        ("among_others", b"a=1; id=A; b=2"),
        ("two_fields", b"a=1\nid=A"),
        ("twice", b"id=A; id=A"),
        ("conflict", b"id=A; id=B"),
        ("conflict_in_two_fields", b"id=A\nid=B"),
        ("empty", b"id=; id=A"),
        ("nameless", b"=id=A; id"),
        ("blanks", b" \tid=A\t ;;; "),
        ("blank_in_the_name", b"id =A"),
        ("percent", b"%69d=A"),
        ("not_text", b"\xc2\xa0id=A; x=\xff; id=\xe9"),
        ("quoted", b"id=\"A\"; $Version=1"),
        ("many", &many),
    ];
    cases.map(|(name, bytes)| Seed::new(name, bytes.to_vec())).into()
}

pub(super) fn authorizations() -> Vec<Seed> {
    let cases: [(&str, &[u8]); 15] = [
        ("token", b"\0Bearer EQab-_"),
        ("lower_case", b"\0bearer Egab"),
        ("blanks", b"\0BEARER    Ev=="),
        ("prefix", b"\x01Bearer shop_EQab"),
        ("without_prefix", b"\x01Bearer EQab"),
        ("nothing", b"\0Bearer"),
        ("blank", b"\0Bearer "),
        ("tab", b"\0Bearer\tEQab"),
        ("two_tokens", b"\0Bearer EQab EQab"),
        ("comma", b"\0Bearer EQab, x=y"),
        ("not_text", b"\0Bearer EQab\xe9"),
        ("padding_in_the_middle", b"\0Bearer EQ=ab"),
        ("json_web_token", b"\0Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"),
        ("other_scheme", b"\0Basic YWRhOg=="),
        ("two_fields", b"\0Bearer EQab\nBasic x"),
    ];
    cases.map(|(name, bytes)| Seed::new(name, bytes.to_vec())).into()
}

/// Policy, flags and act as in [`carrying`](super::carrying), then a head.
pub(super) fn heads() -> Vec<Seed> {
    const SAME: &str = "sec-fetch-site:same-origin\nsec-fetch-mode:cors\norigin:https://shop.example";
    let cases: [(&str, [u8; 3], &str, &str); 16] = [
        ("login", [0, 0, 4], "POST", SAME),
        ("login_under_dnt", [2, 0, 4], "POST", "dnt:1\nsec-fetch-site:same-origin"),
        ("page_under_gpc", [2, 0, 4], "POST", "Sec-GPC: 1\nsec-fetch-mode:navigate\nsec-fetch-site:same-origin"),
        ("page_that_may", [2, 4, 4], "POST", "sec-gpc:1\nsec-fetch-mode:navigate\ncookie:id=EQab"),
        ("native_login", [2, 0, 4], "POST", "session-transport:header\nuser-agent:x"),
        ("move", [2, 0, 2], "GET", "cookie:id=EQab\nsession-transport:header\ndnt:1\nsec-fetch-site:same-origin"),
        ("stray", [4, 0, 3], "GET", "cookie:id=EQab\nauthorization:Bearer EQcd\nsec-gpc:1"),
        ("forged_change", [0, 0, 0], "POST", "cookie:id=EQab\nsec-fetch-site:cross-site\norigin:https://evil.example"),
        ("trusted_change", [0, 8, 0], "PUT", "cookie:id=EQab\nsec-fetch-site:cross-site\norigin:https://app.example"),
        ("old_browser", [0, 0, 0], "POST", "cookie:id=EQab\norigin:https://shop.example\nhost:shop.example"),
        ("socket", [0, 0, 2], "GET", "cookie:id=EQab\nupgrade:h2c, websocket\nsec-fetch-site:cross-site"),
        ("image", [0, 0, 4], "GET", "sec-fetch-site:cross-site\nsec-fetch-mode:no-cors"),
        ("logout", [1, 0, 1], "POST", "cookie:id=EQab\nvary:accept, *"),
        ("plain_http", [2, 2, 4], "POST localhost:3000", "cookie:id=x\nvary:dnt,cookie"),
        ("plain_http_elsewhere", [0, 2, 4], "POST shop.example:3000", "cookie:id=x"),
        (
            "rejected",
            [3, 17, 2],
            "GET",
            "authorization:Basic x\ncookie:id=A;id=B\nsec-fetch-site:none\nsec-fetch-site:",
        ),
    ];
    let seed = |(name, choices, target, fields): (&'static str, [u8; 3], &str, &str)| {
        Seed::new(name, [&choices[..], target.as_bytes(), b"\n", fields.as_bytes()].concat())
    };
    cases.map(seed).into()
}
