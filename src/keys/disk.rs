//! The one door to the file system: a ring file read with care, and rewritten so that it is the old one or the new one.

use core::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{FileError, MAX_FILE_LEN};
use super::ring::Ring;
use super::status::RingReport;
use crate::crypto::DIGEST_LEN;
use crate::time::Timestamp;

/// A ring file, for the tools that write it. Servers use [`KeyRing`](super::KeyRing).
#[derive(Clone, Debug)]
pub struct RingFile {
    path: PathBuf,
}

impl RingFile {
    /// The ring file at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads the ring.
    ///
    /// # Errors
    /// - the file is missing, empty, damaged, too large or not a regular file
    /// - others than its owner and group can read it, or others than its owner write it
    pub fn read(&self) -> Result<Ring, DiskError> {
        Ok(self.read_with_digest()?.0)
    }

    /// Reads the ring and says what each key does at `now`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn report(&self, now: Timestamp) -> Result<RingReport, DiskError> {
        let (ring, digest) = self.read_with_digest()?;
        Ok(RingReport::of(&ring, digest, now))
    }

    fn read_with_digest(&self) -> Result<(Ring, [u8; DIGEST_LEN]), DiskError> {
        parse(&self.path, &read(&self.path)?)
    }

    /// Writes `ring` to a file that must not exist yet, with mode 0600.
    ///
    /// # Errors
    /// - something is there already; it is left as it is
    /// - the file cannot be written; nothing is left behind
    pub fn create(&self, ring: &Ring) -> Result<(), DiskError> {
        // Once before the lock too, which would leave its file beside what is refused.
        self.check_free()?;
        let _lock = self.lock()?;
        self.check_free()?;
        self.write(ring, Replace::Never)
    }

    /// Checks that the ring's directory is there and nothing has the ring's name.
    fn check_free(&self) -> Result<(), DiskError> {
        if self.path.symlink_metadata().is_ok() {
            return Err(self.error(Problem::Exists));
        }
        if !parent(&self.path).is_dir() {
            return Err(self.error(Problem::NoDirectory));
        }
        Ok(())
    }

    /// Reads the ring, changes it and writes it back, with no other writer in between.
    ///
    /// The generation is raised if `change` returns `true` beside its answer; otherwise nothing is
    /// written.
    ///
    /// # Errors
    /// - the ring cannot be read, locked or written; then the file is the old one
    /// - whatever `change` returns
    pub fn update<A, E: From<DiskError>>(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut Ring) -> Result<(A, bool), E>,
    ) -> Result<A, E> {
        // Once before the lock too, which would leave its file beside what is refused.
        self.read()?;
        let _lock = self.lock()?;
        let mut ring = self.read()?;
        let (answer, changed) = change(&mut ring)?;
        if changed {
            ring.advance_generation(now);
            self.write(&ring, Replace::Always)?;
        }
        Ok(answer)
    }

    /// Temp file in the same directory, fsync, rename, fsync of the directory, read back.
    fn write(&self, ring: &Ring, replace: Replace) -> Result<(), DiskError> {
        let target = match replace {
            // A ring behind a symbolic link is replaced where it lies, and the link stays.
            Replace::Always => self.path.canonicalize().map_err(|error| self.io("find", error))?,
            Replace::Never => self.path.clone(),
        };
        let bytes = ring.to_file();
        parse(&self.path, &bytes)?;
        let directory = parent(&target);
        let mut temp = tempfile::Builder::new()
            .prefix(".waxseal-")
            .tempfile_in(directory)
            .map_err(|error| self.io("write beside", error))?;
        keep_access(&target, &temp).map_err(|error| self.io("keep the owner and mode of", error))?;
        temp.write_all(&bytes).and_then(|()| temp.as_file().sync_all()).map_err(|error| self.io("write", error))?;
        match replace {
            Replace::Always => temp.persist(&target).map_err(|error| self.io("replace", error.error))?,
            Replace::Never => temp.persist_noclobber(&target).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => self.error(Problem::Exists),
                _ => self.io("create", error.error),
            })?,
        };
        sync_directory(directory).map_err(|error| self.io("sync the directory of", error))?;
        if *read(&self.path)? != *bytes {
            return Err(self.error(Problem::ReadBack));
        }
        Ok(())
    }

    /// Keeps other writers out until the returned file is dropped; a killed writer's lock goes with it.
    fn lock(&self) -> Result<File, DiskError> {
        // One lock for the file, whichever links lead to it.
        let mut path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone()).into_os_string();
        path.push(".lock");
        let file = options().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| self.io("lock", error))?;
        file.lock().map_err(|error| self.io("lock", error))?;
        Ok(file)
    }

    fn io(&self, doing: &'static str, error: io::Error) -> DiskError {
        self.error(Problem::Io { doing, error })
    }

    fn error(&self, problem: Problem) -> DiskError {
        DiskError { path: self.path.clone(), problem }
    }
}

