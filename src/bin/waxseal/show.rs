//! How things are shown: aligned columns, and instants with how far away they are.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use waxseal::time::Timestamp;

/// A line to standard error; if even that fails, nobody is listening.
pub(crate) fn note(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `now`, `in 59 min` or `2 d 3 h ago`.
pub(crate) fn away(at: Timestamp, now: Timestamp) -> String {
    match (at.since(now), now.since(at)) {
        (0, 0) => "now".into(),
        (0, past) => format!("{} ago", roughly(past)),
        (ahead, _) => format!("in {}", roughly(ahead)),
    }
}

/// An instant, and how far away it is.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> String {
    format!("{at} ({})", away(at, now))
}

/// A duration to the second: `1 d 12 h`, `12 min 36 s`.
pub(crate) fn span(seconds: u64) -> String {
    words(seconds, usize::MAX)
}

/// A duration as people say it: days with hours, hours with minutes, minutes, or seconds.
fn roughly(seconds: u64) -> String {
    words(seconds, if seconds < 3_600 { 1 } else { 2 })
}

/// A duration in its first `most` units, those that are zero left out.
fn words(seconds: u64, most: usize) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|&(number, _)| number > 0).unwrap_or(parts.len() - 1);
    let shown: Vec<_> = parts[first..].iter().take(most).filter(|&&(number, _)| number > 0).collect();
    if shown.is_empty() {
        return "0 s".into();
    }
    shown.iter().map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

/// `1 journal`, `2 journals`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Lines of a name and what it is, the second column aligned. A name may be empty.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

/// A table with its columns aligned.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The path from the root, for whoever reads this in another directory.
pub(crate) fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A path need not be UTF-8, and JSON must.
pub(crate) fn lossy<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// Text from elsewhere, with nothing in it that a terminal obeys.
pub(crate) fn tame(text: &str) -> String {
    text.replace(char::is_control, "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (seconds, exact, rough) in [
            (0, "0 s", "0 s"),
            (59, "59 s", "59 s"),
            (756, "12 min 36 s", "12 min"),
            (3_600, "1 h", "1 h"),
            (3_661, "1 h 1 min 1 s", "1 h 1 min"),
            (86_461, "1 d 1 min 1 s", "1 d"),
            (2_591_999, "29 d 23 h 59 min 59 s", "29 d 23 h"),
        ] {
            assert_eq!((&*span(seconds), &*roughly(seconds)), (exact, rough));
        }
    }

    #[test]
    fn instants_say_how_far_away_they_are() {
        let now = Timestamp::from_unix(1_786_000_000);
        assert_eq!(away(now, now), "now");
        assert_eq!(away(now.plus(3_599), now), "in 59 min");
        assert_eq!(when(now, now.plus(90_000)), "2026-08-06T07:06:40Z (1 d 1 h ago)");
        assert_eq!(away(Timestamp::from_unix(u64::MAX), Timestamp::default()), "in 213503982334601 d 7 h");
    }
}
