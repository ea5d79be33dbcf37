//! Writers killed at every step, lengths that cannot be, and what only a newer version writes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::header::{HEADER_LEN, Header};
use super::journal::TEMP_PREFIX;
use super::*;
use crate::id::SessionId;
use crate::keys::{KeyRing, Ring, RingFile, RingPolicy, crash};
use crate::revocation::entry::{Act, Note};
use crate::revocation::shared::Answer;
use crate::revocation::{Revocations, Revoke, Stale};
use crate::time::ManualClock;

const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

/// A directory, the ring beside it, and the clock of every server.
struct Shared {
    root: PathBuf,
    ring: KeyRing,
    clock: Arc<ManualClock>,
}

impl Shared {
    fn create(root: &Path) -> Self {
        let file = RingFile::at(root.join("ring.json"));
        file.create(&Ring::create(RingPolicy::default(), NOW).unwrap(), NOW).unwrap();
        let shared = Self::at(root);
        Revocations::init_directory(&shared.ring, shared.path()).unwrap();
        shared
    }

    fn at(root: &Path) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(root.join("ring.json")).unwrap();
        Self { root: root.to_owned(), ring, clock }
    }

    fn path(&self) -> PathBuf {
        self.root.join("shared")
    }

    fn node(&self) -> Revocations {
        Revocations::directory(&self.ring, self.path(), Stale::refuse_after(Duration::from_secs(900))).unwrap()
    }

    fn is_revoked(&self, list: &Revocations, n: u8) -> bool {
        use crate::time::Clock;
        match list.judge(session(n), self.clock.now()) {
            Answer::Revoked => true,
            Answer::Clear => false,
            Answer::Unknown { .. } => panic!("{:?}", list.status().last_error),
        }
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn journals(&self) -> usize {
        self.names().iter().filter(|name| name.ends_with(".journal")).count()
    }

    /// The bytes of a journal that another writer could have made.
    fn forged(&self, change: impl FnOnce(&mut Header), base: &[u8], lines: &[(u64, &[u8])]) -> Vec<u8> {
        let secrets = Secrets::of(&self.ring.snapshot());
        let macs = &secrets.macs[0];
        let fleet = Fleet::of_marker(&fs::read(self.path().join(MARKER)).unwrap(), &secrets).unwrap();
        let base_len = base.len() as u64;
        let writer = WriterId::from_bytes(FORGER);
        let mut header = Header { fleet, writer, generation: 1, base_seq: 0, base_len, written_at: NOW };
        change(&mut header);
        let head = header.seal(macs);
        let tag = &head[HEADER_LEN - 32..];
        let mut bytes = [&head[..], base, &macs.snapshot.tag::<32>(&[tag, base])].concat();
        for (seq, body) in lines {
            let line = [&(body.len() as u16).to_be_bytes()[..], &seq.to_be_bytes(), body].concat();
            bytes.extend_from_slice(&line);
            bytes.extend_from_slice(&macs.journal.tag::<32>(&[tag, &line]));
        }
        bytes
    }

    fn forge(&self, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(WriterId::from_bytes(FORGER).file_name());
        fs::write(&path, bytes).unwrap();
        path
    }
}

const FORGER: [u8; 8] = [0xee; 8];

fn session(n: u8) -> SessionId {
    SessionId::new(u32::try_from(NOW.as_unix()).unwrap() - 100, [n; 12])
}

fn revocation_of(n: u8) -> Vec<u8> {
    let mut bytes = vec![];
    revoked(n).write(&mut bytes);
    bytes
}

/// What a writer does in its life: it revokes, beats, takes over the journals of others, and writes its own anew.
fn life(shared: &Shared, acknowledged: &mut dyn FnMut(u8)) {
    let list = shared.node();
    let mut revoke = |n| {
        list.revoke(Revoke::session(session(n))).wait().unwrap();
        acknowledged(n);
    };
    revoke(1);
    revoke(2);
    while shared.journals() > 1 {
        shared.clock.advance(300);
        list.sync().unwrap();
    }
    revoke(3);
    shared.clock.advance(86_401);
    list.sync().unwrap();
    revoke(4);
}

#[test]
fn crash_child() {
    let Ok(root) = std::env::var("WAXSEAL_CRASH_REVOCATIONS") else { return };
    let shared = Shared::at(Path::new(&root));
    crash::after(std::env::var("WAXSEAL_CRASH_STEPS").unwrap().parse().unwrap());
    #[allow(clippy::print_stdout, reason = "how the sweep hears of it")]
    {
        life(&shared, &mut |n| println!("acknowledged {n}"));
        println!("survived");
    }
}

