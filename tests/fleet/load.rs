//! Requests while the ring changes: each sees one ring, and a revoked key is dead once the reload is done.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waxseal::KeyId;
use waxseal::keys::Role;
use waxseal::session::Reason;

use super::User;
use super::desk::Desk;

const WORKERS: usize = 4;

#[test]
fn t11_a_key_revoked_under_load_is_dead_once_the_reload_is_done() {
    let desk = Desk::new();
    let (token, revoked) = (desk.mint(), desk.key(Role::Active));
    let (reloaded, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let counts = [AtomicU64::new(0), AtomicU64::new(0)];
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let after = reloaded.load(Ordering::SeqCst);
                    let answer = desk.opens(&token);
                    assert!(!after || answer == Err(Reason::RevokedKey { key_id: revoked }), "{answer:?}");
                    assert!(answer.is_ok() || answer == Err(Reason::RevokedKey { key_id: revoked }), "{answer:?}");
                    assert!(!after || desk.mint().key_id() != revoked);
                    counts[usize::from(after)].fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let _done = Done(&done);
        wait_for(&counts[0]);
        desk.change("revoke", |ring, now| ring.revoke(revoked, Some("leak"), None, now)).unwrap();
        desk.follow();
        reloaded.store(true, Ordering::SeqCst);
        wait_for(&counts[1]);
    });
}

/// Until each worker has most likely had its turn; a minute at most.
fn wait_for(count: &AtomicU64) {
    let end = Instant::now() + Duration::from_secs(60);
    while count.load(Ordering::SeqCst) < 500 {
        assert!(Instant::now() < end, "the workers do nothing");
        std::thread::yield_now();
    }
}

/// Tells the workers to stop, on a failure too.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Generation and sealing key always belong together, and a token opens whatever came after it.
#[test]
fn t11_no_request_sees_a_mix_of_two_rings() {
    let desk = Desk::new();
    let belongs: Mutex<HashMap<u64, KeyId>> = Mutex::default();
    let learn = || {
        let report = desk.file.report(desk.now()).unwrap();
        belongs.lock().unwrap().insert(report.generation, report.active.unwrap());
    };
    learn();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let status = desk.ring.status();
                    let expected = belongs.lock().unwrap()[&status.ring.generation];
                    assert_eq!(status.ring.active, Some(expected));
                    let token = desk.sealer.start(&User { number: 3 }).unwrap();
                    assert!(belongs.lock().unwrap().values().any(|key| *key == token.key_id()));
                    // Its key may be disabled by now, and is never unknown.
                    let answer = desk.opens(&token);
                    assert!(matches!(answer, Ok(()) | Err(Reason::DisabledKey { .. })), "{answer:?}");
                }
            });
        }
        let _done = Done(&done);
        for _ in 0..12 {
            let active = desk.key(Role::Active);
            desk.change("disable", |ring, now| ring.disable(active, now)).unwrap();
            learn();
            desk.follow();
        }
    });
    assert_eq!(belongs.lock().unwrap().len(), 13);
}
