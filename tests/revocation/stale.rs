//! A list that is not there, or not up to date: when sessions are answered 503, and when they go on again.

use std::fs;
use std::path::{Path, PathBuf};

use std::time::Duration;

use waxseal::revocation::{Level, RevokeError};
use waxseal::session::{Reason, SealError};
use waxseal::{Revoke, Stale};

use super::fleet::{BOUND, Fleet, Seen, Setup, check};
use super::lost::running;

#[test]
fn r04_a_start_without_a_source_answers_nothing_and_lets_logins_go_on() {
    let (fleet, a, _, logins) = running();
    let cold = fleet.node_on(fleet.admin.path(), &fleet.beside("nowhere"), Setup::default());
    assert_eq!(check(&[&cold], &logins).unknown, logins.len());
    assert!(!cold.list.is_ready());
    let login = cold.login("eve", "tea");
    assert_eq!(check(&[&a], [&login]).open, 1);
    assert_eq!(cold.reason(&login), Some(Reason::UnknownRevocation { stale_for: None }));
    // A logout counts here at once, and is written once there is somewhere to write it.
    let refused = cold.list.revoke(Revoke::session(login.id)).wait().unwrap_err();
    assert!(matches!(refused, RevokeError::NotDurable { .. }));
    login.over.set(true);
    assert_eq!(check(&[&cold], [&login]).over, 1);
    fs::rename(fleet.shared(), fleet.beside("nowhere")).unwrap();
    cold.poll();
    let later = fleet.node_on(fleet.admin.path(), &fleet.beside("nowhere"), Setup::default());
    assert_eq!(check(&[&cold, &later], logins.iter().chain([&login])).unknown, 0);
}

#[test]
fn r05_beyond_the_bound_nothing_is_said_until_the_source_is_back_and_nothing_is_missed() {
    let day = Stale::accept_for(Duration::from_secs(86_400));
    for (stale, bound) in [(Stale::refuse_after(BOUND), 900), (day, 86_400)] {
        let fleet = Fleet::new();
        let mount = fleet.beside("mount");
        std::os::unix::fs::symlink(fleet.shared(), &mount).unwrap();
        let a = fleet.node();
        let b = fleet.node_on(fleet.admin.path(), &mount, Setup { stale, ..Setup::default() });
        fleet.advance(10);
        let (stays, ends) = (a.login("bob", "tea"), a.login("ada", "tea"));
        b.poll();
        fs::remove_file(&mount).unwrap();
        a.end(&ends);
        for _ in 0..9 {
            fleet.advance(bound / 9);
            b.list.sync().unwrap_err();
        }
        let unknown = |stale_for| Some(Reason::UnknownRevocation { stale_for: Some(stale_for) });
        fleet.advance(bound % 9);
        let expired = bound == 86_400;
        if !expired {
            assert_eq!((b.reason(&stays), b.reason(&ends)), (None, None), "within the bound");
        }
        let new = a.login("eve", "tea");
        assert_eq!(b.reason(&new), None);
        fleet.advance(1);
        assert_eq!(b.reason(&new), unknown(bound + 1));
        assert!(b.list.is_ready() && b.list.status().last_error.is_some());
        std::os::unix::fs::symlink(fleet.shared(), &mount).unwrap();
        b.poll();
        assert_eq!(b.reason(&new), None);
        if !expired {
            assert_eq!(check(&[&b], [&stays, &ends, &new]), Seen { open: 2, over: 1, unknown: 0 });
        }
    }
}

#[test]
fn r06_what_a_server_revoked_before_it_was_started_again_is_in_the_directory() {
    let (fleet, a, b, logins) = running();
    drop((a, b));
    fleet.advance(3600);
    let again = fleet.node();
    assert_eq!(check(&[&again], &logins), Seen { open: 10, over: 10, unknown: 0 });
}

