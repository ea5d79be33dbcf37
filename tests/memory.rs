//! A revoked secret leaves the memory of a running server: dumped, and searched by another process.
//!
//! The process under test must not know what is looked for, so children write the ring, revoke the
//! key, and search the dump for it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};
use waxseal::keys::{DiskError, Ring, RingFile, RingPolicy};
use waxseal::time::{Clock, SystemClock};
use waxseal::{KeyRing, Sealer, SessionState};

mod testkit;

#[derive(Serialize, Deserialize)]
struct User {
    number: u64,
}

impl SessionState for User {}

#[test]
fn t20_a_revoked_secret_is_nowhere_in_memory() {
    if let Ok(part) = std::env::var("WAXSEAL_MEMORY_PART") {
        return child(&part, Path::new(&std::env::var_os("WAXSEAL_MEMORY_DIRECTORY").unwrap()));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    run("create", path);
    let ring = KeyRing::load(path.join("ring.json")).unwrap();
    let sealer: Sealer<User> = Sealer::new(&ring, "session").unwrap();
    let token = sealer.start(&User { number: 1 }).unwrap();
    assert!(sealer.open(&token).is_ok());
    let decoy = std::fs::read(path.join("decoy")).unwrap();
    dump(path);
    let before = run("search", path);
    assert!(before["decoy"] > 0, "the search finds what is there: {before:?}");
    assert!(before["prk"] > 0, "a living key can be derived from: {before:?}");
    assert_eq!((before["secret"], before["text"]), (0, 0), "a server keeps no secret as it stands in the file");
    run("revoke", path);
    ring.reload().unwrap();
    assert!(sealer.open(&token).is_err());
    dump(path);
    let after = run("search", path);
    black_box(&decoy);
    assert!(after["decoy"] > 0, "{after:?}");
    for needle in ["secret", "text", "prk", "subkey"] {
        assert_eq!(after[needle], 0, "what is left of the revoked key: {after:?}");
    }
    assert!(after["successor"] > 0, "the key that took over: {after:?}");
}

/// Runs a part of this test in a process of its own; what it counted.
fn run(part: &str, directory: &Path) -> BTreeMap<String, usize> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "t20_a_revoked_secret_is_nowhere_in_memory"])
        .env("WAXSEAL_MEMORY_PART", part)
        .env("WAXSEAL_MEMORY_DIRECTORY", directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = std::fs::read_to_string(directory.join("said")).unwrap_or_default();
    said.lines().filter_map(|line| line.split_once(' ')).map(|(name, n)| (name.into(), n.parse().unwrap())).collect()
}

/// Writes all memory of this process that can be written to, region by region.
fn dump(directory: &Path) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut out = File::create(directory.join("dump")).unwrap();
    let mut page = [0; 4096];
    let mut pages = 0;
    for region in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (from, rest) = region.split_once('-').unwrap();
        let [from, to] = [from, rest.split(' ').next().unwrap()].map(|text| u64::from_str_radix(text, 16).unwrap());
        memory.seek(SeekFrom::Start(from)).unwrap();
        for _ in (from..to).step_by(page.len()) {
            if memory.read_exact(&mut page).is_err() {
                break;
            }
            out.write_all(&page).unwrap();
            pages += 1;
        }
    }
    page.fill(0);
    assert!(pages > 100, "{pages} pages are no process");
}

fn child(part: &str, directory: &Path) {
    let file = RingFile::at(directory.join("ring.json"));
    let now = SystemClock::new(std::time::Duration::from_secs(60)).now();
    match part {
        "create" => {
            file.create(&Ring::create(RingPolicy::default(), now).unwrap(), now).unwrap();
            std::fs::copy(file.path(), directory.join("needles")).unwrap();
            std::fs::write(directory.join("decoy"), waxseal::keys::generate_kek().unwrap().as_bytes()).unwrap();
        }
        "revoke" => file
            .update(now, "revoke", |ring| {
                let active = ring.active(now).unwrap();
                Ok::<_, DiskError>((ring.revoke(active, None, None, now).unwrap(), true))
            })
            .map(drop)
            .unwrap(),
        "search" => search(directory),
        other => panic!("{other}"),
    }
}

/// Counts every needle in the dump.
fn search(directory: &Path) {
    let mut dump = vec![];
    File::open(directory.join("dump")).unwrap().read_to_end(&mut dump).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(directory.join("needles")).unwrap()).unwrap();
    let key = |staged: bool| {
        let keys = json["keys"].as_array().unwrap();
        let entry = keys.iter().find(|entry| entry["activate_at"].is_null() == staged).unwrap();
        let text = entry["secret"].as_str().unwrap().to_owned();
        (testkit::key::Key(testkit::decode(&text).unwrap().try_into().unwrap()), text)
    };
    let ((revoked, text), (successor, _)) = (key(false), key(true));
    let needles: [(&str, Vec<u8>); 6] = [
        ("secret", revoked.0.into()),
        ("text", text.into_bytes()),
        ("prk", revoked.prk().into()),
        ("subkey", revoked.subkey("seal", "session", "header").into()),
        ("successor", successor.prk().into()),
        ("decoy", std::fs::read(directory.join("decoy")).unwrap()),
    ];
    // Half of a needle is as bad as the whole, and a page's edge may cut one.
    let count = |needle: &[u8]| {
        let half = &needle[..needle.len() / 2];
        dump.windows(half.len()).filter(|window| *window == half).count()
    };
    let said: Vec<_> = needles.iter().map(|(name, needle)| format!("{name} {}\n", count(needle))).collect();
    std::fs::write(directory.join("said"), said.concat()).unwrap();
}
