//! Why there is no list of revocations, or none that is up to date.

use core::fmt;
use std::time::Duration;

use super::directory::DirectoryError;
use super::revoke::RevokeError;

/// Why there is no list of revocations, or why it is not up to date.
#[non_exhaustive]
pub enum RevocationsError {
    /// The directory cannot be used.
    Directory(DirectoryError),
    /// A duration is out of range, or not whole seconds.
    Range {
        /// Which.
        what: &'static str,
        /// The least.
        least: Duration,
        /// The most.
        most: Duration,
    },
    /// A rate of false positives that is not between 0 and 1.
    Rate,
    /// What was to be revoked cannot be.
    Revoke(RevokeError),
    /// The Redis server cannot be used.
    #[cfg(feature = "redis")]
    Redis(super::redis::RedisError),
    /// The operating system gave no thread to write revocations.
    Thread(std::io::Error),
}

impl From<DirectoryError> for RevocationsError {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}

impl From<RevokeError> for RevocationsError {
    fn from(error: RevokeError) -> Self {
        Self::Revoke(error)
    }
}

#[cfg(feature = "redis")]
impl From<super::redis::RedisError> for RevocationsError {
    fn from(error: super::redis::RedisError) -> Self {
        Self::Redis(error)
    }
}

/// As displayed: `main` shows an error by `Debug`, and the next step is in the text.
impl fmt::Debug for RevocationsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RevocationsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(error) => error.fmt(f),
            Self::Range { what, least, most } => {
                write!(f, "{what} must be {} to {} whole seconds", least.as_secs(), most.as_secs())
            }
            Self::Rate => f.write_str("the rate of false positives must be above 0 and below 1, such as 1e-9"),
            Self::Revoke(error) => error.fmt(f),
            #[cfg(feature = "redis")]
            Self::Redis(error) => error.fmt(f),
            Self::Thread(error) => write!(f, "no thread can be started to write revocations: {error}"),
        }
    }
}

impl std::error::Error for RevocationsError {}
