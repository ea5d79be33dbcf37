//! What lies in the directory is cut, changed, swapped or garbage: nobody panics, and nobody takes it for an empty list.

use std::fs;
use std::path::Path;

use waxseal::revocation::{DirectoryError, HeaderError, RevocationsError};
use waxseal::{Revocations, Stale};

use super::fleet::{BOUND, Fleet, Login, Node, Seen, Setup, check};
use super::lost::{flip, running};

/// One server that has ended five sessions, and said nothing of another server's journal; five more go on.
fn alone() -> (Fleet, Node, Vec<Login>) {
    let fleet = Fleet::new();
    let a = fleet.node();
    let logins: Vec<_> = (0..10).map(|_| a.login("ada", "tea")).collect();
    logins.iter().take(5).for_each(|login| a.end(login));
    fleet.pass(20, &[&a]);
    (fleet, a, logins)
}

#[test]
fn r02_a_journal_cut_at_every_byte_is_read_up_to_the_cut_or_not_at_all() {
    let (fleet, a, logins) = alone();
    let name = a.journal(&fleet);
    let whole = fs::read(&name).unwrap();
    let copy = fleet.copy("copy");
    let cut_file = copy.join(name.file_name().unwrap());
    let mut revoked = 0;
    for cut in 0..=whole.len() {
        fs::write(&cut_file, &whole[..cut]).unwrap();
        let cold = fleet.witness(&copy);
        let refused = logins.iter().filter(|login| cold.reason(login).is_some()).count();
        if cut < 148 {
            assert_eq!((cold.list.is_ready(), refused), (false, 10), "cut at {cut}");
        } else {
            assert!(cold.list.is_ready() && (revoked..=revoked + 1).contains(&refused), "cut at {cut}");
            revoked = refused;
        }
    }
    assert_eq!(revoked, 5);
}

#[test]
fn r02_a_cut_that_others_know_of_is_a_gap() {
    let (fleet, a, b, logins) = running();
    let name = a.journal(&fleet);
    let whole = fs::read(&name).unwrap();
    let copy = fleet.copy("copy");
    fleet.pass(10, &[&b]);
    for cut in (0..whole.len() - 63).step_by(7) {
        fs::write(copy.join(name.file_name().unwrap()), &whole[..cut]).unwrap();
        let cold = fleet.witness(&copy);
        let Seen { open, .. } = check(&[&cold], &logins);
        assert!(open == 0 || cut >= 148 + 5 * 65, "cut at {cut}");
    }
}

#[test]
fn r02_r03_a_flipped_byte_hides_nothing() {
    let (fleet, a, b, logins) = running();
    let names = [a.journal(&fleet), b.journal(&fleet), fleet.shared().join("waxseal-revocations")];
    fleet.pass(20, &[&a, &b]);
    let copy = fleet.copy("copy");
    for name in names {
        let file = copy.join(name.file_name().unwrap());
        let whole = fs::read(&file).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            fs::write(&file, &bytes).unwrap();
            let is_marker = file.extension().is_none();
            match if is_marker { observe(&fleet, &copy) } else { Ok(fleet.witness(&copy)) } {
                Ok(cold) => drop(check(&[&cold], logins.iter().filter(|login| login.over.get()))),
                Err(error) => assert!(is_of_another_ring(&error), "{error}"),
            }
        }
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(check(&[&observe(&fleet, &copy).unwrap()], &logins), Seen { open: 10, over: 10, unknown: 0 });
}

fn observe(fleet: &Fleet, copy: &Path) -> Result<Node, RevocationsError> {
    let node = fleet.witness(&fleet.shared());
    let stale = Stale::refuse_after(BOUND);
    Revocations::options().observe().directory(&node.ring, copy, stale)?;
    Ok(fleet.witness(copy))
}

fn is_of_another_ring(error: &RevocationsError) -> bool {
    matches!(error, RevocationsError::Directory(DirectoryError::Marker { why: HeaderError::Ring, .. }))
}

#[test]
fn r03_files_of_others_are_told_apart() {
    let fault = |node: &Node| node.list.status().nodes.iter().find_map(|node| node.fault.clone());
    let (fleet, a, b, logins) = running();
    let own = a.journal(&fleet);
    let copied = fleet.shared().join("00000000000000aa.journal");
    // The same fleet's, under another name.
    fs::copy(&own, &copied).unwrap();
    fleet.pass(10, &[&a, &b]);
    assert_eq!(fault(&b).unwrap(), "it was copied from another writer or fleet");
    // Another fleet of the same ring.
    let second = fleet.beside("second");
    Revocations::init_directory(&a.ring, &second).unwrap();
    let other = fleet.node_on(fleet.admin.path(), &second, Setup::default());
    other.end(&other.login("ada", "tea"));
    fleet.advance(20);
    other.poll();
    let path = other.list.status().nodes[0].writer.clone();
    fs::copy(second.join(format!("{path}.journal")), &copied).unwrap();
    fleet.pass(10, &[&a, &b]);
    assert_eq!(fault(&b).unwrap(), "it was copied from another writer or fleet");
    // Another ring.
    let (stranger, c, _) = alone();
    fs::copy(c.journal(&stranger), &copied).unwrap();
    fleet.pass(10, &[&a, &b]);
    assert_eq!(fault(&b).unwrap(), "it belongs to another ring");
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    assert_eq!(check(&[&fleet.node()], &logins).open, 0, "who knows what it was");
    let refused = Revocations::directory(&a.ring, stranger.shared(), Stale::refuse_after(BOUND)).unwrap_err();
    assert!(is_of_another_ring(&refused), "{refused}");
    // Back again, or another's in its place.
    fs::remove_file(copied).unwrap();
    fs::copy(b.journal(&fleet), &own).unwrap();
    fleet.pass(10, &[&a, &b]);
    let cold = fleet.node();
    for _ in 0..20 {
        fleet.pass(10, &[&a, &b, &cold]);
        assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    }
    assert_eq!(check(&[&cold], &logins).unknown, 0);
}

