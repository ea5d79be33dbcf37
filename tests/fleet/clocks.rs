//! Clocks a day ahead, of the admin and of a server: no key in retention vanishes, and logins go on.
//!
//! That ten seconds of bad NTP log out nobody is held where the machine's clock can be shown to be
//! wrong: `time::tests::ten_seconds_of_bad_ntp_change_nothing`.

use waxseal::keys::{Role, Sessions};
use waxseal::time::Clock;

use super::desk::Desk;
use super::sim::{Fleet, Setup};
use super::{NOW, at, change};

const DAY: u64 = 86_400;

#[test]
fn drill_an_admins_clock_a_day_ahead_loses_no_session() {
    let mut fleet = Fleet::new(Setup { nodes: 5, pace: 120, ..Setup::default() });
    for _ in 0..3 {
        fleet.rotate();
        fleet.run(8 * 3600);
    }
    let right = fleet.now;
    for verb in ["rotate", "prune", "rotate"] {
        change(&fleet.admin, at(right + DAY), verb, |ring, now| {
            if verb == "prune" { Ok(ring.prune(now).len()) } else { Ok(usize::from(ring.rotate(now).is_ok())) }
        })
        .unwrap();
        fleet.send();
        fleet.run(4 * 3600);
    }
    fleet.run(2 * DAY);
    fleet.rotate();
    fleet.run(DAY);
    fleet.tally.nothing_lost("the admin's clock a day ahead");
}

/// The cut-off of a clock ahead ends what has begun, and no login after it.
#[test]
fn drill_a_cut_off_from_a_day_ahead_ends_sessions_and_logins_go_on() {
    let desk = Desk::new();
    let token = desk.mint();
    desk.clock.advance(5);
    let ahead = desk.now().plus(DAY);
    change(&desk.file, ahead, "not-before", |ring, now| ring.set_not_before(now, now)).unwrap();
    desk.follow();
    assert!(desk.opens(&token).is_err());
    let login = desk.mint();
    desk.clock.advance(1);
    desk.opens(&login).unwrap();
}

/// What takes over from a revoked key seals now, by every clock, whatever the admin's showed.
#[test]
fn drill_a_revoke_by_a_clock_a_day_off_leaves_a_key_that_seals() {
    for (what, all) in [("revoke", false), ("revoke-all", true)] {
        let desk = Desk::new();
        desk.clock.advance(2 * DAY);
        for admin in [desk.now().plus(DAY), desk.now()] {
            let active = desk.file.report(desk.now()).unwrap().active.unwrap();
            change(&desk.file, admin, what, |ring, now| {
                if all { ring.revoke_all(None, now) } else { ring.revoke(active, None, Some(Sessions::Keep), now) }
            })
            .unwrap();
            desk.follow();
            assert!(desk.ring.active().is_some(), "{what} by a clock at {admin}: nobody can log in");
            desk.opens(desk.mint()).unwrap_or_else(|reason| panic!("{what}: {reason:?}"));
        }
    }
}

#[test]
fn drill_a_servers_clock_a_day_ahead_forgets_nothing() {
    let desk = Desk::new();
    desk.rotate();
    desk.clock.set(at(NOW + 2 * DAY));
    let right = desk.clock.now();
    desk.rotate();
    let token = desk.mint();
    desk.clock.set(right.plus(DAY));
    let login = desk.mint();
    desk.opens(&login).unwrap();
    // It may even follow a ring meanwhile.
    change(&desk.file, right, "rotate", |ring, now| ring.set_stale_ok(Some(now), now)).unwrap();
    desk.follow();
    desk.clock.set(right);
    desk.opens(&token).unwrap();
    let roles = desk.ring.status().ring.keys;
    assert!(roles.iter().any(|key| key.role == Role::Retiring), "the key in retention is there");
    desk.clock.set(right.plus(DAY));
    desk.opens(&login).unwrap();
}
