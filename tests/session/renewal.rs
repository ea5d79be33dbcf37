//! When a session may be renewed, and when a token is minted at all.

use std::time::Duration;

use waxseal::session::{PolicyLimit, Reason, SealError};
use waxseal::{KeyRing, Padding, Policy, Sealer, Session};

use super::testkit::NOW;
use super::testkit::forge::{Forge, varint};
use super::testkit::key::Key;
use super::testkit::ring::{Disk, Ring, role, tombstone};
use super::testkit::state::{EXAMPLE, Example};
use super::{at, ring};

const HOUR: Duration = Duration::from_secs(3600);

fn sealer(ring: &KeyRing) -> Sealer<Example> {
    let policy = Policy::default().idle_limit(Duration::from_secs(7200)).absolute_limit(Duration::from_secs(43_200));
    Sealer::builder(ring, "session").policy(policy.token_lifetime(HOUR)).build().unwrap()
}

fn opened(sealer: &Sealer<Example>) -> Session<Example> {
    sealer.open(sealer.start(&EXAMPLE).unwrap()).unwrap()
}

#[test]
fn a_session_lives_as_long_as_it_is_renewed() {
    let (ring, clock) = ring(&Ring::example());
    let sealer = sealer(&ring);
    let mut session = opened(&sealer);
    let id = session.id();
    for round in 1..=13 {
        session.state_mut().count = round;
        clock.advance(3599);
        assert!(sealer.is_due(&session));
        match sealer.renew(&session) {
            Ok(token) => {
                session = sealer.open(&token).unwrap();
                assert_eq!((session.id(), session.state().count), (id, round));
                assert!(!sealer.is_due(&session));
            }
            // 12 renewals are 43188 seconds; the last token had 12 seconds left.
            Err(error) => {
                assert_eq!(round, 13);
                let limit = PolicyLimit::TokenLifetime;
                assert_eq!(error, SealError::Session(Reason::Expired { limit, seconds: 3587 }));
                return;
            }
        }
    }
    panic!("the absolute limit did not end it");
}

/// A token says how long ago its session began, so the last renewal of a session is its longest.
#[test]
fn no_renewal_is_longer_than_was_measured() {
    for padding in [Padding::None, Padding::To16, Padding::To64] {
        let (ring, clock) = ring(&Ring::example());
        let policy = Policy::default().idle_limit(2 * HOUR).absolute_limit(12 * HOUR).token_lifetime(HOUR);
        let sealer: Sealer<Example> =
            Sealer::builder(&ring, "session").policy(policy).padding(padding).prefix("shop_").build().unwrap();
        let mut session = opened(&sealer);
        let measured = sealer.measure(&session).unwrap();
        let mut longest = 0;
        for _ in 0..12 {
            let token = sealer.renew(&session).unwrap();
            longest = longest.max(token.as_str().len());
            session = sealer.open(&token).unwrap();
            clock.advance(3599);
        }
        assert_eq!(longest, measured, "{padding:?}");
    }
}

#[test]
fn an_expired_session_is_not_renewed() {
    let (ring, clock) = ring(&Ring::example());
    let sealer = sealer(&ring);
    let session = opened(&sealer);
    clock.advance(3599);
    assert!(sealer.renew(&session).is_ok());
    clock.advance(1);
    let limit = PolicyLimit::TokenLifetime;
    let expired = SealError::Session(Reason::Expired { limit, seconds: 0 });
    assert_eq!(sealer.renew(&session).unwrap_err(), expired);
    assert_eq!(sealer.transfer(&session).unwrap_err(), expired);
    assert_eq!(sealer.with(&[]).at(at(NOW + 1)).renew(&session).unwrap().id(), session.id(), "as if it were then");
}

#[test]
fn a_clock_that_fell_behind_does_not_change_the_session() {
    let (ring, clock) = ring(&Ring::example());
    let sealer = sealer(&ring);
    let session = opened(&sealer);
    clock.set(at(NOW - 120));
    let token = sealer.renew(&session).unwrap();
    let renewed = sealer.open(&token).unwrap();
    assert_eq!((renewed.id(), renewed.issued_at().as_unix()), (session.id(), NOW));
    clock.set(at(NOW - 121));
    assert_eq!(sealer.renew(&session).unwrap_err(), SealError::Session(Reason::NotYetValid { seconds: 121 }));
}

/// A server opens a session, the ring changes under it, and it renews.
#[test]
fn what_the_ring_ends_is_not_renewed() {
    type Edit = fn(&mut Ring);
    let key_id = waxseal::KeyId::from_bytes(role::active().id());
    let cases: [(Edit, Reason); 3] = [
        (|ring| ring.entry(role::active()).set("status", "\"disabled\""), Reason::DisabledKey { key_id }),
        (|ring| ring.keys[2] = tombstone(role::active(), "1785996400"), Reason::RevokedKey { key_id }),
        (|ring| ring.top.set("not_before", NOW), Reason::Revoked),
    ];
    for (edit, reason) in cases {
        let mut file = Ring::example();
        let disk = Disk::with(file.text().as_bytes());
        let clock = std::sync::Arc::new(waxseal::time::ManualClock::at(at(NOW)));
        let ring = KeyRing::options().clock(clock).load(&disk.path).unwrap();
        let sealer = sealer(&ring);
        let token = sealer.start(&EXAMPLE).unwrap();
        let session = sealer.open(&token).unwrap();
        edit(&mut file);
        file.top.set("generation", NOW);
        disk.write(file.text().as_bytes());
        ring.reload().unwrap();
        assert_eq!(sealer.open(&token).unwrap_err().reason(), reason);
        assert_eq!(sealer.renew(&session).unwrap_err(), SealError::Session(reason));
        assert_eq!(sealer.transfer(&session).unwrap_err(), SealError::Session(reason));
    }
}

