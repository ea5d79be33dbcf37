//! Runs every vector of tests/vectors against the library, and holds the files to what the testkit makes.
//!
//! `cargo test --test vectors -- --ignored regenerate` writes them anew.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod testkit;

use testkit::vector::{File, Mint, Open, Vector};
use testkit::{cases, reader, unhex};
use waxseal::keys::RingFile;

/// Fewest vectors, and fewest that are refused.
const LEAST: (usize, usize) = (80, 55);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The text of every vector file by its name, listed from the folder.
fn files() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.file_name().unwrap() != "README.md")
        .map(|path| {
            assert_eq!(path.extension().unwrap_or_default(), "json", "{} is no vector", path.display());
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Every vector of a set of files.
fn load(files: &BTreeMap<String, String>) -> Result<Vec<Vector>, String> {
    let mut vectors = vec![];
    for (name, text) in files {
        let vector = Vector::parse(text).map_err(|error| format!("{name}: {error}"))?;
        if vector.name() != name {
            return Err(format!("{name} calls itself {}", vector.name()));
        }
        vectors.push(vector);
    }
    let found = (vectors.len(), vectors.iter().filter(|vector| vector.is_negative()).count());
    if found.0 < LEAST.0 || found.1 < LEAST.1 {
        return Err(format!("{found:?} vectors and refusals, at least {LEAST:?} are expected"));
    }
    Ok(vectors)
}

/// Runs `check` on all vectors of a kind and names every one that fails.
fn run<T>(pick: impl Fn(&Vector) -> Option<&T>, check: impl Fn(&T) -> Result<(), String>) {
    let vectors = load(&files()).unwrap();
    let picked: Vec<_> = vectors.iter().filter_map(|vector| Some((vector.name(), pick(vector)?))).collect();
    assert!(!picked.is_empty());
    let failed: Vec<_> =
        picked.iter().filter_map(|(name, vector)| Some(format!("{name}: {}", check(vector).err()?))).collect();
    assert!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), picked.len(), failed.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}

#[test]
fn tokens_get_the_answer_they_must() {
    run(
        |vector| match vector {
            Vector::Open(open) => Some(&**open),
            _ => None,
        },
        check_open,
    );
}

fn check_open(open: &Open) -> Result<(), String> {
    let ring = reader::load(&open.ring, open.now);
    let token = match (&open.token, &open.token_hex) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, hex) => unhex(hex.as_deref().unwrap_or_default()),
    };
    match (open.reader.answer(&ring, &token), &open.opened) {
        (Ok(found), Some(expected)) => same("opened", &found, expected),
        (Ok(_), None) => Err(format!("opened, not {}", open.expect)),
        (Err(code), _) => same("code", code, &open.expect),
    }
}

#[test]
fn ring_files_are_loaded_or_refused() {
    run(
        |vector| match vector {
            Vector::File(file) => Some(file),
            _ => None,
        },
        check_file,
    );
}

fn check_file(file: &File) -> Result<(), String> {
    let bytes = match (&file.file, &file.file_hex) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, hex) => unhex(hex.as_deref().unwrap_or_default()),
    };
    let disk = testkit::ring::Disk::with(&bytes);
    match (RingFile::at(&disk.path).read(), &*file.expect) {
        (Ok(_), "refused") => Err("loaded".into()),
        (Err(error), "load") => Err(error.to_string()),
        // Whatever is wrong, it is wrong with the bytes.
        (Err(error), _) if error.file_error().is_none() && error.code() != "ring_at_rest" => {
            Err(format!("not judged: {error}"))
        }
        _ => Ok(()),
    }
}

