//! What is refused: servers that forget, entries that nobody of the fleet wrote, and texts that tell secrets.

use super::*;

#[test]
#[ignore = "needs redis-server"]
fn r20_a_server_that_evicts_is_refused_at_the_start_and_while_it_runs() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    () = server.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let error = a.sync().unwrap_err().to_string();
    assert!(error.contains("allkeys-lru") && error.contains("noeviction"), "{error}");
    assert_eq!(fleet.answer(&a, 1), Answer::Revoked);
    fleet.clock.advance(BOUND + 1);
    assert_eq!(fleet.answer(&a, 9), Answer::Unknown { stale_for: Some(BOUND + 1) });
    assert_eq!(fleet.answer(&fleet.node("cold"), 9), NEVER_LOADED);
    let evicts = RedisServer::with(&["--save", "", "--maxmemory-policy", "allkeys-lfu"]);
    assert!(Revocations::init_redis(&fleet.ring, &evicts.url()).unwrap_err().to_string().contains("allkeys-lfu"));
    () = server.run(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
    a.sync().unwrap();
    assert_eq!(fleet.answer(&a, 9), Answer::Clear);
}

#[test]
#[ignore = "needs redis-server"]
fn commands_that_managed_servers_deny_are_not_needed() {
    let server = RedisServer::with(&["--save", "", "--rename-command", "CONFIG", "", "--rename-command", "DEBUG", ""]);
    let allowed = ["+get", "+set", "+info", "+xinfo", "+xread", "+xadd", "+xtrim", "+xgroup", "+wait"];
    let mut rules = vec!["ACL", "SETUSER", "fleet", "on", ">sesame", "~waxseal:*"];
    rules.extend(allowed);
    () = server.run(&rules);
    let fleet = Fleet::new(&format!("redis://fleet:sesame@127.0.0.1:{}", server.port));
    let a = fleet.node("a");
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    () = server.run(&["DEL", &fleet.stream()]);
    fleet.settle(&[&a]);
    fleet.clock.advance(7_200);
    a.sync().unwrap();
    let b = fleet.node("b");
    assert_eq!(b.status().last_error, None);
    assert_eq!(fleet.answer(&b, 1), Answer::Revoked);
}

#[test]
#[ignore = "needs redis-server"]
fn a_replica_is_not_believed() {
    let (master, replica) = (RedisServer::new(), RedisServer::new());
    let fleet = Fleet::new(&replica.url());
    let a = fleet.node("a");
    let port = master.port.to_string();
    () = replica.run(&["REPLICAOF", "127.0.0.1", &port]);
    let error = a.sync().unwrap_err().to_string();
    assert!(error.contains("not the master"), "{error}");
}

#[test]
#[ignore = "needs redis-server"]
fn replicated_is_only_said_if_a_replica_has_it() {
    let (master, replica) = (RedisServer::new(), RedisServer::new());
    let fleet = Fleet::new(&master.url());
    let a = fleet.node("a");
    let error = fleet.revoke(&a, 1, Level::Replicated).unwrap_err();
    assert!(matches!(error, RevokeError::NotDurable { reached: Some(Level::Shared), .. }), "{error}");
    assert_eq!(fleet.answer(&fleet.node("b"), 1), Answer::Revoked);
    let port = master.port.to_string();
    () = replica.run(&["REPLICAOF", "127.0.0.1", &port]);
    let done = (0..20).find_map(|_| a.revoke(Revoke::session(fleet.session(2).0).level(Level::Replicated)).wait().ok());
    assert_eq!(done.unwrap().level, Level::Replicated);
    let entries: u64 = replica.run(&["XLEN", &fleet.stream()]);
    assert!(entries >= 2);
}

#[test]
#[ignore = "needs redis-server"]
fn forged_entries_revoke_nothing_and_stop_nothing() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let (a, stream) = (fleet.node("a"), fleet.stream());
    let stranger = Fleet::new(&server.url());
    fleet.revoke(&a, 1, Level::Shared).unwrap();
    stranger.revoke(&stranger.node("a"), 2, Level::Shared).unwrap();
    let copied = "redis.call('xadd', KEYS[2], '*', 'r', redis.call('xrange', KEYS[1], '-', '+')[1][2][2])";
    () = server.run(&["EVAL", copied, "2", &stranger.stream(), &stream]);
    for (field, bytes) in [("r", ""), ("r", "garbage"), ("r", &"g".repeat(500)), ("other", "x")] {
        let _: String = server.run(&["XADD", &stream, "*", field, bytes]);
    }
    fleet.revoke(&a, 3, Level::Shared).unwrap();
    for node in [&a, &fleet.node("b")] {
        node.sync().unwrap();
        assert_eq!(node.status().refused, 5);
        assert_eq!((fleet.answer(node, 1), fleet.answer(node, 3)), (Answer::Revoked, Answer::Revoked));
        assert_eq!(fleet.answer(node, 2), Answer::Clear);
    }
    let seen = Revocations::inspect_redis(&fleet.ring, &fleet.url).unwrap();
    assert_eq!((seen.refused, seen.entries.len(), seen.length, seen.problems), (5, 2, Some(7), vec![]));
}

#[test]
#[ignore = "needs redis-server"]
fn a_tool_that_observes_takes_no_part() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    let tool = Revocations::options().observe().redis(&fleet.ring, &fleet.url, fleet.spool("tool"), stale()).unwrap();
    let tool = fleet.serve(tool);
    fleet.revoke(&tool, 1, Level::Shared).unwrap();
    tool.sync().unwrap();
    () = server.run(&["FLUSHALL"]);
    for _ in 0..20 {
        tool.sync().unwrap_err();
    }
    let keys: u64 = server.run(&["DBSIZE"]);
    assert_eq!(keys, 0);
}

#[test]
#[ignore = "needs redis-server"]
fn no_text_holds_the_password() {
    let server = RedisServer::new();
    let fleet = Fleet::new(&server.url());
    // A server without AUTH or HELLO repeats the beginning of what it was told.
    let odd = ["AUTH", "HELLO"].map(|command| RedisServer::with(&["--save", "", "--rename-command", command, ""]));
    let locked = RedisServer::new();
    () = locked.run(&["CONFIG", "SET", "requirepass", "sesame"]);
    let (server, [no_auth, no_hello]) = (server.port.to_string(), odd.each_ref().map(|odd| odd.port.to_string()));
    let servers = [server, no_auth, locked.port.to_string(), format!("{no_hello}?protocol=resp3"), "1".to_owned()];
    for port in &servers {
        for password in ["tell-nobody".to_owned(), "tell-nobody".repeat(20)] {
            let url = format!("redis://:{password}@127.0.0.1:{port}").replace('?', "/?");
            let list = Revocations::redis(&fleet.ring, &url, fleet.spool("odd"), stale()).unwrap();
            let error = list.sync().unwrap_err();
            let told = format!("{error} {error:?} {list:?} {:?}", list.status());
            assert!(!told.contains("tell-nobody"), "{told}");
            assert!(told.contains("cannot connect"), "{told}");
        }
    }
    for bad in ["", "tell-nobody", "redis://:tell-nobody@", "rediss://:tell-nobody@host", "http://:tell-nobody@host"] {
        let error = Revocations::redis(&fleet.ring, bad, fleet.spool("odd"), stale()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("tell-nobody"), "{error}");
    }
}
