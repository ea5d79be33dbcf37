//! The one door to the file system: secrets read with care, and replaced so that a file is the old one or the new one.

use core::fmt;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::at_rest::AtRestError;
use super::file::{FileError, MAX_FILE_LEN};
use super::kek::ENVELOPE_LEN;
use super::private::{self, PrivateError};

/// Writes `bytes` to `path`: temp file in the same directory, fsync, rename, fsync of the directory,
/// read back.
///
/// # Errors
/// Any step failed. Up to the rename the file is then the old one; after it, in syncing the directory or
/// reading back, the new one.
pub(crate) fn write(path: &Path, bytes: &[u8], replace: Replace) -> Result<(), DiskError> {
    let fail = |doing, error| DiskError::new(path, Problem::Io { doing, error });
    let target = match replace {
        // A file behind a symbolic link is replaced where it lies, and the link stays.
        Replace::Always => path.canonicalize().map_err(|error| fail("find", error))?,
        Replace::Never => path.to_owned(),
    };
    let directory = parent(&target);
    let prefix = temp_prefix(&target);
    remove_left_behind(directory, &prefix);
    step();
    let mut temp =
        tempfile::Builder::new().prefix(&prefix).tempfile_in(directory).map_err(|error| fail("write beside", error))?;
    step();
    keep_access(&target, &temp).map_err(|error| fail("keep the owner and mode of", error))?;
    step();
    temp.write_all(bytes).map_err(|error| fail("write", error))?;
    step();
    temp.as_file().sync_all().map_err(|error| fail("write", error))?;
    step();
    match replace {
        Replace::Always => temp.persist(&target).map_err(|error| fail("replace", error.error))?,
        Replace::Never => temp.persist_noclobber(&target).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => DiskError::new(path, Problem::Exists),
            _ => fail("create", error.error),
        })?,
    };
    step();
    sync_directory(directory).map_err(|error| fail("sync the directory of", error))?;
    step();
    if *read(path)? != *bytes {
        return Err(DiskError::new(path, Problem::ReadBack));
    }
    step();
    Ok(())
}

