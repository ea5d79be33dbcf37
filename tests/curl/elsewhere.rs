//! Tokens where none is looked for, methods and routes that do not concern the session, and answers of every kind.

use waxseal::Carrier;

use crate::ask::{Ask, ask, cart, get, login, post, session, whoami};
use crate::face::{ANONYMOUS, Face, INVALID_TOKEN, ada_by, needed, no_path, nobody, refused, unavailable};
use crate::keys::cookie;
use crate::row::row;
use crate::site::{COOKIE, Site};

#[test]
#[ignore = "needs curl"]
fn a_token_in_the_url_or_the_body_is_none() {
    let site = Site::start();
    let (token, in_cookie) = (site.keys.bearer("ada"), site.keys.cookie("ada"));
    let home = Face::written(303).sets_cookie().location("/");
    site.check(&[
        row("?token=", get(format!("/whoami?token={token}")), nobody()),
        row("?access_token=", get(format!("/whoami?access_token={token}")), nobody()),
        row("?session-token=", get(format!("/whoami?session-token={token}")), nobody()),
        row("?cookie's name=", get(format!("/whoami?{COOKIE}={in_cookie}")), nobody()),
        row("#", get(format!("/whoami#{token}")), nobody()),
        row(";jsessionid=", get(format!("/whoami;jsessionid={token}")), no_path()),
        row(";cookie's name=", get(format!("/whoami;{COOKIE}={in_cookie}")), no_path()),
        row("in the path", get(format!("/whoami/{token}")), no_path()),
        row("as the user of the URL", whoami().option("user", format!("{token}:")), nobody()),
        row("as the password of the URL", whoami().option("user", format!("ada:{token}")), nobody()),
        row("in JSON", post("/cart").json(&format!(r#"{{"sku": 1, "count": 1, "token": "{token}"}}"#)), needed()),
        row("in a form", post("/cart").form(&format!("access_token={token}")), needed()),
        row("in a form that logs in", post("/form/login").form(&format!("user=bob&access_token={token}")), home),
        row("in the trailers' names", whoami().field(format!("Trailer: {token}")), nobody()),
        row("as another cookie", whoami().field(format!("Cookie: session={in_cookie}; token={token}")), nobody()),
    ]);
}

/// A preflight asks for permission, without cookies and without signals, and says nothing of a session.
#[test]
#[ignore = "needs curl"]
fn options_touches_nothing() {
    let site = Site::start();
    let options = |target| {
        ask("OPTIONS", target).fields(["Origin: https://app.example.com", "Access-Control-Request-Method: POST"])
    };
    let wants = |target| options(target).field("Access-Control-Request-Headers: authorization,session-transport");
    let (good, due) = (site.keys.cookie("ada"), site.keys.due(&cookie()));
    let untouched = || Face::untouched(405);
    site.check(&[
        row("alone", wants("/cart"), untouched()),
        row("a login", options("/login"), untouched()),
        row("with a signal", options("/login").field("DNT: 1"), untouched()),
        row("with a good cookie", options("/cart").cookie(&good), untouched()),
        row("with a cookie that is due", options("/session").cookie(&due), untouched()),
        row("with a worthless cookie", options("/session").cookie("x"), untouched()),
        row("with a good token", options("/session").bearer(site.keys.bearer("ada")), untouched()),
        row("with a bad token", options("/session").bearer("EQ"), untouched()),
        row("of everything", ask("OPTIONS", "/").option("request-target", "*"), no_path()),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn head_says_what_get_says() {
    let site = Site::start();
    let head = |target| ask("HEAD", target);
    let (good, due) = (site.keys.cookie("ada"), site.keys.due(&cookie()));
    // There is no body, so the fields must say it all.
    site.check(&[
        row("nobody", head("/whoami"), Face::shown(200)),
        row("somebody", head("/whoami").cookie(&good), Face::shown(200)),
        row("due", head("/session").cookie(&due), Face::written(200).sets_cookie()),
        row(
            "due, by header",
            head("/session").bearer(site.keys.due(&Carrier::Header)),
            Face::written(200).gives_token(),
        ),
        row("worthless", head("/whoami").cookie("x"), Face::written(200).deletes_cookie()),
        row("needed", head("/session"), Face::read(401).challenge(ANONYMOUS)),
        row("refused", head("/session").bearer("EQ"), Face::read(401).challenge(INVALID_TOKEN)),
        row("the page", head("/"), Face::untouched(200).cache_control("no-cache")),
        row("no path", head("/nothing"), Face::untouched(404)),
        row("another method's path", head("/login").cookie(&good), Face::untouched(405)),
    ]);
}

/// Pages, files and mistakes say nothing of a session that nobody asked about, not even that they may differ.
#[test]
#[ignore = "needs curl"]
fn routes_without_a_session_touch_nothing() {
    let site = Site::start();
    let (good, due) = (site.keys.cookie("ada"), site.keys.due(&cookie()));
    let file = || Face::untouched(200).cache_control("no-cache");
    let mut rows = vec![
        row("the keys", get("/keys").cookie(&due), Face::untouched(200)),
        row("no path", get("/nothing").cookie(&good), no_path()),
        row("no path, refused elsewhere", get("/nothing").bearer("EQ"), no_path()),
        row("another method", get("/login").cookie(&due), Face::untouched(405)),
        row("no method", ask("BREW", "/whoami").cookie(&good), Face::untouched(405)),
    ];
    for path in ["/", "/page.js", "/page.css", "/session.js", "/handoff.js"] {
        rows.push(row(format!("{path}, somebody"), get(path).cookie(&due), file()));
        rows.push(row(format!("{path}, worthless"), get(path).cookie("x"), file()));
    }
    site.check(&rows);
}

/// What the handler answers besides does not change what is said of the session.
#[test]
#[ignore = "needs curl"]
fn every_status_has_the_right_fields() {
    let site = Site::start();
    let (good, due) = (site.keys.cookie("ada"), site.keys.due(&cookie()));
    let leaves = site.keys.cookie("ada");
    let disabled = site.keys.disabled(&cookie());
    let form = |ask: Ask| ask.form("user=ada");
    let home = |face: Face| face.location("/");
    let renewed = |status| Face::written(status).sets_cookie();
    let count = "count must be 1 to 65535";
    let none = |ask: Ask| ask.json(r#"{"sku": 1, "count": 0}"#);
    let media = "Expected request with `Content-Type: application/json`";
    site.check(&[
        row("200, read", session().cookie(&good), ada_by("cookie")),
        row("200, renewed", session().cookie(&due), renewed(200).user("ada").by("cookie")),
        row("200, changed", cart().cookie(&good), renewed(200).user("ada").by("cookie")),
        row("200, nothing to change", ask("DELETE", "/cart").cookie(&good), ada_by("cookie")),
        row("200, renewed at will", post("/renew").cookie(&good), renewed(200).user("ada").by("cookie")),
        row("200, ended", post("/logout").cookie(&leaves), Face::written(200).takes_token().deletes_cookie()),
        row("200, ended though there was nothing", post("/logout"), Face::written(200).takes_token()),
        row("303, begun", form(post("/form/login")), home(renewed(303))),
        row(
            "303, ended",
            post("/form/logout").cookie(&leaves),
            home(Face::written(303).takes_token().deletes_cookie()),
        ),
        row("401, needed", session(), needed()),
        row("401, refused", session().bearer("EQ"), refused()),
        row("415, and a session", post("/cart").form("x").cookie(&good), Face::read(415).error(media)),
        row("415, and it is due", post("/cart").form("x").cookie(&due), renewed(415).error(media)),
        row("422, and a session", none(post("/cart")).cookie(&good), Face::read(422).error(count)),
        row("422, and it is due", none(post("/cart")).cookie(&due), renewed(422).error(count)),
        row("422, a form", post("/form/login").form("user="), Face::untouched(422)),
        row(
            "422, a login that fails",
            post("/login").json(r#"{"user": ""}"#),
            Face::untouched(422).error("user must be 1 to 64 characters, none of them a control character"),
        ),
        row("503", session().cookie(&disabled), unavailable()),
        row("503, changed", cart().cookie(&disabled), unavailable()),
        row(
            "a login over another's session",
            login().cookie(site.keys.cookie("bob")),
            renewed(200).user("ada").by("cookie"),
        ),
    ]);
}