/// A writer killed at every step leaves all that it has acknowledged, and nothing that stays for ever.
#[test]
fn a_killed_writer_leaves_all_that_it_acknowledged() {
    let mut most = 0;
    for steps in 0.. {
        let root = tempfile::tempdir().unwrap();
        let shared = Shared::create(root.path());
        for n in [11, 12] {
            shared.node().revoke(Revoke::session(session(n))).wait().unwrap();
        }
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "revocation::directory::tests::crash_child"])
            .env("WAXSEAL_CRASH_REVOCATIONS", root.path())
            .env("WAXSEAL_CRASH_STEPS", steps.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        let acknowledged: Vec<u8> =
            said.lines().filter_map(|line| line.split_once("acknowledged ")?.1.parse().ok()).collect();
        most = most.max(acknowledged.len());
        let revoked = [11, 12].into_iter().chain(acknowledged);
        let list = shared.node();
        revoked.clone().for_each(|n| assert!(shared.is_revoked(&list, n), "{n} after {steps} steps"));
        assert!(!shared.is_revoked(&list, 99));
        for _ in 0..60 {
            shared.clock.advance(200);
            list.sync().unwrap();
        }
        assert!(!shared.names().iter().any(|name| name.starts_with(TEMP_PREFIX)), "after {steps} steps");
        assert!(shared.journals() <= 2, "after {steps} steps: {:?}", shared.names());
        let late = shared.node();
        revoked.for_each(|n| assert!(shared.is_revoked(&late, n), "{n} after {steps} steps, late"));
        if said.contains("survived") {
            assert!(steps > 30, "{steps}");
            break;
        }
    }
    assert_eq!(most, 4);
}

#[test]
fn lengths_that_cannot_be_are_damage() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let line = revocation_of(1);
    type Changes = fn(&mut Header);
    let heads: [Changes; 4] = [
        |header| header.base_len = 1 << 60,
        |header| header.base_len = u64::MAX,
        |header| (header.base_len, header.base_seq) = (u64::MAX - 147, u64::MAX),
        |header| header.generation = u64::MAX,
    ];
    for (index, change) in heads.into_iter().enumerate() {
        let path = shared.forge(&shared.forged(change, b"", &[(1, &line)]));
        assert_eq!(shared.node().is_ready(), index == 3, "{index}");
        fs::remove_file(path).unwrap();
    }
    for lines in
        [&[(u64::MAX, &line[..])][..], &[(2, &line)], &[(1, &line), (3, &line)], &[(1, &[])], &[(1, &[1; 513])]]
    {
        let path = shared.forge(&shared.forged(|_| {}, b"", lines));
        assert!(!shared.node().is_ready(), "{lines:?}");
        fs::remove_file(path).unwrap();
    }
    for base in [&[0][..], &[0xff; 2], &[0, 0], &[0, 1, 1]] {
        let path = shared.forge(&shared.forged(|header| header.base_seq = 1, base, &[]));
        assert!(!shared.node().is_ready(), "{base:?}");
        fs::remove_file(path).unwrap();
    }
    // Sequence numbers that came to their end.
    shared.forge(&shared.forged(|header| header.base_seq = u64::MAX, b"", &[(u64::MAX, &line)]));
    assert!(shared.is_revoked(&shared.node(), 1));
}

/// What only a newer version understands may be a revocation: nobody says for long that they know everything, until it is
/// rolled back.
#[test]
fn a_canary_of_a_newer_version_and_its_roll_back() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let (a, b) = (shared.node(), shared.node());
    let (known, passable, newer) = (revocation_of(1), [200, 1, 2], [50, 0, 0, 0, 1]);
    shared.forge(&shared.forged(|_| {}, b"", &[(1, &known), (2, &passable)]));
    a.sync().unwrap();
    assert!(shared.is_revoked(&a, 1));
    let path = shared.forge(&shared.forged(|_| {}, b"", &[(1, &known), (2, &passable), (3, &newer)]));
    for _ in 0..9 {
        shared.clock.advance(100);
        [&a, &b].into_iter().for_each(|list| drop(list.sync().unwrap_err()));
        assert!(!shared.is_revoked(&a, 2) && !shared.is_revoked(&b, 2), "within the bound");
    }
    let cold = shared.node();
    assert!(!cold.is_ready() && a.is_ready() && path.exists());
    shared.clock.advance(100);
    use crate::time::Clock;
    assert!(matches!(a.judge(session(2), shared.clock.now()), Answer::Unknown { .. }));
    fs::remove_file(&path).unwrap();
    for _ in 0..30 {
        shared.clock.advance(10);
        [&a, &b].into_iter().for_each(|list| list.sync().unwrap());
    }
    cold.sync().unwrap();
    for list in [&a, &b, &cold, &shared.node()] {
        assert!(shared.is_revoked(list, 1) && !shared.is_revoked(list, 2));
    }
}

