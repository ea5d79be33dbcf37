//! The server is away, or everything else is.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

#[test]
#[ignore = "needs redis-server"]
fn r20_redis_is_away_for_an_hour() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.settle(&[&a, &b]);
    server.stop();
    fleet.revoke(&a, 2, Level::Local).unwrap();
    fleet.revoke(&b, 3, Level::Local).unwrap();
    for minute in 1..=60 {
        fleet.clock.advance(60);
        for (node, own) in [(&a, 2), (&b, 3)] {
            node.sync().unwrap_err();
            assert!(node.is_ready());
            assert_eq!(fleet.answer(node, 1), Answer::Revoked);
            assert_eq!(fleet.answer(node, own), Answer::Revoked);
            let stale = Answer::Unknown { stale_for: Some(minute * 60) };
            let _login = node.sealer.start(&Shop(0)).unwrap();
            assert_eq!(fleet.answer(node, 9), if minute <= 15 { Answer::Clear } else { stale });
            let status = node.status();
            assert_eq!((status.waiting, status.waiting_for), (1, Some(minute * 60)));
        }
    }
    let error = fleet.revoke(&a, 4, Level::Shared).unwrap_err();
    assert!(matches!(error, RevokeError::NotDurable { reached: Some(Level::Local), .. }), "{error}");
    // An operator opens the break-glass; the ring gets there another way.
    let now = fleet.clock.now();
    let opened = fleet.file.update(now, "stale-ok", |ring| {
        ring.set_stale_ok(Some(now.plus(7_200)), now).unwrap();
        Ok::<_, waxseal::keys::DiskError>(((), true))
    });
    opened.unwrap();
    fleet.ring.reload().unwrap();
    assert_eq!(fleet.answer(&a, 9), Answer::Clear);
    assert_eq!(fleet.answer(&a, 2), Answer::Revoked);
    server.start();
    fleet.settle(&[&a, &b]);
    let late = fleet.node("late");
    for node in [&a, &b, &late] {
        assert_eq!(node.status().waiting, 0);
        for n in 1..=4 {
            assert_eq!(fleet.answer(node, n), Answer::Revoked, "{n}");
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn r20_a_server_that_stands_still_holds_up_nobody() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    server.signal("-STOP");
    std::thread::scope(|threads| {
        let pass = threads.spawn(|| a.sync().unwrap_err());
        fleet.revoke(&a, 1, Level::Local).unwrap();
        assert_eq!(fleet.answer(&a, 1), Answer::Revoked);
        assert_eq!(a.status().waiting, 1);
        pass.join().unwrap();
    });
    server.signal("-CONT");
    fleet.settle(&[&a]);
    assert_eq!(a.status().waiting, 0);
    assert_eq!(fleet.answer(&fleet.node("b"), 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn a_node_that_stops_sends_what_it_revoked() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    for n in 0..10 {
        let _sent = a.revoke(Revoke::session(fleet.session(n).0));
    }
    drop(a);
    let b = fleet.node("b");
    for n in 0..10 {
        assert_eq!(fleet.answer(&b, n), Answer::Revoked);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_node_that_starts_while_redis_is_away_knows_its_own_and_waits() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    server.stop();
    fleet.revoke(&a, 1, Level::Local).unwrap();
    drop(a);
    let a = fleet.node("a");
    assert!(!a.is_ready());
    assert_eq!(fleet.answer(&a, 1), Answer::Revoked);
    assert_eq!(fleet.answer(&a, 9), NEVER_LOADED);
    server.start();
    a.sync().unwrap();
    assert!(a.is_ready());
    assert_eq!(fleet.answer(&a, 9), Answer::Clear);
    assert_eq!(fleet.answer(&fleet.node("b"), 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn a_revocation_on_disk_survives_a_kill_and_arrives() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let fleet = Fleet::new(&server.url());
    server.stop();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "outages::a_process_to_be_killed", "--nocapture"]);
    child.env(URL, &fleet.url).env(RING, fleet.file.path()).env(SPOOL, fleet.spool("a")).env(TOKEN, fleet.session(7).1);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains(REVOKED)), "the child ended before it revoked");
    child.kill().unwrap();
    child.wait().unwrap();
    let a = fleet.node("a");
    assert_eq!(fleet.answer(&a, 7), Answer::Revoked);
    server.start();
    a.sync().unwrap();
    assert_eq!(fleet.answer(&fleet.node("b"), 7), Answer::Revoked);
}

/// Does nothing unless the test above runs it.
#[test]
fn a_process_to_be_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let [ring, spool, token] = [RING, SPOOL, TOKEN].map(|name| std::env::var(name).unwrap());
    let ring = KeyRing::load(ring).unwrap();
    let list = Revocations::redis(&ring, &url, spool, stale()).unwrap();
    let sealer = Sealer::<Shop>::builder(&ring, "session").policy(policy()).build().unwrap();
    list.revoke(Revoke::session(sealer.open(&token).unwrap().id())).wait().unwrap();
    println!("{REVOKED}");
    // Until the parent kills it, or is gone itself.
    let _ = std::io::stdin().lines().count();
}

#[test]
#[ignore = "needs redis-server"]
fn r6_a_nodes_own_revocations_come_back_from_the_stream() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    drop(a);
    std::fs::remove_dir_all(fleet.spool("a")).unwrap();
    assert_eq!(fleet.answer(&fleet.node("a"), 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn a_lost_spool_is_made_anew() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Local).unwrap();
    std::fs::remove_dir_all(fleet.spool("a")).unwrap();
    fleet.revoke(&a, 2, Level::Local).unwrap();
    a.sync().unwrap();
    fleet.revoke(&a, 3, Level::Local).unwrap();
    fleet.settle(&[&a]);
    assert_eq!(a.status().waiting, 0);
    let b = fleet.node("b");
    for n in 1..=3 {
        assert_eq!(fleet.answer(&b, n), Answer::Revoked);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn twenty_nodes_converge() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let nodes: Vec<_> = (0..20).map(|n| fleet.node(&format!("node{n}"))).collect();
    for (n, node) in (0..20).zip(&nodes) {
        fleet.revoke(node, n, Level::Shared).unwrap();
    }
    for node in &nodes {
        node.sync().unwrap();
        for n in 0..20 {
            assert_eq!(fleet.answer(node, n), Answer::Revoked);
        }
        assert_eq!(fleet.answer(node, 99), Answer::Clear);
    }
    let entries: u64 = server.run(&["XLEN", &fleet.stream()]);
    assert_eq!(entries, 20);
}

const URL: &str = "WAXSEAL_DRILL_URL";
const RING: &str = "WAXSEAL_DRILL_RING";
const SPOOL: &str = "WAXSEAL_DRILL_SPOOL";
const TOKEN: &str = "WAXSEAL_DRILL_TOKEN";
const REVOKED: &str = "revoked, and waiting to be killed";
