//! Rings over time: made, rotated, full, and never shown with a secret.

use serde_json::Value;
use waxseal::keys::RingFile;
use waxseal::time::Timestamp;

use crate::support::{Scratch, ids};

#[cfg(unix)]
#[test]
fn a_new_ring_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::empty();
    let made = scratch.run("keys init --plaintext --json").json();
    let path = scratch.path("ring.json").canonicalize().unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(std::path::Path::new(made["ring_file"].as_str().unwrap()).canonicalize().unwrap(), path);
    assert_eq!((ids(&made, "active").len(), ids(&made, "staged").len()), (1, 1));
    assert_eq!(made["active"], *ids(&made, "active")[0]);
}

#[test]
fn a_rotation_dates_the_staged_key_once() {
    let scratch = Scratch::empty();
    let made = scratch.run("keys init --plaintext --json").json();
    let done = scratch.run("keys rotate --json").json();
    assert_eq!((&done["changed"], &done["active"]), (&Value::Bool(true), &made["active"]));
    assert_eq!(done["scheduled"]["key"], *ids(&made, "staged")[0]);
    assert!(done["generation"].as_u64() > made["generation"].as_u64());
    let file = scratch.files();
    let again = scratch.run("keys rotate --json").json();
    assert_eq!(again["changed"], false);
    for member in ["scheduled", "staged", "active", "generation"] {
        assert_eq!(again[member], done[member], "{member}");
    }
    assert!(scratch.run("keys rotate").ok().starts_with("Nothing to do"));
    assert_eq!(scratch.files(), file, "a repeated rotation writes nothing");
}

#[test]
fn tokens_of_retired_keys_still_open() {
    let scratch = Scratch::rotated(2 * 3_600 + 60, 1);
    let seal = |now: &str| scratch.run(&format!("token seal --purpose session --body 00 --json {now}")).json();
    let made = RingFile::at(scratch.path("ring.json")).report(Timestamp::default()).unwrap().keys[0].created_at;
    let (old, new) = (seal(&format!("--now {}", made.as_unix())), seal(""));
    assert_ne!(old["key_id"], new["key_id"]);
    for (sealed, role) in [(old, "retiring"), (new, "active")] {
        let token = sealed["token"].as_str().unwrap();
        let opened = scratch.run(&format!("token open --purpose session --json {token}")).json();
        assert_eq!((&opened["session_id"], &opened["key_role"]), (&sealed["session_id"], &Value::from(role)));
        assert_eq!((&opened["expires_at"], &opened["key_id"]), (&sealed["expires_at"], &sealed["key_id"]));
    }
}

#[test]
fn a_full_ring_says_when_there_is_room() {
    let scratch = Scratch::rotated(13 * 3_600, 12);
    let before = scratch.files();
    let line = scratch.run("keys rotate").failed(4);
    assert!(line.contains("14 keys") && line.contains("next key expires at 20"), "{line}");
    let json: Value = serde_json::from_str(&scratch.run("keys rotate --json").failed(4)).unwrap();
    assert_eq!(json["code"], "ring_full");
    assert_eq!(scratch.files(), before);
}

#[test]
fn an_overdue_rotation_is_a_warning() {
    let scratch = Scratch::rotated(31 * 86_400, 0);
    let text = scratch.run("keys status").ok();
    assert!(text.contains("warning: rotation is overdue: run `waxseal keys rotate`"), "{text}");
    assert_eq!(scratch.run("keys status --json").json()["rotation_overdue"], true);
    scratch.run("keys rotate").ok();
    assert!(!scratch.run("keys status").ok().contains("warning"));
}
