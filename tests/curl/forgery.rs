//! Requests that other sites cause, and the origins that may.

use crate::ask::{Ask, cart, login, post, session, whoami};
use crate::face::{Face, ada_by, cross_site, refused};
use crate::row::{Row, row};
use crate::site::Site;

/// What says whence a request comes, and whether it may change a session that came by cookie. `SELF` is the server's own
/// authority.
const ORIGINS: [(&[&str], bool); 20] = [
    (&[], true),
    (&["Sec-Fetch-Site: same-origin"], true),
    (&["Sec-Fetch-Site: none"], true),
    (&["Sec-Fetch-Site: same-site"], false),
    (&["Sec-Fetch-Site: cross-site"], false),
    (&["Sec-Fetch-Site: Same-Origin"], false),
    (&["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], false),
    (&["Sec-Fetch-Site;"], true),
    (&["Origin: http://SELF"], true),
    (&["Origin: https://SELF"], true),
    (&["Origin: http://SELF.example.com"], false),
    (&["Origin: http://SELF:1"], false),
    (&["Origin: http://127.0.0.1"], false),
    (&["Origin: https://example.com"], false),
    (&["Origin: null"], false),
    (&["Origin;"], true),
    (&["Origin: SELF"], false),
    (&["Origin: http://SELF", "Sec-Fetch-Site: cross-site"], false),
    (&["Origin: https://example.com", "Sec-Fetch-Site: same-origin"], true),
    (&["Origin: https://app.example.com", "Sec-Fetch-Site: cross-site"], false),
];

fn from(site: &Site, origin: &[&str], ask: Ask) -> Ask {
    let own = |field: &&str| field.replace("SELF", site.server.authority());
    origin.iter().map(own).fold(ask, Ask::field)
}

#[test]
#[ignore = "needs curl"]
fn other_sites_change_nothing() {
    let site = Site::start();
    let (in_cookie, bearer) = (site.keys.cookie("ada"), site.keys.bearer("ada"));
    let mut rows: Vec<Row> = vec![];
    for (origin, may) in ORIGINS {
        let origin_name = origin.join(" + ");
        let mut case = |what: &str, ask: Ask, done: Face, may: bool| {
            let face = if may { done } else { cross_site() };
            rows.push(row(format!("{what} from [{origin_name}]"), from(&site, origin, ask), face));
        };
        let written = || Face::written(200).user("ada");
        case("read", session().cookie(&in_cookie), ada_by("cookie"), true);
        case("changed", cart().cookie(&in_cookie), written().sets_cookie().by("cookie"), may);
        case("logged in", login(), written().sets_cookie(), may);
        // Whoever is logged out is not asked again, so it is a session of its own.
        let leaves = site.keys.cookie("ada");
        case("logged out", post("/logout").cookie(&leaves), Face::written(200).takes_token().deletes_cookie(), may);
        case("changed by header", cart().bearer(&bearer), written().gives_token().by("header"), true);
    }
    site.check(&rows);
}

/// Nothing that a cross-site request brings along switches the check off.
#[test]
#[ignore = "needs curl"]
fn no_way_around() {
    let site = Site::start();
    let in_cookie = site.keys.cookie("ada");
    let attack = |ask: Ask| ask.cookie(&in_cookie).field("Sec-Fetch-Site: cross-site");
    site.check(&[
        row("an override of the method", attack(cart()).field("X-HTTP-Method-Override: GET"), cross_site()),
        row("a script's header", attack(cart()).field("X-Requested-With: XMLHttpRequest"), cross_site()),
        row("a client that holds tokens", attack(cart()).field("Session-Transport: header"), cross_site()),
        row("a signal", attack(cart()).field("DNT: 1"), cross_site()),
        row("a foreign Authorization", attack(cart()).field("Authorization: Basic eA=="), cross_site()),
        row("a bad bearer token", attack(cart()).bearer("EQ"), refused()),
        row("a form", attack(post("/form/login").form("user=eve")), Face::read(403)),
        row("a form that logs out", attack(post("/form/logout")), Face::read(403)),
        row(
            "text that is JSON",
            attack(post("/cart")).field("Content-Type: text/plain").form(r#"{"sku":1,"count":1}"#),
            cross_site(),
        ),
        row(
            "a worthless cookie beside",
            whoami().cookie("x").field("Sec-Fetch-Site: cross-site"),
            Face::written(200).deletes_cookie().nobody(),
        ),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn origins_that_are_trusted() {
    let site = Site::with(&["--trust", "https://app.example.com", "--trust", "http://localhost:8080"]);
    let in_cookie = site.keys.cookie("ada");
    let cases: [(&[&str], bool); 12] = [
        (&["Origin: https://app.example.com", "Sec-Fetch-Site: cross-site"], true),
        (&["Origin: https://app.example.com", "Sec-Fetch-Site: same-site"], true),
        (&["Origin: https://app.example.com"], true),
        (&["Origin: http://localhost:8080"], true),
        (&["Origin: http://app.example.com"], false),
        (&["Origin: https://app.example.com:443"], false),
        (&["Origin: https://app.example.com/"], false),
        (&["Origin: https://APP.example.com"], false),
        (&["Origin: https://example.com", "Sec-Fetch-Site: same-site"], false),
        (&["Origin: https://app.example.com.evil.example"], false),
        (&["Origin: https://evil.example", "Referer: https://app.example.com/"], false),
        (&["Sec-Fetch-Site: cross-site"], false),
    ];
    let rows = cases.map(|(origin, may)| {
        let done = Face::written(200).sets_cookie().user("ada").by("cookie");
        let face = if may { done } else { cross_site() };
        row(origin.join(" + "), from(&site, origin, cart().cookie(&in_cookie)), face)
    });
    site.check(&rows);
}
