//! The lines that the server prints when it starts do what they say, whatever its policy.

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
        let lines: Vec<_> = server.text.lines().filter(|line| line.contains("curl ")).collect();
        let answers = shell(directory.path(), &lines.join("\n"));
        let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let sessions = answers.iter().filter(|answer| answer.get("active").is_none());
        let seen: Vec<_> = sessions.map(|answer| (answer["user"].as_str(), answer["carrier"].as_str())).collect();
        let expected: Vec<_> = carriers.iter().map(|carrier| (Some("ada"), *carrier)).collect();
        assert_eq!(seen, expected, "{policy}: {}{answers:#?}", server.text);
        assert_eq!(answers.len(), expected.len() + 1, "{policy}: the keys are shown too");
    }
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

/// What a user's shell prints.
fn shell(directory: &Path, script: &str) -> String {
    let output =
        Command::new("sh").args(["-euc", script]).current_dir(directory).env("NO_PROXY", "*").output().unwrap();
    assert!(output.status.success(), "{script}\n{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The last line that is printed shows the keys.
const LAST: &str = "/keys";
