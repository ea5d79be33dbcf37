//! Arguments and rings that are refused: the exit code, one line, and nothing written.

use crate::support::{NOW, Ran, Scratch, TOKEN, refused};

/// Every verb that reads a ring.
fn readers() -> Vec<String> {
    let mut readers: Vec<_> = [
        "keys list",
        "keys status",
        "keys verify",
        "keys rotate",
        "keys rotate --if-older-than 1d",
        "keys promote 4e576f --now",
        "keys disable 72c05b",
        "keys enable 72c05b",
        "keys revoke 72c05b --reason lost",
        "keys revoke --all --reason lost --yes",
        "keys revoke --all --reason lost",
        "keys not-before now",
        "keys stale-ok --off",
        "keys prune",
        "keys prune --dry-run",
        "keys policy",
        "keys rewrap --to-plaintext",
        "keys upgrade-format",
        "token seal --purpose session --body 00",
        "revocations init --revocations list",
        "revocations status --revocations list",
        "revocations inspect --revocations list",
        "revocations verify --revocations list",
        "revocations compact --revocations list",
        "revocations retract 0000000000000000 --revocations list",
        "revocations reset --revocations list",
        "revoke session s1.6a7432801560fcb22fd075b357e9c94a --revocations list",
        "revoke subject ada --revocations list",
        "revoke tenant acme --revocations list",
        "revoke all --revocations list",
    ]
    .map(str::to_owned)
    .into();
    readers.push(format!("token open --purpose session {TOKEN}"));
    readers
}

fn refused_by_all(scratch: &Scratch, code: &str, says: &[&str]) {
    for words in readers() {
        refused(scratch, &words, 3, code, says);
    }
}

#[test]
fn a_ring_that_is_not_named() {
    for words in readers() {
        let mut command = Scratch::empty().command(words.split_whitespace());
        command.env_remove("WAXSEAL_RING").current_dir(env!("CARGO_MANIFEST_DIR"));
        let ran = Ran::of(command, b"");
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
        assert!(ran.err.contains("--ring <PATH>") && ran.err.contains("WAXSEAL_RING"), "{}", ran.err);
    }
}

#[test]
fn a_ring_that_is_missing() {
    refused_by_all(&Scratch::empty(), "ring_missing", &["there is no ring file ring.json", "waxseal keys init"]);
}

#[test]
fn a_ring_that_is_empty() {
    let scratch = Scratch::empty();
    scratch.write("ring.json", b"");
    refused_by_all(&scratch, "ring_empty", &["it is empty", "backup"]);
}

#[cfg(unix)]
#[test]
fn a_ring_that_others_can_read() {
    let scratch = Scratch::with_ring();
    for mode in [0o644, 0o604, 0o660] {
        scratch.set_mode("ring.json", mode);
        refused_by_all(&scratch, "ring_mode", &[&format!("{mode:04o}"), "make it 0600"]);
    }
}

#[test]
fn a_ring_with_a_flipped_byte() {
    let scratch = Scratch::with_ring();
    let good = include_bytes!("ring.json");
    for at in [0, good.len() / 2, good.len() - 10, good.len() - 1] {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        scratch.write("ring.json", &bytes);
        refused_by_all(&scratch, "ring_damaged", &["cannot be used", "backup"]);
    }
}

#[test]
fn a_ring_that_is_no_file() {
    let scratch = Scratch::empty();
    for words in readers() {
        scratch.run(&format!("{words} --ring .")).failed(3);
    }
}