/// No vector, since it would be a quarter of a megabyte of blanks.
#[test]
fn a_ring_file_has_at_most_262144_bytes() {
    let text = testkit::ring::Ring::example().text();
    let (members, _) = text.split_once(",\n\"digest\"").unwrap();
    for (len, loads) in [(262_144, true), (262_145, false)] {
        let file = testkit::ring::digested(&format!("{members}{}", " ".repeat(len - text.len())));
        assert_eq!(file.len(), len);
        let disk = testkit::ring::Disk::with(file.as_bytes());
        assert_eq!(RingFile::at(&disk.path).read().is_ok(), loads);
    }
}

/// The library draws its own r, so it cannot mint these tokens; it must open them, and what it mints from the same
/// inputs must agree in everything that luck does not decide.
#[test]
fn minted_tokens_open_and_agree() {
    run(
        |vector| match vector {
            Vector::Mint(mint) => Some(&**mint),
            _ => None,
        },
        check_mint,
    );
}

fn check_mint(mint: &Mint) -> Result<(), String> {
    let ring = reader::load(&mint.ring, mint.now);
    let found = mint.writer.answer(&ring, mint.token.as_bytes()).map_err(str::to_owned)?;
    same("opened", &found, &mint.opened)?;
    let own = mint.writer.mint(&ring, mint);
    let parts = |text| testkit::mint::certain_parts(text, mint, &cases::mint::keys());
    same("first bytes and P", parts(&own), parts(&mint.token))
}

/// FORMAT.md's own tokens, which are sealed under a key that no loader takes.
#[test]
fn the_testkit_makes_the_examples_of_the_format() {
    let format = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORMAT.md")).unwrap();
    let examples = testkit::examples::all();
    assert_eq!(examples.len(), 9);
    for (number, forge) in examples {
        let (_, section) = format.split_once(&format!("### Example {number}:")).unwrap();
        let (section, _) = section.split_once("\n### ").unwrap();
        let text = section.lines().rev().find_map(|line| line.strip_prefix("text ")).unwrap();
        assert_eq!(forge.text(), text.trim(), "Example {number}");
    }
}

#[test]
fn the_files_are_as_generated() {
    let files = files();
    let made: BTreeMap<_, _> = cases::all().iter().map(|case| (case.name().to_owned(), case.text())).collect();
    let advice = "run `cargo test --test vectors -- --ignored regenerate`";
    assert!(files.keys().eq(made.keys()), "files were added or removed; {advice}");
    for (name, text) in &made {
        assert!(files[name] == *text, "{name}.json differs; {advice}");
    }
}

#[test]
#[ignore = "writes tests/vectors"]
fn regenerate() {
    for name in files().keys() {
        std::fs::remove_file(folder().join(format!("{name}.json"))).unwrap();
    }
    for case in cases::all() {
        std::fs::write(folder().join(format!("{}.json", case.name())), case.text()).unwrap();
    }
}

#[test]
fn a_folder_that_is_empty_or_strange_is_an_error() {
    let files = files();
    let with = |name: &str, edit: fn(&str) -> String| {
        let mut files = files.clone();
        let text = edit(&files[name]);
        files.insert(name.into(), text);
        load(&files).err().unwrap_or_default()
    };
    assert!(load(&BTreeMap::new()).is_err_and(|error| error.contains("at least")));
    let few: BTreeMap<_, _> = files.clone().into_iter().take(LEAST.0 - 1).collect();
    assert!(load(&few).is_err_and(|error| error.contains("at least")));
    let name = "ends_ttl";
    assert!(with(name, |text| text.replace("\"expired\"", "\"stale\"")).contains("`stale` is unknown"));
    assert!(with(name, |text| text.replace("\"kind\": \"open\"", "\"kind\": \"shut\"")).contains("unknown kind"));
    assert!(with(name, |text| text.replacen("\"now\"", "\"extra\": 1, \"now\"", 1)).contains("unknown"));
    assert!(with(name, |text| text.replace("\"ends_ttl\"", "\"other\"")).contains("calls itself"));
    assert!(with(name, |_| "{}".into()).contains("no kind"));
    assert!(with(name, |_| String::new()).contains("EOF"));
}
