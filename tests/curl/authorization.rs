//! The `Authorization` field in every spelling, alone and beside a cookie of somebody else.

use waxseal::Carrier;

use crate::ask::{Ask, cart, login, post, session, whoami};
use crate::face::{Face, ada_by, cross_site, malformed, needed, nobody, refused, unavailable};
use crate::keys::{cookie, mint, now, plain_cookie, sealer};
use crate::row::{Row, row};
use crate::site::Site;

/// `TOKEN` is a good bearer token of ada.
#[test]
#[ignore = "needs curl"]
fn the_field_in_every_spelling() {
    let site = Site::start();
    let token = site.keys.bearer("ada");
    let ada = || ada_by("header");
    let cases: [(&[&str], Face); 44] = [
        (&[], nobody()),
        (&["Authorization: Bearer TOKEN"], ada()),
        (&["authorization: Bearer TOKEN"], ada()),
        (&["Authorization: bearer TOKEN"], ada()),
        (&["Authorization: BEARER  TOKEN"], ada()),
        (&["Authorization: bEaReR      TOKEN"], ada()),
        (&["Authorization:    Bearer TOKEN"], ada()),
        (&["Authorization: Bearer\tTOKEN"], malformed()),
        (&["Authorization: Bearer \tTOKEN"], malformed()),
        (&["Authorization: Bearer"], malformed()),
        (&["Authorization: Bearer   "], malformed()),
        (&["Authorization: Bearer TOKEN, x=y"], malformed()),
        (&["Authorization: Bearer TOKEN,"], malformed()),
        (&["Authorization: Bearer TOKEN, Bearer TOKEN"], malformed()),
        (&["Authorization: Bearer TOKEN TOKEN"], malformed()),
        (&["Authorization: Bearer TOKEN;x=y"], malformed()),
        (&["Authorization: Bearer \"TOKEN\""], malformed()),
        (&["Authorization: Bearer 'TOKEN'"], malformed()),
        (&["Authorization: Bearer <TOKEN>"], malformed()),
        (&["Authorization: Bearer token=TOKEN"], malformed()),
        (&["Authorization: Bearer ="], malformed()),
        (&["Authorization: Bearer=TOKEN"], malformed()),
        (&["Authorization: Bearer,TOKEN"], malformed()),
        (&["Authorization: Bearer:TOKEN"], malformed()),
        (&["Authorization: Bearer TOKENé"], malformed()),
        (&["Authorization: Bearer\u{a0}TOKEN"], malformed()),
        (&["Authorization: Bearer Bearer TOKEN"], malformed()),
        (&["Authorization: Bearer TOKEN="], refused()),
        (&["Authorization: Bearer TOKEN/TOKEN"], refused()),
        (&["Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"], nobody()),
        (&["Authorization: Bearer null"], nobody()),
        (&["Authorization: Basic YWRhOnNlY3JldA=="], nobody()),
        (&["Authorization: Basic TOKEN"], nobody()),
        (&["Authorization: Token TOKEN"], nobody()),
        (&["Authorization: Bearerx TOKEN"], nobody()),
        (&["Authorization: TOKEN"], nobody()),
        (&["Authorization: \"Bearer\" TOKEN"], nobody()),
        (&["Authorization;"], nobody()),
        (&["Authorization: Bearer TOKEN", "Authorization: Bearer TOKEN"], malformed()),
        (&["Authorization: Basic YWRhOnNlY3JldA==", "Authorization: Bearer TOKEN"], malformed()),
        (&["Authorization: Bearer TOKEN", "Authorization;"], malformed()),
        (&["Proxy-Authorization: Bearer TOKEN"], nobody()),
        (&["X-Authorization: Bearer TOKEN"], nobody()),
        (&["Session-Token: TOKEN", "X-Session-Token: TOKEN"], nobody()),
    ];
    let own = |field: &&str| field.replace("TOKEN", &token);
    let rows =
        cases.map(|(fields, face)| row(fields.join(" + "), fields.iter().map(own).fold(whoami(), Ask::field), face));
    site.check(&rows);
    // HTTP/1.1 takes blanks off the end of a field; in HTTP/2 there may be none, and they are a part of it.
    let blanks = whoami().bearer(format!("{token}  "));
    site.check(&[row("blanks at the end", blanks, ada()).over_http2(malformed())]);
}

