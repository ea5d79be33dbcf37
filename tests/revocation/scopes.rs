//! Cut-offs of every scope, in every order and within one second, on all servers alike.

use waxseal::Revoke;

use super::dice::Dice;
use super::fleet::{Fleet, Login, Node, Seen, check};

const SCOPES: usize = 4;

/// A cut-off that covers Ada's sessions in the tea shop.
fn cut_off(scope: usize) -> Revoke {
    [Revoke::everyone(), Revoke::subject("ada"), Revoke::tenant("tea")][scope].clone()
}

/// R18: cut-offs of the ring, of everyone, of a tenant and of a subject, each there or not, in every order of arrival.
#[test]
fn r18_the_greatest_cut_off_counts_whatever_the_scopes_and_their_order() {
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
    for present in 0..1 << SCOPES {
        for order in orders {
            let fleet = Fleet::new();
            let (a, b) = (fleet.node(), fleet.node());
            let mut logins = vec![];
            for _ in 0..5 {
                logins.push(a.login("ada", "tea"));
                fleet.advance(10);
            }
            let others = [a.login("bob", "tea"), a.login("ada", "silk"), a.login("bob", "silk")];
            fleet.pass(10, &[&a, &b]);
            let mut greatest = 0;
            // The scope decides how far it reaches, so that orders differ.
            for scope in order.into_iter().filter(|scope| present & 1 << scope != 0) {
                let until = logins[scope].id.start();
                greatest = greatest.max(until.as_unix());
                match scope {
                    3 => fleet.change(|ring, now| ring.set_not_before(until, now)),
                    // What a greater one covers already is refused, and changes nothing.
                    _ => drop(a.list.revoke(cut_off(scope).until(until)).wait()),
                }
                fleet.pass(20, &[&a, &b]);
            }
            let over = |login: &Login| login.over.set(login.id.start().as_unix() <= greatest);
            logins.iter().for_each(over);
            let seen = check(&[&a, &b, &fleet.node()], logins.iter().chain(&others));
            assert_eq!(seen.unknown, 0, "{present:b} {order:?}");
        }
    }
}

#[test]
fn drill_login_cut_off_login_cut_off_within_one_second() {
    for first in 0..3 {
        for second in 0..3 {
            for seed in 0..3 {
                within_one_second(first, second, seed);
            }
        }
    }
}

fn within_one_second(first: usize, second: usize, seed: u64) {
    let fleet = Fleet::new();
    let nodes = [fleet.node(), fleet.node(), fleet.node()];
    let mut dice = Dice(seed);
    let all = nodes.each_ref();
    let polls = || nodes.iter().for_each(Node::poll);
    let one = nodes[dice.index(3)].login("ada", "tea");
    let spared = nodes[0].login("bob", "silk");
    nodes[dice.index(3)].revoke(cut_off(first));
    one.over.set(true);
    polls();
    let two = nodes[dice.index(3)].login("ada", "tea");
    assert_eq!(check(&all, [&one, &two]), Seen { open: 3, over: 3, unknown: 0 }, "{first} {second}");
    nodes[dice.index(3)].revoke(cut_off(second));
    two.over.set(true);
    polls();
    let three = nodes[dice.index(3)].login("ada", "tea");
    assert_eq!(check(&all, [&one, &two, &three]), Seen { open: 3, over: 6, unknown: 0 }, "{first} {second}");
    spared.over.set(first == 0 || second == 0);
    check(&all, [&spared]);
    let late = [fleet.node()];
    assert_eq!(check(&[&late[0]], [&one, &two, &three, &spared]).unknown, 0);
    fleet.pass(60, &all);
    assert_eq!(check(&all, [&one, &two, &three, &spared]).unknown, 0);
}

