//! Writers that were cloned, died or come back, and one mishap after the other: what is carried on is whole, and does not pile up.

use std::fs;
use std::path::{Path, PathBuf};

use super::dice::Dice;
use super::fleet::{Fleet, Login, Setup, check};
use super::lost::{append, flip, running, settles};

#[test]
fn drill_a_cloned_writer() {
    type Clones = fn(&Path);
    let clones: [Clones; 4] = [
        // The other half of a machine that was copied while it ran writes on, and says the same once more.
        |journal| {
            let bytes = fs::read(journal).unwrap();
            let line = 2 + usize::from(u16::from_be_bytes([bytes[148], bytes[149]])) + 8 + 32;
            append(journal, &bytes[148..148 + line]);
        },
        |journal| append(journal, b"what is no line"),
        // The file of the clone takes the place of the first.
        |journal| {
            let copy = journal.with_extension("copy");
            fs::copy(journal, &copy).unwrap();
            fs::rename(copy, journal).unwrap();
        },
        |journal| append(journal, &[0; 70]),
    ];
    for clone in clones {
        let (fleet, a, b, logins) = running();
        let journal = a.journal(&fleet);
        clone(&journal);
        let cold = fleet.node();
        settles(&fleet, &[&a, &b], &cold, &logins);
        assert_ne!(a.journal(&fleet), journal, "it begins anew");
    }
}

#[test]
fn drill_500_dead_files() {
    let (fleet, mut logins) = (Fleet::new(), vec![]);
    for _ in 0..10 {
        // Fifty at a time, so that they need not all read each other.
        let part = fleet.copy("part");
        for n in 0..50 {
            let node = fleet.node_on(fleet.admin.path(), &part, Setup::default());
            logins.push(node.login("ada", "tea"));
            if n % 2 == 0 {
                node.end(&logins[logins.len() - 1]);
            }
        }
        for entry in fs::read_dir(part).unwrap() {
            let path = entry.unwrap().path();
            let to = fleet.shared().join(path.file_name().unwrap());
            if !to.exists() {
                fs::rename(path, to).unwrap();
            }
        }
    }
    let (a, b) = (fleet.node(), fleet.node());
    fleet.pass(20, &[&a, &b]);
    assert!(fleet.journals().len() > 500);
    assert_eq!(check(&[&a, &b, &fleet.node()], &logins).unknown, 0);
    fleet.pass_by(60, 660, &[&a, &b]);
    fleet.pass(500, &[&a, &b]);
    assert!(fleet.journals().len() <= 3, "{} are left", fleet.journals().len());
    assert_eq!(check(&[&a, &b, &fleet.node()], &logins).unknown, 0);
}

/// Looks and beats that go in step leave out no journal, or nobody would miss it.
#[test]
fn every_journal_is_spoken_of() {
    for of_whom in 0..3 {
        let fleet = Fleet::new();
        let nodes = [fleet.node(), fleet.node(), fleet.node()];
        let watches = fleet.node();
        let ended = nodes.each_ref().map(|node| {
            let login = node.login("ada", "tea");
            node.end(&login);
            login
        });
        fleet.pass_by(5, 5, &nodes.each_ref());
        let journal = nodes[of_whom].journal(&fleet);
        drop(nodes);
        fleet.pass_by(5, 100, &[&watches]);
        fs::remove_file(journal).unwrap();
        assert_eq!(check(&[&fleet.witness(&fleet.shared())], &ended).unknown, 1, "what is known is over");
        fleet.pass_by(5, 100, &[&watches]);
        assert_eq!(check(&[&fleet.witness(&fleet.shared())], &ended).over, 3);
    }
}

/// The word that a journal is carried on outlives the word that there was something in it.
#[test]
fn a_journal_that_was_carried_on_is_never_a_gap_again() {
    let fleet = Fleet::new();
    let (a, b, c) = (fleet.node(), fleet.node_ahead(-30), fleet.node_ahead(30));
    a.end(&a.login("ada", "tea"));
    fleet.pass(60, &[&a, &c, &b]);
    let journal = a.journal(&fleet);
    drop(a);
    fs::remove_file(journal).unwrap();
    fleet.pass(200, &[&c, &b]);
    assert!(fleet.witness(&fleet.shared()).list.is_ready());
    let retention = b.list.status().retention;
    fleet.pass_by(1000, retention - 800, &[&c, &b]);
    for _ in 0..120 {
        fleet.pass(10, &[&c, &b]);
        let cold = fleet.witness(&fleet.shared());
        assert!(cold.list.is_ready(), "{:?}", cold.list.status().last_error);
    }
}