/// Reads the bytes of a ring file, wiped on drop.
///
/// Every check is made on the opened file, not on the path, which could be swapped in between.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, DiskError> {
    let fail = |problem| DiskError { path: path.to_owned(), problem };
    let io = |error| fail(Problem::Io { doing: "read", error });
    // Without this a FIFO would hold the server until somebody writes to it.
    if !path.metadata().map_err(io)?.is_file() {
        return Err(fail(Problem::NotAFile));
    }
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(fail(Problem::NotAFile));
    }
    check_mode(&metadata).map_err(fail)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN + 1));
    file.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > MAX_FILE_LEN {
        return Err(fail(Problem::File(FileError::TooLarge)));
    }
    Ok(bytes)
}

/// Reads a ring and its digest out of the bytes of the file at `path`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<(Ring, [u8; DIGEST_LEN]), DiskError> {
    Ring::from_file(bytes).map_err(|error| DiskError { path: path.to_owned(), problem: Problem::File(error) })
}

/// The owner may do as they like and the group may read, as Kubernetes mounts a Secret for it.
#[cfg(unix)]
fn check_mode(metadata: &fs::Metadata) -> Result<(), Problem> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o037 == 0 { Ok(()) } else { Err(Problem::Mode { mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &fs::Metadata) -> Result<(), Problem> {
    Ok(())
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
fn options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> fs::OpenOptions {
    fs::OpenOptions::new()
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[derive(Clone, Copy)]
enum Replace {
    Always,
    Never,
}

/// Why a ring file could not be read or written. Displayed with its path and what to do next.
#[derive(Debug)]
pub struct DiskError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Exists,
    File(FileError),
    Io { doing: &'static str, error: io::Error },
    Mode { mode: u32 },
    NoDirectory,
    NotAFile,
    ReadBack,
}

impl DiskError {
    /// The ring file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(&self.problem, Problem::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
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
            Problem::Exists => "ring_exists",
            Problem::File(FileError::Empty) => "ring_empty",
            Problem::File(FileError::Format { .. }) => "ring_format",
            Problem::File(_) => "ring_damaged",
            Problem::Io { .. } if self.is_missing() => "ring_missing",
            Problem::Io { .. } => "ring_io",
            Problem::Mode { .. } => "ring_mode",
            Problem::NoDirectory => "ring_directory",
            Problem::NotAFile => "ring_not_a_file",
            Problem::ReadBack => "ring_read_back",
        }
    }

    /// What to do next, as it stands at the end of the displayed error.
    pub fn advice(&self) -> &'static str {
        match &self.problem {
            Problem::Exists => "a ring is never overwritten: choose another path, or `waxseal keys rotate` this one",
            Problem::File(FileError::Format { .. }) => "update this program",
            Problem::File(_) => "copy the ring again from where it was written, or restore a backup",
            Problem::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
                "create it with `waxseal keys init`, once for the whole fleet"
            }
            Problem::Io { .. } => "check the path and its permissions",
            Problem::Mode { .. } => {
                "anyone who reads it can forge sessions: `chmod 600` it, and rotate if others had access"
            }
            Problem::NoDirectory => "make it first, for the service's own user alone",
            Problem::NotAFile => "name a regular file",
            Problem::ReadBack => "something else writes this file; let only the `waxseal` command write it",
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Exists => write!(f, "{path} exists"),
            Problem::File(error) => write!(f, "ring file {path} cannot be used: {error}"),
            Problem::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no ring file {path}")
            }
            Problem::Io { doing, error } => write!(f, "cannot {doing} {path}: {error}"),
            Problem::Mode { mode } => {
                write!(f, "ring file {path} has mode {mode:04o}, which lets others at its secrets")
            }
            Problem::NoDirectory => {
                write!(f, "the directory {} of ring file {path} does not exist", parent(&self.path).display())
            }
            Problem::NotAFile => write!(f, "{path} is not a regular file"),
            Problem::ReadBack => write!(f, "ring file {path} was read back and is not what was written"),
        }?;
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for DiskError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotate::tests::new;
    use std::convert::Infallible;

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);

    fn scratch() -> (tempfile::TempDir, RingFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        (directory, file)
    }

    enum Failed {
        Disk(DiskError),
        OnPurpose,
    }

    impl From<DiskError> for Failed {
        fn from(error: DiskError) -> Self {
            Self::Disk(error)
        }
    }

    impl From<DiskError> for Infallible {
        fn from(error: DiskError) -> Self {
            panic!("{error}")
        }
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_created_is_read_and_never_overwritten() {
        let (directory, file) = scratch();
        file.create(&new()).unwrap();
        let before = read(&file.path).unwrap();
        assert_eq!(*file.read().unwrap().to_file(), *before);
        assert!(file.create(&new()).unwrap_err().to_string().contains("never overwritten"));
        assert_eq!(*read(&file.path).unwrap(), *before);
        assert_eq!(names(&directory), ["ring.json", "ring.json.lock"]);
        let nowhere = RingFile::at(directory.path().join("none/ring.json")).create(&new()).unwrap_err();
        assert_eq!(nowhere.code(), "ring_directory");
    }

    #[test]
    fn what_is_refused_gets_no_lock_file() {
        let (directory, file) = scratch();
        assert!(file.update::<(), DiskError>(NOW, |_| unreachable!()).unwrap_err().is_missing());
        assert!(names(&directory).is_empty());
        fs::write(&file.path, "mine").unwrap();
        assert_eq!(file.create(&new()).unwrap_err().code(), "ring_exists");
        assert_eq!(names(&directory), ["ring.json"]);
    }

    #[test]
    fn an_update_raises_the_generation_or_writes_nothing() {
        let (directory, file) = scratch();
        file.create(&new()).unwrap();
        let before = read(&file.path).unwrap();
        file.update::<_, Infallible>(NOW, |_| Ok(((), false))).unwrap();
        assert!(matches!(file.update::<(), _>(NOW, |_| Err(Failed::OnPurpose)), Err(Failed::OnPurpose)));
        assert_eq!(*read(&file.path).unwrap(), *before);
        file.update::<_, Infallible>(NOW, |_| Ok(((), true))).unwrap();
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 1);
        file.update::<_, Infallible>(NOW.plus(9), |_| Ok(((), true))).unwrap();
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 9);
        assert_eq!(names(&directory), ["ring.json", "ring.json.lock"]);
    }

    #[test]
    fn a_ring_that_could_not_be_read_again_is_not_written() {
        let (_directory, file) = scratch();
        file.create(&new()).unwrap();
        let before = read(&file.path).unwrap();
        let broken = file.update(NOW, |ring| {
            ring.keys.clear();
            Ok(((), true))
        });
        assert!(matches!(broken, Err(Failed::Disk(error)) if error.file_error().is_some()));
        assert_eq!(*read(&file.path).unwrap(), *before);
    }

    #[test]
    fn two_writers_lose_no_update() {
        let (_directory, file) = scratch();
        file.create(&new()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        file.update::<_, Infallible>(Timestamp::default(), |_| Ok(((), true))).unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 20);
    }

    #[test]
    fn what_is_no_ring_file_says_how_to_mend_it() {
        let (directory, file) = scratch();
        let error = || file.read().unwrap_err().to_string();
        assert!(file.read().unwrap_err().is_missing());
        assert!(error().contains("waxseal keys init"), "{}", error());
        let mut out = options().write(true).create_new(true).open(&file.path).unwrap();
        assert!(error().contains("is empty"), "{}", error());
        out.write_all(b"{}").unwrap();
        assert!(error().contains("cut short"), "{}", error());
        out.write_all(&vec![b' '; MAX_FILE_LEN]).unwrap();
        assert!(error().contains("larger"), "{}", error());
        assert!(RingFile::at(directory.path()).read().unwrap_err().to_string().contains("regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, file) = scratch();
        file.create(&new()).unwrap();
        let mode = |bits| fs::set_permissions(&file.path, fs::Permissions::from_mode(bits)).unwrap();
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        for bits in [0o644, 0o604, 0o602, 0o620, 0o660, 0o666, 0o777, 0o610] {
            mode(bits);
            let error = file.read().unwrap_err().to_string();
            assert!(error.contains(&format!("{bits:04o}")) && error.contains("chmod 600"), "{error}");
        }
        for bits in [0o400, 0o440, 0o600, 0o640] {
            mode(bits);
            assert!(file.read().is_ok(), "{bits:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let (directory, file) = scratch();
        file.create(&new()).unwrap();
        let link = RingFile::at(directory.path().join("link.json"));
        std::os::unix::fs::symlink(&file.path, &link.path).unwrap();
        link.update::<_, Infallible>(NOW, |_| Ok(((), true))).unwrap();
        assert!(link.path.symlink_metadata().unwrap().is_symlink());
        assert_eq!(file.read().unwrap().generation(), NOW.as_unix() + 1);
    }
}
