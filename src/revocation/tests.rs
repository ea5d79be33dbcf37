//! Servers that share a directory: what one revokes, all refuse.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Answer;
use super::*;
use crate::id::SessionId;
use crate::keys::KeyRing;
use crate::time::{Clock, ManualClock, Timestamp};

const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

struct Fleet {
    directory: tempfile::TempDir,
    ring: KeyRing,
    clock: Arc<ManualClock>,
}

impl Fleet {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).generate().unwrap();
        let directory = tempfile::tempdir().unwrap();
        Revocations::init_directory(&ring, directory.path()).unwrap();
        Self { directory, ring, clock }
    }

    fn node(&self) -> Revocations {
        Revocations::directory(&self.ring, self.directory.path(), Stale::refuse_after(Duration::from_secs(900)))
            .unwrap()
    }

    fn answer(&self, node: &Revocations, id: SessionId) -> Answer {
        node.judge(id, self.clock.now())
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.directory.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn session(n: u8) -> SessionId {
    SessionId::new(u32::try_from(NOW.as_unix()).unwrap() - 100, [n; 12])
}

#[test]
fn what_one_revokes_all_refuse() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    assert_eq!(fleet.answer(&a, session(1)), Answer::Clear);
    a.revoke(Revoke::session(session(1)).level(Level::Shared)).wait().unwrap();
    assert_eq!(fleet.answer(&a, session(1)), Answer::Revoked);
    assert_eq!(fleet.answer(&b, session(1)), Answer::Clear);
    b.sync().unwrap();
    assert_eq!(fleet.answer(&b, session(1)), Answer::Revoked);
    let c = fleet.node();
    assert_eq!(fleet.answer(&c, session(1)), Answer::Revoked);
    assert_eq!(fleet.answer(&c, session(2)), Answer::Clear);
    drop((a, b));
    assert_eq!(fleet.answer(&fleet.node(), session(1)), Answer::Revoked);
}

#[test]
fn dead_journals_are_taken_over() {
    let fleet = Fleet::new();
    let keeper = fleet.node();
    for n in 0..50 {
        fleet.node().revoke(Revoke::session(session(n))).wait().unwrap();
    }
    keeper.sync().unwrap();
    assert_eq!(fleet.files().len(), 52);
    for _ in 0..200 {
        fleet.clock.advance(10);
        keeper.sync().unwrap();
    }
    assert_eq!(fleet.files().len(), 2, "{:?}", keeper.status());
    let late = fleet.node();
    assert!(late.is_ready());
    for n in 0..50 {
        assert_eq!(fleet.answer(&late, session(n)), Answer::Revoked);
    }
}

#[test]
fn a_lost_journal_is_a_gap_until_somebody_carries_it() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    a.revoke(Revoke::session(session(1))).wait().unwrap();
    for _ in 0..5 {
        b.sync().unwrap();
        fleet.clock.advance(10);
    }
    a.sync().unwrap();
    let own = a.status().nodes.iter().find(|node| node.this).unwrap().writer.clone();
    drop(a);
    std::fs::remove_file(fleet.directory.path().join(format!("{own}.journal"))).unwrap();
    let cold = fleet.node();
    assert_eq!(fleet.answer(&cold, session(2)), Answer::Unknown { stale_for: None });
    assert!(!cold.is_ready());
    for _ in 0..20 {
        b.sync().unwrap();
        fleet.clock.advance(10);
    }
    cold.sync().unwrap();
    assert_eq!(fleet.answer(&cold, session(2)), Answer::Clear);
    assert_eq!(fleet.answer(&cold, session(1)), Answer::Revoked);
}

#[test]
fn an_unmounted_directory_is_not_an_empty_list() {
    let fleet = Fleet::new();
    let a = fleet.node();
    let away = fleet.directory.path().with_extension("away");
    std::fs::rename(fleet.directory.path(), &away).unwrap();
    std::fs::create_dir(fleet.directory.path()).unwrap();
    let cold = fleet.node();
    assert_eq!(fleet.answer(&cold, session(2)), Answer::Unknown { stale_for: None });
    let error = a.revoke(Revoke::session(session(1))).wait().unwrap_err();
    assert!(matches!(error, RevokeError::NotDurable { .. }), "{error}");
    fleet.clock.advance(900);
    a.sync().unwrap_err();
    assert_eq!(fleet.answer(&a, session(2)), Answer::Clear);
    fleet.clock.advance(1);
    assert_eq!(fleet.answer(&a, session(2)), Answer::Unknown { stale_for: Some(901) });
    assert_eq!(fleet.answer(&a, session(1)), Answer::Revoked);
    std::fs::remove_dir_all(fleet.directory.path()).unwrap();
    std::fs::rename(&away, fleet.directory.path()).unwrap();
    a.sync().unwrap();
    cold.sync().unwrap();
    assert_eq!(fleet.answer(&cold, session(1)), Answer::Revoked);
    assert_eq!(fleet.answer(&cold, session(2)), Answer::Clear);
}

