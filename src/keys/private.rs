//! Opening a file that holds secrets: a regular file that only its owner and group can read.

use core::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Opens `path` for reading.
///
/// What counts is checked on the opened file, not on the path, which could be swapped in between.
///
/// # Errors
/// See [`PrivateError`].
pub(crate) fn open(path: &Path) -> Result<File, PrivateError> {
    // Asked first only because opening a FIFO would wait until somebody writes to it.
    regular(&path.metadata()?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    check_mode(&metadata)?;
    Ok(file)
}

/// Reads a file that holds a secret, such as the URL of a Redis server with its password: text of at most 4096 bytes, without the
/// white space around it.
///
/// # Errors
/// - it is no regular file, belongs to another user than this one or root, or others can read it
/// - it is longer, or no text
pub fn read_private(path: impl AsRef<Path>) -> Result<Zeroizing<String>, PrivateError> {
    let file = open(path.as_ref())?;
    let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
    file.take(MAX_TEXT as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_TEXT {
        let error = format!("it has more than {MAX_TEXT} bytes");
        return Err(PrivateError::Io(io::Error::new(io::ErrorKind::FileTooLarge, error)));
    }
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// Longest secret text that is read, in bytes.
const MAX_TEXT: usize = 4096;

fn regular(metadata: &fs::Metadata) -> Result<(), PrivateError> {
    if metadata.is_file() { Ok(()) } else { Err(PrivateError::NotAFile) }
}

/// The owner may do as they like and the group may read, as Kubernetes mounts a Secret for it.
#[cfg(unix)]
fn check_mode(metadata: &fs::Metadata) -> Result<(), PrivateError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    // Whoever owns the file can give it other contents.
    if ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid()) {
        return Err(PrivateError::Owner { uid: metadata.uid() });
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o037 == 0 { Ok(()) } else { Err(PrivateError::Mode { mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &fs::Metadata) -> Result<(), PrivateError> {
    Ok(())
}

/// Options that create a file for its owner alone.
#[cfg(unix)]
pub(crate) fn options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
pub(crate) fn options() -> fs::OpenOptions {
    fs::OpenOptions::new()
}

/// Why a file with secrets was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum PrivateError {
    /// The operating system refused.
    Io(io::Error),
    /// There is no such file.
    Missing,
    /// Others can read it, or the group can write it.
    Mode {
        /// The lower nine bits.
        mode: u32,
    },
    /// A directory, a device, a FIFO.
    NotAFile,
    /// It belongs to somebody else than this process's user or root.
    Owner {
        /// Its owner.
        uid: u32,
    },
}

impl From<io::Error> for PrivateError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

impl fmt::Display for PrivateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::Missing => f.write_str("there is no such file"),
            Self::Mode { mode } => write!(f, "its mode {mode:04o} lets others at its secrets"),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::Owner { uid } => write!(f, "it belongs to user {uid}, who could change it"),
        }
    }
}

impl std::error::Error for PrivateError {}
