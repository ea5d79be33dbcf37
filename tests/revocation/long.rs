//! Weeks and months: what is remembered for long enough, what is forgotten, and who comes back after a long time.

use std::fs;

use waxseal::Revoke;
use waxseal::keys::RingPolicy;
use waxseal::session::Reason;

use super::fleet::{Fleet, Login, Node, Seen, Setup, check};

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// R22: two hundred servers that have nothing to say.
#[test]
fn r22_many_idle_servers_read_kilobytes_a_second() {
    let fleet = Fleet::new();
    // Half of them, and all is counted twice.
    let nodes: Vec<_> = (0..100).map(|_| fleet.node()).collect();
    let all: Vec<_> = nodes.iter().collect();
    fleet.pass(10, &all);
    let before = fleet.size();
    fleet.pass(20, &all);
    let written = 2 * (fleet.size() - before) / 20;
    // At each look, five seconds apart, every head and all that is new; and one whole journal every ten seconds.
    let read = written + 200 * 116 / 5 + fleet.size() / 100 / 10;
    assert!(written < 2_000 && read < 10_000, "{written} bytes a second written, {read} read by each");
    let login = all[0].login("ada", "tea");
    all[0].end(&login);
    fleet.pass(10, &all);
    assert_eq!(check(&all, [&login]).over, 100);
}

fn longest(seconds: u64) -> RingPolicy {
    let mut policy = RingPolicy::default();
    policy.max_token_lifetime = seconds;
    policy
}

/// R26: ten times as long as anything is remembered.
#[test]
fn r26_memory_and_disk_stay_as_they_are() {
    let fleet = Fleet::of(longest(HOUR));
    let (a, mut b) = (fleet.node(), fleet.node());
    let retention = a.list.status().retention;
    assert!((2 * DAY..3 * DAY).contains(&retention));
    let mut sizes = vec![];
    for lifetime in 0..10 {
        for step in 0..retention / 7200 {
            fleet.pass_by(1200, 7200, &[&a, &b]);
            let login = a.login("ada", "tea");
            a.end(&login);
            b.revoke(Revoke::subject(&step.to_string()));
            // One server is started again now and then.
            if step % 20 == 0 {
                b = fleet.node();
                fleet.pass_by(60, 1200, &[&a, &b]);
            }
        }
        if lifetime > 0 {
            let status = a.list.status();
            sizes.push((status.sessions, status.cut_offs, status.bytes, fleet.size(), fleet.files().len()));
        }
    }
    let flat = |of: fn(&(usize, usize, usize, u64, usize)) -> usize| {
        let (least, most) = (sizes.iter().map(of).min().unwrap(), sizes.iter().map(of).max().unwrap());
        assert!(most <= 2 * least + 8, "{sizes:?}");
    };
    flat(|sizes| sizes.0);
    flat(|sizes| sizes.1);
    flat(|sizes| sizes.2);
    flat(|sizes| sizes.3 as usize);
    flat(|sizes| sizes.4);
}

