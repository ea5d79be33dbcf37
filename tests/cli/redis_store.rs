//! `revoke` and `revocations` on a Redis server.

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../redis_fleet/server.rs"]
mod server;

use std::time::Duration;

use serde_json::Value;
use server::RedisServer;
use waxseal::{KeyRing, Revocations, Revoke, SessionId, Stale};

use crate::support::{Ran, Scratch, now};

const PASSWORD: &str = "tell-nobody";

/// A ring, a server, and every text that the command says of it.
struct Desk {
    scratch: Scratch,
    server: RedisServer,
}

impl Desk {
    /// With a server that is set up.
    fn new() -> Self {
        let desk = Self::of(RedisServer::new());
        desk.run("revocations init").ok();
        desk
    }

    fn of(server: RedisServer) -> Self {
        Self { scratch: Scratch::rotated(86_400, 0), server }
    }

    /// The command, with the URL and its password in the environment, if the server asks for one.
    fn run(&self, words: &str) -> Ran {
        self.run_at(&self.server.url(), words)
    }

    fn run_at(&self, store: &str, words: &str) -> Ran {
        let mut command = self.scratch.command(words.split_whitespace());
        command.env("WAXSEAL_REVOCATIONS", store);
        Ran::of(command, b"")
    }

    fn ring(&self) -> KeyRing {
        KeyRing::load(self.scratch.path("ring.json")).unwrap()
    }

    fn ring_id(&self) -> String {
        self.ring().status().ring.ring_id
    }

    /// A server of the fleet.
    fn node(&self) -> Revocations {
        let stale = Stale::refuse_after(Duration::from_secs(900));
        Revocations::redis(&self.ring(), &self.server.url(), self.scratch.path("spool"), stale).unwrap()
    }

    fn stream(&self) -> String {
        format!("waxseal:{{{}}}:revocations", self.ring_id())
    }

    fn ids_of(&self, words: &str) -> Vec<String> {
        let found = self.run(&format!("revocations inspect --json {words}")).json();
        let entries = found["entries"].as_array().unwrap().iter();
        let id =
            |entry: &Value| entry.get("session").or_else(|| entry.get("id")).and_then(Value::as_str).map(str::to_owned);
        entries.filter_map(id).collect()
    }
}

fn id(n: u32) -> String {
    format!("s1.{:08x}{n:024x}", now().as_unix() - 5)
}

/// A failure, and what it printed before that.
fn faults(ran: &Ran, exit: i32) -> (Value, Value) {
    assert_eq!(ran.code, exit, "{ran:?}");
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    (read(&ran.out), read(&ran.err))
}

