//! Servers of our own: found, started on a free port of loopback in a folder that goes away, and stopped.

use core::fmt;
use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    /// Holds what the server writes.
    _folder: TempDir,
}

impl Server {
    /// Starts `command` in a folder of its own and waits until it listens on `port`.
    pub(crate) fn start(mut command: Command, port: u16, folder: TempDir) -> Result<Self, Box<dyn Error>> {
        let process = quiet(&mut command).spawn()?;
        let server = Self { process, port, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if started.elapsed() > PATIENCE {
                return Err(format!("{command:?} did not listen").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Resident bytes of the process.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        resident.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kilo| kilo * 1024)
    }
}

impl Drop for Server {
    /// All three take this signal as a wish to stop at once and in good order.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-INT").arg(self.process.id().to_string()).status();
        let started = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if started.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A program that is not installed.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) program: &'static str,
    /// The Debian package that brings it.
    pub(crate) package: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, package } = self;
        write!(f, "skipped: there is no {program} here (Debian: {package})")
    }
}

impl Error for Missing {}

/// Where `program` is: on the path, or where Debian keeps PostgreSQL's.
pub(crate) fn find(program: &'static str, package: &'static str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    folders.extend(std::env::split_paths(&path));
    let mut candidates = folders.into_iter().map(|folder| folder.join(program));
    candidates.find(|path| path.is_file()).ok_or(Missing { program, package })
}

/// A folder for a server, which goes away with it.
pub(crate) fn folder() -> Result<TempDir, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    if is_of_root(&folder)? {
        chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
    }
    Ok(folder)
}

/// A command for `program` in `folder`, by whoever owns that: PostgreSQL and memcached refuse to run with all rights.
pub(crate) fn command(program: &Path, folder: &TempDir) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new(program);
    command.current_dir(folder.path());
    let owner = fs::metadata(folder.path())?;
    if owner.uid() == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// Whether `folder`, which we just made, belongs to somebody with all rights.
fn is_of_root(folder: &TempDir) -> Result<bool, Box<dyn Error>> {
    Ok(fs::metadata(folder.path())?.uid() == 0)
}

pub(crate) fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

const NOBODY: u32 = 65_534;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);
