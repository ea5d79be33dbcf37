//! How a ring file is replaced: every way is noticed, by asking, by polling and by watching.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use waxseal::KeyRing;
use waxseal::keys::{Reload, Ring, RingFile, RingPolicy};

use super::{NOW, at, change, put};

/// A mounted ring, and the admin's file from which new rings come.
struct Mount {
    directory: tempfile::TempDir,
    admin: RingFile,
    ring: KeyRing,
    replace: Way,
    count: u64,
}

/// Puts bytes into `ring.json` of a directory, for the first time or anew.
type Way = fn(&Path, &[u8], u64);

const WAYS: [(&str, Way); 4] =
    [("rename", rename), ("in-place rewrite", rewrite), ("delete and recreate", recreate), ("..data swap", swap)];

fn rename(directory: &Path, bytes: &[u8], _: u64) {
    put(&directory.join("next"), bytes);
    std::fs::rename(directory.join("next"), directory.join("ring.json")).unwrap();
}

fn rewrite(directory: &Path, bytes: &[u8], _: u64) {
    put(&directory.join("ring.json"), bytes);
}

fn recreate(directory: &Path, bytes: &[u8], _: u64) {
    let _ = std::fs::remove_file(directory.join("ring.json"));
    put(&directory.join("ring.json"), bytes);
}

/// As the kubelet does it: a directory per version, and two links of which one is swapped.
#[cfg(unix)]
fn swap(directory: &Path, bytes: &[u8], count: u64) {
    use std::os::unix::fs::symlink;
    let version = |count: u64| PathBuf::from(format!("..2026_{count}"));
    std::fs::create_dir(directory.join(version(count))).unwrap();
    put(&directory.join(version(count)).join("ring.json"), bytes);
    symlink(version(count), directory.join("..data_tmp")).unwrap();
    std::fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    if count == 0 {
        symlink("..data/ring.json", directory.join("ring.json")).unwrap();
    } else {
        std::fs::remove_dir_all(directory.join(version(count - 1))).unwrap();
    }
}

#[cfg(not(unix))]
fn swap(directory: &Path, bytes: &[u8], count: u64) {
    rename(directory, bytes, count);
}

impl Mount {
    fn new(replace: Way, refresh: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let admin = directory.path().join("admin");
        std::fs::create_dir(&admin).unwrap();
        let admin = RingFile::at(admin.join("ring.json"));
        let mut policy = RingPolicy::default();
        policy.refresh = refresh;
        policy.activation_delay = 10_000;
        admin.create(&Ring::create(policy, at(NOW)).unwrap(), at(NOW)).unwrap();
        let mounted = directory.path().join("mount");
        std::fs::create_dir(&mounted).unwrap();
        replace(&mounted, &std::fs::read(admin.path()).unwrap(), 0);
        let ring = KeyRing::load(mounted.join("ring.json")).unwrap();
        Self { directory, admin, ring, replace, count: 0 }
    }

    /// The admin changes the ring and the file is replaced; the generation it has now.
    fn next(&mut self) -> u64 {
        let now = at(NOW + 100_000 * self.count);
        change(&self.admin, now, "rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
        self.count += 1;
        (self.replace)(&self.directory.path().join("mount"), &std::fs::read(self.admin.path()).unwrap(), self.count);
        self.admin.read().unwrap().generation()
    }

    /// Waits until the server has this generation, for a minute at most.
    fn arrives(&self, generation: u64) -> bool {
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            if self.ring.status().ring.generation == generation {
                return true;
            }
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(5));
        }
        false
    }
}

#[test]
fn t08_every_way_to_replace_the_file_is_taken_by_reload() {
    for (name, way) in WAYS {
        let mut mount = Mount::new(way, 15);
        for _ in 0..3 {
            let generation = mount.next();
            assert!(matches!(mount.ring.reload(), Ok(Reload::Changed { to, .. }) if to == generation), "{name}");
            assert_eq!(mount.ring.reload().unwrap(), Reload::Unchanged, "{name}");
        }
    }
}