#[test]
fn a_ring_is_never_made_over_anything() {
    let scratch = Scratch::with_ring();
    refused(&scratch, "keys init --plaintext", 3, "ring_exists", &["ring.json exists", "never overwritten"]);
    scratch.write("ring.json", b"not a ring, and not ours");
    refused(&scratch, "keys init --plaintext", 3, "ring_exists", &["never overwritten"]);
    refused(&scratch, "keys init --plaintext --ring .", 3, "ring_exists", &["never overwritten"]);
    refused(&scratch, "keys init --plaintext --ring no/ring.json", 3, "ring_directory", &["does not exist"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_something_too() {
    let scratch = Scratch::empty();
    std::os::unix::fs::symlink("elsewhere", scratch.path("ring.json")).unwrap();
    let line = scratch.run("keys init --plaintext").failed(3);
    assert!(line.contains("never overwritten"), "{line}");
    assert!(!scratch.path("elsewhere").exists());
}

#[test]
fn a_policy_that_cannot_work_names_its_flags() {
    let scratch = Scratch::empty();
    for (flags, says) in [
        ("--activation-delay 755", &["--activation-delay 755s", "756 s", "--refresh, --distribution or --skew"][..]),
        ("--rotate-every 15719", &["--rotate-every to 15720s", "--max-lifetime or --late"]),
        ("--max-lifetime 0", &["--max-lifetime 0s", "1s to 315360000s"]),
        ("--max-lifetime 3651d", &["--max-lifetime 315446400s"]),
        ("--skew 1", &["--skew 1s", "2s to 3600s"]),
        ("--refresh 0", &["--refresh 0s"]),
        ("--distribution 4294967296", &["--distribution 4294967296s"]),
        ("--late 4294967296", &["--late 4294967296s"]),
        ("--activation-delay 4294967296", &["--activation-delay 4294967296s"]),
        ("--rotate-every 0", &["--rotate-every 0s"]),
    ] {
        refused(&scratch, &format!("keys init --plaintext {flags}"), 2, "policy", says);
    }
    scratch.run("keys init --plaintext --activation-delay 756 --rotate-every 15720").ok();
}

#[test]
fn sizes_at_their_limits() {
    let scratch = Scratch::with_ring();
    let seal = format!("token seal --purpose session --now {NOW}");
    let context = |bytes| format!("--context {}", "ab".repeat(bytes));
    let token = scratch.run(&format!("{seal} --body 00 {}", context(1024))).ok();
    let open = format!("token open --purpose session --now {NOW} {}", token.trim());
    scratch.run(&format!("{open} {}", context(1024))).ok();
    refused(&scratch, &format!("{seal} --body 00 {}", context(1025)), 2, "context", &["1025 bytes"]);
    refused(&scratch, &format!("{open} {}", context(1025)), 2, "context", &["1025 bytes", "--context"]);
    // A schema of two bytes and a lifetime of three leave 2958 of the 2964.
    let body = |bytes| format!("--schema 64 --ttl 16384 --body {}", "00".repeat(bytes));
    assert_eq!(scratch.run(&format!("{seal} {}", body(2958))).ok().trim().len(), 4000);
    refused(&scratch, &format!("{seal} {}", body(2959)), 4, "too_long", &["1 bytes too large"]);
}

#[test]
fn a_token_at_the_ends_of_time() {
    let scratch = Scratch::with_ring();
    let seal = "token seal --purpose session --body 00 --ttl 1";
    let last = scratch.run(&format!("{seal} --now 4294967295 --json")).json();
    assert_eq!(last["issued_at"], 4_294_967_295_u64);
    refused(&scratch, &format!("{seal} --now 4294967296"), 2, "usage", &["beyond 2106", "4294967295"]);
    refused(&scratch, &format!("{seal} --now 18446744073709551615"), 2, "usage", &["beyond 2106"]);
    refused(&scratch, &format!("{seal} --now 0"), 4, "no_active_key", &["keys list"]);
    let open = format!("token open --purpose session {TOKEN} --now 18446744073709551615");
    refused(&scratch, &open, 1, "expired_key", &["log in again"]);
}

#[test]
fn a_status_without_an_active_key_is_shown_and_fails() {
    let scratch = Scratch::with_ring();
    let ran = scratch.run("keys status --now 1 --json");
    assert_eq!(ran.code, 1);
    let (out, err): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&ran.out).unwrap(), serde_json::from_str(&ran.err).unwrap());
    assert!(out["active"].is_null() && out["generation"] == 1_786_000_000, "{out}");
    assert_eq!(err["code"], "no_active_key");
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::with_ring();
    let wild = OsStr::from_bytes(b"\xff\xfe");
    let open: Vec<_> = ["token", "open", "--purpose", "session"].map(OsStr::new).into_iter().chain([wild]).collect();
    assert!(Ran::of(scratch.command(open), b"").failed(1).contains("(length)"));
    let long = [&TOKEN.as_bytes()[..60], b"\xff"].concat();
    let inspect = ["token", "inspect"].map(OsStr::new).into_iter().chain([OsStr::from_bytes(&long)]);
    assert!(Ran::of(scratch.command(inspect), b"").failed(1).contains("(text)"));
    for flag in ["--purpose", "--body", "--carrier", "--schema"] {
        let seal = ["token", "seal", flag].map(OsStr::new).into_iter().chain([wild]);
        let ran = Ran::of(scratch.command(seal), b"");
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
    }
    let list = ["keys", "list", "--ring"].map(OsStr::new).into_iter().chain([wild]);
    Ran::of(scratch.command(list), b"").failed(3);
}

#[test]
fn no_error_repeats_a_token() {
    let scratch = Scratch::with_ring();
    let other = TOKEN.replace("EUPp", "EUPq");
    for words in [
        format!("token open --purpose session {TOKEN} {other}"),
        format!("token open --purpose {other}"),
        format!("token open --purpose={other}"),
        format!("token seal --purpose session --schema {other}"),
        format!("keys list {other}"),
        format!("token open --purpose session {other}"),
        format!("token seal --purpose session --body {other}"),
    ] {
        for words in [words.clone(), format!("{words} --json")] {
            let ran = scratch.run(&words);
            assert!(ran.code != 0 && ran.out.is_empty() && !ran.err.is_empty(), "{ran:?}");
            assert!(!ran.err.contains(&other[..20]) && !ran.err.contains(&TOKEN[..20]), "{ran:?}");
        }
    }
}
