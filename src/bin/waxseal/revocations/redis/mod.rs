//! A Redis server by its URL: how it is opened to revoke something, and what its errors advise.

mod change;
mod look;

use std::io;

pub(crate) use change::{compact, init, reset};
pub(crate) use look::{seen, status, verify};

use ::redis::{Client, ConnectionAddr};
use tempfile::TempDir;
use waxseal::revocation::{Level, RedisError, RevocationsError, StreamInspection};
use waxseal::{KeyRing, Revocations, Stale};
use zeroize::Zeroizing;

use super::DAY;
use super::store::Joined;
use crate::error::{CliError, Exit};
use crate::ring::usage;

/// A server.
pub(crate) struct Server {
    url: Zeroizing<String>,
    /// The URL without user and password.
    pub(crate) shown: String,
}

impl Server {
    /// The server at a URL, which is not repeated if it is none.
    pub(crate) fn at(url: &str) -> Result<Self, CliError> {
        let wrong = |what: &str| usage(format!("the URL of the Redis server {what}"));
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !["redis", "rediss", "valkey", "valkeys"].contains(&scheme) {
            return Err(wrong("does not begin with redis:// or rediss://")
                .advise("give, for example, redis://127.0.0.1:6379/0"));
        }
        let Ok(client) = Client::open(url) else {
            let (tls, rest) = (scheme.ends_with("ss") || scheme == "valkeys", url.split_at(scheme.len()).1);
            return Err(match tls && Client::open(format!("redis{rest}")).is_ok() {
                true => wrong("asks for TLS, and this program was built without it")
                    .advise("build it with `--features cli,redis,redis/tls-native-tls`, or go through a tunnel"),
                false => wrong("cannot be read").advise(
                    "it is redis://USER:PASSWORD@HOST:PORT/NUMBER, with special characters of the password as %XX",
                ),
            });
        };
        let info = client.get_connection_info();
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } if host.contains(':') => {
                format!("[{host}]:{port}")
            }
            address => address.to_string(),
        };
        let shown = format!("{scheme}://{place}/{}", info.redis_settings().db());
        Ok(Self { url: Zeroizing::new(url.to_owned()), shown: crate::show::tame(&shown) })
    }

    pub(crate) fn inspect(&self, ring: &KeyRing) -> Result<StreamInspection, CliError> {
        Ok(Revocations::inspect_redis(ring, &self.url)?)
    }

    /// The list, with a spool that is gone with it.
    pub(crate) fn join(&self, ring: &KeyRing, level: Level) -> Result<Joined, CliError> {
        if level < Level::Shared {
            return Err(usage(format!("--level {level} means nothing here: this command keeps nothing of its own"))
                .advise("leave --level out"));
        }
        let spool = spool().map_err(|error| {
            CliError::new(Exit::Failed, "spool", format!("cannot make a temporary directory: {error}"))
                .advise("name a directory that can be written in TMPDIR; nothing was revoked")
        })?;
        let list = Revocations::options().observe().redis(ring, &self.url, spool.path(), Stale::accept_for(DAY))?;
        match list.sync() {
            Ok(()) => Ok(Joined::new(list, None, Some(spool))),
            Err(RevocationsError::Redis(
                error @ (RedisError::Cut | RedisError::Eviction { .. } | RedisError::Newer { .. }),
            )) => Ok(Joined::new(list, Some(error.to_string()), Some(spool))),
            Err(RevocationsError::Redis(error @ (RedisError::Answer { .. } | RedisError::Server { .. }))) => {
                let what = format!("nothing was revoked, and nothing was kept to be revoked later: {error}");
                Err(CliError::new(Exit::Failed, "not_durable", what).advise("mend that, and run the command again"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A directory that only this user can look into.
fn spool() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("waxseal-spool-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

impl From<RedisError> for CliError {
    fn from(error: RedisError) -> Self {
        let failed = |code, what: String, advice: &str| Self::new(Exit::Failed, code, what).advise(advice);
        let text = error.to_string();
        let (what, advice) = text.split_once("; ").unwrap_or((&text, ""));
        match error {
            RedisError::Changed => failed("redis_changed", what.to_owned(), "run the command again"),
            RedisError::Eviction { .. } => failed("redis_eviction", what.to_owned(), advice),
            RedisError::Exists => failed(
                "revocations_exist",
                text,
                "use it as it is; `waxseal revocations status` says how it is, and `waxseal revocations reset` begins anew",
            ),
            RedisError::Missing => failed(
                "revocations_missing",
                "the Redis server has no epoch of this ring: it was emptied, or never set up".to_owned(),
                MISSING,
            ),
            RedisError::Role { .. } => failed(
                "redis_role",
                "it is no master, but a replica".to_owned(),
                "name what always leads to the master",
            ),
            RedisError::Answer { .. } => failed("redis", text, "check the URL, and what its user may run"),
            RedisError::Server { .. } => {
                failed("redis", text, "check the URL, the network, the password, and what its user may run")
            }
            _ => Self::new(Exit::Failed, "redis", text),
        }
    }
}

/// What to do about a server without an epoch.
const MISSING: &str = "servers that run give it all that they know within a minute, so wait for that; a new fleet runs \
                       `waxseal revocations init` once; if no server runs that knows the list, `waxseal revocations reset`";
