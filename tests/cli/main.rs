//! The `waxseal` command as its users meet it: transcripts, and what a transcript cannot hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed, in its helpers too")]

mod bad_input;
mod compare;
mod doctor;
mod kek;
#[cfg(feature = "redis")]
mod redis_store;
mod revocations;
mod revoke;
mod rings;
mod secrecy;
mod streams;
mod support;
mod verbs;

use std::path::Path;
use std::time::Duration;

use support::{BIN, Scratch};

/// To write the transcripts anew: `TRYCMD=overwrite cargo test --features cli --test cli`, then read the diff.
#[test]
fn transcripts() {
    let listed = std::fs::read_dir("tests/cli").unwrap().map(|entry| entry.unwrap().path());
    let found = listed.filter(|path| path.extension().is_some_and(|extension| extension == "trycmd")).count();
    assert!(found >= 6, "only {found} transcripts");
    let scratch = Scratch::with_ring();
    trycmd::TestCases::new()
        .register_bin("waxseal", Path::new(BIN))
        .env("WAXSEAL_RING", scratch.path("ring.json").to_str().unwrap())
        .env("COLUMNS", "80")
        .timeout(Duration::from_secs(120))
        .insert_var("[SCRATCH]", scratch.path("").to_str().unwrap().trim_end_matches('/').to_owned())
        .unwrap()
        .case("tests/cli/*.trycmd");
}

#[test]
fn every_verb_has_its_help_read() {
    let help = include_str!("help.trycmd");
    let of_area = |area: &str| {
        let (_, listed) = help.split_once(&format!("$ waxseal {area} --help")).unwrap();
        let (_, listed) = listed.split_once("Commands:\n").unwrap();
        let names = listed
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| !line.starts_with("   "))
            .map(|line| line.split_whitespace().next().unwrap());
        let verbs = names.filter(|&name| name != "help").map(|name| format!("{area} {name}"));
        verbs.collect::<Vec<_>>()
    };
    let verbs = ["keys", "revocations", "revoke", "token"].map(of_area).concat();
    assert_eq!(verbs.len(), 18 + 8 + 4 + 3);
    for verb in verbs {
        let (_, said) = help.split_once(&format!("$ waxseal {verb} --help")).unwrap();
        let said = said.split("\n$ ").next().unwrap();
        assert!(said.contains(&format!("\n  waxseal {verb} ")), "{verb}: no example");
        assert!(said.contains("Exit codes:"), "{verb}: no exit codes");
        assert!(said.lines().all(|line| line.len() <= 80), "{verb}: a line is too long");
    }
}
