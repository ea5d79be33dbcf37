//! The server forgets.

use super::server::Front;
use super::*;

#[test]
#[ignore = "needs redis-server"]
fn r20_an_emptied_server_is_filled_again_before_cold_nodes_load() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    for n in 0..50 {
        fleet.revoke(if n % 2 == 0 { &a } else { &b }, n, Level::Shared).unwrap();
    }
    fleet.settle(&[&a, &b]);
    () = server.run(&["FLUSHALL"]);
    let cold = fleet.node("cold");
    assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
    let mut passes = 0;
    while cold.sync().is_err() {
        for n in 0..50 {
            assert_ne!(fleet.answer(&cold, n), Answer::Clear);
            assert_eq!(fleet.answer(&a, n), Answer::Revoked);
        }
        let _ = (a.sync(), b.sync());
        fleet.clock.advance(5);
        passes += 1;
        assert!(passes < 12, "{:?}", cold.status());
    }
    for n in 0..50 {
        assert_eq!(fleet.answer(&cold, n), Answer::Revoked);
    }
    assert_eq!(fleet.answer(&cold, 99), Answer::Clear);
    fleet.settle(&[&a, &b]);
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_nobody_knows_anything_of_stays_unknown_until_it_is_reset() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    fleet.revoke(&fleet.node("a"), 1, Level::Shared).unwrap();
    std::fs::remove_dir_all(fleet.spool("a")).unwrap();
    () = server.run(&["FLUSHALL"]);
    let cold = fleet.node("cold");
    for _ in 0..20 {
        assert!(cold.sync().unwrap_err().to_string().contains("epoch"));
        assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
    }
    let ended = Revocations::reset_redis(&fleet.ring, &fleet.url, Some(&Revoke::everyone())).unwrap();
    assert!(ended.is_some());
    cold.sync().unwrap();
    assert_eq!(fleet.answer(&cold, 1), Answer::Revoked);
    cold.sealer.open(cold.sealer.start(&Shop(2)).unwrap()).unwrap();
    assert_eq!(Revocations::reset_redis(&fleet.ring, &fleet.url, None).unwrap(), None);
    assert!(Revocations::init_redis(&fleet.ring, &fleet.url).unwrap_err().to_string().contains("already"));
    fleet.settle(&[&cold]);
}

#[test]
#[ignore = "needs redis-server"]
fn r20_what_a_failover_lost_is_published_again() {
    let (mut master, replica) = (RedisServer::new(), RedisServer::new());
    let front = Front::of(&master);
    let port = master.port.to_string();
    () = replica.run(&["REPLICAOF", "127.0.0.1", &port]);
    let fleet = Fleet::new(&front.url);
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    replicated(&fleet, &a, 1);
    fleet.settle(&[&a, &b]);
    // Cut off from here on, so that it never hears of the next.
    () = replica.run(&["REPLICAOF", "NO", "ONE"]);
    fleet.revoke(&a, 2, Level::Shared).unwrap();
    assert_eq!(fleet.answer(&b, 2), Answer::Clear);
    front.lead_to(&replica);
    master.stop();
    let entries: u64 = replica.run(&["XLEN", &fleet.stream()]);
    assert_eq!(entries, 1);
    fleet.settle(&[&a, &b]);
    for node in [&a, &b, &fleet.node("c")] {
        assert_eq!((fleet.answer(node, 1), fleet.answer(node, 2)), (Answer::Revoked, Answer::Revoked));
    }
}

/// Revokes until the replica, which may still be copying, confirms.
fn replicated(fleet: &Fleet, node: &Node, n: u16) {
    let confirmed = (0..20).any(|_| fleet.revoke(node, n, Level::Replicated).is_ok());
    assert!(confirmed, "no replica in twenty seconds");
}

#[test]
#[ignore = "needs redis-server"]
fn r20_the_stream_ends_before_what_was_read() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.revoke(&b, 2, Level::Shared).unwrap();
    fleet.settle(&[&a, &b]);
    () = server.run(&["DEL", &fleet.stream()]);
    let cold = fleet.node("cold");
    assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
    fleet.settle(&[&a, &b, &cold]);
    assert_eq!((fleet.answer(&cold, 1), fleet.answer(&cold, 2)), (Answer::Revoked, Answer::Revoked));
}

