//! Clocks that are off: nothing is missed, nobody is lost, and what a wrong clock said passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use waxseal::revocation::Engine;
use waxseal::session::Reason;
use waxseal::time::{Clock, ManualClock, Timestamp};
use waxseal::{KeyRing, Revocations, Revoke, Sealer, Stale};

use super::dice::Dice;
use super::fleet::{BOUND, Fleet, Login, Node, Seen, Setup, check};

/// Every revocation has been seen by whoever has looked since, in whatever order things happen.
#[test]
fn r07_random_schedules_under_skewed_clocks_miss_nothing() {
    for seed in 0..5 {
        let fleet = Fleet::new();
        let mut dice = Dice(seed);
        let nodes = [-30, 30, dice.either_side(30)].map(|ahead| fleet.node_ahead(ahead));
        let mut logins: Vec<Login> = vec![];
        // For each server, the revocations that it must know.
        let mut known = [0_usize; 3];
        let mut ended: Vec<usize> = vec![];
        for _ in 0..600 {
            let at = dice.index(3);
            let node = &nodes[at];
            match dice.below(8) {
                0 | 1 => logins.push(node.login(["ada", "bob", "eve"][dice.index(3)], "tea")),
                2 if !logins.is_empty() => {
                    let picked = dice.index(logins.len());
                    node.end(&logins[picked]);
                    ended.push(picked);
                }
                3 | 4 => {
                    node.poll();
                    known[at] = ended.len();
                }
                5 if !logins.is_empty() => {
                    let login = &logins[dice.index(logins.len())];
                    if node.reason(login).is_none() {
                        node.renew(login);
                    }
                }
                _ => fleet.advance(dice.below(20)),
            }
            for &index in &ended[..known[at]] {
                assert_eq!(node.reason(&logins[index]), Some(Reason::Revoked), "seed {seed}");
            }
            let open = logins.iter().filter(|login| !login.over.get());
            assert!(check(&[node], open).unknown == 0, "seed {seed}");
        }
        nodes.iter().for_each(Node::poll);
        let [a, b, c] = &nodes;
        assert_eq!(check(&[a, b, c], &logins).unknown, 0);
    }
}

#[test]
fn r08_a_clock_a_day_off_for_hours_harms_nobody() {
    for ahead in [86_400_i64, -86_400] {
        let fleet = Fleet::new();
        // So that there is a key a day ago.
        fleet.advance(100_000);
        let (a, b, off) = (fleet.node(), fleet.node(), fleet.node());
        let mut logins = vec![];
        let mut some = |node: &Node| {
            let [stays, ends] = [node.login("bob", "tea"), node.login("ada", "tea")];
            node.end(&ends);
            logins.extend([stays, ends]);
        };
        for _ in 0..3 {
            some(&a);
            fleet.node().end(&b.login("eve", "tea"));
            fleet.pass_by(60, 600, &[&a, &b, &off]);
        }
        let shift = |seconds: i64| {
            let now = Clock::now(&off.clock).as_unix().saturating_add_signed(seconds);
            off.clock.set(super::fleet::at(now));
        };
        shift(ahead);
        for _ in 0..6 {
            some(&b);
            fleet.pass_by(60, 1200, &[&a, &b, &off]);
        }
        let off_login = off.login("zoe", "tea");
        off.end(&off_login);
        assert_eq!(check(&[&a, &b, &fleet.node()], &logins).unknown, 0);
        shift(-ahead);
        fleet.pass(100, &[&a, &b, &off]);
        assert_eq!(check(&[&a, &b, &off, &fleet.node()], &logins).unknown, 0, "{ahead}");
        // By the time it was a day ahead everything was remembered for long enough.
        for hour in 0..18 {
            fleet.pass_by(600, 3600, &[&a, &b, &off]);
            let living = logins.iter().filter(|login| login.token.borrow().expires_at() > fleet.now().plus(100));
            assert_eq!(check(&[&a, &b, &off], living).unknown, 0, "{ahead}, {hour}");
        }
        let living: Vec<_> =
            logins.iter().filter(|login| login.token.borrow().expires_at() > fleet.now().plus(100)).collect();
        assert!(living.len() > 4);
        assert_eq!(check(&[&fleet.node()], living).unknown, 0);
    }
}