/// What is carried on again and again is written once.
#[test]
fn drill_files_deleted_again_and_again_do_not_pile_up() {
    let (fleet, a, b, logins) = running();
    let ended: Vec<_> = (0..100).map(|_| a.login("ada", "tea")).collect();
    ended.iter().for_each(|login| a.end(login));
    fleet.pass(60, &[&a, &b]);
    let mut sizes = vec![];
    for _ in 0..12 {
        fs::remove_file(a.journal(&fleet)).unwrap();
        fleet.pass(100, &[&a, &b]);
        sizes.push(fleet.size());
    }
    // Both have it all, and their beats beside.
    assert!(sizes[11] < 2 * sizes[1] + 20_000, "{sizes:?}");
    assert_eq!(check(&[&a, &b, &fleet.node()], logins.iter().chain(&ended)).unknown, 0);
}

/// Once everybody else has forgotten it too, a journal that comes back from the dead changes nothing.
#[test]
fn r14_a_zombie_is_not_remembered() {
    let (fleet, a, b, logins) = running();
    let journal = a.journal(&fleet);
    let backup = fs::read(&journal).unwrap();
    drop(a);
    fleet.pass(1000, &[&b]);
    assert!(!journal.exists());
    fs::write(&journal, &backup).unwrap();
    assert_eq!(check(&[&b, &fleet.node()], &logins).unknown, 0);
    fleet.pass_by(3600, 4 * 86_400, &[&b]);
    fs::write(&journal, &backup).unwrap();
    fleet.pass(10, &[&b]);
    let cold = fleet.node();
    assert!(cold.list.is_ready());
    // Until it has been still for long enough, it may be taken for somebody whose clock is behind.
    fleet.pass(400, &[&b, &cold]);
    assert_eq!((b.list.status().sessions, cold.list.status().sessions), (0, 0));
    fleet.pass(4000, &[&b]);
    assert!(!journal.exists(), "it is tidied away");
}

/// One mishap after the other, with time between them to put things in order.
#[test]
fn drill_one_mishap_after_the_other() {
    for seed in 0..3 {
        let fleet = Fleet::new();
        let mut dice = Dice(seed);
        let mut nodes = [fleet.node(), fleet.node(), fleet.node()];
        let mut logins: Vec<Login> = vec![];
        let mut kept: Vec<(PathBuf, Vec<u8>)> = vec![];
        for round in 0..14 {
            for _ in 0..4 {
                logins.push(nodes[dice.index(3)].login("ada", "tea"));
                nodes[dice.index(3)].end(&logins[dice.index(logins.len())]);
                fleet.pass(10, &nodes.iter().collect::<Vec<_>>());
            }
            let journals = fleet.journals();
            let picked = &journals[dice.index(journals.len())];
            let bytes = fs::read(picked).unwrap();
            let what = dice.below(7);
            match what {
                0 => fs::remove_file(picked).unwrap(),
                1 => flip(picked, dice.index(bytes.len())),
                2 => fs::write(picked, &bytes[..dice.index(bytes.len())]).unwrap(),
                3 => drop(std::mem::replace(&mut nodes[dice.index(3)], fleet.node())),
                4 => kept.push((picked.clone(), bytes)),
                5 if !kept.is_empty() => {
                    let (path, bytes) = &kept[dice.index(kept.len())];
                    fs::write(path, bytes).unwrap();
                }
                _ => append(picked, &[7; 20]),
            }
            for _ in 0..40 {
                fleet.pass(10, &nodes.iter().collect::<Vec<_>>());
            }
            let all: Vec<_> = nodes.iter().collect();
            assert_eq!(check(&all, &logins).unknown, 0, "seed {seed}, {round}: {what}");
            let cold = fleet.witness(&fleet.shared());
            assert!(cold.list.is_ready(), "seed {seed}, {round}: {what}, {:?}", cold.list.status().last_error);
            assert_eq!(check(&[&cold], &logins).unknown, 0, "seed {seed}, {round}: {what}");
        }
    }
}

#[test]
fn a_lost_journal_takes_no_word_for_others_along() {
    for own in [true, false] {
        let fleet = Fleet::new();
        let (x, y, d) = (fleet.node(), fleet.node(), fleet.node());
        let gone = d.login("ada", "tea");
        d.end(&gone);
        x.end(&x.login("eve", "tea"));
        fleet.pass(100, &[&x, &y, &d]);
        let journal = d.journal(&fleet);
        drop(d);
        fleet.pass(580, &[&x, &y]);
        fleet.advance(30);
        for _ in 0..200 {
            x.poll();
        }
        assert!(!journal.exists(), "x has taken it over");
        fleet.pass(60, &[&x, &y]);
        assert!(fleet.node().list.is_ready());
        fs::remove_file(x.journal(&fleet)).unwrap();
        if own {
            fleet.pass(100, &[&x, &y])
        } else {
            fleet.pass(100, &[&y])
        }
        let cold = fleet.node();
        assert!(cold.list.is_ready(), "{own} {:?}", cold.list.status().last_error);
        fleet.pass_by(60, 7200, &[&x, &y]);
        assert_eq!(check(&[&fleet.node()], [&gone]).over, 1, "{own}");
    }
}