fn revoked(n: u8) -> Entry {
    Entry { at: NOW, act: Act::Session(session(n)), note: Note::default() }
}

/// A writer of the directory, and the secrets and the list that it needs.
fn writer(shared: &Shared) -> (Writer, Secrets, Known) {
    let secrets = Secrets::of(&shared.ring.snapshot());
    let known = Known::new(secrets.names.clone(), 60);
    let marker = fs::read(shared.path().join(MARKER)).unwrap();
    let fleet = Fleet::of_marker(&marker, &secrets).unwrap();
    (Writer::new(&shared.path(), fleet, Some(marker), &secrets.macs[0]), secrets, known)
}

/// Somebody cuts the file at a line, after a pass has read it and before it is written anew.
#[test]
fn what_is_written_anew_claims_no_more_than_it_holds() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let (mut writer, secrets, known) = writer(&shared);
    writer.write(vec![revoked(1)], &known, NOW).unwrap();
    let path = shared.path().join(writer.writer().unwrap().file_name());
    let before = fs::read(&path).unwrap();
    writer.write(vec![revoked(2)], &known, NOW).unwrap();
    fs::write(&path, before).unwrap();
    let other = Place { writer: WriterId::from_bytes([9; 8]), seq: 1 };
    writer.carry(&[other], vec![], &secrets, &known, NOW, Timestamp::default()).unwrap_err();
    assert_eq!(writer.writer(), None, "it begins anew");
}

/// A writer that was silent for long comes back between the looks at its journal and its end.
#[test]
fn a_journal_that_grew_meanwhile_is_not_taken_away() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let (mut writer, secrets, known) = writer(&shared);
    writer.write(vec![revoked(1)], &known, NOW).unwrap();
    let name = writer.writer().unwrap();
    let path = shared.path().join(name.file_name());
    let directory = Directory::at(&shared.path(), true);
    let pass = Pass { known: &known, secrets: &secrets, now: NOW, dead: Timestamp::default() };
    for n in [2, 3] {
        directory.sync(&pass, false).unwrap();
        writer.write(vec![revoked(n)], &known, NOW).unwrap();
        let reader = directory.reader.lock().unwrap();
        directory.take_away(name, reader.follower.as_ref().unwrap(), &secrets);
        assert!(path.exists());
    }
    directory.sync(&pass, false).unwrap();
    let reader = directory.reader.lock().unwrap();
    directory.take_away(name, reader.follower.as_ref().unwrap(), &secrets);
    assert_eq!(shared.journals(), 0);
    assert!(!shared.names().iter().any(|name| name.starts_with(TEMP_PREFIX)));
}

/// Between the listing and the reading somebody puts a pipe there.
#[cfg(unix)]
#[test]
fn nobody_waits_for_a_pipe_in_the_place_of_a_journal() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let secrets = Secrets::of(&shared.ring.snapshot());
    let fleet = Fleet::of_marker(&fs::read(shared.path().join(MARKER)).unwrap(), &secrets).unwrap();
    let name = WriterId::from_bytes(FORGER);
    let path = shared.path().join(name.file_name());
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let reached = super::journal::read_on(&path, name, fleet, None, &secrets, &mut |_, _| {});
    assert!(matches!(reached.fault, Some(Fault::Io(_))), "{:?}", reached.fault);
}

/// Nobody knows what a journal of a newer format revokes, until it is rolled back.
#[test]
fn a_canary_of_a_newer_format_and_its_roll_back() {
    let root = tempfile::tempdir().unwrap();
    let shared = Shared::create(root.path());
    let list = shared.node();
    let secrets = Secrets::of(&shared.ring.snapshot());
    let mut bytes = shared.forged(|_| {}, b"", &[(1, &revocation_of(1))]);
    bytes[7] = b'2';
    let path = shared.forge(&bytes);
    list.sync().unwrap();
    assert!(!shared.node().is_ready(), "anybody can write that, but nobody knows what else was there");
    let tag: [u8; 32] = secrets.macs[0].snapshot.tag(&[&bytes[..HEADER_LEN - 32]]);
    bytes[HEADER_LEN - 32..HEADER_LEN].copy_from_slice(&tag);
    shared.forge(&bytes);
    for _ in 0..9 {
        shared.clock.advance(100);
        assert!(list.sync().unwrap_err().to_string().contains("newer version"));
        assert!(!shared.is_revoked(&list, 1), "within the bound");
    }
    assert!(!shared.node().is_ready());
    shared.clock.advance(100);
    use crate::time::Clock;
    assert!(matches!(list.judge(session(1), shared.clock.now()), Answer::Unknown { .. }));
    fs::remove_file(&path).unwrap();
    list.sync().unwrap();
    assert!(!shared.is_revoked(&list, 1) && shared.node().is_ready());
}
