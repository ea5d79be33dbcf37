//! The verbs that change a ring: what they do, what they refuse, and that a refusal writes nothing.

use serde_json::Value;

use crate::support::{Scratch, ids, now, refused};

/// Every verb that writes, with a ring that has an active and a staged key.
fn writers(active: &str, staged: &str) -> [String; 11] {
    [
        "keys rotate".into(),
        format!("keys promote {staged} --now --force"),
        format!("keys disable {active}"),
        format!("keys revoke {active} --reason lost"),
        "keys revoke --all --reason lost --yes".into(),
        "keys not-before now".into(),
        "keys stale-ok --for 1h".into(),
        "keys policy --rotate-every 7d".into(),
        "keys prune".into(),
        "keys rewrap --to file:kek".into(),
        format!("keys enable {active}"),
    ]
}

#[test]
fn a_ring_with_another_generation_is_not_changed() {
    let scratch = Scratch::rotated(86_400, 0);
    scratch.run("keys kek --out kek").ok();
    let report = scratch.list();
    let generation = report["generation"].as_u64().unwrap();
    for words in writers(&ids(&report, "active")[0], &ids(&report, "staged")[0]) {
        for other in [generation - 1, generation + 1, 0, u64::MAX] {
            let words = format!("{words} --if-generation {other}");
            refused(&scratch, &words, 3, "ring_generation", &["not the one named", "somebody else"]);
        }
    }
    let done = scratch.run(&format!("keys rotate --json --if-generation {generation}")).json();
    assert_eq!(done["changed"], true);
    refused(&scratch, &format!("keys rotate --if-generation {generation}"), 3, "ring_generation", &[]);
}

#[test]
fn cron_rotates_a_key_that_is_old_enough_once() {
    let scratch = Scratch::rotated(10 * 86_400, 0);
    let before = scratch.files();
    let idle = scratch.run("keys rotate --if-older-than 11d --json").json();
    assert_eq!((&idle["changed"], &idle["scheduled"]), (&Value::Bool(false), &Value::Null));
    let text = scratch.run("keys rotate --if-older-than 11d").ok();
    assert!(text.starts_with("Nothing to do: key ") && text.contains("sealed for 10 d"), "{text}");
    assert_eq!(scratch.files(), before, "a rotation that is not due writes nothing");
    let done = scratch.run("keys rotate --if-older-than 10d --json").json();
    assert_eq!(done["changed"], true);
    let after = scratch.files();
    let again = scratch.run("keys rotate --if-older-than 10d --json").json();
    assert_eq!((&again["changed"], &again["scheduled"]), (&Value::Bool(false), &done["scheduled"]));
    assert_eq!(scratch.files(), after);
}

#[test]
fn a_staged_key_is_promoted_once_every_server_has_it() {
    let scratch = Scratch::rotated(86_400, 0);
    let report = scratch.list();
    let (active, staged) = (&ids(&report, "active")[0], &ids(&report, "staged")[0]);
    refused(&scratch, "keys promote ffffff --now", 4, "no_such_key", &["no key ffffff", "keys list"]);
    refused(&scratch, &format!("keys promote {active} --now"), 4, "role", &["is active"]);
    refused(&scratch, &format!("keys promote {staged} --at 1786000000"), 2, "past", &["in the past", "--now"]);
    for wrong in [staged.clone(), format!("{staged} --now --at 1786000000"), "XYZ --now".into(), "--now".into()] {
        let ran = scratch.run(&format!("keys promote {wrong}"));
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
    }
    let done = scratch.run(&format!("keys promote {staged} --now --json")).json();
    assert_eq!((&done["active"], &done["role"]), (&Value::from(&**staged), &Value::from("active")));
    assert_eq!(ids(&scratch.list(), "retiring")[0], *active);
    let next = &ids(&scratch.list(), "staged")[0];
    let early = format!("keys promote {next} --now");
    refused(&scratch, &early, 4, "too_young", &["may not have reached every server", "--force"]);
    let at = now().as_unix() + 7_200;
    let done = scratch.run(&format!("keys promote {next} --at {at} --json")).json();
    assert_eq!(done["promoted"]["at"], at);
    let last = &ids(&scratch.list(), "staged")[0];
    refused(&scratch, &format!("keys promote {last} --at {at}"), 2, "not_the_last", &["superseded at once", "later"]);
    scratch.run(&format!("keys promote {next} --at {} --json", at + 60)).ok();
}

