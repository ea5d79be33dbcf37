//! Those who write the ring: killed, at once, from a cron job that fails now and then, from two copies.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use waxseal::keys::{DiskError, RingFile, Role, Rotation};

use super::desk::Desk;
use super::dice::Dice;
use super::{NOW, at, change};

/// Run by the test below in a process of its own, which is killed; does nothing elsewhere.
#[test]
fn t06_child() {
    let Ok(path) = std::env::var("WAXSEAL_FLEET_RING") else { return };
    let file = RingFile::at(path);
    loop {
        file.update::<_, DiskError>(at(NOW), "test", |_| Ok(((), true))).unwrap();
        #[allow(clippy::print_stdout, reason = "how the parent hears of it")]
        {
            println!("wrote {}", file.read().unwrap().generation());
        }
    }
}

/// Every single step is swept by `keys::ring_file::tests::a_killed_writer_leaves_the_old_ring_or_the_new_one`.
#[test]
fn t06_a_killed_writer_leaves_a_good_ring_and_no_lock() {
    for lines in 1..8 {
        let desk = Desk::new();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "writers::t06_child"])
            .env("WAXSEAL_FLEET_RING", desk.file.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let wrote =
            said.filter_map(|line| line.rsplit_once("wrote ").map(|(_, number)| number.parse::<u64>().unwrap()));
        let last = wrote.take(lines).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(desk.file.read().unwrap().generation() >= last);
        desk.rotate();
    }
}

/// Hourly for thirty days, with `--if-older-than` two days: late, failing, killed, and run twice.
#[test]
fn t26_a_cron_job_that_fails_now_and_then_keeps_the_ring_in_order() {
    let desk = Desk::new();
    let mut dice = Dice(26);
    let (mut rotations, mut failures) = (0, 0);
    for hour in 0..30 * 24 {
        desk.clock.set(at(NOW + 3600 * hour + dice.below(600)));
        let luck = dice.below(10);
        for _ in 0..if luck == 0 { 2 } else { 1 } {
            let now = desk.now();
            let report = desk.file.report(now).unwrap();
            let active = report.key(report.active.unwrap()).unwrap();
            let due = active.activate_at.unwrap().plus(2 * 86_400) <= now;
            match luck {
                1 | 2 => failures += 1, // The host was down.
                3 if due => {
                    let failed: Result<(), _> = desk.file.update(now, "rotate", |ring| {
                        ring.rotate(now).unwrap();
                        Err(Killed)
                    });
                    assert!(failed.is_err());
                    std::fs::write(desk.beside(".waxseal-left"), b"half a ri").unwrap();
                    failures += 1;
                }
                _ if due => {
                    let done = desk.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
                    rotations += u32::from(matches!(done, Rotation::Scheduled { .. }));
                }
                _ => {}
            }
            in_order(&desk, hour);
        }
    }
    assert!(rotations >= 13 && failures > 50, "{rotations} rotations, {failures} failures");
}

/// One active key now and after the next date in the ring, one staged, and no more than a routine leaves.
fn in_order(desk: &Desk, hour: u64) {
    let now = desk.file.report(desk.now()).unwrap();
    let next = now.keys.iter().filter_map(|key| key.activate_at).filter(|&date| date > desk.now()).max();
    let next = next.map(|date| desk.file.report(date).unwrap());
    for then in [now].into_iter().chain(next) {
        let count = |role| then.keys.iter().filter(|key| key.role == role).count();
        assert_eq!((count(Role::Active), count(Role::Staged)), (1, 1), "hour {hour}");
        assert!(then.keys.len() <= 14, "hour {hour}");
    }
}

#[derive(Debug)]
struct Killed;

impl From<DiskError> for Killed {
    fn from(error: DiskError) -> Self {
        panic!("{error}")
    }
}

#[test]
fn t02_two_writers_at_once_lose_no_update() {
    let desk = Desk::new();
    let before = desk.file.read().unwrap().generation();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let file = RingFile::at(desk.file.path());
                (0..20).for_each(|_| change(&file, at(0), "test", |_, _| Ok(())).unwrap());
            });
        }
    });
    assert_eq!(desk.file.read().unwrap().generation(), before + 40);
}
