//! A logout: who may ask for it, and what becomes of a cookie that this server cannot read.

use waxseal::SessionLayer;

use super::{Act, handled, of_this_site, seen};
use crate::httpkit::shop::{COOKIE, Servers, shop};
use crate::httpkit::sight::Written;
use crate::testkit::forge::Forge;
use crate::testkit::key::Key;
use crate::testkit::ring::role;

const END: Act = |session| session.end();

/// A cookie that another server may open.
fn of_an_unknown_key() -> String {
    let carrier = format!("cookie:{COOKIE}");
    let mut forge = Forge { carrier, context: vec![], ..Forge::new("", role::active()) };
    forge.key = Key::test(99);
    format!("{COOKIE}={}", forge.text())
}

#[test]
fn another_site_ends_no_session_that_another_server_may_open() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let cookie = of_an_unknown_key();
    let mut request = of_this_site("POST", &[("cookie", &cookie)]);
    assert_eq!(seen(&handled(&layer, request.clone(), END)).cookie, Written::Forgotten);
    request.headers_mut().insert("sec-fetch-site", "same-site".parse().unwrap());
    let response = handled(&layer, request, END);
    assert_eq!((response.status().as_u16(), seen(&response).cookie), (403, Written::Nothing));
}

/// A sibling site that fills the cookie jar would otherwise keep a user logged in who logs out.
#[test]
fn a_logout_deletes_a_cookie_that_may_be_there() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let token = servers.cookie(COOKIE).start(&shop("ada")).unwrap();
    let filled = format!("x={}; {COOKIE}={}", "y".repeat(17_000), token.as_str());
    let mut request = of_this_site("POST", &[("cookie", &filled)]);
    assert_eq!(seen(&handled(&layer, request.clone(), END)).cookie, Written::Forgotten);
    request.headers_mut().insert("sec-fetch-site", "same-site".parse().unwrap());
    let response = handled(&layer, request, END);
    assert_eq!((response.status().as_u16(), seen(&response).cookie), (403, Written::Nothing));
}
