//! What a tool sees of a directory, and what it answers.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::keys::{DiskError, Ring, RingFile, RingPolicy};
use crate::revocation::Stale;
use crate::revocation::shared::Answer;
use crate::time::{Clock, ManualClock};

const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

struct Desk {
    scratch: tempfile::TempDir,
    ring: KeyRing,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new() -> Self {
        let (scratch, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOW)));
        let file = RingFile::at(scratch.path().join("ring.json"));
        file.create(&Ring::create(RingPolicy::default(), NOW).unwrap(), NOW).unwrap();
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(scratch.path().join("ring.json")).unwrap();
        Revocations::init_directory(&ring, scratch.path().join("list")).unwrap();
        Self { scratch, ring, clock }
    }

    fn path(&self) -> PathBuf {
        self.scratch.path().join("list")
    }

    fn server(&self) -> Revocations {
        Revocations::directory(&self.ring, self.path(), Stale::refuse_after(Duration::from_secs(900))).unwrap()
    }

    fn tool(&self) -> Revocations {
        let stale = Stale::refuse_after(Duration::from_secs(900));
        Revocations::options().observe().directory(&self.ring, self.path(), stale).unwrap()
    }

    fn look(&self) -> Inspection {
        Revocations::inspect_directory(&self.ring, self.path()).unwrap()
    }

    fn replace_secrets(&self) {
        let file = RingFile::at(self.scratch.path().join("ring.json"));
        let now = self.clock.now();
        file.update(now, "revoke --all", |ring| {
            let done = ring.revoke_all(Some("leaked"), now).unwrap();
            Ok::<_, DiskError>((done, true))
        })
        .unwrap();
        self.ring.reload().unwrap();
    }

    /// The one journal that has entries.
    fn journal(&self) -> PathBuf {
        let seen = self.look();
        let journal = seen.journals.iter().find(|journal| journal.entries > 0).unwrap();
        self.path().join(format!("{}.journal", journal.writer))
    }
}

fn session(n: u8) -> SessionId {
    SessionId::new(1_785_999_900, [n; 12])
}

#[test]
fn everything_is_seen_with_who_and_why() {
    let desk = Desk::new();
    let tool = desk.tool();
    tool.revoke(Revoke::session(session(1)).actor("ada").reason("stolen")).wait().unwrap();
    desk.clock.advance(10);
    let done = tool.revoke(Revoke::subject("eve").except(session(2)).actor("bob")).wait().unwrap();
    let seen = desk.look();
    assert_eq!((seen.epoch, seen.cold_start.as_deref(), seen.forgotten, seen.journals.len()), (1, None, 0, 1));
    let [newer, older] = &seen.entries[..] else { panic!("{:?}", seen.entries) };
    assert_eq!((&*newer.actor, &*older.actor, &*older.reason), ("bob", "ada", "stolen"));
    assert_eq!(older.what, Entered::Session { session: session(1), started_at: session(1).start() });
    assert_eq!(older.forgotten_at, NOW.plus(seen.retention));
    let Entered::CutOff { id, until, except, retracted, ahead, .. } = newer.what else { panic!("{newer:?}") };
    assert_eq!(
        (Some(id), until, except, retracted, ahead),
        (done.cut_off, NOW.plus(10), Some(session(2)), false, false)
    );
    tool.revoke(Revoke::retract(id).actor("bob").reason("oops")).wait().unwrap();
    let seen = desk.look();
    assert_eq!((&seen.entries[0].what, &*seen.entries[0].reason), (&Entered::Retract { id }, "oops"));
    assert!(matches!(seen.entries[1].what, Entered::CutOff { retracted: true, .. }));
}

