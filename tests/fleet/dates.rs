//! What depends on dates alone: retention to the second, lifetimes, clocks that are off, cut-offs.

use std::time::Duration;

use waxseal::keys::{ChangeError, Role};
use waxseal::session::{BuildError, Reason};
use waxseal::{Policy, Sealer, Signer};

use super::desk::Desk;
use super::sim::{Fleet, Setup};
use super::testkit::forge::Forge;
use super::testkit::key::Key;
use super::testkit::ring::{Ring, role};
use super::testkit::state::{EXAMPLE, Example};
use super::{NOW, User, at};

const L: u64 = 86_400;
const LATE: u64 = 86_400;
const SKEW: u64 = 60;

#[test]
fn t13_nothing_is_pruned_a_second_early_and_the_last_token_lives_to_its_end() {
    let desk = Desk::new();
    let first = desk.key(Role::Active);
    desk.rotate();
    let superseded = NOW + 3600;
    desk.clock.set(at(superseded - 1));
    let last = desk.mint();
    assert_eq!((last.key_id(), last.expires_at()), (first, at(superseded - 1 + L)));
    // A server that is late and behind mints with the old key until here.
    let latest = desk.sealer.with(&[]).at(at(superseded - 1)).start(&User { number: 1 }).unwrap();
    assert_eq!(latest.key_id(), first);
    desk.clock.set(at(superseded - 2 + L));
    desk.opens(&last).unwrap();
    let until = superseded + L + LATE + 2 * SKEW + SKEW;
    desk.clock.set(at(until - 1));
    let early = desk.change("prune", |ring, now| ring.prune_key(first, now)).unwrap_err();
    assert_eq!(early, ChangeError::Retained { id: first, role: Role::Expired, until: Some(at(until)) });
    assert!(desk.change("prune", |ring, now| Ok(ring.prune(now))).unwrap().is_empty());
    desk.clock.set(at(until));
    assert_eq!(desk.change("prune", |ring, now| ring.prune_key(first, now)), Ok(()));
    desk.follow();
    assert_eq!(desk.opens(&last), Err(Reason::UnknownKey { key_id: first }));
}

#[test]
fn t13_the_last_token_of_a_late_server_lives_to_its_end() {
    let desk = Desk::new();
    desk.rotate();
    let superseded = NOW + 3600;
    // What a server without the rotation mints in its last second, by a clock that is ahead.
    let other = Desk::holding(&desk.bytes());
    let (iat, key) = (superseded + LATE + SKEW, desk.key(Role::Active));
    let old: serde_json::Value = serde_json::from_slice(&other.bytes()).unwrap();
    let entry = old["keys"].as_array().unwrap().iter().find(|entry| entry["id"] == key.to_string()).unwrap();
    let secret = super::testkit::decode(entry["secret"].as_str().unwrap()).unwrap();
    let token = |iat: u64| {
        let mut forge = Forge::new("late", Key(secret.clone().try_into().unwrap()));
        forge.context.clear();
        forge.iat = iat as u32;
        forge.ttl = super::testkit::forge::varint(L);
        forge.text()
    };
    let sealer: Sealer<Example> = Sealer::new(&desk.ring, "session").unwrap();
    let open = |text: &str, now: u64| {
        desk.clock.set(at(now));
        sealer.open(text).map(drop).map_err(|error| error.reason())
    };
    assert_eq!(open(&token(iat), iat), Ok(()));
    assert_eq!(open(&token(iat), iat + L - 1), Ok(()));
    assert_eq!(open(&token(iat + 1), iat + 1), Err(Reason::RetiredKey));
}

#[test]
fn t14_no_token_outlives_the_rings_longest() {
    let desk = Desk::new();
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let build = |policy| Sealer::<User>::builder(&desk.ring, "session").policy(policy).build().map(drop);
    assert!(build(Policy::default().token_lifetime(days(1))).is_ok());
    let refused = build(Policy::default().token_lifetime(days(2)));
    assert!(matches!(refused, Err(BuildError::Contradiction { .. })), "{refused:?}");
    let token = desk.sealer.with(&[]).ttl(days(2)).start(&User { number: 1 }).unwrap();
    assert_eq!(token.expires_at(), at(NOW + L), "cut to the longest");
    let mut short = desk.file.read().unwrap().policy().clone();
    short.max_token_lifetime = 3600;
    desk.change("policy", |ring, now| ring.set_policy(short, now)).unwrap();
    desk.follow();
    assert_eq!(desk.mint().expires_at(), at(NOW + 3600), "a ring that lowers it cuts, and logins go on");
    desk.opens(&token).unwrap();
}

