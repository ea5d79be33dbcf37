//! Journals that are gone, damaged or older than they were: cold servers wait, running ones keep what they know and hand it on.

use super::fleet::{Fleet, Login, Node, check};

/// Two servers that run, five sessions that each has ended, and five that go on.
pub(crate) fn running() -> (Fleet, Node, Node, Vec<Login>) {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    let mut logins = vec![];
    for node in [&a, &b] {
        for _ in 0..5 {
            let login = node.login("ada", "tea");
            node.end(&login);
            logins.extend([login, node.login("bob", "tea")]);
        }
    }
    fleet.pass(60, &[&a, &b]);
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    (fleet, a, b, logins)
}

/// A server that starts now says nothing of any session, until those that run have handed on what was lost.
fn is_carried_on(fleet: &Fleet, running: &[&Node], logins: &[Login]) {
    assert_eq!(check(running, logins).unknown, 0, "those that run keep what they know");
    let cold = fleet.node();
    assert!(!cold.list.is_ready(), "{:?}", cold.list.status());
    let seen = check(&[&cold], logins);
    assert_eq!(seen.open, 0);
    for _ in 0..30 {
        fleet.pass(10, running);
        cold.poll();
        assert_eq!(check(running, logins).unknown, 0, "no 503 meanwhile");
        check(&[&cold], logins);
    }
    assert!(cold.list.is_ready(), "{:?}", cold.list.status().last_error);
    assert_eq!(check(&[&cold, &fleet.node()], logins).unknown, 0);
}

#[test]
fn drill_a_file_deleted() {
    for own in [true, false] {
        let (fleet, a, b, logins) = running();
        std::fs::remove_file(a.journal(&fleet)).unwrap();
        if own {
            is_carried_on(&fleet, &[&a, &b], &logins);
        } else {
            drop(a);
            is_carried_on(&fleet, &[&b], &logins);
        }
    }
}

#[test]
fn drill_a_file_damaged() {
    for own in [true, false] {
        for place in [9, 200, 240, 300, 500] {
            let (fleet, a, b, logins) = running();
            let journal = a.journal(&fleet);
            let mut a = Some(a);
            if !own {
                a = None;
                fleet.pass(10, &[&b]);
            }
            let mut bytes = std::fs::read(&journal).unwrap();
            bytes[place] ^= 1;
            std::fs::write(&journal, bytes).unwrap();
            let nodes: Vec<_> = [Some(&b), a.as_ref()].into_iter().flatten().collect();
            is_carried_on(&fleet, &nodes, &logins);
        }
    }
}
