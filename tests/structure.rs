//! `scripts/structure` holds the rooms to their floors: it passes on this tree, and on no tree with a hole.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Imports that must not get in, as (file, line added, part of the complaint).
const PLANTED: &[(&str, &str, &str)] = &[
    // Upwards and sideways, in every spelling the compiler takes.
    ("src/keys/ring.rs", "use crate::session::Policy;", "keys (floor 3) imports session (floor 5)"),
    ("src/text.rs", "use crate::time::Clock;", "text (floor 0) imports time (floor 0)"),
    ("src/state/chain.rs", "fn f() -> crate::token::Padding { todo!() }", "state (floor 2) imports token (floor 2)"),
    ("src/keys/ring.rs", "use crate :: session :: Policy;", "imports session"),
    ("src/keys/ring.rs", "use crate\n    // far down\n    ::\n    session::Policy;", "imports session"),
    ("src/keys/ring.rs", "use crate/* */::r#session::Policy;", "imports session"),
    ("src/keys/ring.rs", "pub(in crate::session) fn f() {}", "imports session"),
    ("src/keys/ring.rs", "#[cfg(test)]\nuse crate::session::Policy;", "imports session"),
    ("src/keys/ring.rs", "#[cfg(any(test, fuzzing))]\nmod m {\n    use crate::session::Policy;\n}", "imports session"),
    ("src/keys/ring.rs", "#[cfg(test)]\nmod m {}\nuse crate::session::Policy;", "imports session"),
    // Around the floors, by way of the root.
    ("src/keys/ring.rs", "use crate::Policy;", "`crate::Policy` is no room"),
    ("src/keys/ring.rs", "use crate::*;", "`crate::*` is no room"),
    ("src/keys/ring.rs", "use crate::{session, id};", "`crate::{` is no room"),
    ("src/keys/ring.rs", "use crate as house;", "`crate` without a path"),
    ("src/keys/ring.rs", "extern crate self as house;", "second name"),
    ("src/keys/ring.rs", "extern crate hmac as h;", "second name"),
    ("src/keys/ring.rs", "use ::waxseal::session::Policy;", "`waxseal::` is this crate"),
    ("src/seal.rs", "use super::session::Policy;", "`super` looks out of the room"),
    ("src/keys/mod.rs", "use super::session::Policy;", "`super` looks out of the room"),
    ("src/keys/ring.rs", "use super :: super :: session::Policy;", "`super` looks out of the room"),
    ("src/keys/ring.rs", "use self::super::super::session::Policy;", "`super` looks out of the room"),
    ("src/keys/ring.rs", "use super::{super::session::Policy};", "`super` within braces"),
    ("src/keys/ring.rs", "use super as room;", "`super` without a path"),
    ("src/seal.rs", "mod m {\n    use super::super::session::Policy;\n}", "`super` looks out of the room"),
    // By macro, or in a file from elsewhere.
    ("src/keys/ring.rs", "macro_rules! m { ($r:ident) => { crate::$r::Policy } }", "`crate::$` is no room"),
    ("src/keys/ring.rs", "m!(crate, session);", "`crate` without a path"),
    ("src/keys/ring.rs", "m!(super, super, session);", "`super` without a path"),
    ("src/session/raw.rs", "#[macro_export]\nmacro_rules! m { () => {} }", "carries macros across rooms"),
    ("src/session/mod.rs", "#[macro_use]\nmod m;", "carries macros across rooms"),
    ("src/keys/ring.rs", "#[path = \"../session/policy.rs\"]\nmod policy;", "takes in a file"),
    ("src/bin/waxseal/main.rs", "#[cfg_attr(all(), path = \"../../seal.rs\")]\nmod seal;", "takes in a file"),
    ("src/keys/ring.rs", "include!(\"../session/policy.rs\");", "takes in code"),
    // Behind what only looks like a comment or a string.
    ("src/keys/ring.rs", "const A: &str = \"//\"; use crate::session::Policy;", "imports session"),
    ("src/keys/ring.rs", "const A: char = '\"'; use crate::session::Policy;", "imports session"),
    ("src/keys/ring.rs", "const A: char = '\\''; use crate::session::Policy; // '", "imports session"),
    ("src/keys/ring.rs", "const A: &str = r#\"\"\"#; use crate::session::Policy; // \"", "imports session"),
    ("src/keys/ring.rs", "const A: &str = \"\\\\\"; use crate::session::Policy; // \"", "imports session"),
    ("src/keys/ring.rs", "/* /* */ \" */ use crate::session::Policy; // \"", "imports session"),
    ("src/keys/ring.rs", "const A: &str = \"a\n/*\"; use crate::session::Policy; // */", "imports session"),
    // The root, and the primitives.
    ("src/lib.rs", "mod back {\n    pub use crate::session::Policy;\n}", "`mod` in the root"),
    ("src/lib.rs", "fn back() {}", "`fn` in the root"),
    ("src/keys/ring.rs", "use hmac::Hmac;", "a primitive"),
    ("src/keys/ring.rs", "use {::hmac::Hmac};", "a primitive"),
    ("src/keys/ring.rs", "fn f() -> sha2::Sha256 { todo!() }", "a primitive"),
    ("src/cellar.rs", "use crate::keys::Ring;", "rooms and table differ"),
    ("src/lib.rs", "//! | 7 | `roof` |", "the table in src/lib.rs differs"),
];

