//! Ring files that are wrong: shuffled, damaged, rolled back, from the future, open to others.

use waxseal::keys::{Refusal, Reload, RingError, RingFile, Role};
use waxseal::session::{Reason, SealError};
use waxseal::{KeyRing, Mode};

use super::desk::{Desk, edited, newer};
use super::dice::Dice;
use super::testkit::key::Key;
use super::testkit::ring::{self, Disk, entry};
use super::{User, sealer};

/// CVE-2025-47278: the order in a list decided which key signed.
#[test]
fn t04_shuffled_keys_change_nothing() {
    let desk = Desk::new();
    let mut tokens = vec![desk.mint()];
    for _ in 0..4 {
        desk.rotate();
        desk.clock.advance(3600);
        tokens.push(desk.mint());
    }
    let (bytes, before) = (desk.bytes(), desk.file.report(desk.now()).unwrap());
    let mut dice = Dice(4);
    for _ in 0..1000 {
        desk.put(&edited(&bytes, |json| dice.shuffle(json["keys"].as_array_mut().unwrap())));
        let after = desk.file.report(desk.now()).unwrap();
        assert_eq!((after.active, after.keys), (before.active, before.keys.clone()));
    }
    let shuffled = desk.start(KeyRing::options()).unwrap();
    let sealer = sealer(&shuffled);
    assert_eq!(Some(sealer.start(&User { number: 1 }).unwrap().key_id()), before.active);
    assert!(tokens.iter().all(|token| sealer.open(token).is_ok()));
}

/// CVE-2020-13777: a key of zeros.
#[test]
fn t05_weak_and_doubled_secrets_are_refused() {
    let refused = |edit: &dyn Fn(&mut ring::Ring)| {
        let mut file = ring::Ring::example();
        edit(&mut file);
        let disk = Disk::with(file.text().as_bytes());
        RingFile::at(&disk.path).read().unwrap_err().to_string()
    };
    let weak = |bytes: [u8; 32]| refused(&|file| file.keys[3] = entry(Key(bytes), "null"));
    for bytes in [[0; 32], [0xff; 32], [0x41; 32], core::array::from_fn(|index| index as u8)] {
        assert!(weak(bytes).contains("key"), "{}", weak(bytes));
    }
    let short = refused(&|file| file.keys[3].set("secret", format!("\"{}\"", super::testkit::encode(&[7; 31]))));
    assert!(short.contains("43"), "{short}");
    for (member, value) in [("id", "\"000000\""), ("secret", "null")] {
        assert!(!refused(&|file| file.keys[3].set(member, value)).is_empty());
    }
    let twice = refused(&|file| file.keys.push(file.keys[3].clone()));
    assert!(twice.contains("twice"), "{twice}");
    let secret = refused(&|file| file.mac[0] = ring::mac("current", ring::role::active()));
    assert!(secret.contains("revocation_secrets"), "{secret}");
}

#[test]
fn t05_equal_dates_are_decided_by_id() {
    let (one, two) = (Key::test(31), Key::test(32));
    for order in [[one, two], [two, one]] {
        let mut file = ring::Ring::example();
        file.keys = order.map(|key| entry(key, "1785996400")).into();
        let desk = Desk::holding(file.text().as_bytes());
        let greatest = one.id_text().max(two.id_text());
        assert_eq!(desk.ring.active().unwrap().to_string(), greatest);
        assert_eq!(desk.mint().key_id().to_string(), greatest);
    }
}

#[test]
fn t07_every_damaged_byte_is_noticed_and_the_last_good_ring_kept() {
    let desk = Desk::new();
    let token = desk.mint();
    desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    let good = desk.bytes();
    let before = desk.ring.status().ring;
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        desk.put(&flipped);
        assert!(desk.ring.reload().is_err(), "byte {at} flipped");
        if at % 8 == 0 {
            assert!(desk.start(KeyRing::options()).is_err(), "byte {at} flipped, at a cold start");
            desk.put(&good[..at]);
            assert!(desk.ring.reload().is_err(), "cut at {at}");
            assert!(desk.start(KeyRing::options()).is_err(), "cut at {at}, at a cold start");
        }
    }
    assert_eq!(desk.ring.status().ring, before);
    assert!(desk.ring.status().last_error.is_some());
    desk.opens(&token).unwrap();
    desk.put(&good);
    desk.follow();
    assert_eq!(desk.ring.status().last_error, None);
}

#[test]
fn t10_a_restored_backup_and_a_fork_are_refused() {
    let desk = Desk::new();
    let backup = desk.bytes();
    desk.rotate();
    let ours = desk.bytes();
    desk.put(&backup);
    let error = desk.refuses();
    assert!(matches!(error, RingError::Refused { refusal: Refusal::Older { .. }, .. }), "{error}");
    // Somebody else's change of the backup, in the same second.
    desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
    let error = desk.refuses();
    assert!(matches!(error, RingError::Refused { refusal: Refusal::Fork { .. }, .. }), "{error}");
    desk.put(&ours);
    assert_eq!(desk.ring.reload().unwrap(), Reload::Unchanged);
    assert_eq!(desk.ring.status().last_error, None);
}

