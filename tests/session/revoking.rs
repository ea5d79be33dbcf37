//! Sessions that are ended on the server: what no longer opens, what goes on, and when the next login begins.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::session::{Buffer, RawSealer, Reason, SealError};
use waxseal::time::ManualClock;
use waxseal::{Mode, Revocations, Revoke, Sealer, Session, SessionState, Signer, Token};

use super::testkit::NOW;
use super::testkit::forge::Forge;
use super::testkit::ring::{Ring, role};
use super::{at, ring};

#[derive(Serialize, Deserialize)]
struct Member {
    user: String,
    shop: String,
}

impl SessionState for Member {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn tenant(&self) -> Option<&str> {
        Some(&self.shop)
    }
}

fn member(user: &str, shop: &str) -> Member {
    Member { user: user.into(), shop: shop.into() }
}

struct Servers {
    list: Revocations,
    clock: Arc<ManualClock>,
    sealer: Sealer<Member>,
    raw: RawSealer,
    signer: Signer<Member>,
}

fn servers() -> Servers {
    let (ring, clock) = ring(&Ring::example());
    let list = Revocations::in_memory(&ring);
    Servers {
        clock,
        sealer: Sealer::builder(&ring, "session").revocations(&list).build().unwrap(),
        raw: RawSealer::builder(&ring, Mode::Sealed, "session").revocations(&list).build().unwrap(),
        signer: Signer::builder(&ring, "session").revocations(&list).build().unwrap(),
        list,
    }
}

impl Servers {
    fn login(&self, user: &str, shop: &str) -> (Token, Session<Member>) {
        let token = self.sealer.start(&member(user, shop)).unwrap();
        let session = self.sealer.open(&token).unwrap();
        (token, session)
    }

    fn revoke(&self, revoke: Revoke) {
        self.list.revoke(revoke).wait().unwrap();
    }

    /// Whether the session still opens, in every way there is, and is renewed; all agree.
    fn goes_on(&self, (token, session): &(Token, Session<Member>)) -> bool {
        let refused = self.sealer.open(token).err();
        if let Some(error) = refused {
            assert_eq!((error.reason(), error.status(), error.keep_token()), (Reason::Revoked, 401, false));
            assert_eq!(error.session_id(), Some(session.id()));
        }
        assert_eq!(self.sealer.open_raw(token, &mut Buffer::new()).err(), refused);
        let over = refused.map(|_| SealError::Session(Reason::Revoked));
        assert_eq!(self.sealer.renew(session).err(), over);
        assert_eq!(self.sealer.transfer(session).err(), over);
        assert_eq!(self.sealer.measure(session).err(), over);
        refused.is_none()
    }
}

#[test]
fn a_revocation_ends_whom_it_names_and_nobody_else() {
    let of = |servers: &Servers| {
        [("ada", "tea"), ("ada", "tea"), ("ada", "silk"), ("bob", "tea"), ("tea", "ada")]
            .map(|(user, shop)| servers.login(user, shop))
    };
    type Revokes = fn(&[(Token, Session<Member>); 5]) -> Revoke;
    let cases: [(Revokes, [bool; 5]); 5] = [
        (|logins| Revoke::session(logins[0].1.id()), [false, true, true, true, true]),
        (|_| Revoke::subject("ada"), [false, false, false, true, true]),
        (|_| Revoke::tenant("tea"), [false, false, true, false, true]),
        (|_| Revoke::everyone(), [false; 5]),
        (|logins| Revoke::subject("ada").except(logins[1].1.id()), [false, true, false, true, true]),
    ];
    for (revoke, expected) in cases {
        let servers = servers();
        let logins = of(&servers);
        assert!(logins.iter().all(|login| servers.goes_on(login)));
        servers.revoke(revoke(&logins));
        assert_eq!(logins.each_ref().map(|login| servers.goes_on(login)), expected);
    }
}

#[test]
fn every_token_of_a_session_ends_with_it() {
    let servers = servers();
    let (first, session) = servers.login("ada", "tea");
    servers.clock.advance(60);
    let second = servers.sealer.renew(&session).unwrap();
    servers.revoke(Revoke::session(session.id()));
    for token in [&first, &second] {
        assert_eq!(servers.sealer.open(token).unwrap_err().reason(), Reason::Revoked);
    }
}

