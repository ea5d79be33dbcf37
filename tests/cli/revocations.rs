//! `revoke` and `revocations`: what transcripts cannot hold, since it needs an id that was drawn, or damage.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use waxseal::time::ManualClock;
use waxseal::{KeyRing, Revocations, Revoke, Stale};

use crate::support::{BIN, Ran, Scratch, now, refused};

const ID: &str = "s1.6a7432801560fcb22fd075b357e9c94a";

/// With a ring of its own and the directory `list`.
fn desk() -> Scratch {
    let scratch = Scratch::rotated(86_400, 0);
    scratch.run("revocations init --revocations list").ok();
    scratch
}

fn inspect(scratch: &Scratch, words: &str) -> Value {
    scratch.run(&format!("revocations inspect --revocations list --json {words}")).json()
}

fn journals(scratch: &Scratch) -> Vec<PathBuf> {
    let listed = fs::read_dir(scratch.path("list")).unwrap().map(|entry| entry.unwrap().path());
    listed.filter(|path| path.extension().is_some_and(|extension| extension == "journal")).collect()
}

fn ring_id(scratch: &Scratch) -> String {
    scratch.list()["ring_id"].as_str().unwrap()[..8].to_owned()
}

#[test]
fn who_decided_and_why_is_on_record() {
    let scratch = desk();
    let words = ["revoke", "session", ID, "--revocations", "list", "--actor", "ada", "--reason", "laptop stolen"];
    Ran::of(scratch.command(words), b"").ok();
    let words = ["revoke", "subject", "eve", "--revocations", "list", "--reason", "phone lost on a train"];
    Ran::of(scratch.command(words), b"").ok();
    let all = inspect(&scratch, "");
    let entries = all["entries"].as_array().unwrap();
    let find = |kind: &str| entries.iter().find(|entry| entry["kind"] == kind).unwrap();
    assert_eq!((&find("session")["actor"], &find("session")["reason"]), (&"ada".into(), &"laptop stolen".into()));
    assert_eq!((&find("cut_off")["actor"], &find("cut_off")["reason"]), (&"".into(), &"phone lost on a train".into()));
    scratch.run("revocations compact --revocations list").ok();
    assert_eq!(inspect(&scratch, "")["entries"].as_array().map(Vec::len), Some(2));
    let text = scratch.run("revocations inspect --revocations list").ok();
    assert!(text.contains("ada  laptop stolen") && text.contains("-    phone lost on a train"), "{text}");
}

#[test]
fn many_are_revoked_at_once_or_none() {
    let scratch = desk();
    let start = now().as_unix() - 5;
    let id = |n: u32| format!("s1.{start:08x}{n:024x}");
    let lines: String = (0..3_000).map(|n| id(n) + "\n").collect();
    let done = scratch.run_with("revoke session - --revocations list --json", lines.as_bytes()).json();
    assert_eq!((done["revoked"].as_array().map(Vec::len), &done["warnings"]), (Some(3_000), &Value::Array(vec![])));
    assert_eq!(journals(&scratch).len(), 1);
    assert_eq!(inspect(&scratch, &format!("--session {}", id(7)))["revoked"], true);
    assert_eq!(inspect(&scratch, &format!("--session {}", id(3_001)))["revoked"], false);
    let bad = format!("{}\n\n{}\n", id(4_000), &id(4_001)[1..]);
    let line = scratch.run_with("revoke session - --revocations list", bad.as_bytes()).failed(2);
    assert!(line.contains("line 3 of standard input") && line.contains("Nothing was revoked"), "{line}");
    assert_eq!(inspect(&scratch, &format!("--session {}", id(4_000)))["revoked"], false);
}

#[test]
fn a_cut_off_is_taken_back_by_its_id() {
    let scratch = desk();
    let done = scratch.run("revoke tenant acme --revocations list --json").json();
    let id = done["cut_off"].as_str().unwrap();
    assert_eq!(inspect(&scratch, &format!("--session {ID} --tenant acme"))["revoked"], true);
    assert_eq!(inspect(&scratch, &format!("--session {ID} --tenant other"))["revoked"], false);
    let words = format!("revocations retract {id} --revocations list");
    let back = scratch.run(&format!("{words} --actor ada --json")).json();
    assert_eq!((&back["retracted"], &back["until"], &back["level"]), (&id.into(), &done["until"], &"shared".into()));
    assert_eq!(inspect(&scratch, &format!("--session {ID} --tenant acme"))["revoked"], false);
    refused(&scratch, &words, 4, "retracted", &["taken back already"]);
    let status = scratch.run("revocations status --revocations list --json").json();
    assert_eq!((&status["tenants"], &status["retracted"]), (&0.into(), &1.into()));
}