#[test]
fn a_young_key_is_promoted_by_force() {
    let scratch = Scratch::rotated(120, 0);
    let staged = &ids(&scratch.list(), "staged")[0];
    refused(&scratch, &format!("keys promote {staged} --now"), 4, "too_young", &[]);
    let text = scratch.run(&format!("keys promote {staged} --now --force")).ok();
    assert!(text.contains("takes over") && text.contains("keys compare"), "{text}");
    assert_eq!(scratch.list()["active"], **staged);
}

#[test]
fn a_disabled_key_hands_over_and_comes_back_to_open() {
    let scratch = Scratch::rotated(86_400, 0);
    let report = scratch.list();
    let (active, staged) = (&ids(&report, "active")[0], &ids(&report, "staged")[0]);
    refused(&scratch, "keys disable ffffff", 4, "no_such_key", &[]);
    refused(&scratch, &format!("keys enable {active}"), 4, "role", &["is active"]);
    let sealed = scratch.run("token seal --purpose session --body 00 --json").json();
    let done = scratch.run(&format!("keys disable {active} --json")).json();
    assert_eq!((&done["active"], &done["role"]), (&Value::from(&**staged), &Value::from("disabled")));
    assert_eq!(done["fleet_follows_in"], 618);
    refused(&scratch, &format!("keys disable {active}"), 4, "role", &["is disabled"]);
    let open = format!("token open --purpose session {}", sealed["token"].as_str().unwrap());
    refused(&scratch, &open, 1, "disabled_key", &["once the key is enabled"]);
    let done = scratch.run(&format!("keys enable {active} --json")).json();
    assert_eq!(done["role"], "retiring");
    scratch.run(&open).ok();
}

#[test]
fn a_cut_off_only_moves_forward() {
    let scratch = Scratch::rotated(86_400, 0);
    let sealed = scratch.run("token seal --purpose session --body 00 --json").json();
    let ahead = now().as_unix() + 3_600;
    refused(&scratch, &format!("keys not-before {ahead}"), 2, "ahead", &["lies ahead", "until now"]);
    for wrong in ["", "yesterday", "-1", "2026-08-06"] {
        assert_eq!(scratch.run(&format!("keys not-before {wrong}")).code, 2, "{wrong}");
    }
    scratch.run(&format!("keys not-before {}", sealed["issued_at"])).ok();
    let open = format!("token open --purpose session {}", sealed["token"].as_str().unwrap());
    refused(&scratch, &open, 1, "revoked", &["log in again"]);
    let back = sealed["issued_at"].as_u64().unwrap() - 1;
    refused(&scratch, &format!("keys not-before {back}"), 4, "not_later", &["moved forward"]);
    let shown = scratch.run("keys status").ok();
    assert!(shown.contains("not before  sessions started up to"), "{shown}");
}

#[test]
fn stale_data_is_accepted_for_a_day_at_most() {
    let scratch = Scratch::rotated(86_400, 0);
    refused(&scratch, "keys stale-ok --for 86401", 2, "stale_too_long", &["24 hours", "--for"]);
    for wrong in ["", "--for 1h --off", "--for 1w"] {
        assert_eq!(scratch.run(&format!("keys stale-ok {wrong}")).code, 2, "{wrong}");
    }
    let done = scratch.run("keys stale-ok --for 2h --json").json();
    let until = done["stale_ok_until"].as_u64().unwrap();
    assert!(until > now().as_unix() + 7_000, "{done}");
    assert!(scratch.run("keys status").ok().contains("stale ok    until 20"));
    assert_eq!(scratch.run("keys stale-ok --off --json").json()["stale_ok_until"], Value::Null);
    assert!(!scratch.run("keys status").ok().contains("stale ok"));
}