#[test]
fn a_signed_session_is_judged_alike() {
    let servers = servers();
    let token = servers.signer.sign(&member("ada", "tea")).unwrap();
    let session = servers.signer.verify(&token).unwrap();
    servers.revoke(Revoke::subject("ada"));
    assert_eq!(servers.signer.verify(&token).unwrap_err().reason(), Reason::Revoked);
    assert_eq!(servers.signer.verify_raw(&token, &mut Buffer::new()).unwrap_err().reason(), Reason::Revoked);
    assert_eq!(servers.signer.renew(&session).unwrap_err(), SealError::Session(Reason::Revoked));
}

/// Without the state nobody knows whose session it is.
#[test]
fn without_a_type_a_session_ends_by_its_id_and_with_everyones() {
    let servers = servers();
    let (token, session) = servers.login("ada", "tea");
    let refused = || servers.raw.open(&token, b"", &mut Buffer::new()).err().map(|error| error.reason());
    servers.revoke(Revoke::subject("ada"));
    servers.revoke(Revoke::tenant("tea"));
    assert_eq!(refused(), None);
    servers.revoke(Revoke::session(session.id()));
    assert_eq!(refused(), Some(Reason::Revoked));
    let later = servers.raw.start(1, b"state", b"").unwrap();
    servers.revoke(Revoke::everyone());
    assert_eq!(servers.raw.open(&later, b"", &mut Buffer::new()).unwrap_err().reason(), Reason::Revoked);
}

#[test]
fn a_login_in_the_second_of_a_cut_off_begins_after_it() {
    for revoke in [Revoke::subject("ada"), Revoke::tenant("tea"), Revoke::everyone()] {
        let servers = servers();
        for round in 1..=3 {
            servers.revoke(revoke.clone());
            let login = servers.login("ada", "tea");
            assert_eq!(login.1.start(), at(NOW + round), "{revoke:?}");
            assert!(servers.goes_on(&login));
        }
        let starts = servers.login("bob", "silk").1.start();
        assert_eq!(starts, at(if revoke == Revoke::everyone() { NOW + 3 } else { NOW }));
        servers.clock.advance(10);
        assert_eq!(servers.login("ada", "tea").1.start(), at(NOW + 10));
    }
}

#[test]
fn a_cut_off_beyond_the_clock_lets_nobody_in_whom_it_would_end() {
    let servers = servers();
    servers.revoke(Revoke::subject("ada"));
    servers.clock.set(at(NOW - 119));
    assert_eq!(servers.login("ada", "tea").1.start(), at(NOW + 1));
    servers.clock.set(at(NOW - 120));
    assert_eq!(servers.sealer.start(&member("ada", "tea")).unwrap_err(), SealError::CutOffAhead);
    assert!(servers.goes_on(&servers.login("bob", "tea")));
}

/// So that a logout can end what this server cannot open.
#[test]
fn a_refusal_names_the_session_if_the_tag_was_good() {
    let mut file = Ring::example();
    file.entry(role::retiring()).set("status", "\"disabled\"");
    let (ring, clock) = ring(&file);
    let sealer: Sealer<Member> = Sealer::new(&ring, "session").unwrap();
    let token = sealer.start(&member("ada", "tea")).unwrap();
    let refusal = |text: &str| {
        let error = sealer.open(text).unwrap_err();
        (error.reason().code(), error.session_id().is_some())
    };
    let forge = |key| Forge { context: vec![], ..Forge::new("", key) };
    assert_eq!(refusal(&forge(role::retiring()).text()), ("disabled_key", true));
    let newer = Forge { head: super::testkit::forge::varint(4), ..forge(role::active()) };
    assert_eq!(refusal(&newer.text()), ("newer_schema", true));
    let cut = Forge { body: vec![0xff], ..forge(role::active()) };
    assert_eq!(refusal(&cut.text()), ("body", true));
    let untrue = Forge { tag: Some(vec![0; 16]), ..forge(role::active()) };
    assert_eq!(refusal(&untrue.text()), ("forged", false));
    assert_eq!(refusal("EQ"), ("length", false));
    clock.advance(Duration::from_secs(100_000).as_secs());
    let error = sealer.open(&token).unwrap_err();
    assert_eq!((error.reason().code(), error.session_id()), ("expired", Some(token.id())));
}