#[test]
fn drill_break_glass() {
    let (fleet, a, b, logins) = running();
    let cold = fleet.node_on(fleet.admin.path(), &fleet.beside("nowhere"), Setup::default());
    let away = fleet.beside("away");
    fs::rename(fleet.shared(), &away).unwrap();
    fleet.pass(1000, &[&a, &b, &cold]);
    assert_eq!(check(&[&a, &b, &cold], &logins).open, 0);
    fleet.change(|ring, now| ring.set_stale_ok(Some(now.plus(7200)), now));
    fleet.pass(20, &[&a, &b, &cold]);
    assert_eq!(check(&[&a, &b], &logins), Seen { open: 20, over: 20, unknown: 0 });
    // Who never knew what is revoked takes everybody for a while, as it was told, and gives nobody new life.
    let login = &logins[1];
    let session = cold.sealer.open(&*login.token.borrow()).unwrap();
    let never = SealError::Session(Reason::UnknownRevocation { stale_for: None });
    assert_eq!(cold.sealer.renew(&session).unwrap_err(), never);
    a.renew(login);
    fleet.pass(7200, &[&a, &b, &cold]);
    assert_eq!(check(&[&a, &b, &cold], &logins).open, 0, "for as long as it was said");
    fs::rename(away, fleet.shared()).unwrap();
    fleet.pass(20, &[&a, &b]);
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
}

#[test]
fn r27_a_directory_that_cannot_be_written_keeps_nothing_from_being_revoked_here() {
    type Hinders = fn(&Path) -> PathBuf;
    let hinders: [Hinders; 2] = [
        |shared| {
            let away = shared.with_extension("away");
            fs::rename(shared, &away).unwrap();
            fs::write(shared, b"a file").unwrap();
            away
        },
        |shared| {
            let away = shared.with_extension("away");
            fs::rename(shared, &away).unwrap();
            std::os::unix::fs::symlink("/proc/self", shared).unwrap();
            away
        },
    ];
    for hinder in hinders {
        let (fleet, a, b, mut logins) = running();
        let away = hinder(&fleet.shared());
        let login = a.login("ada", "tea");
        let refused = a.list.revoke(Revoke::session(login.id)).wait().unwrap_err();
        assert!(matches!(refused, RevokeError::NotDurable { reached: None, .. }), "{refused}");
        login.over.set(true);
        logins.push(login);
        assert_eq!(check(&[&a], &logins).unknown, 0);
        fs::remove_file(fleet.shared()).unwrap();
        fs::rename(away, fleet.shared()).unwrap();
        fleet.pass(10, &[&a, &b]);
        assert_eq!(check(&[&a, &b, &fleet.node()], &logins).unknown, 0);
        let refused = a.list.revoke(Revoke::session(logins[1].id).level(Level::Replicated)).wait().unwrap_err();
        assert!(matches!(refused, RevokeError::Unsupported { reached: Level::Shared, .. }), "{refused}");
    }
}

