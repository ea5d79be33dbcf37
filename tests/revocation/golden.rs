//! R24: journals that were written once, and are read for ever. FORMAT.md, "Journal".

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waxseal::session::Reason;
use waxseal::time::ManualClock;
use waxseal::{KeyRing, Revocations, Revoke, Sealer, Stale};

use super::fleet::{BOUND, Member, at};
use super::testkit::NOW;
use super::testkit::ring::Ring;

struct Server {
    list: Revocations,
    sealer: Sealer<Member>,
    clock: Arc<ManualClock>,
}

fn ring(clock: &Arc<ManualClock>) -> (tempfile::TempDir, KeyRing) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ring.json");
    fs::write(&path, Ring::example().text()).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let ring = KeyRing::options().clock(Arc::clone(clock)).load(&path).unwrap();
    (directory, ring)
}

fn server(shared: &Path, clock: Arc<ManualClock>, observes: bool) -> Server {
    let (_directory, ring) = ring(&clock);
    let options = Revocations::options();
    let options = if observes { options.observe() } else { options };
    let list = options.directory(&ring, shared, Stale::refuse_after(BOUND)).unwrap();
    let sealer = Sealer::builder(&ring, "session").revocations(&list).build().unwrap();
    Server { list, sealer, clock }
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation/golden")
}

#[test]
fn r24_journals_of_every_version_are_read() {
    let Server { list, sealer, .. } = server(&golden(), Arc::new(ManualClock::at(at(NOW + 700))), true);
    assert!(list.is_ready(), "{:?}", list.status().last_error);
    let (mut over, mut open) = (0, 0);
    for line in fs::read_to_string(golden().join("sessions.txt")).unwrap().lines() {
        let (is_over, token) = line.split_once(' ').unwrap();
        let reason = sealer.open(token).err().map(|error| error.reason());
        match is_over {
            "over" => assert_eq!(reason, Some(Reason::Revoked), "{token}"),
            _ => assert_eq!(reason, None, "{token}"),
        }
        *(if is_over == "over" { &mut over } else { &mut open }) += 1;
    }
    assert_eq!((over, open), (6, 4));
    let status = list.status();
    assert_eq!((status.sessions, status.cut_offs), (2, 5));
    assert_eq!(status.nodes.iter().filter(|node| node.ended).count(), 2);
}

/// Writes the files of the test above. Run once for each version of the format, into a folder of its own.
#[test]
#[ignore = "writes the files that the test above reads for ever"]
fn write_golden() {
    let shared = golden();
    assert!(!shared.exists(), "{} is there already", shared.display());
    let clock = Arc::new(ManualClock::at(at(NOW)));
    Revocations::init_directory(&ring(&clock).1, &shared).unwrap();
    let [a, b, c] = [(); 3].map(|()| server(&shared, Arc::clone(&clock), false));
    let mut sessions = String::new();
    let mut login = |is_over: bool, user: &str, shop: &str| {
        let token = a.sealer.start(&Member { user: user.into(), shop: shop.into() }).unwrap();
        let id = token.id();
        sessions += &format!("{} {}\n", if is_over { "over" } else { "open" }, token.as_str());
        id
    };
    let revoke =
        |server: &Server, revoke: Revoke| server.list.revoke(revoke.actor("admin").reason("täst")).wait().unwrap();
    let everyone = login(true, "eve", "oak");
    revoke(&a, Revoke::everyone().until(everyone.start()));
    clock.advance(10);
    let (first, second) = (login(true, "bob", "silk"), login(true, "bob", "silk"));
    login(false, "bob", "silk");
    let spared = login(false, "ada", "silk");
    login(true, "ada", "silk");
    login(true, "eve", "tea");
    login(false, "zoe", "oak");
    revoke(&a, Revoke::session(first));
    revoke(&b, Revoke::session(second));
    revoke(&b, Revoke::subject("ada").except(spared));
    revoke(&c, Revoke::tenant("tea"));
    let mistake = revoke(&c, Revoke::subject("zoe")).cut_off.unwrap();
    let _ = b.list.retract(mistake).wait().unwrap();
    clock.advance(10);
    login(true, "eve", "tea");
    login(false, "zoe", "oak");
    revoke(&c, Revoke::subject("eve"));
    for server in [&a, &b, &c] {
        server.list.sync().unwrap();
    }
    // One that has ended is taken over, so that there is a base.
    drop(c);
    for _ in 0..100 {
        a.clock.advance(10);
        [&a, &b].into_iter().for_each(|server| server.list.sync().unwrap());
    }
    drop(b);
    fs::write(shared.join("sessions.txt"), sessions).unwrap();
}
