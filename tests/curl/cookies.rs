//! The `Cookie` field as clients, proxies and attackers spell it.

use std::collections::BTreeSet;

use crate::ask::{Ask, cart, login, post, whoami};
use crate::face::{Face, ada_by, needed, nobody, unavailable};
use crate::keys::{cookie, mint, now, sealer};
use crate::row::{Outcome, row};
use crate::run::Protocol;
use crate::site::{COOKIE, Site};

/// `A` and `B` are good tokens of ada and bob, `ID` is the cookie's name, and each part is a field of its own.
#[test]
#[ignore = "needs curl"]
fn the_field_in_every_spelling() {
    let site = Site::start();
    let (ada, bob) = (site.keys.cookie("ada"), site.keys.cookie("bob"));
    let found = || ada_by("cookie");
    let worthless = || Face::written(200).deletes_cookie().nobody();
    let cases: [(&[&str], Face); 60] = [
        (&["ID=A"], found()),
        (&["  ID=A  "], found()),
        (&["x=1; ID=A; y=2"], found()),
        (&["x=1;ID=A;y=2"], found()),
        (&["x=1;\tID=A\t;y=2"], found()),
        (&["ID=A;"], found()),
        (&[";;;"], nobody()),
        (&[";;;ID=A;;;"], found()),
        (&[" ; ; ID=A"], found()),
        (&["x=1", "ID=A"], found()),
        (&["ID=A", "x=1"], found()),
        (&["x=1", "ID=A", "y=2"], found()),
        // The same twice is one; two that differ are none, whichever comes first and however good.
        (&["ID=A; ID=A"], found()),
        (&["ID=A", "ID=A"], found()),
        (&["ID=A", "ID=A", "ID=A"], found()),
        (&["ID=A; ID=B"], worthless()),
        (&["ID=B; ID=A"], worthless()),
        (&["ID=A", "ID=B"], worthless()),
        (&["ID=A; ID=B; ID=A"], worthless()),
        (&["ID=A; ID=x"], worthless()),
        (&["ID=x", "ID=A"], worthless()),
        (&["ID=A; ID="], found()),
        (&["ID=; ID=A"], found()),
        (&["ID=A; ID=\"A\""], worthless()),
        // What only looks like the cookie.
        (&["__host-http-id=A"], nobody()),
        (&["__HOST-HTTP-ID=A"], nobody()),
        (&["id=A"], nobody()),
        (&["__Host-id=A"], nobody()),
        (&["ID =A"], nobody()),
        (&["ID\t=A"], nobody()),
        (&["ID"], nobody()),
        (&["=ID"], nobody()),
        (&["=A"], nobody()),
        (&["A"], nobody()),
        (&["ID="], nobody()),
        (&["=ID=A"], nobody()),
        (&["xID=A"], nobody()),
        (&["IDx=A"], nobody()),
        (&["\"ID\"=A"], nobody()),
        (&["x=1,ID=A"], nobody()),
        (&["x=1&ID=A"], nobody()),
        (&["__%48ost-Http-id=A"], nobody()),
        (&["ID%3DA"], nobody()),
        (&["\u{a0}ID=A"], nobody()),
        (&["\u{85}ID=A"], nobody()),
        (&["\u{2000}ID=A"], nobody()),
        (&["\u{feff}ID=A"], nobody()),
        // Nothing in the value is decoded, stripped or divided.
        (&["ID=\"A\""], worthless()),
        (&["ID= A"], worthless()),
        (&["ID==A"], worthless()),
        (&["ID=A="], worthless()),
        (&["ID=A%00"], worthless()),
        (&["ID=A,x=1"], worthless()),
        (&["ID=A ID=B"], worthless()),
        (&["ID=A\u{a0}"], worthless()),
        (&["x=\"; ID=A\""], worthless()),
        (&["x=\"; ID=A; y=\""], found()),
        // RFC 2965 is history, and its words are cookies like any other.
        (&["$Version=1; ID=A"], found()),
        (&["$Version=\"1\"; ID=A; $Path=\"/\"; $Domain=\"127.0.0.1\""], found()),
        (&["$Version=1, ID=A"], nobody()),
    ];
    let rows = cases.map(|(fields, face)| {
        let own = |field: &&str| {
            let parts = field.split('A').map(|part| part.replace('B', &bob).replace("ID", COOKIE)).collect::<Vec<_>>();
            format!("Cookie: {}", parts.join(&ada))
        };
        row(fields.join(" + "), fields.iter().map(own).fold(whoami(), Ask::field), face)
    });
    site.check(&rows);
}

