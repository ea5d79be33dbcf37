//! Why a server of revocations cannot be used. No text holds a password.

use core::fmt;

/// Why a Redis or Valkey server cannot be used, or not now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisError {
    /// It does not answer as it should.
    Answer {
        /// The command.
        to: &'static str,
        /// What is missing.
        lacks: String,
    },
    /// It was emptied or replaced while it was read for the first time.
    Changed,
    /// Somebody removed the stream, or entries that are needed, and nobody has said since that it is complete.
    Cut,
    /// It throws away what it was given when its memory is full.
    Eviction {
        /// Its setting.
        policy: String,
    },
    /// It is set up already.
    Exists,
    /// It has no epoch: it was emptied, or never set up.
    Missing,
    /// The stream holds what this version does not understand.
    Newer {
        /// The kind of entry.
        kind: u8,
    },
    /// The operating system gave no random bytes.
    Random,
    /// It is no master.
    Role {
        /// What it is.
        role: String,
    },
    /// It cannot be reached, or says no.
    Server {
        /// What was to be done.
        doing: &'static str,
        /// What it said.
        why: String,
    },
    /// No replica has said in time that it has what was written.
    Unconfirmed,
    /// The URL is not one of a server.
    Url {
        /// Why.
        why: String,
    },
}

impl RedisError {
    pub(super) fn answer(to: &'static str, lacks: &str) -> Self {
        Self::Answer { to, lacks: lacks.to_owned() }
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { to, lacks } => {
                write!(f, "the answer to {to} lacks {lacks}; is this a Redis or Valkey server, and may its user run {to}?")
            }
            Self::Changed => f.write_str("the Redis server was emptied or replaced while it was read; it is read again"),
            Self::Cut => f.write_str(
                "somebody removed revocations from the Redis stream, or all of it; servers that know them publish them again within a \
                 minute, and without any server that knows them see `waxseal revocations reset`",
            ),
            Self::Eviction { policy } => write!(
                f,
                "the Redis server's maxmemory-policy is {policy}, by which it throws revocations away when its memory is full; set \
                 it to noeviction or to one that begins with volatile-, or use a server of its own"
            ),
            Self::Exists => f.write_str("the Redis server is set up for this ring already"),
            Self::Missing => f.write_str(
                "the Redis server has no epoch of this ring: it was emptied or never set up; servers that know the revocations \
                 publish them again within a minute, a new fleet runs `waxseal revocations init` once, and without any server that \
                 knows them see `waxseal revocations reset`",
            ),
            Self::Newer { kind } => write!(
                f,
                "the Redis stream holds a revocation of kind {kind}, which only a newer version understands; update this program"
            ),
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Role { role } => {
                write!(f, "the Redis server is a {role} and not the master; point the URL to what always leads to the master")
            }
            Self::Server { doing, why } => write!(f, "cannot {doing} the Redis server: {why}"),
            Self::Unconfirmed => f.write_str("no replica of the Redis server has confirmed it within a second"),
            Self::Url { why } => write!(f, "the URL of the Redis server cannot be used: {why}"),
        }
    }
}

impl std::error::Error for RedisError {}