/// R27: a disk on which no file grows beyond a few hundred bytes cuts lines in the middle. What was acknowledged is there.
#[test]
fn r27_a_disk_that_is_full_in_the_middle_of_a_line_loses_nothing_that_was_acknowledged() {
    let fleet = Fleet::new();
    let a = fleet.node();
    let logins: Vec<_> = (0..40).map(|_| a.login("ada", "tea")).collect();
    fs::write(fleet.beside("ids"), logins.iter().map(|login| format!("{}\n", login.id)).collect::<String>()).unwrap();
    // No signal, so that writing fails with EFBIG; units are 512 or 1024 bytes.
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact stale::r27_child --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env("WAXSEAL_FULL_DISK", fleet.beside(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let acknowledged = said.lines().filter(|line| line.ends_with("acknowledged")).count();
    assert_eq!(acknowledged, 40, "{said} {}", String::from_utf8_lossy(&child.stderr));
    assert!(fleet.journals().len() > 3, "journals were cut");
    logins.iter().for_each(|login| login.over.set(true));
    a.poll();
    assert_eq!(check(&[&a, &fleet.node()], &logins).over, 80);
}

#[test]
fn r27_child() {
    let Ok(directory) = std::env::var("WAXSEAL_FULL_DISK") else { return };
    let directory = PathBuf::from(directory);
    let clock = std::sync::Arc::new(waxseal::time::ManualClock::at(super::fleet::at(super::testkit::NOW)));
    let ring = waxseal::KeyRing::options().clock(clock).load(directory.join("ring.json")).unwrap();
    let list = waxseal::Revocations::directory(&ring, directory.join("shared"), Stale::refuse_after(BOUND)).unwrap();
    for id in fs::read_to_string(directory.join("ids")).unwrap().lines() {
        let done = list.revoke(Revoke::session(id.parse().unwrap())).wait();
        #[allow(clippy::print_stdout, reason = "how its parent hears of it")]
        {
            println!("{id} {}", if done.is_ok() { "acknowledged" } else { "failed" });
        }
    }
}

/// A server that may only read knows all, and keeps what it revokes until it may write. Whoever is root may all the same.
#[test]
fn r27_a_directory_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let (fleet, a, b, mut logins) = running();
    let mode = |mode| fs::set_permissions(fleet.shared(), PermissionsExt::from_mode(mode)).unwrap();
    mode(0o555);
    if fs::File::create(fleet.shared().join("probe")).is_ok() {
        return;
    }
    let reads = fleet.node();
    assert_eq!(check(&[&reads], &logins).unknown, 0);
    let login = reads.login("ada", "tea");
    let refused = reads.list.revoke(Revoke::session(login.id)).wait().unwrap_err();
    assert!(matches!(refused, RevokeError::NotDurable { reached: None, .. }), "{refused}");
    login.over.set(true);
    logins.push(login);
    fleet.pass(100, &[&a, &b, &reads]);
    assert_eq!(check(&[&reads], &logins).unknown, 0);
    assert_eq!(reads.list.status().waiting, 1);
    mode(0o755);
    fleet.pass(20, &[&reads, &a, &b]);
    assert_eq!(check(&[&a, &b, &reads, &fleet.node()], &logins).unknown, 0);
}

/// A server that may not read another's journal cannot say that it knows everything. Whoever is root may read it all the same.
#[test]
fn a_journal_that_may_not_be_read_makes_the_list_stale() {
    use std::os::unix::fs::PermissionsExt;
    let (fleet, a, b, logins) = running();
    let before = fleet.journals();
    let other = fleet.node();
    let journal = fleet.journals().into_iter().find(|path| !before.contains(path)).unwrap();
    fs::set_permissions(&journal, PermissionsExt::from_mode(0o000)).unwrap();
    if fs::File::open(&journal).is_ok() {
        return;
    }
    for _ in 0..8 {
        fleet.pass(100, &[&a, &b]);
        assert_eq!(check(&[&a, &b], &logins).unknown, 0, "within the bound");
    }
    assert!(a.list.status().last_error.unwrap().contains("cannot be read"));
    fleet.pass(200, &[&a, &b]);
    assert_eq!(check(&[&a, &b], &logins).open, 0);
    fs::set_permissions(&journal, PermissionsExt::from_mode(0o640)).unwrap();
    fleet.pass(20, &[&a, &b, &other]);
    assert_eq!(check(&[&a, &b, &other], &logins).unknown, 0);
}

#[test]
fn drill_keys_revoke_all() {
    let (fleet, a, b, logins) = running();
    fleet.change(|ring, now| ring.revoke_all(None, now));
    fleet.pass(20, &[&a, &b]);
    for login in &logins {
        for node in [&a, &b] {
            assert!(matches!(node.reason(login), Some(Reason::RevokedKey { .. } | Reason::Revoked)));
        }
    }
    let login = a.login("ada", "tea");
    assert_eq!(check(&[&a, &b], [&login]).open, 2, "within the bound");
    let refused = b.list.revoke(Revoke::session(login.id)).wait().unwrap_err();
    assert!(matches!(refused, RevokeError::NotDurable { reached: None, .. }), "nobody would believe it");
    login.over.set(true);
    assert_eq!(check(&[&b], [&login]).over, 1);
    // The directory speaks under secrets that nobody believes any more.
    let cold = fleet.node();
    assert!(!cold.list.is_ready());
    let login = cold.login("ada", "tea");
    assert_eq!(check(&[&cold], [&login]).unknown, 1);
    assert_eq!(check(&[&a, &b], [&login]).open, 2);
    fleet.pass(1000, &[&a, &b]);
    assert_eq!(check(&[&a, &b], [&login, &a.login("ada", "tea")]).unknown, 4, "until it is begun anew");
}
