//! Do Not Track and Global Privacy Control in every spelling, clients that hold their token, and where a token then goes.

use waxseal::Carrier;

use crate::ask::{Ask, cart, get, login, post, session, whoami};
use crate::face::{Face, ada_by, nobody, read_only, undeliverable_to_page};
use crate::keys::{cookie, sealer};
use crate::row::{Row, row};
use crate::run::Protocol;
use crate::shop::Shop;
use crate::site::Site;

/// A login answered with a cookie.
fn by_cookie() -> Face {
    Face::written(200).sets_cookie().user("ada")
}

/// A login answered with a token.
fn by_token() -> Face {
    Face::written(200).gives_token().user("ada")
}

#[test]
#[ignore = "needs curl"]
fn do_not_track_in_every_spelling() {
    let off = by_cookie;
    let (on, no) = (by_token().heard("DNT"), by_cookie().heard("no DNT"));
    check_logins([
        ("nothing", &[][..], off()),
        ("on", &["DNT: 1"], on.clone()),
        ("on, in lower case", &["dnt: 1"], on.clone()),
        ("on, with extensions", &["DNT: 1xyz"], on.clone()),
        ("on, with more blanks", &["DNT: \t 1 "], on.clone()),
        ("off", &["DNT: 0"], no.clone()),
        ("off, with extensions", &["DNT: 0;1"], no.clone()),
        ("null", &["DNT: null"], off()),
        ("empty", &["DNT;"], off()),
        ("two", &["DNT: 2"], off()),
        ("a word", &["DNT: yes"], off()),
        ("in quotes", &["DNT: \"1\""], off()),
        ("a no-break space first", &["DNT: \u{a0}1"], off()),
        ("off and on", &["DNT: 0", "DNT: 1"], on.clone()),
        ("on and off", &["DNT: 1", "DNT: 0"], on.clone()),
        ("null and off", &["DNT: null", "DNT: 0"], no),
        ("by another name", &["X-Do-Not-Track: 1"], off()),
        ("longer", &["DNTX: 1"], off()),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn global_privacy_control_in_every_spelling() {
    let off = by_cookie;
    let on = by_token().heard("GPC");
    check_logins([
        ("on", &["Sec-GPC: 1"][..], on.clone()),
        ("on, in lower case", &["sec-gpc: 1"], on.clone()),
        ("on, with more blanks", &["Sec-GPC:   1\t"], on.clone()),
        ("off", &["Sec-GPC: 0"], off()),
        ("a structured Boolean", &["Sec-GPC: ?1"], off()),
        ("a word", &["Sec-GPC: true"], off()),
        ("with a zero", &["Sec-GPC: 01"], off()),
        ("a list", &["Sec-GPC: 1, 1"], off()),
        ("with a parameter", &["Sec-GPC: 1;q=1"], off()),
        ("empty", &["Sec-GPC;"], off()),
        ("off and on", &["Sec-GPC: 0", "Sec-GPC: 1"], on.clone()),
        ("on and off", &["Sec-GPC: 1", "Sec-GPC: 0"], on),
        ("by another name", &["GPC: 1"], off()),
        ("with Do Not Track off", &["DNT: 0", "Sec-GPC: 1"], by_token().heard("no DNT GPC")),
        ("off, with Do Not Track on", &["DNT: 1", "Sec-GPC: 0"], by_token().heard("DNT")),
        ("both", &["DNT: 1", "Sec-GPC: 1"], by_token().heard("DNT GPC")),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn clients_that_hold_their_token() {
    check_logins([
        ("a native client", &["Session-Transport: header"][..], by_token()),
        ("in capitals", &["SESSION-TRANSPORT: Header"], by_token()),
        ("another word", &["Session-Transport: cookie"], by_cookie()),
        ("a longer word", &["Session-Transport: headers"], by_cookie()),
        ("a list", &["Session-Transport: cookie, header"], by_cookie()),
        ("empty", &["Session-Transport;"], by_cookie()),
        ("under a signal", &["Session-Transport: header", "DNT: 1"], by_token().heard("DNT")),
        ("a browser, by Origin", &["Session-Transport: header", "Origin: http://SELF"], by_cookie()),
        ("a browser, by Sec-Fetch-Site", &["Session-Transport: header", "Sec-Fetch-Site: same-origin"], by_cookie()),
        ("a browser, by Sec-Fetch-Mode", &["Session-Transport: header", "Sec-Fetch-Mode: cors"], by_cookie()),
        ("a browser, by its agent only", &["Session-Transport: header", "User-Agent: Mozilla/5.0"], by_token()),
    ]);
}

/// Logs ada in with each of these lists of fields, in which `SELF` is the server's own authority.
#[track_caller]
fn check_logins<const N: usize>(cases: [(&str, &[&str], Face); N]) {
    let site = Site::start();
    let own = |field: &&str| field.replace("SELF", site.server.authority());
    let rows = cases.map(|(name, fields, face)| row(name, fields.iter().map(own).fold(login(), Ask::field), face));
    site.check(&rows);
}

#[test]
#[ignore = "needs curl"]
fn a_page_being_loaded_takes_no_token() {
    let site = Site::start();
    let loads = |ask: Ask| ask.field("Sec-Fetch-Mode: navigate").field("Sec-Fetch-Site: same-origin");
    let form = |body: &str| loads(post("/form/login").form(body));
    let home = |face: Face| face.location("/");
    let mut rows = vec![
        row("a form, no signal", form("user=ada"), home(Face::written(303).sets_cookie())),
        row("a page to hand over, no signal", form("user=ada&way=page"), home(Face::written(303).sets_cookie())),
        row("out, without a session", loads(post("/form/logout")), home(Face::written(303).takes_token())),
    ];
    for signal in ["DNT: 1", "Sec-GPC: 1"] {
        let name = |what: &str| format!("{what}, {signal}");
        let heard = if signal == "DNT: 1" { "DNT" } else { "GPC" };
        let form = |body: &str| form(body).field(signal);
        let by_script = post("/form/login").form("user=ada").field(signal);
        rows.extend([
            row(name("a form"), form("user=ada"), Face::read(409)),
            row(name("JSON"), loads(login()).field(signal), undeliverable_to_page()),
            row(
                name("a form, and the user chose"),
                form("user=ada&way=cookie"),
                home(Face::written(303).sets_cookie()),
            ),
            // The token is in the body.
            row(name("a form, and a page takes it"), form("user=ada&way=page"), Face::written(200)),
            row(name("a form that a script sends"), by_script, home(Face::written(303).gives_token())),
            row(name("who"), loads(whoami()).field(signal), nobody().heard(heard)),
        ]);
    }
    site.check(&rows);
}

/// The token in the page of a form login is as good as one in a field.
#[test]
#[ignore = "needs curl"]
fn the_page_hands_over_a_bearer_token() {
    let site = Site::start();
    for protocol in Protocol::BOTH {
        let form = post("/form/login").form("user=ada&way=page").fields(["DNT: 1", "Sec-Fetch-Mode: navigate"]);
        let page = site.send(protocol, &form).unwrap();
        let [token] = &page.tokens()[..] else { panic!("not one token: {page:?}") };
        let name = format!("with the token that came over {protocol:?}");
        site.check(&[row(name, whoami().bearer(token), ada_by("header"))]);
    }
}

#[test]
#[ignore = "needs curl"]
fn a_cookie_from_before_the_signal() {
    let site = Site::start();
    let keys = &site.keys;
    let (good, due, leaves) = (keys.cookie("ada"), keys.due(&cookie()), keys.cookie("ada"));
    let chose = Shop { chose_cookie: true, ..Shop::of("ada".into()) };
    let chose = sealer(&keys.now, &cookie()).start(&chose).unwrap().into_string();
    let under = |ask: Ask| ask.field("DNT: 1");
    let script = |ask: Ask| under(ask).fields(["Session-Transport: header", "Sec-Fetch-Site: same-origin"]);
    let loads = |ask: Ask| script(ask).field("Sec-Fetch-Mode: navigate");
    let sibling = |ask: Ask| under(ask).fields(["Session-Transport: header", "Sec-Fetch-Site: same-site"]);
    let ada = || ada_by("cookie").heard("DNT");
    let moved = || Face::written(200).gives_token().deletes_cookie().user("ada").by("cookie").heard("DNT");
    let renewed = || Face::written(200).sets_cookie().user("ada").by("cookie");
    let gone = || Face::written(200).takes_token().deletes_cookie();
    site.check(&[
        row("due, no signal", session().cookie(&due), renewed()),
        row(
            "due, no signal, though a script could hold it",
            session().cookie(&due).fields(["Session-Transport: header", "Sec-Fetch-Site: same-origin"]),
            renewed(),
        ),
        row("a change, no signal", cart().cookie(&good), renewed()),
        row("read", under(session()).cookie(&good), ada()),
        row("due", under(session()).cookie(&due), ada()),
        row("due, for a page", loads(session()).cookie(&due), ada()),
        row("a change", under(cart()).cookie(&good), read_only()),
        row("a change, for a page", loads(cart()).cookie(&good), read_only()),
        row("renewed at will", under(post("/renew")).cookie(&good), read_only()),
        row("read by a script that can hold it", script(session()).cookie(&good), moved()),
        row("changed by a script that can hold it", script(cart()).cookie(&good), moved()),
        row("read by a script of a sibling site", sibling(session()).cookie(&good), ada()),
        row(
            "read by a client that is no browser",
            under(session()).cookie(&good).field("Session-Transport: header"),
            ada(),
        ),
        row("the user chose: read", script(session()).cookie(&chose), ada()),
        row("the user chose: changed", under(cart()).cookie(&chose), renewed().heard("DNT")),
        row("logged out", under(post("/logout")).cookie(&leaves), gone()),
        row(
            "logged in anew",
            under(login()).cookie(&good),
            Face::written(200).gives_token().deletes_cookie().user("ada").by("cookie").heard("DNT"),
        ),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn a_bearer_token_under_a_signal() {
    let site = Site::start();
    let (good, due) = (site.keys.bearer("ada"), site.keys.due(&Carrier::Header));
    let stray = site.keys.cookie("bob");
    let ada = || ada_by("header");
    let renewed = |face: Face| face.gives_token().user("ada").by("header");
    let rows: [Row; 10] = [
        row("read", session().bearer(&good).field("DNT: 1"), ada().heard("DNT")),
        row("due", session().bearer(&due).field("DNT: 1"), renewed(Face::written(200)).heard("DNT")),
        row("due, no signal", session().bearer(&due), renewed(Face::written(200))),
        row("changed", cart().bearer(&good).field("Sec-GPC: 1"), renewed(Face::written(200)).heard("GPC")),
        row("changed, no signal", cart().bearer(&good), renewed(Face::written(200))),
        row(
            "a stray cookie",
            session().bearer(&good).cookie(&stray).field("DNT: 1"),
            Face::written(200).deletes_cookie().user("ada").by("header").heard("DNT"),
        ),
        row(
            "a stray cookie, changed",
            cart().bearer(&good).cookie(&stray).field("DNT: 1"),
            renewed(Face::written(200).deletes_cookie()).heard("DNT"),
        ),
        row("a stray cookie, no signal", session().bearer(&good).cookie(&stray), ada()),
        row("a stray cookie, no signal, changed", cart().bearer(&good).cookie(&stray), renewed(Face::written(200))),
        row(
            "not looked at",
            get("/").bearer(&good).cookie(&stray).field("DNT: 1"),
            Face::untouched(200).cache_control("no-cache"),
        ),
    ];
    site.check(&rows);
}