/// A server that was off for a month comes back with its old ring, and at first without the directory.
#[test]
fn drill_a_server_off_for_a_month() {
    let fleet = Fleet::new();
    let (a, old) = (fleet.node(), fleet.node());
    let asleep = fleet.node();
    let old_ring = fleet.beside("old.json");
    fs::copy(fleet.admin.path(), &old_ring).unwrap();
    fs::set_permissions(&old_ring, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    old.end(&old.login("ada", "tea"));
    fleet.pass(10, &[&old]);
    let journal = old.journal(&fleet);
    let own = fs::read(&journal).unwrap();
    drop(old);
    fleet.pass_by(HOUR, 29 * DAY, &[&a]);
    fleet.change(|ring, now| Ok::<_, waxseal::keys::ChangeError>(ring.rotate(now).unwrap()));
    fleet.pass_by(600, DAY, &[&a]);
    let mut logins: Vec<Login> = (0..6).map(|_| a.login("ada", "tea")).collect();
    logins.iter().step_by(2).for_each(|login| a.end(login));
    fleet.pass_by(60, 600, &[&a]);
    // With an old ring and nothing mounted.
    let back = fleet.node_on(&old_ring, &fleet.beside("nowhere"), Setup::default());
    assert!(!back.list.is_ready());
    assert_eq!(check_kept(&back, &logins), 0);
    // The directory comes, and its own journal of then lies in it.
    assert!(!journal.exists());
    fs::write(journal, own).unwrap();
    let back = fleet.node_on(&old_ring, &fleet.shared(), Setup::default());
    check_kept(&back, &logins);
    // The ring comes.
    fs::copy(fleet.admin.path(), &old_ring).unwrap();
    fleet.pass_by(60, 600, &[&a, &back]);
    assert_eq!(check(&[&a, &back], &logins), Seen { open: 6, over: 6, unknown: 0 });
    // One whose machine slept with all that it knew: nothing opens before it has looked.
    assert_eq!(check_kept(&asleep, &logins), 0);
    logins.push(asleep.login("ada", "tea"));
    fleet.pass_by(60, 600, &[&a, &back, &asleep]);
    assert_eq!(check(&[&a, &back, &asleep, &fleet.node()], &logins).unknown, 0);
}

/// How many sessions a server opens that has an old ring, or an old list; the others keep their cookies, and none that was
/// ended is opened.
fn check_kept(node: &Node, logins: &[Login]) -> usize {
    let open = |login: &&Login| match node.sealer.open(&*login.token.borrow()) {
        Ok(_) => {
            assert!(!login.over.get(), "revoked and accepted");
            true
        }
        Err(error) => {
            assert!(login.over.get() || error.keep_token(), "{:?}", error.reason());
            false
        }
    };
    logins.iter().filter(open).count()
}

/// An absolute limit that is lowered and raised again finds every revocation as it was.
#[test]
fn drill_the_absolute_limit_from_90_days_to_30_and_back() {
    let fleet = Fleet::new();
    let limit = |days: u64| Setup { absolute: days * DAY, ..Setup::default() };
    let (a, b) = (fleet.node_with(limit(90)), fleet.node_with(limit(90)));
    let logins = [a.login("ada", "tea"), a.login("bob", "tea"), a.login("eve", "tea")];
    for _ in 0..4 * 40 {
        fleet.pass_by(6 * HOUR, 6 * HOUR, &[&a, &b]);
        logins.iter().for_each(|login| a.renew(login));
    }
    a.end(&logins[0]);
    fleet.pass(10, &[&a, &b]);
    drop((a, b));
    let (a, b) = (fleet.node_with(limit(30)), fleet.node_with(limit(30)));
    fleet.pass_by(600, 2 * HOUR, &[&a, &b]);
    for login in &logins {
        assert!(matches!(a.reason(login), Some(Reason::Expired { .. } | Reason::Revoked)));
    }
    b.list.revoke(Revoke::session(logins[1].id)).wait().unwrap();
    logins[1].over.set(true);
    let mixed = fleet.node_with(limit(90));
    assert_eq!(check(&[&mixed], &logins), Seen { open: 1, over: 2, unknown: 0 });
    drop((a, b));
    let (a, b) = (fleet.node_with(limit(90)), fleet.node_with(limit(90)));
    for _ in 0..3 {
        assert_eq!(check(&[&a, &b, &mixed], &logins).unknown, 0);
        fleet.pass_by(600, 6 * HOUR, &[&a, &b, &mixed]);
        a.renew(&logins[2]);
    }
}

/// L is lowered, and raised, while tokens of the longer kind live.
#[test]
fn drill_the_longest_lifetime_lowered_and_raised() {
    let fleet = Fleet::of(longest(5 * DAY));
    let (a, b) = (fleet.node(), fleet.node());
    let long = |node: &Node| node.login("ada", "tea");
    let logins = [long(&a), long(&b), long(&a)];
    a.end(&logins[0]);
    fleet.pass_by(60, 600, &[&a, &b]);
    let policy = |seconds| {
        fleet.change(|ring, now| ring.set_policy(longest(seconds), now));
    };
    policy(HOUR);
    fleet.pass_by(60, 600, &[&a, &b]);
    assert!(a.list.status().retention > 7 * DAY, "keys that sealed longer tokens are there");
    b.end(&logins[1]);
    let lifetime = logins[2].token.borrow().expires_at().since(fleet.now());
    for _ in 0..lifetime / (2 * HOUR) {
        fleet.pass_by(HOUR, 2 * HOUR, &[&a, &b]);
        let living = logins.iter().filter(|login| login.token.borrow().expires_at() > fleet.now());
        assert_eq!(check(&[&a, &b], living).unknown, 0);
    }
    policy(5 * DAY);
    fleet.pass_by(60, 600, &[&a, &b]);
    let last = long(&a);
    b.end(&last);
    fleet.pass_by(HOUR, lifetime.saturating_sub(2 * HOUR), &[&a, &b]);
    assert_eq!(check(&[&a, &b, &fleet.node()], [&last]).over, 3);
}
