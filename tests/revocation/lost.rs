//! Journals that are gone, damaged or older than they were: cold servers wait, running ones keep what they know and hand it on.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;

use waxseal::Revoke;
use waxseal::revocation::{Level, RevokeError};

use super::fleet::{Fleet, Login, Node, Setup, check};

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
    let cold = fleet.node();
    assert!(!cold.list.is_ready(), "{:?}", cold.list.status());
    assert_eq!(check(&[&cold], logins).open, 0);
    settles(fleet, running, &cold, logins);
}

/// Nobody is lost and nothing revoked accepted while the running servers put things in order, nor afterwards.
pub(crate) fn settles(fleet: &Fleet, running: &[&Node], cold: &Node, logins: &[Login]) {
    assert_eq!(check(running, logins).unknown, 0, "those that run keep what they know");
    for _ in 0..10 {
        fleet.pass(30, running);
        cold.poll();
        assert_eq!(check(running, logins).unknown, 0, "no 503 meanwhile");
        check(&[cold], logins);
    }
    assert!(cold.list.is_ready(), "{:?}", cold.list.status().last_error);
    let later = running[0].login("eve", "tea");
    running[0].end(&later);
    fleet.pass(10, running);
    cold.poll();
    assert_eq!(check(&[cold, &fleet.node()], logins.iter().chain([&later])).unknown, 0);
}

#[test]
fn drill_a_file_deleted() {
    for is_own in [true, false] {
        let (fleet, a, b, logins) = running();
        let journal = a.journal(&fleet);
        let a = Some(a).filter(|_| is_own);
        fs::remove_file(journal).unwrap();
        let nodes: Vec<_> = [Some(&b), a.as_ref()].into_iter().flatten().collect();
        is_carried_on(&fleet, &nodes, &logins);
    }
}

/// What all servers have read long ago is damaged too: only those that start later would see it.
#[test]
fn drill_a_file_damaged() {
    for is_own in [true, false] {
        for place in [9, 120, 240, 500] {
            let (fleet, a, b, logins) = running();
            let journal = a.journal(&fleet);
            let a = Some(a).filter(|_| is_own);
            fleet.pass(10, &[&b]);
            flip(&journal, place);
            let nodes: Vec<_> = [Some(&b), a.as_ref()].into_iter().flatten().collect();
            is_carried_on(&fleet, &nodes, &logins);
            assert_eq!(check(&[&fleet.node()], &logins).unknown, 0);
        }
    }
}

/// The journal of a writer that has ended is not taken over from what cannot be read any more.
#[test]
fn drill_a_dead_file_damaged_before_it_is_taken_over() {
    let (fleet, a, b, logins) = running();
    let journal = a.journal(&fleet);
    drop(a);
    fleet.pass(590, &[&b]);
    flip(&journal, 240);
    fleet.pass(600, &[&b]);
    assert!(!journal.exists());
    assert_eq!(check(&[&b, &fleet.node()], &logins).unknown, 0);
}

#[test]
fn drill_restored_older() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    let mut logins = vec![];
    let some = |logins: &mut Vec<Login>| {
        for node in [&a, &b] {
            logins.extend([node.login("ada", "tea"), node.login("bob", "tea")]);
            node.end(&logins[logins.len() - 1]);
        }
        fleet.pass(60, &[&a, &b]);
    };
    some(&mut logins);
    let backup = fleet.copy("backup");
    some(&mut logins);
    fs::remove_dir_all(fleet.shared()).unwrap();
    fs::rename(backup, fleet.shared()).unwrap();
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    fleet.pass(20, &[&a, &b]);
    let cold = fleet.node();
    settles(&fleet, &[&a, &b], &cold, &logins);
}

#[test]
fn drill_one_file_restored_older_is_a_gap_until_it_is_carried_on() {
    let (fleet, a, b, mut logins) = running();
    let journal = a.journal(&fleet);
    let backup = fs::read(&journal).unwrap();
    logins.push(a.login("ada", "tea"));
    a.end(&logins[logins.len() - 1]);
    fleet.pass(30, &[&a, &b]);
    fs::write(&journal, backup).unwrap();
    is_carried_on(&fleet, &[&b, &a], &logins);
}

#[test]
fn drill_an_unmounted_directory() {
    let (fleet, a, b, mut logins) = running();
    let away = fleet.beside("away");
    fs::rename(fleet.shared(), &away).unwrap();
    fs::create_dir(fleet.shared()).unwrap();
    let login = a.login("ada", "tea");
    let refused = a.list.revoke(Revoke::session(login.id).level(Level::Shared)).wait().unwrap_err();
    assert!(matches!(refused, RevokeError::NotDurable { reached: None, .. }), "{refused}");
    login.over.set(true);
    logins.push(login);
    assert_eq!(a.list.status().waiting, 1);
    let cold = fleet.node();
    assert_eq!(check(&[&cold], &logins).open, 0);
    let open = cold.login("eve", "tea");
    for _ in 0..9 {
        fleet.pass(100, &[&a, &b, &cold]);
        assert_eq!(check(&[&a], &logins).unknown, 0, "within the bound");
    }
    fleet.pass(10, &[&a, &b]);
    let seen = check(&[&a, &b], &logins);
    assert_eq!((seen.open, a.list.is_ready()), (0, true), "beyond it");
    assert!(fleet.files().is_empty(), "nothing is written where nobody reads it");
    fs::remove_dir(fleet.shared()).unwrap();
    fs::rename(away, fleet.shared()).unwrap();
    fleet.pass(20, &[&a, &b, &cold]);
    assert_eq!(check(&[&a, &b, &cold, &fleet.node()], logins.iter().chain([&open])).unknown, 0);
    assert_eq!(a.list.status().waiting, 0);
}

/// A server that waits for a journal which nobody has read goes on once it is gone.
#[test]
fn a_file_that_was_never_read_is_no_gap_once_it_is_gone() {
    let (fleet, a, b, logins) = running();
    let garbage = fleet.shared().join("0123456789abcdef.journal");
    fs::write(&garbage, "<html>").unwrap();
    let cold = fleet.node();
    assert_eq!(check(&[&cold], &logins).open, 0);
    fleet.pass(100, &[&a, &b, &cold]);
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    assert!(!cold.list.is_ready(), "nobody knows what it held");
    fs::remove_file(garbage).unwrap();
    fleet.pass(10, &[&a, &b, &cold]);
    assert_eq!(check(&[&cold], &logins).unknown, 0);
}

pub(crate) fn flip(path: &std::path::Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

pub(crate) fn append(path: &std::path::Path, bytes: &[u8]) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_server_that_was_away_does_not_say_that_it_has_read_what_is_lost() {
    let (fleet, a, c, mut logins) = running();
    let mount = fleet.beside("mount");
    symlink(fleet.shared(), &mount).unwrap();
    let y = fleet.node_on(fleet.admin.path(), &mount, Setup::default());
    fleet.pass(30, &[&a, &c, &y]);
    fs::remove_file(&mount).unwrap();
    let login = a.login("ada", "tea");
    a.end(&login);
    logins.push(login);
    fleet.pass(40, &[&a, &c, &y]);
    fs::remove_file(a.journal(&fleet)).unwrap();
    drop((a, c));
    symlink(fleet.shared(), &mount).unwrap();
    assert!(!fleet.node().list.is_ready(), "who starts knows that something is missing");
    fleet.pass(900, &[&y]);
    assert!(y.list.sync().is_err());
    assert_eq!(check(&[&y], &logins).open, 0, "nobody knows what it held");
    assert!(!fleet.node().list.is_ready(), "and who starts knows it still");
}