/// The cookie is bob's and good.
#[test]
#[ignore = "needs curl"]
fn beside_a_cookie_of_somebody_else() {
    let site = Site::start();
    let (ada, bob) = (site.keys.bearer("ada"), site.keys.cookie("bob"));
    let (leaves, leaves_too) = (site.keys.bearer("ada"), site.keys.bearer("ada"));
    let carried = |ask: Ask| ask.cookie(&bob);
    let elsewhere = |ask: Ask| ask.field("Sec-Fetch-Site: cross-site");
    let basic = |ask: Ask| ask.field("Authorization: Basic YWRhOnNlY3JldA==");
    let foreign = |ask: Ask| ask.bearer("eyJhbGciOiJIUzI1NiJ9.e30.x");
    let bad = |ask: Ask| ask.bearer(format!("{}AAAA", &ada[..ada.len() - 6]));
    let by_cookie = || Face::shown(200).user("bob").by("cookie");
    let renewed = |face: Face| face.user("bob").by("cookie");
    let ended = || Face::written(200).takes_token().deletes_cookie();
    site.check(&[
        row("the cookie alone", carried(whoami()), by_cookie()),
        row("good", carried(whoami()).bearer(&ada), ada_by("header")),
        row("good, and the cookie is nonsense", whoami().bearer(&ada).cookie("x"), ada_by("header")),
        row("good, changed", carried(cart()).bearer(&ada), Face::written(200).gives_token().user("ada").by("header")),
        row(
            "good, and another site asks",
            elsewhere(carried(cart())).bearer(&ada),
            Face::written(200).gives_token().user("ada").by("header"),
        ),
        row(
            "good, logged in anew",
            elsewhere(carried(login())).bearer(&ada),
            Face::written(200).gives_token().user("ada").by("header"),
        ),
        row("good, logged out", carried(post("/logout")).bearer(&leaves), ended()).http1_only(),
        row("the same, over HTTP/2", carried(post("/logout")).bearer(&leaves_too), ended()).http2_only(),
        row("good, and logged out before", carried(whoami()).bearer(&leaves), refused()),
        row("bad", bad(carried(whoami())), refused()),
        row("bad, and a session is needed", bad(carried(session())), refused()),
        row("bad, changed", bad(carried(cart())), refused()),
        row("bad, and another site asks", elsewhere(bad(carried(cart()))), refused()),
        row("bad, logged in", bad(carried(login())), refused()),
        row("bad, logged out", bad(carried(post("/logout"))), refused()),
        row("malformed", carried(whoami()).field("Authorization: Bearer"), malformed()),
        row("malformed, logged in", carried(login()).field("Authorization: Bearer"), malformed()),
        row("Basic", basic(carried(whoami())), by_cookie()),
        row("Basic, changed", basic(carried(cart())), renewed(Face::written(200).sets_cookie())),
        row("Basic, and another site asks", basic(elsewhere(carried(cart()))), cross_site()),
        row("a foreign token", foreign(carried(whoami())), by_cookie()),
        row("a foreign token, and another site asks", foreign(elsewhere(carried(cart()))), cross_site()),
        row("none, and none is needed", whoami(), nobody()),
        row("none, and one is needed", session(), needed()),
    ]);
}

/// Whoever has a token that cannot be judged now can log in and out all the same, and stays on the header.
#[test]
#[ignore = "needs curl"]
fn that_cannot_be_judged_now() {
    let site = Site::start();
    let token = site.keys.disabled(&Carrier::Header);
    let ended = Face::written(200).takes_token();
    site.check(&[
        row("read", session().bearer(&token), unavailable()),
        row("read, and the cookie is good", session().bearer(&token).cookie(site.keys.cookie("bob")), unavailable()),
        row("changed", cart().bearer(&token), unavailable()),
        row("log in", login().bearer(&token), Face::written(200).gives_token().user("ada")),
        row("log out", post("/logout").bearer(&token), ended.clone()),
        row("log out from elsewhere", post("/logout").bearer(&token).field("Sec-Fetch-Site: cross-site"), ended),
    ]);
}

/// A token opens on the carrier that it was made for, and on no other.
#[test]
#[ignore = "needs curl"]
fn on_the_wrong_carrier() {
    let site = Site::start();
    let (for_cookies, for_headers) = (site.keys.cookie("ada"), site.keys.bearer("ada"));
    let plain = mint(&sealer(&site.keys.now, &plain_cookie()), "ada", now());
    let due = site.keys.due(&cookie());
    let deleted = || Face::written(200).deletes_cookie().nobody();
    let rows: [Row; 8] = [
        row("a cookie's token as a bearer token", whoami().bearer(&for_cookies), refused()),
        row("a cookie's token as a bearer token, where one is needed", session().bearer(&for_cookies), refused()),
        row("the same, due for renewal", session().bearer(&due), refused()),
        row("a cookie's token as both", whoami().bearer(&for_cookies).cookie(&for_cookies), refused()),
        row("a bearer token as the cookie", whoami().cookie(&for_headers), deleted()),
        row(
            "a bearer token as the cookie, where one is needed",
            session().cookie(&for_headers),
            Face::written(401).deletes_cookie().needs_session(),
        ),
        row("a bearer token as both", whoami().bearer(&for_headers).cookie(&for_headers), ada_by("header")),
        row("the token of a cookie with another name", whoami().cookie(&plain), deleted()),
    ];
    site.check(&rows);
}
