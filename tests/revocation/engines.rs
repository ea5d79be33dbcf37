//! Exact and bloom, full and changed under load: nothing revoked is accepted, and a login is never one that looks revoked.

use std::sync::atomic::{AtomicBool, Ordering};

use waxseal::Revoke;
use waxseal::revocation::Engine;

use super::fleet::{Fleet, Node, Seen, Setup, check};

fn bloom(false_positives: f64) -> Engine {
    Engine::Bloom { false_positives }
}

#[test]
fn r11_a_mass_logout_of_one_hour() {
    for engine in [Engine::Exact, bloom(1e-9)] {
        let fleet = Fleet::new();
        let setup = Setup { engine, ..Setup::default() };
        let (a, b) = (fleet.node_with(setup), fleet.node_with(setup));
        let ended: Vec<_> = (0..4_000).map(|n| a.login(&n.to_string(), "tea")).collect();
        let stays: Vec<_> = (0..500).map(|n| a.login(&n.to_string(), "silk")).collect();
        let all: Vec<_> = ended.iter().map(|login| a.list.revoke(Revoke::session(login.id))).collect();
        // In force here before anything is written, and then written many at a time.
        ended.iter().for_each(|login| login.over.set(true));
        assert_eq!(check(&[&a], &ended).over, 4_000);
        assert!(all.into_iter().all(|revoking| revoking.wait().is_ok()));
        fleet.pass(10, &[&a, &b]);
        let seen = check(&[&a, &b, &fleet.node_with(setup)], ended.iter().chain(&stays));
        assert_eq!(seen, Seen { open: 1_500, over: 12_000, unknown: 0 }, "{engine:?}");
        let status = b.list.status();
        assert_eq!(status.sessions, 4_000);
        assert!(status.false_positives <= 1e-9 && status.bytes < 1_000_000, "{status:?}");
        // Written anew it is as long as what lives, and readers lose nothing.
        fleet.pass(600, &[&a, &b]);
        assert_eq!(check(&[&a, &b, &fleet.node()], ended.iter().step_by(50)).unknown, 0);
    }
}

/// R23: a filter that errs once in twenty never errs on whoever has just logged in.
#[test]
fn r23_a_login_is_never_one_that_looks_revoked() {
    let fleet = Fleet::new();
    let node = fleet.node_with(Setup { engine: bloom(0.05), ..Setup::default() });
    let ended: Vec<_> = (0..2_000).map(|_| node.login("ada", "tea")).collect();
    let all: Vec<_> = ended.iter().map(|login| node.list.revoke(Revoke::session(login.id))).collect();
    assert!(all.into_iter().all(|revoking| revoking.wait().is_ok()));
    ended.iter().for_each(|login| login.over.set(true));
    // Of sessions that another server let in without asking this filter, some look revoked.
    let elsewhere = fleet.node();
    let strangers: Vec<_> = (0..2_000).map(|_| elsewhere.login("bob", "tea")).collect();
    let hit = strangers.iter().filter(|login| node.reason(login).is_some()).count();
    assert!(hit > 0, "the filter never errs, so the next lines say nothing");
    let again: Vec<_> = (0..2_000).map(|_| node.login("bob", "tea")).collect();
    assert_eq!(check(&[&node], ended.iter().chain(&again)), Seen { open: 2_000, over: 2_000, unknown: 0 });
    node.list.set_engine(Engine::Exact).unwrap();
    assert_eq!(
        check(&[&node], ended.iter().chain(&strangers).chain(&again)).unknown,
        0,
        "exact takes nobody for another"
    );
}

#[test]
fn drill_exact_to_bloom_and_back_under_load() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    let ended: Vec<_> = (0..300).map(|_| a.login("ada", "tea")).collect();
    ended.iter().for_each(|login| a.list.revoke(Revoke::session(login.id)).wait().map(drop).unwrap());
    b.poll();
    let stays: Vec<_> = (0..300).map(|_| a.login("bob", "tea")).collect();
    let texts = |logins: &[super::fleet::Login]| -> Vec<String> {
        logins.iter().map(|login| login.token.borrow().as_str().to_owned()).collect()
    };
    let (ended, stays) = (texts(&ended), texts(&stays));
    let stop = AtomicBool::new(false);
    let reads = |node: &Node| {
        let sealer = node.sealer.clone();
        let (ended, stays, stop) = (&ended, &stays, &stop);
        move || {
            let (mut accepted, mut lost) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                accepted += ended.iter().filter(|text| sealer.open(text.as_str()).is_ok()).count();
                lost += stays.iter().filter(|text| sealer.open(text.as_str()).is_err()).count();
            }
            (accepted, lost)
        }
    };
    std::thread::scope(|scope| {
        let threads = [scope.spawn(reads(&a)), scope.spawn(reads(&b))];
        for round in 0..30 {
            let engine = if round % 2 == 0 { bloom(1e-9) } else { Engine::Exact };
            a.list.set_engine(engine).unwrap();
            b.list.set_engine(engine).unwrap();
            let login = b.login("eve", "tea");
            a.end(&login);
            b.poll();
            assert_eq!(check(&[&a, &b], [&login]).over, 2);
        }
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), (0, 0));
        }
    });
}
