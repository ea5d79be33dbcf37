//! `keys doctor`: each thing that can be wrong, found by name, with how to mend it.

use serde_json::Value;

use crate::support::{Ran, Scratch, ids, now};

/// What the doctor says: its exit code, its text, and `severity code` of each finding.
fn examine(scratch: &Scratch, flags: &str) -> (i32, String, Vec<String>) {
    let before = scratch.files();
    let text = scratch.run(&format!("keys doctor {flags}"));
    let ran = scratch.run(&format!("keys doctor --json {flags}"));
    assert_eq!(scratch.files(), before, "it only looks");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap();
    for finding in findings {
        let line = format!("{}; {}\n", word(finding, "what"), word(finding, "advice"));
        assert!(!word(finding, "advice").is_empty() && text.out.contains(&line), "no `{line}` in {}", text.out);
    }
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!((text.code, ran.code), (i32::from(errors > 0), text.code));
    assert_eq!(json["errors"], errors);
    let named = findings.iter().map(|finding| format!("{} {}", word(finding, "severity"), word(finding, "code")));
    (text.code, text.out, named.collect())
}

/// Examines a ring in which nothing is wrong but `findings`.
fn finds(scratch: &Scratch, flags: &str, findings: &[&str], says: &str) {
    let (_, text, found) = examine(scratch, flags);
    assert_eq!(found, findings, "{text}");
    assert!(text.contains(says), "no `{says}` in {text}");
}

/// A healthy ring under a key-encryption key in a directory of its own, and the flags to read it.
fn healthy() -> (Scratch, &'static str) {
    let scratch = Scratch::empty();
    std::fs::create_dir(scratch.path("keys")).unwrap();
    scratch.set_mode("keys", 0o700);
    scratch.run("keys kek --out keys/kek").ok();
    scratch.run("keys init --kek file:keys/kek").ok();
    (scratch, "--kek file:keys/kek")
}

#[test]
fn a_healthy_ring_has_no_findings() {
    let (scratch, kek) = healthy();
    finds(&scratch, kek, &[], "No findings.");
}

#[test]
fn a_plain_ring_is_a_warning() {
    finds(&Scratch::rotated(3_600, 0), "", &["warning plaintext"], "keys rewrap --to file:PATH");
}

#[test]
fn a_ring_that_is_missing_or_not_named() {
    let line = Scratch::empty().run("keys doctor").failed(3);
    assert!(line.contains("keys init"), "{line}");
}

