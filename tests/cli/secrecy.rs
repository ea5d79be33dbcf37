//! No verb shows a secret, whatever it does, and no audit line holds one.

use crate::support::{Ran, Scratch, ids, secrets};

#[test]
fn no_verb_shows_a_secret() {
    let scratch = Scratch::rotated(86_400, 1);
    scratch.run("keys kek --out kek").ok();
    let kek = std::fs::read_to_string(scratch.path("kek")).unwrap();
    let mut known = secrets(&std::fs::read(scratch.path("ring.json")).unwrap());
    assert_eq!(known.len(), 5);
    let report = scratch.list();
    let [retiring, active, staged] = ["retiring", "active", "staged"].map(|role| ids(&report, role)[0].clone());
    known.push(kek.trim().strip_prefix("waxseal-kek-1:").unwrap().to_owned());
    let mut shown = String::new();
    let mut changes = 0;
    for words in [
        "keys list",
        "keys status",
        "keys verify",
        "keys doctor",
        "keys policy",
        "token seal --purpose session --body 00",
        "keys init --plaintext",
        "keys kek --out kek",
        "keys rotate",
        &format!("keys promote {staged} --now"),
        &format!("keys disable {staged}"),
        &format!("keys enable {staged}"),
        "keys not-before 1",
        &format!("keys revoke {staged} --reason lost --sessions end"),
        &format!("keys revoke {active} --reason lost --sessions keep"),
        "keys stale-ok --for 1h",
        "keys policy --rotate-every 7d",
        "keys prune",
        &format!("keys prune {retiring}"),
        "keys upgrade-format",
        "revocations init --revocations list",
        "revoke subject ada --revocations list --reason lost",
        "revoke session s1.6a7432801560fcb22fd075b357e9c94a --revocations list",
        "revocations status --revocations list --nodes",
        "revocations inspect --revocations list",
        "revocations verify --revocations list",
        "revocations compact --revocations list",
        "revocations reset --revocations list",
        "keys rewrap --to file:kek",
        "keys list",
        "keys list --kek file:kek",
        "keys doctor --kek file:kek",
        "keys rewrap --kek file:kek --to-plaintext",
        "keys revoke --all --reason leaked --yes",
    ] {
        for words in [words.to_owned(), format!("{words} --json")] {
            let before = scratch.files();
            let ran = scratch.run(&words);
            let said = [ran.out, ran.err].concat();
            assert!(!said.is_empty(), "{words}");
            shown.push_str(&said);
            let ring = std::fs::read(scratch.path("ring.json")).unwrap();
            if ring.starts_with(b"{") {
                known.extend(secrets(&ring));
            }
            changes += usize::from(before != scratch.files());
        }
    }
    known.sort();
    known.dedup();
    assert!(known.len() >= 12 && changes >= 13, "{} secrets, {changes} changes", known.len());
    let audit = std::fs::read_to_string(scratch.path("ring.json.audit")).unwrap();
    assert!(audit.lines().count() >= 12, "{audit}");
    for secret in &known {
        assert!(!shown.contains(&secret[..12]), "a secret was shown");
        assert!(!audit.contains(&secret[..12]), "a secret is in the audit lines");
    }
}

/// A key given where its source belongs is refused, and not repeated, by whichever way it came.
#[test]
fn a_key_in_place_of_its_source_is_not_repeated() {
    let scratch = Scratch::with_ring();
    scratch.run("keys kek --out kek").ok();
    let kek = std::fs::read_to_string(scratch.path("kek")).unwrap();
    let secret = kek.trim();
    let bare = secret.strip_prefix("waxseal-kek-1:").unwrap();
    for words in [
        format!("keys list --kek {secret}"),
        format!("keys list --kek={bare}"),
        format!("keys list --kek=file:kek --kek={secret}"),
        format!("keys rewrap --to {secret}"),
        format!("keys init --ring new.json --kek {secret}"),
        format!("token seal --purpose session --body 00 --kek {secret}"),
    ] {
        for words in [words.clone(), format!("{words} --json")] {
            let said = scratch.run(&words).failed(2);
            assert!(!said.contains(&bare[..12]), "{said}");
            assert!(said.contains("file:"), "{said}");
        }
    }
    let mut command = scratch.command(["keys", "list"]);
    command.env("WAXSEAL_KEK", secret);
    let said = Ran::of(command, b"").failed(2);
    assert!(said.contains("WAXSEAL_KEK") && !said.contains(&bare[..12]), "{said}");
}