#[test]
fn what_living_tokens_need_is_not_pruned() {
    let scratch = Scratch::rotated(7_260, 1);
    let report = scratch.list();
    let (retiring, active) = (&ids(&report, "retiring")[0], &ids(&report, "active")[0]);
    refused(&scratch, "keys prune ffffff", 4, "no_such_key", &[]);
    for wrong in ["", " --dry-run"] {
        let words = format!("keys prune {retiring}{wrong}");
        refused(&scratch, &words, 4, "retained", &["is retiring and may be needed until 20", "revoke"]);
        refused(&scratch, &format!("keys prune {active}{wrong}"), 4, "retained", &["is active and in use"]);
    }
    let before = scratch.files();
    assert!(scratch.run("keys prune").ok().starts_with("Nothing to prune"));
    assert_eq!(scratch.run("keys prune --json").json()["changed"], false);
    assert_eq!(scratch.files(), before);
    scratch.run(&format!("keys revoke {retiring} --reason lost --sessions keep")).ok();
    refused(&scratch, &format!("keys prune {retiring}"), 4, "retained", &["is revoked", "tombstone"]);
}

#[test]
fn what_expired_is_pruned_and_shown_before() {
    let scratch = Scratch::rotated(4 * 86_400, 1);
    let expired = ids(&scratch.list(), "expired");
    assert_eq!(expired.len(), 1);
    let before = scratch.files();
    let text = scratch.run("keys prune --dry-run").ok();
    assert!(text.contains(&format!("Would prune: {}", expired[0])) && text.contains("Nothing was written"), "{text}");
    assert_eq!(scratch.run("keys prune --dry-run --json").json()["changed"], false);
    assert_eq!(scratch.files(), before);
    let done = scratch.run(&format!("keys prune {} --json", expired[0])).json();
    assert_eq!((&done["changed"], &done["pruned"][0]), (&Value::Bool(true), &Value::from(&*expired[0])));
    assert!(ids(&scratch.list(), "expired").is_empty());
}

#[test]
fn the_policy_is_shown_and_changed() {
    let scratch = Scratch::rotated(86_400, 0);
    let before = scratch.files();
    assert!(scratch.run("keys policy").ok().contains("rotate-every 30 d"));
    assert_eq!(scratch.run("keys policy --rotate-every 30d --json").json()["changed"], false);
    assert_eq!(scratch.files(), before, "what is in force is not written again");
    refused(&scratch, "keys policy --activation-delay 755", 2, "policy", &["--activation-delay 755s", "756 s"]);
    refused(&scratch, "keys policy --rotate-every 1h", 2, "policy", &["--rotate-every to 15720s"]);
    let done = scratch.run("keys policy --max-lifetime 1h --rotate-every 7d --json").json();
    assert_eq!((&done["changed"], &done["policy"]["max_token_lifetime"]), (&Value::Bool(true), &Value::from(3_600)));
    let report = scratch.list();
    assert_eq!(report["policy"], done["policy"]);
    assert_eq!(report["keys"][0]["max_token_lifetime"], 86_400, "a key keeps its longest lifetime");
}

#[test]
fn the_newest_format_needs_no_upgrade() {
    let scratch = Scratch::rotated(86_400, 0);
    let before = scratch.files();
    assert!(scratch.run("keys upgrade-format").ok().contains("format 1, the newest"));
    assert_eq!(scratch.run("keys upgrade-format --json").json()["changed"], false);
    assert_eq!(scratch.files(), before);
}

#[test]
fn a_ring_is_verified() {
    let scratch = Scratch::rotated(86_400, 0);
    let done = scratch.run("keys verify --json").json();
    assert_eq!((&done["ok"], &done["encrypted_under"]), (&Value::Bool(true), &Value::Null));
    assert!(scratch.run("keys verify").ok().starts_with("ok: ring "));
    scratch.write("ring.json", b"{}");
    refused(&scratch, "keys verify", 3, "ring_damaged", &["cut short", "backup"]);
}

#[test]
fn a_ring_is_not_made_without_saying_how_it_lies_on_disk() {
    let scratch = Scratch::empty();
    refused(&scratch, "keys init", 2, "usage", &["--kek file:PATH", "waxseal keys kek", "--plaintext"]);
    scratch.run("keys kek --out kek").ok();
    refused(&scratch, "keys init --plaintext --kek file:kek", 2, "usage", &["exclude each other"]);
    let mut command = scratch.command(["keys", "init", "--plaintext"]);
    command.env("WAXSEAL_KEK", "file:kek");
    crate::support::Ran::of(command, b"").failed(2);
    scratch.run("keys init --plaintext").ok();
}
