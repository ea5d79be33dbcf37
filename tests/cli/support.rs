//! A directory for one test, with or without the ring of the transcripts, and the command run in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use waxseal::keys::{DiskError, Ring, RingFile, RingPolicy};
use waxseal::time::{Clock, SystemClock, Timestamp};

/// The command.
pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_waxseal");

/// An instant at which the ring of the transcripts has a key in every role that routine gives.
pub(crate) const NOW: &str = "1786000000";

/// The token of the transcripts: sealed at [`NOW`] for the purpose `session`, for an hour.
pub(crate) const TOKEN: &str = "EUPp4Wp0MoBps3LO39Q5IOoisEZdGdqhKDuIJGkiVbHU5GcytFAnUzSCIiUqc_hwxnk";

/// A directory that is gone after the test.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With the ring of the transcripts, which everybody knows, as `ring.json`.
    pub(crate) fn with_ring() -> Self {
        let scratch = Self::empty();
        scratch.write("ring.json", include_bytes!("ring.json"));
        scratch
    }

    /// With a plain ring made `ago` seconds ago and rotated `times` times since, once an hour, as `ring.json`.
    pub(crate) fn rotated(ago: u64, times: u64) -> Self {
        let scratch = Self::empty();
        let made = Timestamp::from_unix(now().as_unix() - ago);
        let file = RingFile::at(scratch.path("ring.json"));
        file.create(&Ring::create(RingPolicy::default(), made).unwrap(), made).unwrap();
        for hour in 0..times {
            let then = made.plus(3_600 * hour);
            file.update(then, "rotate", |ring| {
                ring.rotate(then).unwrap();
                Ok::<_, DiskError>(((), true))
            })
            .unwrap();
        }
        scratch
    }

    /// What `keys list` says of the ring.
    pub(crate) fn list(&self) -> Value {
        self.run("keys list --json").json()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that only its owner can read; git keeps no modes, so a ring needs this.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        self.set_mode(name, 0o600);
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(not(unix))]
    pub(crate) fn set_mode(&self, _: &str, _: u32) {}

    /// Every file and what is in it.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| !path.is_dir()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// The command in this directory, with `WAXSEAL_RING` naming `ring.json`.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(BIN);
        command.current_dir(self.0.path()).env("WAXSEAL_RING", Path::new("ring.json")).args(arguments);
        command
    }

    /// Runs the command on `words`, split at white space.
    pub(crate) fn run(&self, words: &str) -> Ran {
        Ran::of(self.command(words.split_whitespace()), b"")
    }

    /// The same, with something on standard input.
    pub(crate) fn run_with(&self, words: &str, input: &[u8]) -> Ran {
        Ran::of(self.command(words.split_whitespace()), input)
    }
}

/// This machine's clock.
pub(crate) fn now() -> Timestamp {
    SystemClock::new(std::time::Duration::from_secs(1)).now()
}

/// What a run of the command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(mut command: Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The command may stop reading before the end; then the rest has nowhere to go.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        Self {
            code: output.status.code().expect("the command was not killed by a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What it printed, which must have worked.
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, &*self.err), (0, ""), "{self:?}");
        self.out
    }

    /// The one line it failed with, which must be all it said.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!((self.code, &*self.out, self.err.lines().count()), (code, "", 1), "{self:?}");
        self.err
    }

    /// The one object that it printed under `--json`.
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

/// Runs `words` with and without `--json`; both must fail alike and change no file.
pub(crate) fn refused(scratch: &Scratch, words: &str, exit: i32, code: &str, says: &[&str]) {
    let before = scratch.files();
    let line = scratch.run(words).failed(exit);
    for part in says {
        assert!(line.contains(part), "{words}: no `{part}` in {line}");
    }
    let json: Value = serde_json::from_str(&scratch.run(&format!("{words} --json")).failed(exit)).unwrap();
    assert_eq!(json["code"], code, "{words}: {json}");
    assert!(json["error"].as_str().is_some_and(|text| line.contains(text)), "{words}: {json}");
    assert!(json["advice"].as_str().is_none_or(|text| line.contains(text)), "{words}: {json}");
    assert_eq!(scratch.files(), before, "{words}: something was written");
}

/// The ids of the keys that a report shows in `role`, in its order.
pub(crate) fn ids(report: &Value, role: &str) -> Vec<String> {
    let keys = report["keys"].as_array().unwrap().iter().filter(|key| key["role"] == role);
    keys.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

/// Every secret in the text of a plain ring file.
pub(crate) fn secrets(ring: &[u8]) -> Vec<String> {
    let ring: Value = serde_json::from_slice(ring).unwrap();
    let keys = ring["keys"].as_array().unwrap().iter().map(|key| &key["secret"]);
    let macs = ring["revocation_secrets"]["mac"].as_array().unwrap().iter().map(|mac| &mac["secret"]);
    let all = keys.chain(macs).chain([&ring["revocation_secrets"]["scope"]]);
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}
