//! One session on several carriers: siblings, transfers, and what may not cross.

use waxseal::session::SealError;
use waxseal::{Carrier, KeyRing, Sealer, Signer};

use super::testkit::NOW;
use super::testkit::reader::load_with;
use super::testkit::ring::Ring;
use super::testkit::state::{EXAMPLE, Example};

fn cookie(name: &str) -> Carrier {
    Carrier::cookie(name).unwrap()
}

#[test]
fn siblings_share_the_session_and_not_the_tokens() {
    let (ring, clock) = super::ring(&Ring::example());
    let header: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let sibling = header.carrier(cookie("id"));
    let first = header.start(&EXAMPLE).unwrap();
    let session = header.open(&first).unwrap();
    // A login that hands out two tokens: in its own second, and later.
    for wait in [0, 600] {
        clock.advance(wait);
        let second = sibling.transfer(&session).unwrap();
        assert_eq!(second.id(), first.id());
        let carried = sibling.open(&second).unwrap();
        assert_eq!((carried.id(), carried.start()), (first.id(), first.id().start()));
        assert_eq!(carried.issued_at().as_unix(), NOW + wait);
        assert_eq!(carried.state(), &EXAMPLE);
        assert_eq!(header.open(&second).unwrap_err().reason().code(), "forged");
        // And back again.
        let third = header.transfer(&carried).unwrap();
        assert_eq!(header.open(&third).unwrap().id(), first.id());
    }
    assert_eq!(sibling.open(&first).unwrap_err().reason().code(), "forged");
    let other = header.carrier(cookie("ID"));
    let named = sibling.transfer(&session).unwrap();
    assert_eq!(other.open(&named).unwrap_err().reason().code(), "forged", "names of cookies are case-sensitive");
}

#[test]
fn a_renewal_keeps_its_carrier() {
    let (ring, _clock) = super::ring(&Ring::example());
    let header: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let sibling = header.carrier(cookie("id"));
    let session = header.open(header.start(&EXAMPLE).unwrap()).unwrap();
    assert_eq!(sibling.renew(&session).unwrap_err(), SealError::ForeignSession);
    // The same carrier by another way is the same carrier.
    assert!(sibling.carrier(Carrier::Header).renew(&session).is_ok());
    let twin = Sealer::<Example>::builder(&ring, "session").build().unwrap();
    assert_eq!(twin.renew(&session).unwrap().id(), session.id());
}

#[test]
fn nothing_crosses_purpose_or_ring() {
    let file = Ring::example();
    let (ring, clock) = super::ring(&file);
    let sealer: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let session = sealer.open(sealer.start(&EXAMPLE).unwrap()).unwrap();
    let reset: Sealer<Example> = Sealer::new(&ring, "reset").unwrap();
    // The same file a second time is another ring of this process.
    let again: KeyRing = load_with(&file.text(), clock);
    let elsewhere: Sealer<Example> = Sealer::new(&again, "session").unwrap();
    for foreign in [&reset, &reset.carrier(cookie("id")), &elsewhere, &elsewhere.carrier(cookie("id"))] {
        assert_eq!(foreign.renew(&session).unwrap_err(), SealError::ForeignSession);
        assert_eq!(foreign.transfer(&session).unwrap_err(), SealError::ForeignSession);
    }
}

#[test]
fn signed_sessions_move_too() {
    let (ring, _clock) = super::ring(&Ring::example());
    let header: Signer<Example> = Signer::new(&ring, "session").unwrap();
    let sibling = header.carrier(cookie("id"));
    let session = header.verify(header.sign(&EXAMPLE).unwrap()).unwrap();
    assert_eq!(sibling.renew(&session).unwrap_err(), SealError::ForeignSession);
    let moved = sibling.transfer(&session).unwrap();
    assert_eq!(sibling.verify(&moved).unwrap().id(), session.id());
    assert!(header.verify(&moved).is_err());
}

#[test]
fn a_context_may_change_with_a_renewal() {
    let (ring, _clock) = super::ring(&Ring::example());
    let sealer: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let token = sealer.with(b"tenant-7").start(&EXAMPLE).unwrap();
    let session = sealer.with(b"tenant-7").open(&token).unwrap();
    let moved = sealer.with(b"tenant-8").renew(&session).unwrap();
    assert_eq!(sealer.with(b"tenant-8").open(&moved).unwrap().id(), session.id());
    assert!(sealer.with(b"tenant-7").open(&moved).is_err());
    let long = [0; 1025];
    assert_eq!(sealer.with(&long).renew(&session).unwrap_err(), SealError::ContextTooLong { bytes: 1025 });
    assert_eq!(sealer.with(&long).start(&EXAMPLE).unwrap_err(), SealError::ContextTooLong { bytes: 1025 });
    let error = sealer.with(&long).open(&token).unwrap_err();
    assert_eq!((error.reason().code(), error.keep_token()), ("context", true));
}