#[test]
fn a_damaged_ring_is_an_error() {
    let scratch = Scratch::rotated(3_600, 0);
    scratch.write("ring.json", b"{}");
    finds(&scratch, "", &["error ring_damaged", "warning plaintext"], "copy the ring again");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_an_error() {
    let scratch = Scratch::rotated(3_600, 0);
    scratch.set_mode("ring.json", 0o644);
    finds(&scratch, "", &["error ring_mode"], "make it 0600");
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_can_write_is_found() {
    let scratch = Scratch::rotated(3_600, 0);
    for (mode, finding) in [(0o777, "error directory"), (0o770, "error directory"), (0o702, "error directory")] {
        scratch.set_mode(".", mode);
        finds(&scratch, "", &[finding, "warning plaintext"], "others can write into");
    }
    scratch.set_mode(".", 0o1777);
    finds(&scratch, "", &["warning directory", "warning plaintext"], "a directory of its own");
    scratch.set_mode(".", 0o755);
    finds(&scratch, "", &["warning plaintext"], "");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_noted() {
    let scratch = Scratch::rotated(3_600, 0);
    std::fs::create_dir(scratch.path("open")).unwrap();
    std::fs::rename(scratch.path("ring.json"), scratch.path("open/ring.json")).unwrap();
    std::os::unix::fs::symlink("open/ring.json", scratch.path("ring.json")).unwrap();
    scratch.set_mode("open", 0o755);
    finds(&scratch, "", &["warning plaintext", "note link"], "is a symbolic link to");
    scratch.set_mode("open", 0o777);
    finds(&scratch, "", &["error directory", "warning plaintext", "note link"], "chmod go-w");
}

#[test]
fn a_clock_before_the_ring_is_an_error() {
    let scratch = Scratch::rotated(3_600, 0);
    let made = scratch.list()["generation"].as_u64().unwrap();
    finds(&scratch, &format!("--now {}", made - 59), &["warning plaintext"], "");
    let flags = format!("--now {}", made - 86_400);
    finds(&scratch, &flags, &["error clock", "error no_active_key", "warning plaintext"], "1 d ahead of this clock");
}

#[test]
fn a_rotation_that_is_overdue_is_a_warning() {
    let scratch = Scratch::rotated(31 * 86_400, 0);
    finds(&scratch, "", &["warning plaintext", "warning overdue"], "overdue by 1 d 1 min");
}

#[test]
fn a_ring_that_runs_full_is_found_in_time() {
    finds(&Scratch::rotated(13 * 3_600, 9), "", &["warning plaintext"], "");
    finds(&Scratch::rotated(13 * 3_600, 10), "", &["warning plaintext", "warning slots"], "room for 2 more keys");
    finds(&Scratch::rotated(13 * 3_600, 12), "", &["error slots", "warning plaintext"], "routine rotation is refused");
}

#[test]
fn what_an_operator_forgot_to_take_back_is_found() {
    let scratch = Scratch::rotated(86_400, 0);
    scratch.run("keys stale-ok --for 1h").ok();
    finds(&scratch, "", &["warning plaintext", "warning stale_ok"], "--off");
    scratch.run("keys policy --rotate-every 91d").ok();
    finds(&scratch, "", &["warning plaintext", "warning policy", "warning stale_ok"], "91 d");
    let staged = &ids(&scratch.list(), "staged")[0];
    scratch.run(&format!("keys promote {staged} --at {}", now().as_unix() + 100 * 86_400)).ok();
    let (_, _, found) = examine(&scratch, "");
    assert!(found.contains(&"warning far_ahead".to_owned()), "{found:?}");
}

#[test]
fn a_temp_file_of_a_stopped_writer_is_found() {
    let scratch = Scratch::rotated(3_600, 0);
    scratch.write(".waxseal-a1b2c3", b"half a ring");
    finds(&scratch, "", &["warning leftover", "warning plaintext"], ".waxseal-a1b2c3");
}

#[test]
fn a_source_that_gives_no_key_is_an_error() {
    let (scratch, kek) = healthy();
    finds(&scratch, &format!("{kek} --kek file:keys/none"), &["error kek"], "no such file");
    finds(&scratch, "--kek file:keys/none", &["error ring_at_rest", "error kek"], "mend the source");
    finds(&scratch, "", &["error ring_at_rest"], "--kek file:PATH");
}

#[test]
fn a_second_key_in_use_and_one_beside_the_ring_are_warnings() {
    let (scratch, kek) = healthy();
    scratch.run("keys kek --out keys/kek2").ok();
    finds(&scratch, &format!("{kek} --kek file:keys/kek2"), &[], "No findings.");
    finds(&scratch, &format!("--kek file:keys/kek2 {kek}"), &["warning kek_second"], "keys rewrap");
    std::fs::rename(scratch.path("keys/kek"), scratch.path("kek")).unwrap();
    finds(&scratch, "--kek file:kek", &["warning kek_beside"], "another directory");
}

#[cfg(unix)]
#[test]
fn a_descriptor_is_read_once() {
    let (scratch, _) = healthy();
    let text = std::fs::read(scratch.path("keys/kek")).unwrap();
    let out = Ran::of(scratch.command(["keys", "doctor", "--kek", "fd:0"]), &text).ok();
    assert_eq!(out, "No findings.\n");
}
