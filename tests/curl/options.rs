//! The server's options: policies that listen to no signal, and cookies without HTTPS.

use crate::ask::{Ask, HOST, cart, login, post, session, whoami};
use crate::face::{Face, ada_by, needed, nobody, off_the_network, refused, undeliverable_to_page};
use crate::keys::{cookie, mint, now, plain_cookie, sealer};
use crate::row::{Row, row};
use crate::site::{PLAIN_HTTP, Site};

const PAGE: [&str; 2] = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin"];

/// Cookies for everybody, and signals are only heard.
#[test]
#[ignore = "needs curl"]
fn always() {
    let site = Site::with(&["--policy", "always"]);
    let (good, due, bearer) = (site.keys.cookie("ada"), site.keys.due(&cookie()), site.keys.bearer("ada"));
    // The answers show the signals, and so depend on them, whatever the policy makes of them.
    let written = || Face::written(200).user("ada");
    let home = || Face::written_unasked(303).location("/");
    let script = |ask: Ask| ask.fields(["Session-Transport: header", "Sec-Fetch-Site: same-origin"]);
    site.check(&[
        row("login", login(), written().sets_cookie()),
        row("login under a signal", login().field("DNT: 1"), written().sets_cookie().heard("DNT")),
        row(
            "login by form under a signal",
            post("/form/login").form("user=ada").fields(PAGE).field("Sec-GPC: 1"),
            home().sets_cookie(),
        ),
        row("login by script", script(login()), written().sets_cookie()),
        row("login by a native client", login().field("Session-Transport: header"), written().gives_token()),
        row("read under a signal", script(session()).cookie(&good).field("DNT: 1"), ada_by("cookie").heard("DNT")),
        row(
            "due under a signal",
            script(session()).cookie(&due).field("DNT: 1"),
            written().sets_cookie().by("cookie").heard("DNT"),
        ),
        row(
            "changed under a signal",
            cart().cookie(&good).field("DNT: 1"),
            written().sets_cookie().by("cookie").heard("DNT"),
        ),
        row("changed by header", cart().bearer(&bearer), written().gives_token().by("header")),
        row(
            "by header, and a stray cookie",
            whoami().bearer(&bearer).cookie(&good).field("DNT: 1"),
            ada_by("header").heard("DNT"),
        ),
        row(
            "logout",
            post("/logout").cookie(site.keys.cookie("ada")),
            Face::written_unasked(200).takes_token().deletes_cookie(),
        ),
        row("worthless", whoami().cookie("x"), Face::written(200).deletes_cookie().nobody()),
    ]);
}

/// No cookies at all; one that comes is not read, and goes.
#[test]
#[ignore = "needs curl"]
fn never() {
    let site = Site::with(&["--policy", "never"]);
    let (good, bearer) = (site.keys.cookie("bob"), site.keys.bearer("ada"));
    let (leaves, leaves_too) = (site.keys.bearer("ada"), site.keys.bearer("ada"));
    // The answers show the signals, and so depend on them, whatever the policy makes of them.
    let written = || Face::written(200).user("ada");
    let gone = || Face::written(200).deletes_cookie();
    site.check(&[
        row("login", login(), written().gives_token()),
        row("login under a signal", login().field("DNT: 1"), written().gives_token().heard("DNT")),
        row("login by a page", login().fields(PAGE), undeliverable_to_page()),
        row("login by form", post("/form/login").form("user=ada").fields(PAGE), Face::read(409)),
        row(
            "login by form, and the user chose a cookie",
            post("/form/login").form("user=ada&way=cookie").fields(PAGE),
            Face::read(409),
        ),
        row(
            "login by form, and a page takes it",
            post("/form/login").form("user=ada&way=page").fields(PAGE),
            Face::written_unasked(200),
        ),
        row(
            "login by form, by script",
            post("/form/login").form("user=ada"),
            Face::written_unasked(303).gives_token().location("/"),
        ),
        row("read", session().bearer(&bearer), ada_by("header")),
        row("changed", cart().bearer(&bearer), written().gives_token().by("header")),
        row("logout", post("/logout").bearer(&leaves), Face::written_unasked(200).takes_token()).http1_only(),
        row("logout over HTTP/2", post("/logout").bearer(&leaves_too), Face::written_unasked(200).takes_token())
            .http2_only(),
        row("refused", whoami().bearer("EQ"), refused()),
        row("a good cookie", whoami().cookie(&good), gone().nobody()),
        row(
            "a good cookie, where a session is needed",
            session().cookie(&good),
            Face::written_unasked(401).deletes_cookie().needs_session(),
        ),
        row(
            "a good cookie, and another site asks",
            cart().cookie(&good).field("Sec-Fetch-Site: cross-site"),
            Face::written_unasked(401).deletes_cookie().needs_session(),
        ),
        row("a worthless cookie", whoami().cookie("x"), gone().nobody()),
        row("a good cookie and a token", whoami().cookie(&good).bearer(&bearer), gone().user("ada").by("header")),
        row(
            "a good cookie and a bad token",
            whoami().cookie(&good).bearer("EQ"),
            refused().cache_control("no-store").deletes_cookie(),
        ),
        row("a good cookie, and a login", login().cookie(&good), gone().gives_token().user("ada")),
        row("nothing", whoami(), nobody()),
    ]);
}