#[test]
fn a_retracted_cut_off_ends_nobody_any_more() {
    for scope in 0..3 {
        let fleet = Fleet::new();
        let (a, b) = (fleet.node(), fleet.node());
        let (cut, ended) = (a.login("ada", "tea"), a.login("ada", "tea"));
        let done = a.revoke(cut_off(scope));
        b.end(&ended);
        cut.over.set(true);
        fleet.pass(10, &[&a, &b]);
        assert_eq!(check(&[&a, &b], [&cut, &ended]).over, 4);
        let id = done.cut_off.unwrap();
        b.list.retract(id).wait().unwrap();
        cut.over.set(false);
        fleet.pass(10, &[&a, &b]);
        let seen = check(&[&a, &b, &fleet.node()], [&cut, &ended]);
        assert_eq!(seen, Seen { open: 3, over: 3, unknown: 0 });
        assert_eq!(id.to_string().parse(), Ok(id));
        // What is carried on stays retracted.
        std::fs::remove_file(a.journal(&fleet)).unwrap();
        fleet.pass(200, &[&a, &b]);
        assert_eq!(check(&[&a, &b, &fleet.node()], [&cut, &ended]).unknown, 0);
    }
}

#[test]
fn all_but_one_of_my_devices() {
    let fleet = Fleet::new();
    let (a, b) = (fleet.node(), fleet.node());
    let (mine, other) = (a.login("ada", "tea"), b.login("ada", "silk"));
    b.revoke(Revoke::subject("ada").except(mine.id));
    other.over.set(true);
    a.poll();
    assert_eq!(check(&[&a, &b, &fleet.node()], [&mine, &other]), Seen { open: 3, over: 3, unknown: 0 });
}

/// R12: journals in any order, in parts, again and again: in the end everybody knows the same.
#[test]
fn r12_whatever_the_order_in_which_journals_arrive_all_know_the_same() {
    for seed in 0..12 {
        let fleet = Fleet::new();
        let nodes: Vec<_> = (0..4).map(|_| fleet.node()).collect();
        let mut dice = Dice(seed);
        let logins: Vec<_> = (0..24).map(|n| nodes[n % 4].login(["ada", "bob", "eve"][n % 3], "tea")).collect();
        let mut retractable = vec![];
        fleet.advance(10);
        for _ in 0..20 {
            let node = &nodes[dice.index(4)];
            match dice.below(6) {
                0 => retractable.push(node.revoke(Revoke::subject(["ada", "bob"][dice.index(2)])).cut_off.unwrap()),
                1 if !retractable.is_empty() => {
                    let _ = node.list.retract(retractable[dice.index(retractable.len())]).wait().unwrap();
                }
                _ => node.end(&logins[dice.index(24)]),
            }
            nodes[dice.index(4)].poll();
        }
        fleet.pass(10, &nodes.iter().collect::<Vec<_>>());
        let says = |node: &Node| logins.iter().map(|login| node.reason(login).is_some()).collect::<Vec<_>>();
        let expected = says(&nodes[0]);
        assert!(nodes.iter().all(|node| says(node) == expected), "seed {seed}");
        assert!(logins.iter().zip(&expected).all(|(login, &over)| over || !login.over.get()));
        let copy = arrive_bit_by_bit(&fleet, &mut dice, |late| {
            for (login, over) in logins.iter().zip(says(late)) {
                assert!(over || !login.over.get() || !late.list.is_ready() || late.list.status().sessions < 24);
            }
        });
        assert_eq!(says(&copy), expected, "seed {seed}");
    }
}

/// Copies the directory journal by journal, each in two parts, some again; a server looks all the while.
fn arrive_bit_by_bit(fleet: &Fleet, dice: &mut Dice, look: impl Fn(&Node)) -> Node {
    let copy = fleet.beside("copy");
    std::fs::create_dir(&copy).unwrap();
    let marker = "waxseal-revocations";
    std::fs::copy(fleet.shared().join(marker), copy.join(marker)).unwrap();
    let late = fleet.witness(&copy);
    let mut parts: Vec<_> = fleet.journals().into_iter().flat_map(|path| [(path.clone(), 2), (path, 1)]).collect();
    let again = parts.clone();
    dice.shuffle(&mut parts);
    let mut longest = std::collections::HashMap::<_, usize>::new();
    for (path, part) in parts.into_iter().chain(again.into_iter().filter(|(_, part)| *part == 1)) {
        let bytes = std::fs::read(&path).unwrap();
        let len = longest.entry(path.clone()).or_default();
        // What has arrived does not go away again.
        *len = (*len).max(bytes.len() / part);
        std::fs::write(copy.join(path.file_name().unwrap()), &bytes[..*len]).unwrap();
        late.poll();
        look(&late);
    }
    late
}
