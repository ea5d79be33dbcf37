//! Old and foreign rings that come back: refused everywhere, with an alarm, and nobody is logged out.

use waxseal::KeyRing;
use waxseal::keys::{Refusal, Ring, RingError, RingFile, Role, Unexpected};
use waxseal::session::Reason;

use super::desk::{Desk, edited, newer};
use super::sim::{Fleet, Setup};
use super::{NOW, at, sealer};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

#[test]
fn drill_a_foreign_ring_is_refused_and_no_session_lost() {
    let mut fleet = Fleet::new(Setup { nodes: 5, pace: 20, ..Setup::default() });
    fleet.run(HOUR);
    let foreign = RingFile::at(fleet.directory().join("staging.json"));
    let ours = fleet.nodes[0].ring.status().ring.ring_id;
    foreign.create(&Ring::create(Default::default(), at(fleet.now)).unwrap(), at(fleet.now)).unwrap();
    let bytes = std::fs::read(foreign.path()).unwrap();
    for node in &fleet.nodes {
        super::put(node.path(), &bytes);
        let error = node.ring.reload().unwrap_err();
        assert!(matches!(error, RingError::Refused { refusal: Refusal::Foreign, .. }), "{error}");
        assert!(node.ring.status().last_error.is_some(), "the alarm");
        let cold = KeyRing::options().expect_ring(&ours).load(node.path());
        assert!(matches!(cold, Err(RingError::NotExpected { why: Unexpected::Ring { .. }, .. })));
    }
    fleet.run(2 * HOUR);
    fleet.rotate();
    fleet.run(2 * HOUR);
    assert!(fleet.tally.refused_rings.is_empty(), "the rotation brought our ring back");
    fleet.tally.nothing_lost("a foreign ring copied to every server");
}

#[test]
fn drill_restored_backup_is_refused_everywhere() {
    let setup = Setup { nodes: 10, pace: 1800, ..Setup::default() };
    let mut fleet = Fleet::new(setup);
    fleet.run(HOUR);
    let backup = std::fs::read(fleet.admin.path()).unwrap();
    fleet.rotate();
    fleet.run(30 * DAY);
    super::put(fleet.admin.path(), &backup);
    fleet.send();
    fleet.run(HOUR);
    assert_eq!(fleet.tally.refused_rings.len(), 10, "restored");
    // Cron makes a newer ring out of it.
    fleet.rotate();
    fleet.run(DAY);
    assert_eq!(fleet.tally.refused_rings.len(), 20, "rotated");
    fleet.tally.nothing_lost("a backup of 30 days restored and rotated");
}

#[test]
fn drill_a_revoked_key_stays_refused_after_a_restart_with_the_previous_ring() {
    let desk = Desk::new();
    let (token, active, previous) = (desk.mint(), desk.key(Role::Active), desk.bytes());
    let state = desk.beside("state.json");
    let start =
        |with_state: bool| desk.start(if with_state { KeyRing::options().state(&state) } else { KeyRing::options() });
    let server = start(true).unwrap();
    desk.change("revoke", |ring, now| ring.revoke(active, Some("leak"), None, now)).unwrap();
    server.reload().unwrap();
    assert!(sealer(&server).open(&token).is_err());
    drop(server);
    assert_eq!(sealer(&start(true).unwrap()).open(&token).unwrap_err().reason(), Reason::RevokedKey { key_id: active });
    desk.put(&previous);
    let refused = start(true).unwrap_err();
    let why = Unexpected::Remembered(Refusal::Older { old: NOW + 1, new: NOW });
    assert!(matches!(&refused, RingError::NotExpected { why: found, .. } if *found == why), "{refused}");
    // A later rotation of that old ring is newer, and the key is as dead.
    desk.clock.advance(60);
    desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    let refused = start(true).unwrap_err();
    let why = Unexpected::Remembered(Refusal::Tombstone { id: active });
    assert!(matches!(&refused, RingError::NotExpected { why: found, .. } if *found == why), "{refused}");
    // Without the state file the key would live again.
    assert!(sealer(&start(false).unwrap()).open(&token).is_ok());
    assert!(desk.start(KeyRing::options().min_generation(NOW + 10_000)).is_err());
}