#[test]
fn a_server_hears_of_it_and_is_seen() {
    let scratch = desk();
    let ring = KeyRing::load(scratch.path("ring.json")).unwrap();
    let stale = Stale::refuse_after(Duration::from_secs(900));
    let server = Revocations::directory(&ring, scratch.path("list"), stale).unwrap();
    let status = scratch.run("revocations status --revocations list --writers").ok();
    assert!(status.contains("1 alive within the last minute") && status.contains("  alive  "), "{status}");
    server.revoke(Revoke::session(ID.parse().unwrap()).actor("the server")).wait().unwrap();
    assert_eq!(inspect(&scratch, &format!("--session {ID}"))["entries"][0]["actor"], "the server");
    scratch.run("revoke subject ada --revocations list").ok();
    server.sync().unwrap();
    assert_eq!(server.status().nodes.len(), 2);
}

#[test]
fn a_name_with_white_space_at_its_ends_is_warned_of() {
    let scratch = desk();
    for (name, warned) in [("ada", 0), (" ada", 1), ("ada\n", 1), ("ada of acme", 0)] {
        let done = Ran::of(scratch.command(["revoke", "subject", name, "--revocations", "list", "--json"]), b"").json();
        assert_eq!(done["warnings"].as_array().map(Vec::len), Some(warned), "{name:?}");
    }
}

#[test]
fn a_lost_marker_is_no_circle() {
    let scratch = desk();
    scratch.run(&format!("revoke session {ID} --revocations list")).ok();
    fs::remove_file(scratch.path("list/waxseal-revocations")).unwrap();
    for verb in ["init", "verify", "status", "inspect"] {
        let words = format!("revocations {verb} --revocations list");
        refused(&scratch, &words, 4, "revocations_unmarked", &["marker", "reset --ring-id HEX", "--keep-sessions"]);
    }
    let words = format!("revocations reset --revocations list --ring-id {} --keep-sessions", ring_id(&scratch));
    scratch.run(&words).ok();
    scratch.run("revocations verify --revocations list").ok();
}

#[test]
fn damage_is_named_with_what_to_do() {
    let scratch = desk();
    scratch.run(&format!("revoke session {ID} --revocations list")).ok();
    let journal = &journals(&scratch)[0];
    let mut bytes = fs::read(journal).unwrap();
    bytes[150] ^= 1;
    fs::write(journal, bytes).unwrap();
    let ran = scratch.run("revocations verify --revocations list");
    let name = journal.file_name().unwrap().to_str().unwrap();
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.starts_with("error    ") && ran.out.contains(name) && ran.out.contains("revocations reset"),
        "{ran:?}"
    );
    assert!(ran.out.contains("a server that starts now cannot load them"), "{ran:?}");
    for verb in ["status", "inspect"] {
        let ran = scratch.run(&format!("revocations {verb} --revocations list --json"));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("revocations_faults") && ran.err.contains("revocations verify"), "{ran:?}");
    }
    let done = scratch.run(&format!("revoke session {ID} --revocations list --json")).json();
    assert!(done["warnings"][0].as_str().unwrap().contains("damaged"), "it is revoked all the same: {done}");
    let removed = scratch.run("revocations compact --revocations list --json").json();
    assert_eq!(removed["removed"], Value::Array(vec![]), "what is damaged is not touched");
    let words = format!("revocations reset --revocations list --ring-id {} --json", ring_id(&scratch));
    assert_eq!(scratch.run(&words).json()["set_aside"].as_array().map(Vec::len), Some(2));
    let ran = scratch.run("revocations verify --revocations list");
    assert!(ran.code == 0 && ran.out.starts_with("note "), "{ran:?}");
}

#[test]
fn a_ring_that_leaked_has_its_directory_begun_anew() {
    let scratch = desk();
    scratch.run("revoke subject ada --revocations list").ok();
    let done = scratch.run("keys revoke --all --reason leaked --yes --json").json();
    let reset = done["reset_with"].as_str().unwrap();
    for verb in ["revocations status", "revocations retract 0000000000000000", "revoke subject ada"] {
        refused(
            &scratch,
            &format!("{verb} --revocations list"),
            4,
            "revocations_marker",
            &["waxseal revocations reset"],
        );
    }
    let words = format!("{} --revocations list", reset.strip_prefix("waxseal ").unwrap());
    scratch.run(&words).ok();
    scratch.run("revocations verify --revocations list").ok();
    let text = scratch.run("keys revoke --all --reason leaked --yes").ok();
    assert!(text.ends_with(&format!("begin it anew now:\n  {reset}\n")), "{text}");
}

