//! Which way a token goes, case by case: the tables of tests/carrier/tables, through the layer and out again.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod httpkit;
mod testkit;

#[path = "carrier/answer.rs"]
mod answer;
#[path = "carrier/forgery.rs"]
mod forgery;
#[path = "carrier/matrix.rs"]
mod matrix;
#[path = "carrier/rows.rs"]
mod rows;
#[path = "carrier/settings.rs"]
mod settings;
#[path = "carrier/trouble.rs"]
mod trouble;

use std::path::Path;

use serde::de::DeserializeOwned;

/// A table by its name. What it does not know it refuses.
fn table<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/carrier/tables/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

/// Runs `check` on every case, and names all that fail.
fn run<T>(cases: impl IntoIterator<Item = (String, T)>, least: usize, check: impl Fn(&str, T) -> Result<(), String>) {
    let mut names = std::collections::BTreeSet::new();
    let mut failed = vec![];
    for (name, case) in cases {
        assert!(names.insert(name.clone()), "{name} is there twice");
        if let Err(error) = check(&name, case) {
            failed.push(format!("{name}: {error}"));
        }
    }
    assert!(names.len() >= least, "{} cases, at least {least} are expected", names.len());
    assert!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), names.len(), failed.join("\n"));
}

/// Every table is one that some test reads.
#[test]
fn no_table_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/carrier/tables");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut known: Vec<_> = ["answers", "matrix", "trouble"].iter().chain(&rows::TABLES).collect();
    known.sort();
    let known = known.iter().map(|name| format!("{name}.json"));
    assert_eq!(names, ["README.md".to_owned()].into_iter().chain(known).collect::<Vec<_>>());
}

#[test]
fn a_table_that_is_empty_or_strange_is_an_error() {
    use serde_json::from_str;
    assert!(std::panic::catch_unwind(|| run(Vec::<(String, ())>::new(), 1, |_, ()| Ok(()))).is_err());
    assert!(std::panic::catch_unwind(|| run([(String::new(), ()), (String::new(), ())], 1, |_, ()| Ok(()))).is_err());
    for strange in [r#"{"name": "x", "rule": "y", "answer": "read", "extra": 1}"#, r#"{"name": "x"}"#, "[]", ""] {
        assert!(from_str::<rows::Row>(strange).is_err(), "{strange}");
    }
    for strange in [r#"{"policy": "sometimes"}"#, r#"{"polciy": "always"}"#] {
        assert!(from_str::<settings::Settings>(strange).is_err(), "{strange}");
    }
    assert!(from_str::<answer::Answer>(r#"{"status": 200, "cookie": "token"}"#).is_err());
}