#[test]
fn questions_are_answered_by_name() {
    let desk = Desk::new();
    let tool = desk.tool();
    for revoke in [
        Revoke::session(session(1)),
        Revoke::subject("ada").except(session(2)),
        Revoke::tenant("acme").until(session(0).start()),
        Revoke::tenant("late").until(Timestamp::from_unix(5)),
    ] {
        tool.revoke(revoke).wait().unwrap();
    }
    let seen = desk.look();
    let count = |session, subject, tenant| {
        Revocations::answer(&desk.ring, &seen.entries, Question { session, subject, tenant }).count()
    };
    assert_eq!(count(Some(session(1)), None, None), 1);
    assert_eq!(count(Some(session(3)), None, None), 0);
    assert_eq!(count(Some(session(3)), Some("ada"), None), 1);
    assert_eq!(count(Some(session(2)), Some("ada"), None), 0, "it is excepted");
    assert_eq!(count(Some(session(2)), Some("ada"), Some("acme")), 1);
    assert_eq!(count(Some(session(2)), None, Some("late")), 0, "it started later");
    assert_eq!(count(None, Some("ada"), None), 1);
    assert_eq!(count(None, Some("acme"), None), 0, "a subject is no tenant");
    tool.revoke(Revoke::everyone()).wait().unwrap();
    let seen = desk.look();
    let question = Question { session: Some(session(3)), ..Question::default() };
    assert_eq!(Revocations::answer(&desk.ring, &seen.entries, question).count(), 1);
}

#[test]
fn what_was_carried_on_from_memory_keeps_its_note_where_it_stands() {
    let desk = Desk::new();
    let (a, b) = (desk.server(), desk.server());
    a.revoke(Revoke::session(session(1)).actor("ada")).wait().unwrap();
    for _ in 0..3 {
        b.sync().unwrap();
        desk.clock.advance(10);
    }
    fs::copy(desk.journal(), desk.path().join("keep")).unwrap();
    let own = desk.journal();
    fs::write(&own, b"").unwrap();
    drop(a);
    for _ in 0..20 {
        let _ = b.sync();
        desk.clock.advance(10);
    }
    fs::copy(desk.path().join("keep"), &own).unwrap();
    let seen = desk.look();
    assert_eq!((seen.entries.len(), &*seen.entries[0].actor), (1, "ada"), "{seen:?}");
}

#[test]
fn faults_and_gaps_are_named() {
    let desk = Desk::new();
    let (a, b) = (desk.server(), desk.server());
    a.revoke(Revoke::session(session(1))).wait().unwrap();
    for _ in 0..5 {
        b.sync().unwrap();
        desk.clock.advance(10);
    }
    let journal = desk.journal();
    let good = fs::read(&journal).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&journal, &bad).unwrap();
    let seen = desk.look();
    let fault = seen.journals.iter().find(|journal| journal.fault.is_some()).unwrap();
    assert!(fault.fault.as_ref().unwrap().contains("damaged at byte"), "{fault:?}");
    assert!(fault.advice.is_some() && seen.gaps == [fault.writer.clone()], "{seen:?}");
    assert!(seen.cold_start.is_some());
    fs::remove_file(&journal).unwrap();
    let seen = desk.look();
    assert_eq!((seen.gaps.len(), seen.entries.len()), (1, 0), "the other has read it, and says so: {seen:?}");
    fs::write(&journal, &good[..good.len() - 1]).unwrap();
    let seen = desk.look();
    assert_eq!(seen.gaps.len(), 1, "shorter than the other has read it: {seen:?}");
    assert!(seen.journals.iter().all(|journal| journal.fault.is_none()), "a line that is cut may still be written");
}

#[test]
fn what_has_ended_is_taken_over() {
    let desk = Desk::new();
    for n in 0..5 {
        desk.tool().revoke(Revoke::session(session(n)).actor("ada")).wait().unwrap();
    }
    let alive = desk.server();
    alive.sync().unwrap();
    assert_eq!(desk.look().journals.len(), 6);
    let removed = Revocations::compact_directory(&desk.ring, desk.path()).unwrap();
    assert_eq!(removed.len(), 5);
    let seen = desk.look();
    assert_eq!((seen.journals.len(), seen.entries.len(), seen.cold_start.as_deref()), (2, 5, None));
    assert!(seen.entries.iter().all(|entry| entry.actor == "ada"));
    assert!(Revocations::compact_directory(&desk.ring, desk.path()).unwrap().is_empty(), "nothing is left to do");
    alive.sync().unwrap();
    assert!(alive.status().nodes.iter().all(|node| node.fault.is_none()), "{:?}", alive.status());
    assert!(desk.server().is_ready());
}

