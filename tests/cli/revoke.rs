//! `keys revoke`: what it ends, what it says is left to do, and what it wants to be told first.

use serde_json::Value;

use crate::support::{Scratch, ids, refused};

#[test]
fn the_key_that_seals_is_revoked_and_the_staged_one_takes_over() {
    let scratch = Scratch::rotated(86_400, 0);
    let report = scratch.list();
    let (active, staged) = (&ids(&report, "active")[0], &ids(&report, "staged")[0]);
    let sealed = scratch.run("token seal --purpose session --body 00 --json").json();
    let text = scratch.run(&format!("keys revoke {active} --reason lost")).ok();
    let generation = scratch.list()["generation"].as_u64().unwrap();
    let ring = &report["ring_id"].as_str().unwrap()[..8];
    for part in [
        &format!("revoked     {active}, for good: lost"),
        "follows within 618 s (10 min 18 s)",
        "Not proven yet",
        &format!("waxseal keys compare --ring-id {ring} --generation {generation} STATUS.json..."),
        "servers with the old ring still open tokens of the revoked key.",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains("not-before"), "no session outlives this: {text}");
    assert_eq!(scratch.list()["active"], **staged);
    let open = format!("token open --purpose session {}", sealed["token"].as_str().unwrap());
    refused(&scratch, &open, 1, "revoked_key", &["log in again"]);
    refused(&scratch, &format!("keys revoke {active} --reason again"), 4, "role", &["is revoked"]);
    refused(&scratch, &format!("keys enable {active}"), 4, "role", &["is revoked"]);
    refused(&scratch, &format!("keys promote {active} --now"), 4, "role", &["is revoked"]);
    let shown = scratch.run("keys list").ok();
    assert!(shown.contains(&format!("{active} was revoked at 20")) && shown.contains(": lost\n"), "{shown}");
    let key = &scratch.list()["keys"][0];
    assert_eq!((&key["id"], &key["reason"]), (&Value::from(&**active), &Value::from("lost")));
}

#[test]
fn a_reason_is_one_short_line() {
    let scratch = Scratch::rotated(86_400, 0);
    let active = &ids(&scratch.list(), "active")[0];
    let before = scratch.files();
    for wrong in [format!("keys revoke {active}"), "keys revoke --all --yes".into()] {
        let ran = scratch.run(&wrong);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
        assert!(ran.err.contains("--reason"), "{ran:?}");
    }
    let long = "x".repeat(201);
    for wrong in [&*long, "two\nlines", "\u{1b}[2J"] {
        let ran = crate::support::Ran::of(scratch.command(["keys", "revoke", active, "--reason", wrong]), b"");
        let line = ran.failed(2);
        assert!(line.contains("200 bytes") && !line.contains(wrong), "{line}");
    }
    assert_eq!(scratch.files(), before);
    let words = ["keys", "revoke", active, "--reason", "laptop lost on the train"];
    crate::support::Ran::of(scratch.command(words), b"").ok();
}

#[test]
fn arguments_that_contradict_each_other() {
    let scratch = Scratch::rotated(86_400, 0);
    let active = &ids(&scratch.list(), "active")[0];
    let before = scratch.files();
    for wrong in [
        "keys revoke --reason lost".to_owned(),
        format!("keys revoke {active} --all --reason lost --yes"),
        format!("keys revoke {active} --reason lost --sessions maybe"),
        "keys revoke --all --reason lost --yes --sessions keep".into(),
        "keys revoke 12345 --reason lost".into(),
    ] {
        let ran = scratch.run(&wrong);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
    }
    refused(&scratch, "keys revoke ffffff --reason lost", 4, "no_such_key", &[]);
    assert_eq!(scratch.files(), before);
}

#[test]
fn once_another_key_has_sealed_it_must_be_said_what_ends() {
    for (sessions, ended) in [("end", true), ("keep", false)] {
        let scratch = Scratch::rotated(7_260, 1);
        let retiring = &ids(&scratch.list(), "retiring")[0];
        let words = format!("keys revoke {retiring} --reason lost");
        refused(&scratch, &words, 2, "sessions", &["a successor of key", "--sessions end", "--sessions keep"]);
        let sealed = scratch.run("token seal --purpose session --body 00 --json").json();
        let text = scratch.run(&format!("{words} --sessions {sessions}")).ok();
        assert!(text.contains("waxseal keys not-before now"), "{text}");
        assert_eq!(text.contains("all that started up to"), ended, "{text}");
        assert_eq!(text.contains("Forged\nsessions that were renewed"), !ended, "{text}");
        let open = scratch.run(&format!("token open --purpose session {}", sealed["token"].as_str().unwrap()));
        assert_eq!(open.code, i32::from(ended), "{open:?}");
        assert_eq!(scratch.list()["not_before"].is_u64(), ended);
    }
}

#[test]
fn programs_are_told_the_same() {
    let scratch = Scratch::rotated(7_260, 1);
    let retiring = &ids(&scratch.list(), "retiring")[0];
    let done = scratch.run(&format!("keys revoke {retiring} --reason lost --sessions end --json")).json();
    let report = scratch.list();
    assert_eq!((&done["revoked"][0], &done["reason"]), (&Value::from(&**retiring), &Value::from("lost")));
    assert_eq!((&done["promoted"], &done["active"]), (&Value::Null, &report["active"]));
    assert_eq!((&done["sessions_ended"], &done["not_before"]), (&Value::Bool(true), &report["not_before"]));
    assert_eq!((&done["fleet_follows_in"], &done["generation"]), (&Value::from(618), &report["generation"]));
    assert_eq!(done["unproven"].as_array().map(Vec::len), Some(2));
    assert_eq!(done["once_converged"], "waxseal keys not-before now");
    let prove = done["prove_with"].as_str().unwrap();
    assert!(prove.starts_with("waxseal keys compare ") && prove.contains(&report["generation"].to_string()), "{prove}");
}

#[test]
fn all_keys_are_replaced_once_that_is_confirmed() {
    let scratch = Scratch::rotated(7_260, 1);
    let report = scratch.list();
    let ring = report["ring_id"].as_str().unwrap();
    refused(&scratch, "keys revoke --all --reason leaked", 2, "usage", &[ring, "every session", "--yes"]);
    let done = scratch.run("keys revoke --all --reason leaked --yes --json").json();
    assert_eq!((done["revoked"].as_array().map(Vec::len), &done["sessions_ended"]), (Some(3), &Value::Bool(true)));
    let after = scratch.list();
    assert_eq!((ids(&after, "active").len(), ids(&after, "staged").len(), ids(&after, "revoked").len()), (1, 1, 3));
    assert_eq!(after["ring_id"], report["ring_id"]);
    scratch.run("token seal --purpose session --body 00").ok();
}