#[test]
fn another_ring_s_directory_is_left_alone() {
    let (ours, theirs) = (desk(), desk());
    let list = theirs.path("list").to_str().unwrap().to_owned();
    for words in ["revocations status", "revocations verify", "revoke subject ada", "revocations compact"] {
        refused(&ours, &format!("{words} --revocations {list}"), 4, "revocations_marker", &["another ring"]);
    }
    let words = format!("revocations reset --ring-id {} --revocations {list}", ring_id(&ours));
    refused(&ours, &words, 4, "revocations_marker", &["another ring", "the ring of this directory"]);
}

#[test]
fn the_environment_names_the_directory() {
    let scratch = desk();
    let run = |words: &str| {
        let mut command = scratch.command(words.split_whitespace());
        command.env("WAXSEAL_REVOCATIONS", "list");
        Ran::of(command, b"")
    };
    run("revoke subject ada").ok();
    assert_eq!(run("revocations status --json").json()["subjects"], 1);
}

#[test]
fn an_encrypted_ring_does_as_well() {
    let scratch = desk();
    scratch.run("keys kek --out kek").ok();
    scratch.run("keys rewrap --to file:kek").ok();
    scratch.run("revoke subject ada --revocations list --kek file:kek").ok();
    scratch.run("revocations verify --revocations list --kek file:kek").ok();
    scratch.run("revoke subject ada --revocations list").failed(3);
}

/// Seen by a clock that is an hour behind, every cut-off was made by one that is ahead.
#[test]
fn a_cut_off_that_lies_ahead_is_warned_of() {
    let scratch = desk();
    let id = scratch.run("revoke tenant acme --revocations list --json").json()["cut_off"].clone();
    let earlier = now().as_unix() - 3_600;
    let text = scratch.run(&format!("revocations verify --revocations list --now {earlier}")).ok();
    for part in ["warning  cut-off", &format!("`waxseal revocations retract {}`", id.as_str().unwrap()), "lies 1 h"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let text = scratch.run(&format!("revocations inspect --revocations list --now {earlier}")).ok();
    assert!(text.contains("a tenant, 1 h"), "{text}");
    let later = now().as_unix() + 365 * 86_400;
    let status = scratch.run(&format!("revocations status --revocations list --json --now {later}")).json();
    assert_eq!((&status["tenants"], &status["forgotten"]), (&0.into(), &1.into()));
}

#[test]
fn a_journal_that_is_missing_is_named_by_those_who_read_it() {
    let scratch = desk();
    let clock = Arc::new(ManualClock::at(now()));
    let ring = KeyRing::options().clock(Arc::clone(&clock)).load(scratch.path("ring.json")).unwrap();
    let stale = Stale::refuse_after(Duration::from_secs(900));
    let server = || Revocations::directory(&ring, scratch.path("list"), stale).unwrap();
    let (one, other) = (server(), server());
    one.revoke(Revoke::session(ID.parse().unwrap())).wait().unwrap();
    for _ in 0..5 {
        clock.advance(10);
        other.sync().unwrap();
        one.sync().unwrap();
    }
    let lost = one.status().nodes.into_iter().find(|node| node.this).unwrap().writer;
    fs::remove_file(scratch.path("list").join(format!("{lost}.journal"))).unwrap();
    let ran = scratch.run("revocations verify --revocations list --json");
    let (out, err): (Value, Value) = (serde_json::from_str(&ran.out).unwrap(), serde_json::from_str(&ran.err).unwrap());
    assert_eq!(
        (ran.code, &out["errors"], &out["ready"], &err["code"]),
        (1, &1.into(), &false.into(), &"findings".into())
    );
    let finding = &out["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&"gap".into(), &"error".into()));
    assert!(finding["what"].as_str().unwrap().contains(&format!("{lost}.journal is missing")), "{finding}");
    let status = scratch.run("revocations status --revocations list --json");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["ready"], &status["gaps"][0]), (&false.into(), &lost.into()));
}

/// A disk that takes no more bytes: `ulimit` makes one.
#[cfg(unix)]
#[test]
fn what_does_not_last_is_no_success() {
    let scratch = desk();
    let script = format!("trap '' XFSZ; ulimit -f 0; exec '{BIN}' revoke session {ID} {ID} --revocations list \"$@\"");
    for json in [&[][..], &["--json"]] {
        let mut command = Command::new("sh");
        command.current_dir(scratch.path("")).env("WAXSEAL_RING", "ring.json").args(["-c", &script, "sh"]).args(json);
        let line = Ran::of(command, b"").failed(4);
        assert!(line.contains("1 of 1 sessions: it may not be revoked") && line.contains("revoke again"), "{line}");
        assert_eq!(json.is_empty(), !line.contains("\"code\":\"not_durable\""), "{line}");
    }
    assert_eq!(inspect(&scratch, &format!("--session {ID}"))["revoked"], false);
}