#[test]
fn t08_every_way_to_replace_the_file_is_taken_by_polling() {
    followed(1);
}

/// With polls an hour apart only the watch can tell.
#[cfg(feature = "watch")]
#[test]
fn t08_every_way_to_replace_the_file_is_taken_by_the_watch() {
    followed(3600);
}

fn followed(refresh: u64) {
    std::thread::scope(|scope| {
        for (name, way) in WAYS {
            scope.spawn(move || {
                let mut mount = Mount::new(way, refresh);
                let _follow = mount.ring.follow();
                for _ in 0..2 {
                    let generation = mount.next();
                    assert!(mount.arrives(generation), "{name}: {:?}", mount.ring.status().last_error);
                }
            });
        }
    });
}

#[test]
fn t09_a_file_caught_half_written_is_taken_once_it_is_whole() {
    let mut mount = Mount::new(rewrite, 15);
    let before = mount.ring.status().ring;
    let generation = mount.next();
    let path = mount.directory.path().join("mount/ring.json");
    let whole = std::fs::read(&path).unwrap();
    for part in [0, 1, whole.len() / 2, whole.len() - 1] {
        put(&path, &whole[..part]);
        assert!(mount.ring.reload().is_err());
        assert_eq!(mount.ring.status().ring.digest, before.digest);
    }
    put(&path, &whole);
    assert!(matches!(mount.ring.reload(), Ok(Reload::Changed { to, .. }) if to == generation));
}

#[test]
fn t16_a_hundred_failures_do_not_end_the_following() {
    let mut mount = Mount::new(recreate, 1);
    let path = mount.directory.path().join("mount/ring.json");
    let good = std::fs::read(&path).unwrap();
    let follow = mount.ring.follow();
    std::fs::remove_file(&path).unwrap();
    (0..100).for_each(|_| assert!(mount.ring.reload().is_err()));
    assert!(mount.ring.status().last_error.unwrap().contains("no ring file"));
    put(&path, &good);
    let generation = mount.next();
    assert!(mount.arrives(generation));
    drop(follow);
    assert_eq!(mount.ring.status().last_error, None);
}

/// A flood of unknown key ids makes the follower look once in ten seconds of the server's clock.
#[test]
fn t17_a_flood_of_unknown_key_ids_is_one_hint_in_ten_seconds() {
    use super::testkit::{forge::Forge, key::Key};
    use std::sync::Arc;
    use waxseal::time::ManualClock;
    let mut mount = Mount::new(rename, 3600);
    let clock = Arc::new(ManualClock::at(at(NOW)));
    // Not watched: another directory in between, so that the hint alone can tell.
    let aside = mount.directory.path().join("aside");
    std::fs::create_dir(&aside).unwrap();
    let path = aside.join("ring.json");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../mount/ring.json", &path).unwrap();
    #[cfg(not(unix))]
    let path = mount.directory.path().join("mount/ring.json");
    mount.ring = KeyRing::options().clock(Arc::clone(&clock)).load(&path).unwrap();
    let sealer = super::sealer(&mount.ring);
    let mut forge = Forge::new("t17", Key::test(99));
    forge.context.clear();
    let unknown = forge.text();
    let flood = || {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..5000).for_each(|_| assert!(sealer.open(&unknown).is_err())));
            }
        });
    };
    let follow = mount.ring.follow();
    let first = mount.next();
    let until_taken = |ring: &KeyRing, generation| {
        let end = Instant::now() + Duration::from_secs(60);
        // The follower's thread may start after a hint, which is then lost: hint again.
        while ring.status().ring.generation != generation {
            assert!(Instant::now() < end, "no hint is taken");
            clock.advance(10);
            flood();
        }
    };
    until_taken(&mount.ring, first);
    // Joined, so that no hint of before is waiting.
    drop(follow);
    let follow = mount.ring.follow();
    flood();
    let second = mount.next();
    flood();
    drop(follow);
    assert_eq!(mount.ring.status().ring.generation, first, "a second hint within ten seconds");
    let _follow = mount.ring.follow();
    until_taken(&mount.ring, second);
}
