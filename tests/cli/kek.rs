//! Rings encrypted at rest: made, read and moved under key-encryption keys from every source.

use std::fs;

use serde_json::Value;

use crate::support::{Ran, Scratch, refused};

/// A directory with the KEKs `kek` and `kek2`, and a ring under the first.
fn encrypted() -> Scratch {
    let scratch = Scratch::empty();
    scratch.run("keys kek --out kek").ok();
    scratch.run("keys kek --out kek2").ok();
    scratch.run("keys init --kek file:kek").ok();
    scratch
}

/// `keys verify` under the key-encryption key from `source`.
fn verify(scratch: &Scratch, source: &str) -> Ran {
    Ran::of(scratch.command(["keys", "verify", "--json", "--kek", source]), b"")
}

#[test]
fn a_key_file_is_for_its_owner_alone_and_never_overwritten() {
    let scratch = Scratch::empty();
    let made = scratch.run("keys kek --out kek --json").json();
    assert_eq!(made["kek_id"].as_str().map(str::len), Some(8));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(scratch.path("kek").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
    refused(&scratch, "keys kek --out kek", 4, "kek_exists", &["never overwritten"]);
    refused(&scratch, "keys kek --out no/kek", 4, "kek_io", &["directory exists"]);
    refused(&scratch, "keys kek --out .", 4, "kek_exists", &[]);
    assert_eq!(scratch.run("keys kek").code, 2);
    let other = scratch.run("keys kek --out other --json").json();
    assert_ne!(other["kek_id"], made["kek_id"]);
}

#[test]
fn every_verb_works_on_an_encrypted_ring() {
    let scratch = encrypted();
    assert!(fs::read(scratch.path("ring.json")).unwrap().starts_with(b"waxseal-ring-v1\n"));
    let active = scratch.run("keys list --json --kek file:kek").json()["active"].as_str().unwrap().to_owned();
    let sealed = scratch.run("token seal --purpose session --body 00 --kek file:kek").ok();
    scratch.run(&format!("token open --purpose session --kek file:kek {}", sealed.trim())).ok();
    for words in [
        "keys status",
        "keys verify",
        "keys policy",
        "keys rotate",
        &format!("keys disable {active}"),
        &format!("keys enable {active}"),
        &format!("keys revoke {active} --reason lost --sessions keep"),
        "keys not-before now",
        "keys stale-ok --for 1h",
        "keys prune",
        "keys upgrade-format",
        "keys doctor",
        "keys revoke --all --reason lost --yes",
    ] {
        let mut command = scratch.command(words.split_whitespace());
        command.env("WAXSEAL_KEK", "file:kek");
        Ran::of(command, b"");
        assert!(fs::read(scratch.path("ring.json")).unwrap().starts_with(b"waxseal-ring-v1\n"), "{words}");
        verify(&scratch, "file:kek").ok();
    }
    assert!(scratch.run("keys status --kek file:kek").ok().contains("at rest     encrypted under KEK "));
}

#[test]
fn plain_and_encrypted_are_never_mixed_up() {
    let scratch = encrypted();
    let mend = &["it is encrypted", "--kek file:PATH"];
    for words in ["keys list", "keys rotate", "keys rewrap --to file:kek2", "token seal --purpose session --body 00"] {
        refused(&scratch, words, 3, "ring_at_rest", mend);
    }
    scratch.run("keys init --plaintext --ring plain.json").ok();
    for words in ["keys list", "keys rotate", "keys not-before now", "token seal --purpose session --body 00"] {
        let words = format!("{words} --ring plain.json --kek file:kek");
        refused(&scratch, &words, 3, "ring_at_rest", &["not encrypted", "keys rewrap"]);
    }
}

#[test]
fn the_wrong_key_opens_nothing() {
    let scratch = encrypted();
    let says = &["which no source gives", "second one"];
    for words in ["keys list", "keys rotate", "keys prune", "keys verify"] {
        refused(&scratch, &format!("{words} --kek file:kek2"), 3, "ring_at_rest", says);
    }
    let mut bytes = fs::read(scratch.path("ring.json")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    scratch.write("ring.json", &bytes);
    refused(&scratch, "keys list --kek file:kek", 3, "ring_at_rest", &["envelope is damaged"]);
}

#[test]
fn a_source_that_gives_no_key_says_why() {
    let scratch = encrypted();
    scratch.write("word", b"password");
    for (source, says) in [
        ("file:none", "no such file"),
        ("file:word", "waxseal keys kek"),
        ("env:WAXSEAL_NO_SUCH_VARIABLE", "not set"),
        ("cmd:exit 3", "exited with 3"),
        ("cmd:true", "waxseal keys kek"),
        ("fd:77", "fd:77"),
    ] {
        let before = scratch.files();
        let line = verify(&scratch, source).failed(3);
        let json: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["code"], "ring_at_rest", "{line}");
        assert!(line.contains(says) && line.contains("mend the source"), "{source}: {line}");
        assert_eq!(scratch.files(), before);
    }
    for source in ["", "kek", "/run/kek", "vault:x", "fd:x"] {
        let line = Ran::of(scratch.command(["keys", "list", "--kek", source]), b"").failed(2);
        assert!(line.contains("file:PATH, env:NAME, fd:NUMBER or cmd:COMMAND"), "{line}");
    }
    refused(&scratch, "keys list --kek file:kek --kek file:kek2 --kek file:kek", 2, "usage", &["3 times", "two"]);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let scratch = encrypted();
    scratch.set_mode("kek", 0o644);
    refused(&scratch, "keys list --kek file:kek", 3, "ring_at_rest", &["0644"]);
}

#[cfg(unix)]
#[test]
fn a_command_that_hangs_is_given_up_and_nothing_is_written() {
    let scratch = encrypted();
    let before = scratch.files();
    let line = Ran::of(scratch.command(["keys", "rotate", "--kek", "cmd:sleep 600"]), b"").failed(3);
    assert!(line.contains("did not finish in 5 s") && line.contains("mend the source"), "{line}");
    assert_eq!(scratch.files(), before);
}

#[cfg(unix)]
#[test]
fn every_source_gives_the_key() {
    let scratch = encrypted();
    let text = fs::read(scratch.path("kek")).unwrap();
    verify(&scratch, "file:kek").ok();
    verify(&scratch, "cmd:cat kek").ok();
    Ran::of(scratch.command(["keys", "rotate", "--kek", "fd:0"]), &text).ok();
    let mut command = scratch.command(["keys", "verify", "--kek", "env:SHOP_KEK"]);
    command.env("SHOP_KEK", String::from_utf8(text).unwrap().trim());
    Ran::of(command, b"").ok();
}

#[test]
fn one_key_replaces_the_other_while_both_are_accepted() {
    let scratch = encrypted();
    let before = scratch.run("keys list --json --kek file:kek").json();
    let both = "--kek file:kek2 --kek file:kek";
    scratch.run(&format!("keys list {both}")).ok();
    let done = scratch.run("keys rewrap --kek file:kek --to file:kek2 --json").json();
    assert_ne!(done["encrypted_under"], done["was_encrypted_under"]);
    assert_eq!((&done["generation"], &done["digest"]), (&before["generation"], &before["digest"]), "no fork");
    scratch.run(&format!("keys list {both}")).ok();
    scratch.run("keys list --kek file:kek2").ok();
    refused(&scratch, "keys list --kek file:kek", 3, "ring_at_rest", &["which no source gives"]);
    // A change under both is written under the first.
    scratch.run("keys rotate --kek file:kek --kek file:kek2").ok();
    scratch.run("keys list --kek file:kek").ok();
    let text = scratch.run("keys rewrap --kek file:kek2 --kek file:kek").ok();
    assert!(text.contains("as well as"), "{text}");
    scratch.run("keys list --kek file:kek2").ok();
}

#[test]
fn a_ring_is_made_plain_and_encrypted_again() {
    let scratch = encrypted();
    let both = scratch.run("keys rewrap --kek file:kek --to-plaintext --to file:kek2");
    assert_eq!((both.code, &*both.out), (2, ""), "{both:?}");
    let done = scratch.run("keys rewrap --kek file:kek --to-plaintext --json").json();
    assert_eq!(done["encrypted_under"], Value::Null);
    assert!(scratch.run("keys status").ok().contains("at rest     plain, not encrypted"));
    refused(&scratch, "keys list --kek file:kek", 3, "ring_at_rest", &["not encrypted"]);
    let text = scratch.run("keys rewrap --to file:kek2").ok();
    assert!(text.contains("are still plain"), "{text}");
    scratch.run("keys list --kek file:kek2").ok();
}

#[test]
fn a_rewrap_that_cannot_be_done_changes_nothing() {
    let scratch = encrypted();
    refused(&scratch, "keys rewrap --kek file:kek --to file:none", 3, "ring_at_rest", &["no such file"]);
    refused(&scratch, "keys rewrap --kek file:kek --to kek2", 2, "usage", &["--to names no source"]);
    refused(&scratch, "keys rewrap --kek file:kek2 --to file:kek", 3, "ring_at_rest", &["which no source gives"]);
    let other = "keys rewrap --kek file:kek --to file:kek2 --if-generation 7";
    refused(&scratch, other, 3, "ring_generation", &["not the one named"]);
    scratch.run("keys init --plaintext --ring plain.json").ok();
    refused(&scratch, "keys rewrap --ring plain.json", 2, "usage", &["--to file:PATH", "--to-plaintext"]);
}