#[test]
#[ignore = "needs redis-server"]
fn what_a_deleted_stream_held_is_missed_though_it_has_grown_again() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    () = server.run(&["DEL", &fleet.stream()]);
    fleet.revoke(&a, 2, Level::Shared).unwrap();
    fleet.revoke(&b, 3, Level::Shared).unwrap();
    fleet.settle(&[&a, &b]);
    for n in 1..=3 {
        assert_eq!(fleet.answer(&b, n), Answer::Revoked);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn r20_what_was_trimmed_before_anybody_else_read_it_is_published_again() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    for n in 0..5 {
        fleet.revoke(&a, n, Level::Shared).unwrap();
    }
    let cut: u64 = server.run(&["XTRIM", &fleet.stream(), "MAXLEN", "1"]);
    assert_eq!(cut, 4);
    let cold = fleet.node("cold");
    assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
    fleet.settle(&[&a, &b, &cold]);
    for node in [&b, &cold] {
        for n in 0..5 {
            assert_eq!(fleet.answer(node, n), Answer::Revoked);
        }
    }
    let entries: u64 = server.run(&["XLEN", &fleet.stream()]);
    assert!(entries < 10, "once is enough: {entries}");
}

#[test]
#[ignore = "needs redis-server"]
fn many_entries_come_back_in_many_batches() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    let revoke = |n| a.revoke(Revoke::session(fleet.session(n).0).level(Level::Shared));
    let revoking: Vec<_> = (0..2_500).map(revoke).collect();
    for promise in revoking {
        promise.wait().unwrap();
    }
    fleet.settle(&[&a]);
    () = server.run(&["FLUSHALL"]);
    fleet.settle(&[&a]);
    let entries: u64 = server.run(&["XLEN", &fleet.stream()]);
    assert_eq!(entries, 2_500);
    let b = fleet.node("b");
    for n in 0..2_500 {
        assert_eq!(fleet.answer(&b, n), Answer::Revoked);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_cut_off_that_was_taken_back_does_not_come_back() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    assert_eq!(fleet.answer(&a, 1), Answer::Clear);
    let done = a.revoke(Revoke::everyone().level(Level::Shared)).wait().unwrap();
    assert_eq!(fleet.answer(&a, 1), Answer::Revoked);
    a.retract(done.cut_off.unwrap()).wait().unwrap();
    assert_eq!(fleet.answer(&a, 1), Answer::Clear);
    fleet.settle(&[&a]);
    () = server.run(&["FLUSHALL"]);
    fleet.settle(&[&a]);
    assert_eq!(fleet.answer(&fleet.node("b"), 1), Answer::Clear);
    let entries: u64 = server.run(&["XLEN", &fleet.stream()]);
    assert_eq!(entries, 1);
}

#[test]
#[ignore = "needs redis-server"]
fn old_entries_are_trimmed_and_needed_ones_are_not() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    let stream = fleet.stream();
    let old: String = server.run(&["XADD", &stream, "1000-0", "r", "of long ago"]);
    assert_eq!(old, "1000-0");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    // `~` removes whole nodes only, of a hundred entries each.
    for _ in 0..120 {
        fleet.revoke(&a, 2, Level::Shared).unwrap();
    }
    fleet.clock.advance(7_200);
    a.sync().unwrap();
    let entries: u64 = server.run(&["XLEN", &stream]);
    assert!(entries >= 121, "{entries}");
    assert_eq!(fleet.answer(&fleet.node("b"), 1), Answer::Revoked);
    let epoch: String = server.run(&["GET", &fleet.epoch()]);
    assert_eq!(epoch.len(), 34, "{epoch}");
}