#[test]
fn t12_a_tombstone_wins_over_a_merged_old_entry() {
    let desk = Desk::new();
    let (token, active, before) = (desk.mint(), desk.key(Role::Active), desk.bytes());
    desk.change("revoke", |ring, now| ring.revoke(active, None, None, now)).unwrap();
    desk.follow();
    let dead = Err(Reason::RevokedKey { key_id: active });
    assert_eq!(desk.opens(&token), dead);
    let old: serde_json::Value = serde_json::from_slice(&before).unwrap();
    let entry = old["keys"].as_array().unwrap().iter().find(|key| key["id"] == active.to_string()).unwrap();
    let revoked = desk.bytes();
    let merge = |instead: bool| {
        edited(&revoked, |json| {
            newer(json);
            let keys = json["keys"].as_array_mut().unwrap();
            keys.retain(|key| !instead || key["id"] != active.to_string());
            keys.push(entry.clone());
        })
    };
    desk.put(&merge(true));
    let error = desk.refuses();
    assert!(matches!(error, RingError::Refused { refusal: Refusal::Tombstone { id }, .. } if id == active), "{error}");
    desk.put(&merge(false));
    assert!(desk.refuses().to_string().contains("twice"));
    assert_eq!(desk.opens(&token), dead);
}

#[test]
fn t21_without_a_ring_there_is_no_server_and_without_an_active_key_no_login() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ring.json");
    assert!(matches!(KeyRing::load(&path), Err(RingError::Disk(error)) if error.is_missing()));
    super::put(&path, b"");
    assert!(matches!(KeyRing::load(&path), Err(RingError::Disk(error)) if error.code() == "ring_empty"));
    let mut file = ring::Ring::example();
    file.keys = vec![entry(Key::test(5), "null"), entry(Key::test(6), "1786003600")];
    let desk = Desk::holding(file.text().as_bytes());
    assert_eq!(desk.ring.active(), None);
    assert!(matches!(desk.sealer.start(&User { number: 1 }), Err(SealError::NoActiveKey)));
    let mut forge = super::testkit::forge::Forge::new("t21", Key::test(5));
    forge.context.clear();
    let raw = waxseal::session::RawSealer::builder(&desk.ring, Mode::Sealed, "session").build().unwrap();
    assert!(raw.open(forge.text(), b"", &mut waxseal::session::Buffer::new()).is_ok(), "a staged key opens");
}

#[test]
fn t23_a_ring_from_a_newer_version_is_refused_and_the_old_one_kept() {
    let desk = Desk::new();
    let (token, bytes) = (desk.mint(), desk.bytes());
    let edits: [fn(&mut serde_json::Value); 4] = [
        |json| json["format"] = 2.into(),
        |json| json["keys"][0]["status"] = "quantum".into(),
        |json| json["keys"][0]["algorithm"] = "new".into(),
        |json| json["extensions"] = serde_json::json!([]),
    ];
    for edit in edits {
        desk.put(&edited(&bytes, |json| {
            newer(json);
            edit(json);
        }));
        desk.refuses();
        assert!(desk.start(KeyRing::options()).is_err());
        desk.opens(&token).unwrap();
    }
    desk.put(&edited(&bytes, newer));
    desk.follow();
}

#[cfg(unix)]
#[test]
fn t18_a_ring_that_others_can_get_at_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let desk = Desk::new();
    let mode = |bits| std::fs::set_permissions(desk.file.path(), std::fs::Permissions::from_mode(bits)).unwrap();
    let link = desk.beside("link.json");
    symlink(desk.file.path(), &link).unwrap();
    for (bits, taken) in
        [(0o644, false), (0o666, false), (0o620, false), (0o604, false), (0o640, true), (0o440, true), (0o600, true)]
    {
        mode(bits);
        assert_eq!(desk.start(KeyRing::options()).is_ok(), taken, "{bits:o}");
        assert_eq!(KeyRing::load(&link).is_ok(), taken, "{bits:o} through a link");
    }
    let error = KeyRing::load(desk.directory()).unwrap_err();
    assert!(matches!(error, RingError::Disk(error) if error.code() == "ring_not_a_file"));
}

/// What counts is checked on the opened file, so that swapping the path in between gains nothing.
#[cfg(unix)]
#[test]
fn t18_a_path_swapped_while_it_is_opened_gains_nothing() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};
    let desk = Desk::new();
    let generation = desk.ring.status().ring.generation;
    let bad = desk.beside("bad.json");
    super::put(&bad, &edited(&desk.bytes(), newer));
    std::fs::set_permissions(&bad, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (link, next, done) = (desk.beside("link.json"), desk.beside("next"), AtomicBool::new(false));
    symlink(desk.file.path(), &link).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for target in [&bad, desk.file.path()] {
                    symlink(target, &next).unwrap();
                    std::fs::rename(&next, &link).unwrap();
                }
            }
        });
        let loads: Vec<_> = (0..2000).map(|_| RingFile::at(&link).read()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(loads.iter().flatten().all(|ring| ring.generation() == generation));
        assert!(loads.iter().any(Result::is_ok), "the good file was never there");
    });
}