#[test]
#[ignore = "needs redis-server"]
fn a_fleet_is_administered_from_a_shell() {
    let desk = Desk::of(RedisServer::new());
    let (_, missing) = faults(&desk.run("revoke subject ada --json"), 4);
    assert_eq!(missing["code"], "revocations_missing");
    let made = desk.run("revocations init --json").json();
    assert_eq!(made["redis"], format!("{}/0", desk.server.url()));
    assert!(made["epoch"].as_str().is_some_and(|epoch| epoch.len() == 32) && made["ring_id"] == desk.ring_id());
    assert_eq!(faults(&desk.run("revocations init --json"), 4).1["code"], "revocations_exist");

    let node = desk.node();
    assert!(node.is_ready());
    let one = id(1);
    let done = desk.run(&format!("revoke session {one} --actor ada --reason stolen")).ok();
    assert!(done.contains("level    shared, in redis://127.0.0.1:") && done.contains("knows within 6 s"), "{done}");
    let cut = desk.run("revoke subject eve --json").json();
    assert_eq!((&cut["level"], &cut["warnings"]), (&"shared".into(), &Value::Array(vec![])));
    desk.run("revoke tenant acme").ok();
    node.sync().unwrap();
    assert_eq!((node.status().sessions, node.status().cut_offs), (1, 2));
    node.revoke(Revoke::session(id(2).parse::<SessionId>().unwrap()).level(waxseal::revocation::Level::Shared))
        .wait()
        .unwrap();

    let status = desk.run("revocations status --json").json();
    for (name, value) in [("sessions", 2), ("subjects", 1), ("tenants", 1), ("length", 4), ("refused", 0)] {
        assert_eq!(status[name], value, "{name}: {status}");
    }
    assert_eq!((&status["ready"], &status["role"], &status["epoch"]), (&true.into(), &"master".into(), &made["epoch"]));
    let text = desk.run("revocations status").ok();
    assert!(text.contains("eviction  noeviction") && text.contains("4 entries, of them 0 forgotten"), "{text}");
    assert_eq!(desk.ids_of("").len(), 4);
    assert_eq!(desk.ids_of(&format!("--session {one}")), [one.as_str()]);
    assert_eq!(desk.ids_of("--subject eve"), [cut["cut_off"].as_str().unwrap()]);
    let found = desk.run(&format!("revocations inspect --session {one}")).ok();
    assert!(found.contains(&format!("{one} is revoked.")) && found.contains("ada  stolen"), "{found}");

    let cut = cut["cut_off"].as_str().unwrap();
    let back = desk.run(&format!("revocations retract {cut} --json")).json();
    assert_eq!((&back["retracted"], &back["level"]), (&cut.into(), &"shared".into()));
    assert!(desk.ids_of("--subject eve").is_empty());
    assert_eq!(faults(&desk.run(&format!("revocations retract {cut} --json")), 4).1["code"], "retracted");
    let text = desk.run("revocations verify").ok();
    assert!(text.starts_with("ok: 5 entries in the stream"), "{text}");
    assert_eq!(desk.run("revocations compact --json").json()["needed"], false);
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_was_emptied_is_begun_anew() {
    let desk = Desk::new();
    desk.run("revoke subject ada").ok();
    () = desk.server.run(&["FLUSHALL"]);
    for verb in ["status", "inspect"] {
        let (out, err) = faults(&desk.run(&format!("revocations {verb} --json")), 1);
        assert_eq!(
            (&err["code"], out.get("ready").unwrap_or(&false.into())),
            (&"revocations_faults".into(), &false.into())
        );
    }
    let (out, err) = faults(&desk.run("revocations verify --json"), 1);
    assert_eq!((&err["code"], &out["findings"][0]["code"]), (&"findings".into(), &"epoch".into()));
    assert_eq!(faults(&desk.run("revocations reset --json"), 2).1["code"], "usage");
    let confirm = format!("revocations reset --ring-id {} --json", desk.ring_id());
    let done = desk.run(&format!("{confirm} --actor ada --reason flushed")).json();
    assert_eq!(done["sessions_ended"], true);
    let seen = desk.run("revocations inspect --json").json();
    assert_eq!((&seen["entries"][0]["reason"], &seen["entries"][0]["id"]), (&"flushed".into(), &done["cut_off"]));
    let kept = desk.run(&format!("{confirm} --keep-sessions")).json();
    assert_eq!((&kept["sessions_ended"], &kept["cut_off"]), (&false.into(), &Value::Null));
    assert_ne!(kept["epoch"], done["epoch"]);
    assert!(desk.node().is_ready());
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_was_emptied_is_filled_by_those_that_run() {
    let desk = Desk::new();
    let node = desk.node();
    let cut = desk.run("revoke subject ada --json").json();
    node.sync().unwrap();
    () = desk.server.run(&["FLUSHALL"]);
    assert_eq!(desk.run("revocations status").code, 1);
    assert!((0..20).any(|_| node.sync().is_ok()));
    desk.run("revocations status").ok();
    assert_eq!(desk.ids_of("--subject ada"), [cut["cut_off"].as_str().unwrap()]);
}

#[test]
#[ignore = "needs redis-server"]
fn what_is_wrong_with_a_server_is_named() {
    let desk = Desk::new();
    desk.run("revoke subject ada").ok();
    let code = |ran: &Ran| serde_json::from_str::<Value>(&ran.out).unwrap()["findings"][0]["code"].clone();
    let _: String = desk.server.run(&["XADD", &desk.stream(), "*", "r", "garbage"]);
    let ran = desk.run("revocations verify --json");
    assert_eq!((ran.code, code(&ran)), (0, "refused".into()), "{ran:?}");
    let earlier = now().as_unix() - 3_600;
    let ran = desk.run(&format!("revocations verify --now {earlier}"));
    assert!(
        ran.code == 0 && ran.out.contains("warning  cut-off") && ran.out.contains("revocations retract"),
        "{ran:?}"
    );
    () = desk.server.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let ran = desk.run("revocations verify --json");
    assert_eq!((ran.code, code(&ran)), (1, "eviction".into()), "{ran:?}");
    let done = desk.run("revoke tenant acme --json").json();
    assert!(done["warnings"][0].as_str().unwrap().contains("allkeys-lru"), "it is revoked all the same: {done}");
    () = desk.server.run(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let _: u64 = desk.server.run(&["DEL", &desk.stream()]);
    let ran = desk.run("revocations verify --json");
    assert_eq!((ran.code, code(&ran)), (1, "stream".into()), "{ran:?}");
    () = desk.server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    let ran = desk.run("revocations status --json");
    assert!(ran.code == 1 && ran.out.contains("\"role\":\"slave\""), "{ran:?}");
    assert_eq!(faults(&desk.run("revoke subject ada --json"), 4).1["code"], "redis_role");
}

#[test]
#[ignore = "needs redis-server"]
fn a_level_that_is_not_reached_is_no_success() {
    let desk = Desk::new();
    let (_, local) = faults(&desk.run("revoke subject ada --level local --json"), 2);
    assert!(local["error"].as_str().unwrap().contains("keeps nothing"), "{local}");
    let (_, error) = faults(&desk.run("revoke subject ada --level replicated --json"), 4);
    assert_eq!(error["code"], "not_durable");
    assert!(error["error"].as_str().unwrap().starts_with("it is revoked, but only shared: no replica"), "{error}");
    let replica = RedisServer::new();
    () = replica.run(&["REPLICAOF", "127.0.0.1", &desk.server.port.to_string()]);
    let done = (0..20).map(|_| desk.run("revoke tenant acme --level replicated --json")).find(|ran| ran.code == 0);
    assert_eq!(done.unwrap().json()["level"], "replicated");
    let scratch = &desk.scratch;
    scratch.run("revocations init --revocations list").ok();
    scratch.run("revoke subject ada --revocations list --level replicated").failed(2);
}

#[test]
fn a_server_that_is_away_keeps_nothing() {
    let scratch = Scratch::rotated(86_400, 0);
    let spools = scratch.path("spools");
    std::fs::create_dir(&spools).unwrap();
    for words in ["revoke subject ada", "revoke all --ring-id", &format!("revoke session {}", id(1))] {
        let words = words.replace("--ring-id", &format!("--ring-id {}", scratch.list()["ring_id"].as_str().unwrap()));
        let mut command = scratch.command(words.split_whitespace());
        command.args(["--revocations", "redis://127.0.0.1:1"]).env("TMPDIR", &spools);
        let line = Ran::of(command, b"").failed(4);
        assert!(line.contains("nothing was revoked, and nothing was kept"), "{line}");
        assert_eq!(std::fs::read_dir(&spools).unwrap().count(), 0);
    }
    for verb in ["status", "inspect", "verify", "init"] {
        let line = scratch.run(&format!("revocations {verb} --revocations redis://127.0.0.1:1")).failed(4);
        assert!(line.contains("cannot connect to the Redis server"), "{line}");
    }
}

/// Whoever stops the server while it is asked loses nothing that was said to be kept.
#[test]
#[ignore = "needs redis-server"]
fn a_server_that_stands_still_is_given_up() {
    let desk = Desk::new();
    desk.server.signal("-STOP");
    let line = desk.run("revoke subject ada").failed(4);
    desk.server.signal("-CONT");
    assert!(line.contains("nothing was revoked"), "{line}");
}

#[test]
#[ignore = "needs redis-server"]
fn no_text_holds_the_password() {
    let desk = Desk::of(RedisServer::new());
    () = desk.server.run(&["CONFIG", "SET", "requirepass", PASSWORD]);
    let odd = RedisServer::with(&["--save", "", "--rename-command", "AUTH", ""]);
    let url = |port: u16| format!("redis://:{PASSWORD}@127.0.0.1:{port}");
    desk.scratch.write("url", format!("{}\n", url(desk.server.port)).as_bytes());
    let mut worked = 0;
    let bad =
        [format!("redis://{PASSWORD}@:x"), format!("rediss://:{PASSWORD}@host"), format!("http://:{PASSWORD}@host")];
    let malformed = [format!(":{PASSWORD}@host:6379"), format!("redis:{PASSWORD}@host")];
    let stores = [url(desk.server.port), "file:url".to_owned(), url(odd.port), url(1)];
    for store in stores.iter().chain(&bad).chain(&malformed) {
        for words in [
            "revocations init",
            "revoke subject ada",
            &format!("revoke session {}", id(1)),
            "revoke tenant acme --level local",
            "revoke all",
            "revocations status --nodes",
            "revocations inspect",
            "revocations verify",
            "revocations compact",
            "revocations retract 0000000000000000",
            &format!("revocations reset --ring-id {}", desk.ring_id()),
            "revocations status --no-such-flag",
        ] {
            for words in [words.to_owned(), format!("{words} --json")] {
                let ran = desk.run_at(store, &words);
                let said = [ran.out, ran.err].concat();
                assert!(!said.is_empty() && !said.contains(PASSWORD), "{words}: {said}");
                worked += u32::from(ran.code == 0);
            }
        }
    }
    // Of two URLs that work, and `compact` asks no server.
    assert!(worked >= 24, "only {worked} worked");
    let wrong = desk.run_at(&url(desk.server.port).replace("tell", "told"), "revocations status").failed(4);
    assert!(wrong.contains("cannot connect") && !wrong.contains("told-nobody"), "{wrong}");
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let scratch = Scratch::rotated(86_400, 0);
    let url = format!("redis://ada:{PASSWORD}@127.0.0.1:1/0");
    for words in [
        format!("revocations status --revocations {url}"),
        format!("revocations status --revocations={url} --json"),
        format!("revoke subject ada --revocations {url}"),
        format!("revoke all --revocations {url}"),
        format!("revocations compact --revocations {url}"),
    ] {
        let line = scratch.run(&words).failed(2);
        assert!(line.contains("WAXSEAL_REVOCATIONS") && line.contains("file:PATH"), "{line}");
        assert!(!line.contains(PASSWORD) && !line.contains("ada:"), "{line}");
    }
    for words in [format!("revocations status {url}"), format!("revoke subject --revocation={url} --json"), url.clone()]
    {
        let ran = scratch.run(&words);
        assert!(ran.code == 2 && !ran.err.contains(PASSWORD), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_the_url_is_private() {
    let scratch = Scratch::rotated(86_400, 0);
    scratch.write("url", format!("redis://:{PASSWORD}@127.0.0.1:1").as_bytes());
    let run = |store: &str| scratch.run(&format!("revocations status --revocations file:{store}"));
    assert!(run("url").failed(4).contains("cannot connect"));
    scratch.set_mode("url", 0o644);
    let line = run("url").failed(2);
    assert!(line.contains("0644") && line.contains("0600"), "{line}");
    assert!(run("nowhere").failed(2).contains("no such file"));
    scratch.write("url", PASSWORD.as_bytes());
    let line = run("url").failed(2);
    assert!(line.contains("holds no URL") && !line.contains(PASSWORD), "{line}");
    scratch.write("url", &[b'x'; 5_000]);
    assert!(run("url").failed(2).contains("4096"));
}