/// A backup from before the key was made, and then one from when it lived: each made newer by a rotation.
#[test]
fn drill_a_revoked_key_is_remembered_through_a_ring_that_never_had_it() {
    let desk = Desk::new();
    let state = desk.beside("state.json");
    let start = |bytes: &[u8]| {
        desk.put(bytes);
        desk.clock.advance(60);
        desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
        desk.start(KeyRing::options().state(&state))
    };
    let before = desk.bytes();
    desk.rotate();
    let (with_it, staged) = (desk.bytes(), desk.key(Role::Staged));
    desk.change("revoke", |ring, now| ring.revoke(staged, Some("leak"), None, now)).unwrap();
    let revoked = desk.bytes();
    drop(start(&revoked).unwrap());
    drop(start(&before).unwrap());
    let refused = start(&with_it).unwrap_err();
    let why = Unexpected::Remembered(Refusal::Tombstone { id: staged });
    assert!(matches!(&refused, RingError::NotExpected { why: found, .. } if *found == why), "{refused}");
    // An operator's word revives it, and that is remembered too.
    let digest = desk.file.report(desk.now()).unwrap().digest;
    drop(desk.start(KeyRing::options().state(&state).accept_digest(&digest)).unwrap());
    assert!(desk.start(KeyRing::options().state(&state)).is_ok());
}

/// Two admins on one file: whatever order the three rings arrive in, the key ends dead.
#[test]
fn drill_revoked_by_one_admin_and_rotated_by_another_is_dead_in_every_order() {
    let admin = Desk::new();
    let active = admin.key(Role::Active);
    let mut rings = vec![admin.bytes()];
    admin.change("revoke", |ring, now| ring.revoke(active, Some("leak"), None, now)).unwrap();
    rings.push(admin.bytes());
    admin.clock.advance(600);
    admin.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    rings.push(admin.bytes());
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let server = Desk::holding(&rings[0]);
        let token = server.mint();
        for index in order {
            server.put(&rings[index]);
            let _ = server.ring.reload();
        }
        assert_eq!(server.opens(&token), Err(Reason::RevokedKey { key_id: active }), "{order:?}");
    }
}

/// The same on two copies that do not know of each other: no writer may do that, and servers say so.
#[test]
fn drill_revoked_and_rotated_on_two_copies_is_an_alarm_and_revoking_again_ends_it() {
    let (one, two) = (Desk::new(), Desk::new());
    two.put(&one.bytes());
    let (token, active, base) = (one.mint(), one.key(Role::Active), one.bytes());
    one.change("revoke", |ring, now| ring.revoke(active, None, None, now)).unwrap();
    two.clock.advance(60);
    two.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    for order in [[one.bytes(), two.bytes()], [two.bytes(), one.bytes()]] {
        let server = Desk::holding(&base);
        server.put(&order[0]);
        server.follow();
        server.put(&order[1]);
        server.refuses();
    }
    // Those that took the rotation first are told by a revoke on top of it.
    let server = Desk::holding(&two.bytes());
    two.change("revoke", |ring, now| ring.revoke(active, None, None, now)).unwrap();
    server.put(&two.bytes());
    server.follow();
    assert_eq!(server.opens(&token), Err(Reason::RevokedKey { key_id: active }));
}

/// Without the rule that no key in retention may vanish, a restart on a pruned ring loses sessions.
#[test]
fn a_key_pruned_too_early_loses_sessions_where_nothing_refuses_it() {
    let desk = Desk::new();
    let (token, first) = (desk.mint(), desk.key(Role::Active));
    desk.rotate();
    desk.clock.advance(2 * HOUR);
    desk.put(&edited(&desk.bytes(), |json| {
        newer(json);
        json["keys"].as_array_mut().unwrap().retain(|key| key["id"] != first.to_string());
    }));
    let error = desk.refuses();
    assert!(matches!(error, RingError::Refused { refusal: Refusal::Key { id }, .. } if id == first), "{error}");
    desk.opens(&token).unwrap();
    let cold = desk.start(KeyRing::options()).unwrap();
    assert_eq!(sealer(&cold).open(&token).unwrap_err().reason(), Reason::UnknownKey { key_id: first });
}
