//! Every order in which a writer and those who ask can meet: `RUSTFLAGS="--cfg waxseal_loom" cargo test --lib known::model`
//!
//! A lock around a pointer stands for the view, which is another crate's; what is looked at is what lies behind it.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::bloom::Filter;
use super::exact::{Inserted, Table};
use super::record::Record;
use crate::id::SessionId;
use crate::time::Timestamp;

fn record(n: u8, at: u64) -> Record {
    Record::new(SessionId::new(n.into(), [n; 12]), Timestamp::from_unix(at))
}

/// Two sessions aim at one slot; a third is looked for there and is not found, not even in halves of theirs.
#[test]
fn a_record_is_seen_whole_and_once_it_was_told_of() {
    loom::model(|| {
        let table = Arc::new(Table::for_count(2));
        let told = Arc::new(AtomicUsize::new(0));
        let writer = thread::spawn({
            let (table, told) = (Arc::clone(&table), Arc::clone(&told));
            move || {
                for n in 1..3 {
                    assert_eq!(table.insert(record(n, 4096), 7), Inserted::New);
                    told.store(n.into(), Ordering::Release);
                }
                assert_eq!(table.insert(record(1, 8192), 7), Inserted::Known);
            }
        });
        let seen = told.load(Ordering::Acquire);
        assert!((1..=seen).all(|n| table.contains(record(n as u8, 0), 7)));
        assert!(!table.contains(record(3, 0), 7));
        assert!(table.records().all(|seen| seen.is_same(record(1, 0)) || seen.is_same(record(2, 0))));
        writer.join().unwrap();
    });
}

/// The seventh record goes into a table of twice the size; a reader holds the old one or gets the new one.
#[test]
fn nothing_is_missed_while_a_table_grows() {
    loom::model(|| {
        let full = Table::for_count(6);
        assert!((0..6).all(|n| full.insert(record(n, 4096), n.into()) == Inserted::New));
        let view = Arc::new(Mutex::new(Arc::new(full)));
        let told = Arc::new(AtomicUsize::new(6));
        let writer = thread::spawn({
            let (view, told) = (Arc::clone(&view), Arc::clone(&told));
            move || {
                let old = Arc::clone(&view.lock().unwrap());
                assert_eq!(old.insert(record(6, 4096), 6), Inserted::Full);
                let grown = Table::for_count(12);
                for (n, record) in old.records().chain([record(6, 4096)]).enumerate() {
                    grown.insert(record, n as u64);
                }
                *view.lock().unwrap() = Arc::new(grown);
                told.store(7, Ordering::Release);
            }
        });
        let seen = told.load(Ordering::Acquire);
        let table = Arc::clone(&view.lock().unwrap());
        assert!((0..seen).all(|n| table.contains(record(n as u8, 0), n as u64)));
        assert_eq!(table.records().count(), table.len());
        writer.join().unwrap();
    });
}

#[test]
fn nothing_is_missed_while_a_filter_fills_and_grows() {
    loom::model(|| {
        let view = Arc::new(Mutex::new(Arc::new(Filter::for_count(1, 0.5))));
        let told = Arc::new(AtomicUsize::new(0));
        // All three share words.
        let fingerprint = |n: usize| [n as u8; 16];
        let writer = thread::spawn({
            let (view, told) = (Arc::clone(&view), Arc::clone(&told));
            move || {
                let filter = Arc::clone(&view.lock().unwrap());
                assert!(filter.insert(&fingerprint(1)));
                told.store(1, Ordering::Release);
                let grown = filter.grown().unwrap();
                assert!(grown.insert(&fingerprint(2)));
                *view.lock().unwrap() = Arc::new(grown);
                told.store(2, Ordering::Release);
            }
        });
        let seen = told.load(Ordering::Acquire);
        let filter = Arc::clone(&view.lock().unwrap());
        assert!((1..=seen).all(|n| filter.contains(&fingerprint(n))));
        writer.join().unwrap();
    });
}
