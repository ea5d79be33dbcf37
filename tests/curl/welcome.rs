//! The lines to try that the server prints, and those of README, do what they say.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::server::program;

#[test]
#[ignore = "needs curl"]
fn the_lines_it_prints_work() {
    for (policy, carriers) in [
        ("respect", &[None, Some("cookie"), Some("cookie"), Some("header")][..]),
        ("always", &[None, Some("cookie"), Some("cookie"), Some("header")]),
        ("never", &[Some("header")]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let server = Printed::start(directory.path(), policy);
        let answers = shell(directory.path(), server.text.lines());
        let [sessions @ .., keys, list] = &answers[..] else { panic!("{policy}: {answers:?}") };
        assert_eq!(carriers_of_ada(sessions), carriers, "{policy}: {}", server.text);
        assert!(keys["active"].is_string(), "{policy}: the keys are shown too");
        assert_eq!(list["ready"], true, "{policy}: and the list of revocations");
    }
}

/// The servers on the two ports of README share a ring; here both are one.
#[test]
#[ignore = "needs curl"]
fn the_lines_of_readme_work() {
    let directory = tempfile::tempdir().unwrap();
    let server = Printed::start(directory.path(), "respect");
    let address = server.text.lines().next().unwrap().strip_prefix("listening on ").unwrap();
    let readme = include_str!("../../README.md");
    let readme = readme.replace("http://127.0.0.1:3000", address).replace("http://127.0.0.1:3001", address);
    let (lines, of_the_logout) = readme.split_once("is logged out on both").unwrap();
    let carriers = [None, Some("cookie"), Some("cookie"), Some("header"), Some("cookie")];
    assert_eq!(
        carriers_of_ada(&shell(directory.path(), lines.lines().filter(|line| line.contains(address)))),
        carriers
    );

    let (_, block) = of_the_logout.split_once("```sh\n").unwrap();
    let block = block.split("```").next().unwrap();
    let script = block.replace("cargo run --features cli --", env!("CARGO_BIN_EXE_waxseal"));
    let output = Command::new("sh").arg("-euc").arg(script).current_dir(directory.path()).env("NO_PROXY", "*").output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    let refused: Value = serde_json::from_str(printed.lines().last().unwrap()).expect(&printed);
    assert!(refused["error"].is_string(), "{printed}");
}

/// How the session of each answer arrived; all are ada's.
#[track_caller]
fn carriers_of_ada(answers: &[Value]) -> Vec<Option<&str>> {
    assert!(answers.iter().all(|answer| answer["user"] == "ada"), "{answers:#?}");
    answers.iter().map(|answer| answer["carrier"].as_str()).collect()
}

/// A server and what it printed.
struct Printed {
    child: Child,
    text: String,
}

impl Printed {
    fn start(directory: &Path, policy: &str) -> Self {
        let mut server = Command::new(program());
        server.args(["--port", "0", "--policy", policy]).current_dir(directory);
        let mut child = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut text = String::new();
        for line in lines {
            text.extend([&line, "\n"]);
            if line.contains(LAST) {
                break;
            }
        }
        Self { child, text }
    }
}

impl Drop for Printed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the lines with curl in them print in a user's shell, each a JSON value.
fn shell<'a>(directory: &Path, lines: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let script: Vec<_> = lines.filter(|line| line.contains("curl ")).collect();
    let mut sh = Command::new("sh");
    sh.arg("-euc").arg(script.join("\n")).current_dir(directory).env("NO_PROXY", "*");
    let output = sh.output().unwrap();
    assert!(output.status.success(), "{script:#?}: {output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The last line that is printed shows the list of revocations.
const LAST: &str = "/revocations;";
