//! Rotations in a fleet: nobody is logged out, and without one of the guards somebody is.

use waxseal::keys::{ChangeError, DiskError, PolicyError, RingFile, RingPolicy, Role, Rotation};

use super::at;
use super::sim::{Fleet, Setup};
use super::testkit::ring;

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// The default policy with another `late`.
fn late(seconds: u64) -> RingPolicy {
    let mut policy = RingPolicy::default();
    policy.late = seconds;
    policy
}

#[test]
fn t01_fifty_servers_and_twenty_rotations_lose_no_session() {
    let mut fleet = Fleet::new(Setup::default());
    let first = fleet.nodes[0].active();
    for _ in 0..20 {
        fleet.rotate();
        fleet.run(6 * HOUR);
    }
    fleet.run(6 * HOUR);
    assert_ne!(fleet.nodes[0].active(), first);
    assert!(fleet.nodes.iter().all(|node| node.active() == fleet.nodes[0].active()));
    fleet.tally.nothing_lost("50 servers, 20 rotations");
}

#[test]
fn t01_other_fleets_lose_no_session_either() {
    for seed in 2..5 {
        let mut fleet = Fleet::new(Setup { nodes: 5, seed, ..Setup::default() });
        for _ in 0..8 {
            fleet.rotate();
            fleet.run(3 * HOUR);
        }
        fleet.tally.nothing_lost("5 servers, 8 rotations");
    }
}

#[test]
fn t01_clocks_beyond_the_skew_lose_sessions() {
    let mut fleet = Fleet::new(Setup { nodes: 10, clocks: 200, ..Setup::default() });
    fleet.rotate();
    fleet.run(2 * HOUR);
    fleet.tally.some_lost("clocks 200 s off at 60 s skew");
}

#[test]
fn t02_two_admins_rotating_at_once_make_one_rotation() {
    let mut fleet = Fleet::new(Setup { nodes: 10, ..Setup::default() });
    for _ in 0..5 {
        let generation = fleet.admin.read().unwrap().generation();
        let other = fleet.admin.clone().if_generation(generation);
        fleet.rotate();
        let now = at(fleet.now + 1);
        let beaten = other.update::<Rotation, DiskError>(now, "rotate", |ring| Ok((ring.rotate(now).unwrap(), true)));
        assert_eq!(beaten.unwrap_err().code(), "ring_generation");
        assert!(matches!(fleet.rotate(), Rotation::AlreadyScheduled { .. }));
        fleet.run(3 * HOUR);
    }
    fleet.tally.nothing_lost("two admins");
}

#[test]
fn t03_a_delay_too_short_is_refused_by_writer_and_loader() {
    let mut short = RingPolicy::default();
    short.activation_delay = 755;
    let refused = PolicyError::ActivationDelay { seconds: 755, least: 756 };
    assert_eq!(short.check(), Err(refused.clone()));
    let mut fleet = Fleet::new(Setup { nodes: 1, ..Setup::default() });
    assert_eq!(fleet.change("policy", |ring, now| ring.set_policy(short, now)), Err(ChangeError::Policy(refused)));
    let mut file = ring::Ring::example();
    file.policy.set("activation_delay", 755);
    let disk = ring::Disk::with(file.text().as_bytes());
    let error = RingFile::at(&disk.path).read().unwrap_err();
    assert!(error.to_string().contains("756"), "{error}");
}

#[test]
fn t03_a_key_that_not_every_server_has_loses_sessions() {
    let mut fleet = Fleet::new(Setup { nodes: 10, ..Setup::default() });
    fleet.run(HOUR);
    assert!(matches!(promote_a_fresh_key(&mut fleet, false), Err(ChangeError::TooYoung { .. })));
    promote_a_fresh_key(&mut fleet, true).unwrap();
    fleet.burst_around(fleet.now + 300);
    fleet.run(HOUR);
    fleet.tally.some_lost("a key promoted before it was distributed");
}

/// Promotes the staged key and, a second later, the one staged behind it, which no server has yet.
fn promote_a_fresh_key(fleet: &mut Fleet, force: bool) -> Result<(), ChangeError> {
    let staged = fleet.key(Role::Staged);
    fleet.change("promote", |ring, now| {
        let done = ring.promote(staged, None, force, now)?;
        ring.promote(done.staged, Some(now.plus(1)), force, now).map(drop)
    })
}

#[test]
fn drill_a_server_three_days_late_loses_nothing_unless_late_is_zero() {
    // A server three days late with a rotation, in a fleet that allows for it and in one that does not.
    for (allowed, lost) in [(3 * DAY, false), (0, true)] {
        let mut fleet = Fleet::new(Setup { nodes: 5, pace: 300, policy: late(allowed), ..Setup::default() });
        fleet.run(HOUR);
        fleet.cut_off(0, 3 * DAY);
        fleet.rotate();
        fleet.run(4 * DAY + 2 * HOUR);
        let what = format!("one server 3 days late, late = {allowed} s");
        if lost { fleet.tally.some_lost(&what) } else { fleet.tally.nothing_lost(&what) }
    }
}

#[test]
fn drill_an_emergency_revoke_ends_only_what_it_must() {
    let mut fleet = Fleet::new(Setup { nodes: 20, ..Setup::default() });
    for _ in 0..3 {
        fleet.rotate();
        fleet.run(6 * HOUR);
        let before = fleet.tally.ended;
        let active = fleet.key(Role::Active);
        let done = fleet.change("revoke", |ring, now| ring.revoke(active, Some("leak"), None, now)).unwrap();
        fleet.burst_around(fleet.now + 700);
        fleet.run(HOUR);
        assert!(fleet.tally.ended > before);
        assert!(fleet.nodes.iter().all(|node| node.active() == done.promoted.map(|next| next.key)));
    }
    fleet.tally.nothing_lost("three emergency revokes");
}