/// One foreign cookie that is no ASCII must not log a user out: browsers send whatever bytes were set.
#[test]
#[ignore = "needs curl"]
fn bytes_beyond_ascii_before_ours() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let before =
        |bytes: &[u8]| whoami().field([b"Cookie: ", bytes, b"; ", COOKIE.as_bytes(), b"=", token.as_bytes()].concat());
    let beyond: Vec<u8> = (0x80..=0xff).collect();
    let found = || ada_by("cookie");
    let mut rows = vec![
        row("all in a value", before(&[b"x=", &beyond[..]].concat()), found()),
        row("all in a name", before(&[&beyond[..], b"=x"].concat()), found()),
        row("all in a field of its own", whoami().field([b"Cookie: x=", &beyond[..]].concat()).cookie(&token), found()),
        row("UTF-8", before("größe=größer".as_bytes()), found()),
        row("UTF-8 cut short", before(b"x=\xe2\x82"), found()),
    ];
    rows.extend(
        beyond.iter().step_by(16).map(|&byte| row(format!("{byte:02x}"), before(&[b'x', b'=', byte]), found())),
    );
    site.check(&rows);
}

/// Control characters never get as far as the session. HTTP/1.1 is told so; HTTP/2 has no word for it.
#[test]
#[ignore = "needs curl"]
fn control_characters() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let before = |byte: u8| [b"x=", &[byte][..], b"y; ", COOKIE.as_bytes(), b"=", token.as_bytes()].concat();
    let refused = (0x01..=0x1f).chain([0x7f]).filter(|byte| !b"\t\n\r".contains(byte));
    let mut rows: Vec<_> = refused
        .map(|byte| {
            let ask = whoami().field([&b"Cookie: "[..], &before(byte)].concat());
            row(format!("{byte:02x}"), ask, Face::untouched(400)).over_http2(Outcome::HungUp)
        })
        .collect();
    rows.push(row("a tab", whoami().field([&b"Cookie: "[..], &before(b'\t')].concat()), ada_by("cookie")));
    // curl ends a field at these by itself.
    for (name, byte) in [("NUL", 0), ("a line feed", b'\n'), ("a carriage return", b'\r')] {
        let head = b"GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: ";
        let request = [&head[..], &before(byte), b"\r\n\r\n"].concat();
        rows.push(row(name, whoami().raw(&request), Face::untouched(400)).http1_only());
    }
    site.check(&rows);
}

/// A cookie that cannot be judged is no reason to refuse a login, and one that is worth nothing none to complain.
#[test]
#[ignore = "needs curl"]
fn a_bad_cookie_and_what_is_asked_with_it() {
    let site = Site::start();
    let disabled = site.keys.disabled(&cookie());
    let unknown = mint(&sealer(&site.keys.other, &cookie()), "ada", now());
    let deleted = |status| Face::written(status).deletes_cookie();
    let begun = || Face::written(200).sets_cookie().user("ada");
    let ended = || Face::written(200).takes_token().deletes_cookie();
    site.check(&[
        row("worthless: looked at", whoami().cookie("x"), deleted(200).nobody()),
        row("worthless: needed", cart().cookie("x"), deleted(401).needs_session()),
        row("worthless: log in", login().cookie("x"), begun()),
        row("worthless: log out", post("/logout").cookie("x"), ended()),
        row(
            "worthless: looked at under a signal",
            whoami().cookie("x").field("DNT: 1"),
            deleted(200).nobody().heard("DNT"),
        ),
        row(
            "worthless: log in under a signal",
            login().cookie("x").field("DNT: 1"),
            deleted(200).gives_token().user("ada").heard("DNT"),
        ),
        row("of an unknown key: looked at", whoami().cookie(&unknown), nobody()),
        row("of an unknown key: needed", cart().cookie(&unknown), needed()),
        row("of an unknown key: log in", login().cookie(&unknown), begun()),
        row("of an unknown key: log out", post("/logout").cookie(&unknown), ended()),
        row("of a disabled key: looked at", whoami().cookie(&disabled), unavailable()),
        row("of a disabled key: needed", cart().cookie(&disabled), unavailable()),
        row("of a disabled key: log in", login().cookie(&disabled), begun()),
        row("of a disabled key: log out", post("/logout").cookie(&disabled), ended()),
    ]);
}

/// Whatever is sent, no token comes twice.
#[test]
#[ignore = "needs curl"]
fn every_token_is_new() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let mut seen = BTreeSet::from([token.clone()]);
    for protocol in Protocol::BOTH {
        for ask in [login(), login().cookie(&token), cart().cookie(&token), post("/renew").cookie(&token)] {
            let answer = site.send(protocol, &ask).unwrap();
            let [token] = &answer.tokens()[..] else { panic!("not one token: {answer:?}") };
            assert!(seen.insert(token.clone()), "{answer:?}");
        }
    }
}