/// R21: names that are no journal's, and things under a journal's name that are no files, are passed over.
#[test]
fn r21_what_is_no_journal_is_passed_over() {
    let (fleet, a, b, logins) = running();
    let put = |name: &str, bytes: &[u8]| fs::write(fleet.shared().join(name), bytes).unwrap();
    put("index.html", b"<html>404</html>");
    put("0123456789ABCDEF.journal", b"");
    put("0123456789abcdef.journal.bak", b"");
    put("xyz.journal", b"");
    put(".waxseal-revocations-abc", b"half");
    fs::create_dir(fleet.shared().join("aaaaaaaaaaaaaaaa.journal")).unwrap();
    std::os::unix::fs::symlink("nowhere", fleet.shared().join("bbbbbbbbbbbbbbbb.journal")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", fleet.shared().join("cccccccccccccccc.journal")).unwrap();
    let pipe = fleet.shared().join("dddddddddddddddd.journal");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    fleet.pass(60, &[&a, &b]);
    assert_eq!(check(&[&a, &b, &fleet.node()], &logins).unknown, 0);
    fleet.pass(4000, &[&a, &b]);
    assert!(!fleet.shared().join(".waxseal-revocations-abc").exists(), "what is half written goes after an hour");
    assert_eq!(fleet.files().iter().filter(|path| path.ends_with("index.html")).count(), 1);
}

#[test]
fn r21_garbage_under_the_name_of_a_journal_stops_nobody_who_runs() {
    let head = [b"waxrevj1".as_slice(), &[0xff; 108], &[0; 32]].concat();
    let garbage: [&[u8]; 5] = [b"", b"<html>404</html>", b"waxrevj1", &head, &[0; 1 << 16]];
    for bytes in garbage {
        let (fleet, a, b, logins) = running();
        fs::write(fleet.shared().join("0123456789abcdef.journal"), bytes).unwrap();
        fleet.pass(100, &[&a, &b]);
        assert_eq!(check(&[&a, &b], &logins).unknown, 0);
        assert_eq!(check(&[&fleet.node()], &logins).open, 0, "who knows what it was");
        // Nothing in it can live any more.
        fleet.pass_by(1800, 4 * 86_400, &[&a, &b]);
        assert!(fleet.node().list.is_ready());
    }
}

#[test]
fn r21_a_damaged_marker_is_no_empty_list() {
    for bytes in [&b""[..], b"<html>", &[0; 116], &[b'w'; 117]] {
        let (fleet, a, b, logins) = running();
        let marker = fleet.shared().join("waxseal-revocations");
        let whole = fs::read(&marker).unwrap();
        fs::write(&marker, bytes).unwrap();
        fleet.pass(60, &[&a, &b]);
        let cold = fleet.node_with(Setup::default());
        assert_eq!(check(&[&a, &b], &logins).unknown, 0);
        assert_eq!(check(&[&cold], &logins).open, 0);
        fs::write(&marker, whole).unwrap();
        fleet.pass(20, &[&a, &b, &cold]);
        assert_eq!(check(&[&a, &b, &cold], &logins).unknown, 0);
    }
}

/// Whoever reads a pipe waits for ever.
#[test]
fn r21_a_marker_that_is_a_pipe_holds_nobody_up() {
    let (fleet, a, b, logins) = running();
    let marker = fleet.shared().join("waxseal-revocations");
    fs::remove_file(&marker).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(marker).status().unwrap().success());
    fleet.pass(20, &[&a, &b]);
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
    assert_eq!(check(&[&fleet.node()], &logins).open, 0);
}

/// R3: an older generation of a file, with an authentic head.
#[test]
fn r03_an_older_generation_is_a_gap() {
    let (fleet, a, b, logins) = running();
    let journal = b.journal(&fleet);
    let older = fs::read(&journal).unwrap();
    fs::remove_file(a.journal(&fleet)).unwrap();
    drop(a);
    fleet.pass(300, &[&b]);
    assert_ne!(fs::read(&journal).unwrap()[56..64], older[56..64], "written anew");
    fs::write(&journal, older).unwrap();
    assert_eq!(check(&[&fleet.witness(&fleet.shared())], &logins).open, 0);
    fleet.pass(300, &[&b]);
    assert_eq!(check(&[&b, &fleet.node()], &logins).unknown, 0);
    flip(&b.journal(&fleet), 60);
    fleet.pass(300, &[&b]);
    assert_eq!(check(&[&b, &fleet.node()], &logins).unknown, 0);
}

/// Whoever can write the directory, and nothing else, makes nobody read without end.
#[test]
fn r21_a_marker_that_never_ends_holds_nobody_up() {
    let (fleet, a, _, logins) = running();
    let marker = fleet.shared().join("waxseal-revocations");
    fs::remove_file(&marker).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &marker).unwrap();
    fs::remove_file(a.journal(&fleet)).unwrap();
    assert!(a.list.revoke(waxseal::Revoke::session(logins[1].id)).wait().is_err());
    assert!(a.list.sync().is_err());
    assert!(!fleet.node().list.is_ready());
}

#[test]
fn r21_whoever_has_no_secret_does_not_stop_servers_that_have_loaded() {
    let (fleet, a, b, logins) = running();
    fs::write(fleet.shared().join("0123456789abcdef.journal"), [&b"waxrevj2"[..], &[0; 120]].concat()).unwrap();
    fleet.pass(1000, &[&a, &b]);
    assert_eq!(check(&[&a, &b], &logins).unknown, 0);
}