/// By a clock that leaps everybody else has been silent for long; nobody's journal is taken over for that.
#[test]
fn a_clock_that_leaps_makes_nobody_silent() {
    let fleet = Fleet::new();
    let nodes: Vec<_> = (0..5).map(|_| fleet.node()).collect();
    let all: Vec<_> = nodes.iter().collect();
    fleet.pass(30, &all);
    let before = fleet.journals();
    nodes[0].clock.advance(86_400);
    for _ in 0..20 {
        nodes[0].poll();
    }
    fleet.pass(100, &all);
    assert_eq!(fleet.journals(), before);
}

/// A clock that is far ahead for a while does not make the fleet forget.
#[test]
fn r08_a_clock_ten_days_ahead_makes_nobody_forget() {
    for is_cold in [false, true] {
        let fleet = Fleet::new();
        fleet.advance(10_000);
        let a = fleet.node();
        let ended = a.login("ada", "tea");
        // By a writer that has ended, so that somebody takes its journal over.
        fleet.node().end(&ended);
        let warm = fleet.node();
        fleet.pass(60, &[&a, &warm]);
        let off = if is_cold { fleet.node_ahead(864_000) } else { warm };
        off.clock.set(fleet.now().plus(864_000));
        for _ in 0..100 {
            off.poll();
            fleet.pass(10, &[&a]);
        }
        assert!(fleet.journals().len() <= 3, "it was taken over");
        off.clock.set(fleet.now());
        fleet.pass(60, &[&a, &off]);
        assert_eq!(check(&[&a, &off, &fleet.node()], [&ended]).over, 3);
        fleet.pass_by(600, 40_000, &[&a, &off]);
        assert_eq!(check(&[&a, &off, &fleet.node()], [&ended]).over, 3);
    }
}

/// A clock that was set back by a day leaves nobody speechless for a day.
#[test]
fn a_clock_that_was_set_back_beats_on() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node_ahead(86_400), fleet.node());
    fleet.pass(30, &[&a, &b]);
    let lines = || b.list.status().nodes.iter().filter(|node| !node.this).map(|node| node.lines).max();
    let before = lines().unwrap();
    a.clock.set(fleet.now());
    fleet.pass(60, &[&a, &b]);
    assert!(lines().unwrap() >= before + 5);
}

/// Sessions of the last and the first second of a slice, for as long as any token of them may live.
#[test]
fn r09_at_the_edges_of_slices_nothing_revoked_is_accepted_and_memory_comes_back() {
    for engine in [Engine::Exact, Engine::Bloom { false_positives: 1e-9 }] {
        let fleet = Fleet::new();
        let nodes = [60, -60].map(|ahead| fleet.node_with(Setup { ahead: ahead / 2, engine, ..Setup::default() }));
        let [a, b] = &nodes;
        let edge = (fleet.now().as_unix() / 4096 + 1) * 4096;
        let mut logins = vec![];
        fleet.advance(edge - 1 - 30 - fleet.now().as_unix());
        for _ in 0..3 {
            let [stays, ends] = [a.login("bob", "tea"), a.login("ada", "tea")];
            a.end(&ends);
            logins.extend([stays, ends]);
            fleet.pass_by(1, 1, &[a, b]);
        }
        let starts: Vec<_> = logins.iter().map(|login| login.id.start().as_unix()).collect();
        assert_eq!(starts, [edge - 1, edge - 1, edge, edge, edge + 1, edge + 1]);
        // The last token that there may be was given out before anybody knew, and lives for a day.
        for _ in 0..86_400 / 600 - 1 {
            fleet.pass_by(600, 600, &[a, b]);
            assert_eq!(check(&[a, b], &logins), Seen { open: 6, over: 6, unknown: 0 });
        }
        assert_eq!(a.list.status().sessions, 3);
        fleet.pass_by(3600, 3 * 86_400, &[a, b]);
        for node in [a, b] {
            assert_eq!(node.list.status().sessions, 0);
        }
    }
}

