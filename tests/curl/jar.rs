//! curl's own cookie jar: it keeps and loses the session's cookie as a browser does.

use std::fs;

use crate::ask::{Ask, HOST, cart, login, post, session, whoami};
use crate::face::{Face, ada_by, cross_site, needed, nobody};
use crate::row::row;
use crate::run::Protocol;
use crate::site::{COOKIE, PLAIN_COOKIE, PLAIN_HTTP, Site};

/// Whether the jar holds the session's cookie after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jar {
    Empty,
    /// The same as before the step.
    Kept,
    /// Another than before the step.
    New,
}

use Jar::{Empty, Kept, New};

type Step = (&'static str, Ask, Face, Jar);

/// Takes the steps one after another with one jar, once for each protocol.
#[track_caller]
fn follow(site: &Site, name: &str, steps: &[Step]) {
    for protocol in Protocol::BOTH {
        let path = site.directory().join("jar");
        fs::write(&path, "").unwrap();
        let mut held = None;
        for (step, ask, face, expected) in steps {
            let ask = ask.clone().option("cookie", path.to_str().unwrap()).option("cookie-jar", path.to_str().unwrap());
            site.check_over(protocol, &row(format!("{step} of {name}"), ask, face.clone()));
            let now = cookie_in(&fs::read_to_string(&path).unwrap());
            let jar = match &now {
                None => Empty,
                Some(_) if now == held => Kept,
                Some(_) => New,
            };
            assert_eq!(jar, *expected, "{protocol:?}, {step} of {name}");
            held = now;
        }
    }
    site.check_log();
}

/// The value of the session's cookie in a jar. Its lines have seven parts: host, whether subdomains see it, path, whether
/// only HTTPS, expiry, name, value.
fn cookie_in(jar: &str) -> Option<String> {
    let lines = jar.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let mut ours = lines.filter(|parts| parts.len() == 7 && [COOKIE, PLAIN_COOKIE].contains(&parts[5]));
    let parts = ours.next()?;
    assert!(ours.next().is_none(), "two cookies: {jar}");
    let secure = if parts[5] == COOKIE { "TRUE" } else { "FALSE" };
    assert!(parts[0].starts_with("#HttpOnly_"), "{jar}");
    assert_eq!(parts[1..5], ["FALSE", "/", secure, "0"], "{jar}");
    Some(parts[6].to_owned())
}

fn begun() -> Face {
    Face::written(200).sets_cookie().user("ada")
}

fn renewed() -> Face {
    begun().by("cookie")
}

fn ended() -> Face {
    Face::written(200).takes_token().deletes_cookie()
}

#[test]
#[ignore = "needs curl"]
fn a_session_from_login_to_logout() {
    let site = Site::start();
    follow(
        &site,
        "a session",
        &[
            ("before", whoami(), nobody(), Empty),
            ("needed", session(), needed(), Empty),
            ("login", login(), begun(), New),
            ("reading", session(), ada_by("cookie"), Kept),
            ("change", cart(), renewed(), New),
            ("renewal", post("/renew"), renewed(), New),
            (
                "refused change",
                post("/cart").json(r#"{"sku": 1, "count": 0}"#),
                Face::read(422).error("count must be 1 to 65535"),
                Kept,
            ),
            ("another login", login(), renewed(), New),
            ("logout from another site", post("/logout").field("Sec-Fetch-Site: cross-site"), cross_site(), Kept),
            ("logout", post("/logout"), ended(), Empty),
            ("after", session(), needed(), Empty),
        ],
    );
}

#[test]
#[ignore = "needs curl"]
fn a_browser_that_is_closed_forgets() {
    let site = Site::start();
    // `junk-session-cookies` is what closing a browser is to curl.
    let reopened = whoami().option("junk-session-cookies", "");
    follow(&site, "a closed browser", &[("login", login(), begun(), New), ("reopening", reopened, nobody(), Empty)]);
}

#[test]
#[ignore = "needs curl"]
fn a_signal_that_is_switched_on() {
    let site = Site::start();
    let under = |ask: Ask| ask.field("Sec-GPC: 1");
    let script = |ask: Ask| under(ask).fields(["Session-Transport: header", "Sec-Fetch-Site: same-origin"]);
    let moved = || Face::written(200).gives_token().deletes_cookie().user("ada").by("cookie").heard("GPC");
    follow(
        &site,
        "a signal",
        &[
            ("login under it", under(login()), Face::written(200).gives_token().user("ada").heard("GPC"), Empty),
            ("login", login(), begun(), New),
            ("reading under it", under(session()), ada_by("cookie").heard("GPC"), Kept),
            ("move", script(session()), moved(), Empty),
            ("second move", script(session()), needed(), Empty),
            ("login again", login(), begun(), New),
            ("login under it again", under(login()), moved(), Empty),
            (
                "login by form, chosen",
                under(post("/form/login").form("user=ada&way=cookie")),
                Face::written(303).sets_cookie().location("/"),
                New,
            ),
            ("change, chosen", under(cart()), renewed().heard("GPC"), New),
            ("logout under it", under(post("/logout")), ended(), Empty),
        ],
    );
}

#[test]
#[ignore = "needs curl"]
fn a_cookie_goes_nowhere_else() {
    let site = Site::start();
    let (_, port) = site.server.authority().split_once(':').unwrap();
    let at = |ask: Ask, name: &str| {
        ask.option(HOST, format!("{name}:{port}")).option("resolve", format!("{name}:{port}:127.0.0.1"))
    };
    // Without HTTPS curl, like browsers, takes a Secure cookie from its own machine only.
    follow(
        &site,
        "hosts",
        &[
            ("login by another name", at(login(), "shop.example"), begun(), Empty),
            ("reading by another name", at(session(), "shop.example"), needed(), Empty),
            ("login at home", login(), begun(), New),
            ("reading from elsewhere", at(session(), "shop.example"), needed(), Kept),
            ("reading at home", session(), ada_by("cookie"), Kept),
        ],
    );
    follow(
        &site,
        "localhost",
        &[
            ("login", at(login(), "localhost"), begun(), New),
            ("reading", at(session(), "localhost"), ada_by("cookie"), Kept),
            ("logout", at(post("/logout"), "localhost"), ended(), Empty),
        ],
    );
}

#[test]
#[ignore = "needs curl"]
fn without_https() {
    let site = Site::with(&[PLAIN_HTTP]);
    follow(
        &site,
        "a session in plain HTTP",
        &[
            ("login", login(), begun(), New),
            ("reading", session(), ada_by("cookie"), Kept),
            ("change", cart(), renewed(), New),
            ("logout", post("/logout"), ended(), Empty),
        ],
    );
}

#[test]
#[ignore = "needs curl"]
fn a_policy_without_cookies() {
    let site = Site::with(&["--policy", "never"]);
    let given = Face::written(200).gives_token().user("ada");
    follow(&site, "a policy", &[("login", login(), given, Empty), ("who", whoami(), nobody(), Empty)]);
}