/// Cookies that need no HTTPS are for this machine: whatever else the server is called, it sets and reads none.
#[test]
#[ignore = "needs curl"]
fn plain_http() {
    let site = Site::with(&[PLAIN_HTTP]);
    let (_, port) = site.server.authority().split_once(':').unwrap();
    let [good, leaves] = [(); 2].map(|()| mint(&sealer(&site.keys.now, &plain_cookie()), "ada", now()));
    let bearer = site.keys.bearer("ada");
    let own = |ask: Ask| ask.field(format!("Cookie: id={good}"));
    let begun = || Face::written(200).sets_cookie().user("ada");
    let mut rows: Vec<Row> = vec![
        row("worthless", whoami().field("Cookie: id=x"), Face::written(200).deletes_cookie().nobody()),
        row("the cookie of a server with HTTPS", whoami().cookie(site.keys.cookie("ada")), nobody()),
        row(
            "logout",
            post("/logout").field(format!("Cookie: id={leaves}")),
            Face::written(200).takes_token().deletes_cookie(),
        ),
    ];
    for host in [
        "127.0.0.1",
        "127.0.0.1:PORT",
        "127.8.9.10",
        "localhost",
        "localhost:PORT",
        "shop.localhost",
        "[::1]",
        "[::1]:80",
    ] {
        let at = |ask: Ask| ask.field(format!("Host: {}", host.replace("PORT", port)));
        rows.push(row(format!("{host}: login"), at(login()), begun()));
        rows.push(row(format!("{host}: reading"), at(own(session())), ada_by("cookie")));
    }
    for host in [
        "shop.example",
        "192.168.0.7:PORT",
        "127.0.0.1.shop.example",
        "localhost.shop.example",
        "notlocalhost",
        "[::]",
        "0.0.0.0",
        "[fe80::1]",
        "[::ffff:192.168.0.7]",
        "127.1",
    ] {
        let at = |ask: Ask| ask.field(format!("Host: {}", host.replace("PORT", port)));
        let name = |what: &str| format!("{host}: {what}");
        rows.extend([
            row(name("login"), at(login()), off_the_network()),
            row(
                name("login under a signal"),
                at(login()).field("DNT: 1"),
                Face::written(200).gives_token().user("ada").heard("DNT"),
            ),
            row(
                name("login by a native client"),
                at(login()).field("Session-Transport: header"),
                Face::written(200).gives_token().user("ada"),
            ),
            row(name("reading"), at(own(session())), needed()),
            row(name("reading what is worthless"), at(whoami()).field("Cookie: id=x"), nobody()),
            row(name("reading by header"), at(own(session())).bearer(&bearer), ada_by("header")),
            // The cookie of that name there is another server's, so it is not ours to delete.
            row(
                name("reading by header under a signal"),
                at(own(session())).bearer(&bearer).field("DNT: 1"),
                ada_by("header").heard("DNT"),
            ),
            row(
                name("login under a signal, and a cookie"),
                at(own(login())).field("DNT: 1"),
                Face::written(200).gives_token().user("ada").heard("DNT"),
            ),
            row(name("logout"), at(own(post("/logout"))), Face::written(200).takes_token()),
        ]);
    }
    site.check(&rows);
}

/// A name that only the URL knows is a name too, and curl sends it as `:authority` or `Host`.
#[test]
#[ignore = "needs curl"]
fn plain_http_by_name() {
    let site = Site::with(&[PLAIN_HTTP]);
    let (_, port) = site.server.authority().split_once(':').unwrap();
    let at = |name: &str| {
        login().option(HOST, format!("{name}:{port}")).option("resolve", format!("{name}:{port}:127.0.0.1"))
    };
    let begun = || Face::written(200).sets_cookie().user("ada");
    let absolute = |host: &str| login().option("request-target", format!("http://{host}/login"));
    site.check(&[
        row("localhost", at("localhost"), begun()),
        row("another", at("shop.example"), off_the_network()),
        // The target of the request beats the Host field. RFC 9112, section 3.2.2.
        row("another in the target", absolute("shop.example"), off_the_network()).http1_only(),
        row("localhost in the target", absolute("localhost").field("Host: shop.example"), begun()).http1_only(),
        row("no Host", login().field("Host:"), off_the_network()).http1_only(),
    ]);
}
