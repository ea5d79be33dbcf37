//! The second implementation of the formats, in Python: it was written from FORMAT.md alone, and must agree.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs python3"]
fn the_second_implementation_agrees_on_every_example_and_vector() {
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second/check.py");
    let output = Command::new("python3").arg(check).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{errors}");
    let passed = printed.lines().last().and_then(|line| line.split_once(" passed, 0 failed"));
    let count: usize = passed.and_then(|(count, _)| count.parse().ok()).unwrap_or(0);
    assert!(count > 1000, "only {count} checks ran: {printed}");
}