#[test]
fn a_disabled_key_is_answered_for_later() {
    let mut file = Ring::example();
    file.entry(role::active()).set("status", "\"disabled\"");
    let (ring, _clock) = ring(&file);
    let sealer = sealer(&ring);
    let good = Forge { context: vec![], ..Forge::new("", role::active()) };
    let error = sealer.open(good.text()).unwrap_err();
    assert_eq!((error.reason().code(), error.status(), error.keep_token()), ("disabled_key", 503, true));
    let forged = Forge { tag: Some(vec![0; 16]), ..good };
    let error = sealer.open(forged.text()).unwrap_err();
    assert_eq!((error.reason().code(), error.status(), error.keep_token()), ("forged", 401, false));
    assert_eq!(sealer.start(&EXAMPLE).unwrap_err(), SealError::NoActiveKey, "no other key takes its place");
}

#[test]
fn a_login_in_the_second_of_a_cut_off_is_not_born_revoked() {
    for (not_before, starts_at) in [(NOW - 1, NOW), (NOW, NOW + 1), (NOW + 60, NOW + 61)] {
        let mut file = Ring::example();
        file.top.set("not_before", not_before);
        let (ring, _clock) = ring(&file);
        let sealer = sealer(&ring);
        let session = opened(&sealer);
        assert_eq!(session.start().as_unix(), starts_at);
        assert_eq!(session.expires_at().as_unix(), starts_at + 3600);
        assert_eq!(sealer.renew(&session).unwrap().id(), session.id());
    }
}

#[test]
fn a_cut_off_beyond_the_clock_lets_nobody_in() {
    let mut file = Ring::example();
    file.top.set("not_before", NOW);
    let (ring, clock) = ring(&file);
    let sealer = sealer(&ring);
    clock.set(at(NOW - 119));
    assert!(sealer.start(&EXAMPLE).is_ok());
    clock.set(at(NOW - 120));
    assert_eq!(sealer.start(&EXAMPLE).unwrap_err(), SealError::CutOffAhead);
}

#[test]
fn no_token_is_minted_at_the_ends_of_time() {
    let (ring, _clock) = ring(&Ring::single(Key::test(5)));
    let sealer = sealer(&ring);
    let start = |now| sealer.with(&[]).at(at(now)).start(&EXAMPLE);
    assert!(start(u32::MAX.into()).is_ok());
    assert_eq!(start(u64::from(u32::MAX) + 1).unwrap_err(), SealError::EndOfTime);
    assert_eq!(start(u64::MAX).unwrap_err(), SealError::EndOfTime);
    assert_eq!(start(0).unwrap_err(), SealError::NoActiveKey);
    let last = start(u32::MAX.into()).unwrap();
    assert_eq!(last.expires_at().as_unix(), u64::from(u32::MAX) + 3600);
    for (ttl, refused) in [(0, true), (1, false), (u64::from(u32::MAX), false), (u64::from(u32::MAX) + 1, true)] {
        let token = sealer.with(&[]).ttl(Duration::from_secs(ttl)).start(&EXAMPLE);
        assert_eq!(token.err() == Some(SealError::Lifetime), refused, "{ttl}");
    }
}

#[test]
fn a_session_at_its_absolute_limit_gets_no_further_token() {
    let (ring, clock) = ring(&Ring::example());
    let sealer = sealer(&ring);
    // A token from a server 60 seconds ahead, in the last minute of the session.
    let first = Forge { context: vec![], iat: (NOW - 43_139) as u32, ..Forge::new("", role::active()) };
    let mut ahead = Forge { iat: (NOW + 60) as u32, ttl: varint(3600), ..first.clone() };
    ahead.continue_from(&first.bytes(), 43_199);
    let session = sealer.open(ahead.text()).unwrap();
    assert_eq!(session.expires_at().as_unix(), NOW + 61);
    let last = sealer.renew(&session).unwrap();
    assert_eq!(last.expires_at().as_unix(), NOW + 61);
    clock.set(at(NOW + 61));
    let limit = PolicyLimit::Absolute;
    let expired = SealError::Session(Reason::Expired { limit, seconds: 0 });
    assert_eq!(sealer.renew(&session).unwrap_err(), expired);
    // No writer issues at the limit; if one did, a server behind would open the token and not renew it.
    clock.set(at(NOW));
    let first = Forge { iat: (NOW - 43_140) as u32, ..first };
    ahead.continue_from(&first.bytes(), 43_200);
    let session = sealer.open(ahead.text()).unwrap();
    assert_eq!(sealer.renew(&session).unwrap_err(), SealError::SessionOver);
}