/// Whoever may log out elsewhere may do it a thousand times a second, and whoever administers can still end all that he has.
#[test]
fn no_number_of_cut_offs_drives_one_ahead_of_the_clock() {
    let fleet = Fleet::new();
    let node = fleet.node();
    let skew = usize::try_from(fleet.ring.snapshot().ring.policy.skew).unwrap();
    for (revoke, most) in
        [(Revoke::subject("ada"), skew / 4), (Revoke::tenant("tea"), skew / 2), (Revoke::everyone(), skew * 3 / 4)]
    {
        let made: Vec<_> = (0..1000).filter_map(|_| node.revoke(revoke.clone()).wait().ok()).collect();
        assert_eq!(made.last().unwrap().until, Some(NOW.plus(most as u64)), "{revoke:?}");
        assert!(node.status().ahead.is_empty());
        let error = node.revoke(revoke).wait().unwrap_err();
        assert!(matches!(error, RevokeError::NotLater { .. }), "{error}");
    }
}

#[test]
fn an_empty_name_is_nobodys() {
    let fleet = Fleet::new();
    let node = fleet.node();
    for revoke in [Revoke::subject(""), Revoke::tenant("")] {
        assert_eq!(node.revoke(revoke.clone()).wait(), Err(RevokeError::NoName));
        let error = Revocations::reset_directory(&fleet.ring, fleet.directory.path(), Some(&revoke)).unwrap_err();
        assert!(matches!(error, RevocationsError::Revoke(RevokeError::NoName)), "{error}");
    }
    assert_eq!((node.status().cut_offs, node.status().waiting), (0, 0));
}

#[test]
fn an_empty_path_names_no_directory() {
    let fleet = Fleet::new();
    let stale = Stale::refuse_after(Duration::from_secs(900));
    for error in [
        Revocations::directory(&fleet.ring, "", stale).unwrap_err(),
        Revocations::init_directory(&fleet.ring, "").unwrap_err(),
        Revocations::inspect_directory(&fleet.ring, "").unwrap_err(),
    ] {
        assert!(matches!(error, RevocationsError::Directory(DirectoryError::Unnamed)), "{error}");
    }
}

#[test]
fn a_lost_marker_is_told_from_a_directory_that_is_not_mounted() {
    let fleet = Fleet::new();
    let node = fleet.node();
    node.revoke(Revoke::session(session(1))).wait().unwrap();
    std::fs::remove_file(fleet.directory.path().join(directory::MARKER)).unwrap();
    let lost = node.sync().unwrap_err();
    assert!(lost.to_string().contains("marker") && lost.to_string().contains("reset"), "{lost}");
    for error in [
        lost,
        Revocations::init_directory(&fleet.ring, fleet.directory.path()).unwrap_err(),
        Revocations::inspect_directory(&fleet.ring, fleet.directory.path()).unwrap_err(),
    ] {
        assert!(matches!(error, RevocationsError::Directory(DirectoryError::Unmarked { .. })), "{error}");
    }
    Revocations::reset_directory(&fleet.ring, fleet.directory.path(), None).unwrap();
    node.sync().unwrap();
    assert_eq!(fleet.answer(&fleet.node(), session(1)), Answer::Revoked);
    let nothing = tempfile::tempdir().unwrap();
    let away = Revocations::inspect_directory(&fleet.ring, nothing.path()).unwrap_err();
    assert!(away.to_string().contains("mount it. Only for a new fleet"), "{away}");
}

#[test]
fn what_a_list_cannot_reach_is_not_said_to_be_tried_again() {
    let fleet = Fleet::new();
    let of = |list: &Revocations, level| list.revoke(Revoke::session(session(1)).level(level)).wait();
    let (node, alone) = (fleet.node(), Revocations::in_memory(&fleet.ring));
    for (list, asked, reached) in [(&node, Level::Replicated, Level::Shared), (&alone, Level::Shared, Level::Local)] {
        assert_eq!(list.most(), reached);
        let error = of(list, asked).unwrap_err();
        assert_eq!(error, RevokeError::Unsupported { asked, reached });
        assert_eq!(error.to_string(), format!("revoked, and {reached}; a list like this one is never {asked}"));
    }
}

#[test]
fn how_long_the_oldest_waits_is_known_of_a_directory_too() {
    let fleet = Fleet::new();
    let (node, away) = (fleet.node(), fleet.directory.path().with_extension("away"));
    assert_eq!(node.status().waiting_for, None);
    std::fs::rename(fleet.directory.path(), &away).unwrap();
    let cold = fleet.node();
    for waiting in 1..=3 {
        for list in [&node, &cold] {
            list.revoke(Revoke::session(session(waiting))).wait().unwrap_err();
            let status = list.status();
            let minutes = u64::from(waiting) - 1;
            assert_eq!((status.waiting, status.waiting_for), (usize::from(waiting), Some(minutes * 60)));
        }
        fleet.clock.advance(60);
    }
    std::fs::rename(&away, fleet.directory.path()).unwrap();
    for list in [&node, &cold] {
        list.sync().unwrap();
        assert_eq!((list.status().waiting, list.status().waiting_for), (0, None));
    }
}