#[test]
fn r16_a_session_renewed_elsewhere_is_over_in_every_token() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node_ahead(30));
    let login = a.login("ada", "tea");
    let first = Login { token: a.login("x", "tea").token, id: login.id, over: login.over.clone() };
    drop(first.token.replace(b.sealer.renew(&b.sealer.open(&*login.token.borrow()).unwrap()).unwrap()));
    fleet.advance(40_000);
    b.poll();
    b.renew(&login);
    a.end(&login);
    first.over.set(true);
    b.poll();
    assert_eq!(check(&[&a, &b, &fleet.node()], [&login, &first]).over, 6);
}

#[test]
fn r17_a_login_after_a_cut_off_on_a_clock_that_is_behind_lives_everywhere() {
    for revoke in [Revoke::subject("ada"), Revoke::tenant("tea"), Revoke::everyone()] {
        for behind in [-1, -3, -30, -59] {
            let fleet = Fleet::new();
            let (a, b, c) = (fleet.node(), fleet.node_ahead(behind), fleet.node_ahead(behind / 2));
            let old = [a.login("ada", "tea"), b.login("ada", "tea")];
            a.revoke(revoke.clone());
            old.iter().for_each(|login| login.over.set(true));
            [&b, &c].into_iter().for_each(Node::poll);
            let new = b.login("ada", "tea");
            let seen = check(&[&a, &b, &c, &fleet.node()], old.iter().chain([&new]));
            assert_eq!(seen, Seen { open: 4, over: 8, unknown: 0 }, "{revoke:?} {behind}");
        }
    }
}

/// Logins go on, an alarm is raised, and what was ended by mistake comes back once it is retracted.
#[test]
fn drill_a_cut_off_from_a_clock_a_day_ahead() {
    for revoke in [Revoke::subject("ada"), Revoke::tenant("tea"), Revoke::everyone()] {
        let fleet = Fleet::new();
        let (a, b, off) = (fleet.node(), fleet.node(), fleet.node_ahead(86_400));
        let old = a.login("ada", "tea");
        let cut_off = off.revoke(revoke).cut_off.unwrap();
        fleet.pass(10, &[&a, &b]);
        old.over.set(true);
        assert_eq!(a.list.status().ahead, [cut_off]);
        let mut logins = vec![];
        for hour in 0..23 {
            fleet.pass_by(600, 3600, &[&a, &b]);
            logins.push(if hour % 2 == 0 { a.login("ada", "tea") } else { b.login("ada", "tea") });
            assert_eq!(check(&[&a, &b], logins.iter().chain([&old])).unknown, 0, "after {hour} hours");
            let cold = fleet.node();
            let now = cold.login("ada", "tea");
            assert_eq!(check(&[&a, &b, &cold], [&now]).open, 3, "a server that starts lets people in too");
        }
        b.list.retract(cut_off).wait().unwrap();
        old.over.set(false);
        fleet.pass(10, &[&a, &b]);
        let living = logins.iter().filter(|login| login.token.borrow().expires_at() > fleet.now());
        assert_eq!(check(&[&a, &b, &fleet.node()], living).unknown, 0);
        fleet.pass_by(600, 7200, &[&a, &b]);
        assert_eq!(check(&[&a, &b, &fleet.node()], &logins[4..]).unknown, 0);
    }
}