/// A token from an hour ahead is not taken yet, and the client is told to keep it; nothing else fails.
#[test]
fn t15_a_server_an_hour_off_loses_no_session_for_good() {
    for ahead in [-3600_i64, 3600] {
        let mut fleet = Fleet::new(Setup { nodes: 3, clocks: 0, ..Setup::default() });
        // Old enough that its first key seals by a clock an hour behind.
        fleet.run(3600);
        fleet.rotate();
        fleet.run(1800);
        fleet.nodes[0].set_ahead(ahead);
        for now in [fleet.now, fleet.now + 1800, fleet.now + 5400] {
            let mint = |node: usize| fleet.nodes[node].at(now).sealer.start(&User { number: 1 }).unwrap();
            let (theirs, own) = (mint(1), mint(0));
            assert!(fleet.nodes[0].sealer.open(&own).is_ok());
            let early = |node: usize, token| match fleet.nodes[node].at(now).sealer.open(token) {
                Ok(_) => false,
                Err(error) => {
                    assert!(matches!(error.reason(), Reason::NotYetValid { .. }) && error.keep_token(), "{error:?}");
                    true
                }
            };
            assert_eq!((early(0, &theirs), early(1, &own)), (ahead < 0, ahead > 0));
            fleet.nodes[1].at(now + 3600);
            assert!(fleet.nodes[1].sealer.open(&own).is_ok(), "kept, it opens later");
        }
        fleet.nodes[0].set_ahead(0);
        fleet.run(3 * 3600);
        fleet.tally.nothing_lost("one clock an hour off for a while");
    }
}

/// The ring's cut-off; those for tenants and subjects are not of the ring.
#[test]
fn t22_the_greatest_cut_off_counts_and_spares_what_started_later() {
    let desk = Desk::new();
    let before = desk.mint();
    let renewed = desk.sealer.renew(&desk.sealer.open(&before).unwrap()).unwrap();
    desk.clock.advance(10);
    let cut = |at| desk.change("not-before", |ring, now| ring.set_not_before(at, now));
    cut(at(NOW)).unwrap();
    desk.follow();
    let between = desk.mint();
    assert_eq!((desk.opens(&before), desk.opens(&renewed)), (Err(Reason::Revoked), Err(Reason::Revoked)));
    assert_eq!(cut(at(NOW)), Err(ChangeError::NotLater { at: at(NOW), in_force: at(NOW) }));
    assert!(matches!(cut(at(NOW + 11)), Err(ChangeError::Ahead { .. })));
    desk.opens(&between).unwrap();
    cut(at(NOW + 10)).unwrap();
    desk.follow();
    assert_eq!(desk.opens(&between), Err(Reason::Revoked));
    desk.opens(desk.mint()).unwrap();
}

/// Another implementation of the format stands for another version: each opens what the other made.
#[test]
fn t24_tokens_of_two_implementations_open_both_ways() {
    let desk = Desk::holding(Ring::example().text().as_bytes());
    let sealer: Sealer<Example> = Sealer::new(&desk.ring, "session").unwrap();
    let signer: Signer<Example> = Signer::new(&desk.ring, "session").unwrap();
    let context = b"tenant-7";
    for key in [role::retiring(), role::active(), role::staged()] {
        let mut forge = Forge::new("t24", key);
        if key.id() == role::retiring().id() {
            forge.iat -= 3600;
            forge.ttl = super::testkit::forge::varint(7200);
        }
        assert_eq!(*sealer.with(context).open(forge.text()).unwrap().state(), EXAMPLE);
        forge.signed = true;
        assert_eq!(*signer.with(context).verify(forge.text()).unwrap().state(), EXAMPLE);
    }
    let mut forge = Forge::new("t24", role::active());
    let read = |forge: &Forge, token: &str| forge.read(&super::testkit::decode(token).unwrap()).unwrap();
    let token = sealer.with(context).start(&EXAMPLE).unwrap();
    assert!(read(&forge, token.as_str()).ends_with(&forge.body));
    forge.signed = true;
    let token = signer.with(context).sign(&EXAMPLE).unwrap();
    assert!(read(&forge, token.as_str()).ends_with(&forge.body));
}