#[test]
fn a_clock_that_runs_ahead_drops_nothing() {
    let desk = Desk::new();
    for n in 0..3 {
        desk.tool().revoke(Revoke::session(session(n))).wait().unwrap();
    }
    desk.clock.advance(365 * 86_400);
    assert_eq!(desk.look().forgotten, 3);
    Revocations::compact_directory(&desk.ring, desk.path()).unwrap();
    desk.clock.set(NOW.plus(60));
    assert_eq!(desk.look().entries.len(), 3);
}

#[test]
fn a_reset_forgets_what_only_the_files_held() {
    let desk = Desk::new();
    let server = desk.server();
    server.revoke(Revoke::session(session(1))).wait().unwrap();
    desk.tool().revoke(Revoke::session(session(2))).wait().unwrap();
    let revoke = Revoke::everyone().until(NOW.plus(0)).reason("lost");
    let (epoch, id) = Revocations::reset_directory(&desk.ring, desk.path(), Some(&revoke)).unwrap();
    let seen = desk.look();
    assert_eq!((epoch, seen.epoch, seen.entries.len(), seen.leftovers.len()), (2, 2, 1, 2));
    assert!(id.is_some() && seen.entries[0].reason == "lost" && seen.cold_start.is_none());
    server.sync().unwrap();
    assert_eq!(server.judge(session(3), desk.clock.now()), Answer::Revoked);
    let cold = desk.server();
    assert!(cold.is_ready());
    let (epoch, id) = Revocations::reset_directory(&desk.ring, desk.path(), None).unwrap();
    assert_eq!((epoch, id), (3, None));
    assert_eq!(desk.look().entries.len(), 0);
    server.sync().unwrap();
    assert_eq!(desk.look().entries.len(), 2, "a server that runs writes what it knows");
}

#[test]
fn a_ring_with_new_secrets_needs_a_reset_and_then_goes_on() {
    let desk = Desk::new();
    let server = desk.server();
    server.revoke(Revoke::session(session(1))).wait().unwrap();
    desk.clock.advance(10);
    desk.replace_secrets();
    server.sync().unwrap_err();
    assert_eq!(server.judge(session(1), desk.clock.now()), Answer::Revoked);
    Revocations::inspect_directory(&desk.ring, desk.path()).unwrap_err();
    let before = fs::read(desk.path().join("waxseal-revocations")).unwrap()[24..40].to_vec();
    let (epoch, _) = Revocations::reset_directory(&desk.ring, desk.path(), Some(&Revoke::everyone())).unwrap();
    let after = fs::read(desk.path().join("waxseal-revocations")).unwrap()[24..40].to_vec();
    assert!(epoch == 1 && before != after, "a fleet of a new name");
    let cold = desk.server();
    assert!(cold.is_ready(), "{:?}", cold.status());
    server.sync().unwrap();
    let seen = desk.look();
    assert_eq!((seen.entries.len(), seen.cold_start), (2, None), "{:?}", server.status());
}

#[test]
fn a_reset_mends_a_marker_but_takes_no_other_ring_s_directory() {
    let desk = Desk::new();
    desk.tool().revoke(Revoke::session(session(1))).wait().unwrap();
    let marker = desk.path().join("waxseal-revocations");
    for bytes in [&b""[..], b"nonsense"] {
        fs::write(&marker, bytes).unwrap();
        Revocations::inspect_directory(&desk.ring, desk.path()).unwrap_err();
        Revocations::reset_directory(&desk.ring, desk.path(), Some(&Revoke::everyone())).unwrap();
        assert_eq!((desk.look().entries.len(), desk.look().cold_start), (1, None));
    }
    fs::remove_file(&marker).unwrap();
    Revocations::init_directory(&desk.ring, desk.path()).unwrap_err();
    Revocations::reset_directory(&desk.ring, desk.path(), Some(&Revoke::everyone())).unwrap();
    assert!(desk.server().is_ready());
    let other = Desk::new();
    let error = Revocations::reset_directory(&other.ring, desk.path(), None).unwrap_err();
    assert!(error.to_string().contains("another ring"), "{error}");
    let error = Revocations::reset_directory(&desk.ring, desk.scratch.path(), None).unwrap_err();
    assert!(error.to_string().contains("not a directory of revocations"), "{error}");
}