#[test]
fn a_retracted_cut_off_of_a_wrong_clock_stays_retracted() {
    let fleet = Fleet::new();
    let (a, off) = (fleet.node(), fleet.node_ahead(5 * 86_400));
    let cut_off = off.revoke(Revoke::everyone()).cut_off.unwrap();
    a.poll();
    a.list.retract(cut_off).wait().unwrap();
    fleet.pass(30, &[&a]);
    drop(off);
    let login = a.login("ada", "tea");
    for half_day in 0..16 {
        fleet.pass_by(600, 43_200, &[&a]);
        a.renew(&login);
        let cold = fleet.node();
        assert_eq!((cold.reason(&login), a.reason(&login)), (None, None), "after {half_day} half days");
    }
}

#[test]
fn a_cut_off_of_a_wrong_clock_stops_no_logins_once_the_clock_is_right() {
    let fleet = Fleet::new();
    let (a, off) = (fleet.node(), fleet.node());
    off.clock.advance(86_400);
    off.revoke(Revoke::tenant("tea"));
    off.clock.set(fleet.now());
    fleet.pass(60, &[&a, &off]);
    let login = a.login("ada", "tea");
    assert_eq!(a.reason(&login), None);
    assert_eq!(off.reason(&login), None);
    off.login("ada", "tea");
}

/// Knows that it may be wrong, if it may.
#[derive(Default)]
struct Doubtful(ManualClock, AtomicBool);

impl Clock for Doubtful {
    fn now(&self) -> Timestamp {
        Clock::now(&self.0)
    }

    fn is_suspect(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

#[test]
fn under_a_clock_in_doubt_nothing_is_forgotten() {
    let fleet = Fleet::new();
    let a = fleet.node();
    let login = a.login("ada", "tea");
    a.end(&login);
    fleet.pass(60, &[&a]);
    let clock = Arc::new(Doubtful::default());
    clock.0.set(fleet.now().plus(4 * 86_400));
    clock.1.store(true, Ordering::Relaxed);
    let ring = KeyRing::options().clock(Arc::clone(&clock)).load(fleet.admin.path()).unwrap();
    let list = Revocations::directory(&ring, fleet.shared(), Stale::refuse_after(BOUND)).unwrap();
    let sealer = Sealer::<super::fleet::Member>::builder(&ring, "session").revocations(&list).build().unwrap();
    clock.0.set(fleet.now());
    clock.1.store(false, Ordering::Relaxed);
    for _ in 0..30 {
        fleet.pass(10, &[&a]);
        clock.0.set(fleet.now());
        list.sync().unwrap();
    }
    assert!(list.status().judges);
    assert!(sealer.open(&*login.token.borrow()).is_err(), "a revoked session was accepted");
}

#[test]
fn a_mention_by_a_wrong_clock_does_not_outlive_the_word_that_it_is_carried() {
    let fleet = Fleet::new();
    let (a, off, d) = (fleet.node(), fleet.node_ahead(20 * 86_400), fleet.node());
    d.end(&d.login("ada", "tea"));
    fleet.pass(100, &[&a, &off, &d]);
    off.clock.set(fleet.now());
    drop(d);
    for day in 0..12 {
        fleet.pass_by(1200, 86_400, &[&a, &off]);
        let cold = fleet.node();
        assert!(cold.list.is_ready(), "after {} days: {:?}", day + 1, cold.list.status().last_error);
    }
}

#[test]
fn a_clock_set_back_while_a_journal_is_gone_stops_nothing_for_good() {
    let (fleet, a, b, logins) = super::lost::running();
    let journal = b.journal(&fleet);
    drop(b);
    fleet.pass(10, &[&a]);
    std::fs::remove_file(journal).unwrap();
    let now = fleet.now().as_unix();
    a.clock.set(super::fleet::at(now - 300));
    fleet.pass(3600, &[&a]);
    assert_eq!(check(&[&a], &logins).unknown, 0, "{:?}", a.list.status().last_error);
}