/// Lines that name a room and import nothing.
const HARMLESS: &[&str] = &[
    "// use crate::session::Policy;",
    "/// See [`crate::session`].\nfn f() {}",
    "/* use crate::session::Policy; /* */ use crate::session::Policy; */",
    "const A: &str = \"use crate::session::Policy;\";",
    "const A: &str = \"a \\\" \\\n    use crate::session::Policy;\";",
    "const A: &str = r##\"\"# use crate::session::Policy; \"##;",
    "const A: [char; 3] = ['\"', '\\'', '\\u{22}'];\nconst B: char = '/';",
    "fn f<'a>(crate_session: &'a str) -> &'a str { crate_session }",
    "use super::secret::Secret;\nuse crate::keys::Role;\nmod m {\n    use super::super::policy::RingPolicy;\n}",
    "pub(crate) fn f() {}\npub(super) fn g() {}",
    "#[cfg(test)]\npub(crate) mod m {\n    fn f() { if true {} }\n    use crate::session::Policy;\n}\nuse crate::id::KeyId;",
];

#[test]
fn this_tree_keeps_its_floors() {
    let output = structure(Path::new(env!("CARGO_MANIFEST_DIR")));
    let floors = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in ["floor 5  session  -> ", "floor 3  keys     -> crypto id text time", "floor 0  crypto   -> nothing"] {
        assert!(floors.contains(line), "{line}: {floors}");
    }
}

#[test]
fn no_hole_is_missed() {
    for (file, line, complaint) in PLANTED {
        let (passed, errors) = with(file, line);
        assert!(!passed && errors.contains(complaint), "{file}: {line}\n{errors}");
        assert!(errors.starts_with("structure: "), "{errors}");
    }
}

#[test]
fn nothing_harmless_is_refused() {
    for line in HARMLESS {
        let (passed, errors) = with("src/keys/ring.rs", line);
        assert!(passed, "{line}\n{errors}");
    }
}

#[test]
fn a_room_that_is_gone_and_a_link_are_noticed() {
    let tree = copy();
    fs::remove_file(tree.path().join("src/seal.rs")).unwrap();
    assert!(!structure(tree.path()).status.success());
    let tree = copy();
    std::os::unix::fs::symlink("../session/policy.rs", tree.path().join("src/keys/limits.rs")).unwrap();
    let output = structure(tree.path());
    assert!(String::from_utf8_lossy(&output.stderr).contains("two rooms"), "{output:?}");
}

/// Runs the script on a copy of the tree to which `line` was added: whether it passed, and its complaints.
fn with(file: &str, line: &str) -> (bool, String) {
    let tree = copy();
    let path = tree.path().join(file);
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, format!("{before}\n{line}\n")).unwrap();
    let output = structure(tree.path());
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

fn structure(root: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/structure");
    Command::new("bash").arg(script).arg(root).output().expect("bash runs")
}

fn copy() -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &to.path().join("src"));
    to
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