/// How the temp files of a file are called.
fn temp_prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".waxseal-");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Removes what a killed writer left, which holds secrets. Writers hold the file's lock, so it is nobody's.
fn remove_left_behind(directory: &Path, prefix: &OsStr) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let left = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()));
    for entry in left {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Appends one line to a file that only its owner can read, and waits until it is on disk.
pub(crate) fn append(path: &Path, line: &str) -> Result<(), DiskError> {
    let append = || -> io::Result<()> {
        let mut file = private::options().append(true).create(true).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    append().map_err(|error| DiskError::new(path, Problem::Io { doing: "append to", error }))
}

/// Keeps other writers out until the returned file is dropped; a killed writer's lock goes with it.
pub(crate) fn lock(path: &Path) -> Result<File, DiskError> {
    let fail = |error| DiskError::new(path, Problem::Io { doing: "lock", error });
    // One lock for the file, whichever links lead to it.
    let mut beside = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    beside.push(".lock");
    let file = private::options().read(true).write(true).create(true).truncate(false).open(beside).map_err(fail)?;
    file.lock().map_err(fail)?;
    Ok(file)
}

/// Reads the bytes of a ring file, wiped on drop.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, DiskError> {
    let file = private::open(path).map_err(|error| DiskError::new(path, Problem::Private(error)))?;
    let most = MAX_FILE_LEN + ENVELOPE_LEN;
    let len = file.metadata().map_err(|error| not_read(path, error))?.len();
    // All the room at once, since a vector that grows leaves copies of secrets behind; what is appended
    // meanwhile is left out, and makes a file whose digest does not fit.
    let room = usize::try_from(len).map_or(most, |len| len.min(most)) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(room as u64).read_to_end(&mut bytes).map_err(|error| not_read(path, error))?;
    if bytes.len() > most {
        return Err(DiskError::new(path, Problem::File(FileError::TooLarge)));
    }
    Ok(bytes)
}

pub(crate) fn not_read(path: &Path, error: io::Error) -> DiskError {
    DiskError::new(path, Problem::Private(error.into()))
}

/// Gives `temp` the mode and group of the file it will replace, if there is one.
#[cfg(unix)]
fn keep_access(target: &Path, temp: &tempfile::NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(old) = target.metadata() else { return Ok(()) };
    let new = temp.as_file().metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        fchown(temp.as_file(), Some(old.uid()), Some(old.gid()))?;
    }
    temp.as_file().set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep_access(_: &Path, _: &tempfile::NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A place at which a test can stop the process, as if it had been killed there.
#[cfg(test)]
pub(crate) fn step() {
    crash::step();
}

#[cfg(not(test))]
pub(crate) fn step() {}

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a file that is there may be replaced.
#[derive(Clone, Copy)]
pub(crate) enum Replace {
    Always,
    Never,
}

/// Why a ring file could not be read or written. Displayed with its path and what to do next.
pub struct DiskError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
pub(crate) enum Problem {
    AtRest(AtRestError),
    Exists,
    Generation { found: u64 },
    NoDirectory,
    File(FileError),
    Io { doing: &'static str, error: io::Error },
    Private(PrivateError),
    ReadBack,
}

impl DiskError {
    pub(crate) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The ring file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self.problem, Problem::Private(PrivateError::Missing))
    }

    /// What is wrong with the file's bytes, if that is what is wrong.
    pub fn file_error(&self) -> Option<&FileError> {
        match &self.problem {
            Problem::File(error) => Some(error),
            _ => None,
        }
    }

    /// One lowercase word for what is wrong, for programs.
    pub fn code(&self) -> &'static str {
        match &self.problem {
            Problem::AtRest(_) => "ring_at_rest",
            Problem::Exists => "ring_exists",
            Problem::File(FileError::Empty) => "ring_empty",
            Problem::File(FileError::Format { .. }) => "ring_format",
            Problem::File(_) => "ring_damaged",
            Problem::Generation { .. } => "ring_generation",
            Problem::Io { .. } | Problem::Private(PrivateError::Io(_)) => "ring_io",
            Problem::NoDirectory => "ring_directory",
            Problem::Private(PrivateError::Missing) => "ring_missing",
            Problem::Private(PrivateError::Mode { .. }) => "ring_mode",
            Problem::Private(PrivateError::NotAFile) => "ring_not_a_file",
            Problem::Private(PrivateError::Owner { .. }) => "ring_owner",
            Problem::ReadBack => "ring_read_back",
        }
    }

    /// What to do next, as it stands at the end of the displayed error.
    pub fn advice(&self) -> &'static str {
        match &self.problem {
            Problem::AtRest(error) => error.advice(),
            Problem::Generation { .. } => "look at the ring again; somebody else changed it",
            Problem::Exists => "a ring is never overwritten: choose another path, or `waxseal keys rotate` this one",
            Problem::File(FileError::Format { .. }) => "update this program",
            Problem::File(_) => {
                "copy the ring again from where it was written or from another server; a backup may hold revoked keys"
            }
            Problem::Io { .. } => "check that its directory exists, and the permissions",
            Problem::NoDirectory => "make it first, for the service's own user alone",
            Problem::Private(PrivateError::Io(_)) => "check the permissions on the way to it",
            Problem::Private(PrivateError::Missing) => "create it with `waxseal keys init`, once for the whole fleet",
            Problem::Private(PrivateError::Mode { .. }) => {
                "make it 0600, or mount it 0440 for the service's group (Kubernetes: `defaultMode: 0440`); \
                 if others could read it, every key in it is lost, staged ones too: `waxseal keys revoke --all`"
            }
            Problem::Private(PrivateError::NotAFile) => "name a regular file",
            Problem::Private(PrivateError::Owner { .. }) => "give it to root or to the user that reads it",
            Problem::ReadBack => "something else writes this file; let only the `waxseal` command write it",
        }
    }
}

/// As displayed: `main` shows an error by `Debug`, and the next step is in the text.
impl fmt::Debug for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::AtRest(error) => write!(f, "ring file {path} cannot be used: {error}"),
            Problem::Generation { found } => write!(f, "ring file {path} has generation {found}, not the one named"),
            Problem::Exists => write!(f, "{path} exists"),
            Problem::File(error) => write!(f, "ring file {path} cannot be used: {error}"),
            Problem::Io { doing, error } => write!(f, "cannot {doing} {path}: {error}"),
            Problem::NoDirectory => {
                write!(f, "the directory {} of ring file {path} does not exist", parent(&self.path).display())
            }
            Problem::Private(PrivateError::Missing) => write!(f, "there is no ring file {path}"),
            Problem::Private(error) => write!(f, "ring file {path} cannot be used: {error}"),
            Problem::ReadBack => write!(f, "ring file {path} was read back and is not what was written"),
        }?;
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for DiskError {}

#[cfg(test)]
pub(crate) mod crash {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Lets this process die at the `steps`th step from here.
    pub(crate) fn after(steps: usize) {
        LEFT.store(steps, Ordering::SeqCst);
    }

    pub(super) fn step() {
        if LEFT.load(Ordering::SeqCst) != usize::MAX && LEFT.fetch_sub(1, Ordering::SeqCst) == 0 {
            std::process::abort();
        }
    }
}