#[test]
#[ignore = "needs redis-server"]
fn r20_a_server_that_starts_does_not_load_a_stream_that_was_deleted() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.settle(&[&a]);
    drop(a);
    () = server.run(&["DEL", &fleet.stream()]);
    let cold = fleet.node("cold");
    for pass in 0..20 {
        fleet.clock.advance(5);
        let _ = cold.sync();
        assert_ne!(fleet.answer(&cold, 1), Answer::Clear, "in pass {pass}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn r20_nor_while_one_runs_that_will_publish_it_again() {
    for _ in 0..5 {
        let server = RedisServer::new();
        let fleet = Fleet::new(&server.url());
        let a = fleet.node("a");
        fleet.revoke(&a, 1, Level::Shared).unwrap();
        fleet.settle(&[&a]);
        () = server.run(&["DEL", &fleet.stream()]);
        let cold = fleet.node("cold");
        for pass in 0..20 {
            fleet.clock.advance(5);
            let _ = cold.sync();
            let seen = fleet.answer(&cold, 1);
            let _ = a.sync();
            assert_ne!(seen, Answer::Clear, "in pass {pass}");
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn r20_a_stream_that_an_entry_begins_again_is_not_complete() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.settle(&[&a]);
    () = server.run(&["DEL", &fleet.stream()]);
    let cold = fleet.node("cold");
    for node in [&cold, &a] {
        fleet.revoke(node, 2, Level::Shared).unwrap();
        let _ = cold.sync();
        assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
        assert_eq!(fleet.answer(&fleet.node("colder"), 1), NEVER_LOADED);
    }
    fleet.settle(&[&a, &cold]);
    assert_eq!(fleet.answer(&cold, 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn r20_what_was_trimmed_is_not_given_up() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.revoke(&a, 2, Level::Shared).unwrap();
    drop(a);
    let _: u64 = server.run(&["XTRIM", &fleet.stream(), "MAXLEN", "1"]);
    let cold = fleet.node("cold");
    for _ in 0..20 {
        fleet.clock.advance(5);
        assert!(cold.sync().unwrap_err().to_string().contains("reset"));
        assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED);
    }
    // It knows what it revoked, and has not loaded everything: nobody takes its word for that.
    let a = fleet.node("a");
    fleet.clock.advance(5);
    let _ = (a.sync().unwrap_err(), cold.sync().unwrap_err());
    Revocations::reset_redis(&fleet.ring, &fleet.url, None).unwrap();
    fleet.settle(&[&a, &cold]);
    assert_eq!(fleet.answer(&cold, 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn what_servers_trim_is_not_missed() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    let stream = fleet.stream();
    for n in 1..=250 {
        let _: String = server.run(&["XADD", &stream, &format!("{n}-0"), "r", "of long ago"]);
    }
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    let epoch: String = server.run(&["GET", &fleet.epoch()]);
    fleet.clock.advance(7_200);
    a.sync().unwrap();
    let left: u64 = server.run(&["XLEN", &stream]);
    let counted: String = server.run(&["GET", &fleet.epoch()]);
    assert!(left < 251 && counted == format!("{} {}", &epoch[..32], 251 - left), "{left} {counted}");
    b.sync().unwrap();
    assert_eq!((fleet.answer(&b, 1), fleet.answer(&fleet.node("c"), 1)), (Answer::Revoked, Answer::Revoked));
    let all: u64 = server.run(&["XLEN", &stream]);
    assert_eq!(all, left, "nothing was published again");
}

#[test]
#[ignore = "needs redis-server"]
fn r20_who_was_out_of_date_says_of_no_stream_that_it_is_complete() {
    for is_emptied in [true, false] {
        let server = RedisServer::new();
        let fleet = Fleet::new(&server.url());
        let (a, b) = (fleet.node("a"), fleet.node("b"));
        fleet.settle(&[&a, &b]);
        fleet.revoke(&a, 1, Level::Shared).unwrap();
        drop(a);
        fleet.clock.advance(BOUND + 1);
        let stream = fleet.stream();
        let loss = if is_emptied { vec!["FLUSHALL"] } else { vec!["DEL", &stream] };
        () = server.run(&loss);
        let cold = fleet.node("cold");
        for _ in 0..20 {
            let _ = (b.sync().unwrap_err(), cold.sync().unwrap_err());
            assert!(matches!(fleet.answer(&b, 1), Answer::Unknown { stale_for: Some(_) }), "{loss:?}");
            assert_eq!(fleet.answer(&cold, 1), NEVER_LOADED, "{loss:?}");
            fleet.clock.advance(5);
        }
        let a = fleet.node("a");
        Revocations::reset_redis(&fleet.ring, &fleet.url, None).unwrap();
        fleet.settle(&[&a, &b, &cold]);
        assert_eq!((fleet.answer(&b, 1), fleet.answer(&cold, 1)), (Answer::Revoked, Answer::Revoked), "{loss:?}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn r20_who_was_current_says_so_though_others_were_not() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, b) = (fleet.node("a"), fleet.node("b"));
    fleet.settle(&[&a, &b]);
    fleet.clock.advance(BOUND + 1);
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    fleet.settle(&[&a]);
    () = server.run(&["FLUSHALL"]);
    fleet.settle(&[&b, &a]);
    assert_eq!(fleet.answer(&b, 1), Answer::Revoked);
}
