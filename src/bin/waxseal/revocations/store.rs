//! Where the list is: a directory, or a Redis server, whose password no text repeats.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde::Serialize;
use waxseal::keys::read_private;
use waxseal::revocation::{DirectoryError, EntryReport, Level, RevocationsError};
use waxseal::{KeyRing, Revocations, Stale};

use super::DAY;
#[cfg(feature = "redis")]
use super::redis::Server;
use crate::error::CliError;
use crate::ring::usage;
use crate::show::{tame, whole};

/// A store that servers share.
pub(crate) enum Store {
    Directory(PathBuf),
    #[cfg(feature = "redis")]
    Redis(Server),
}

/// A store's name in JSON: its kind, and where it is.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named {
    Directory(String),
    #[cfg(feature = "redis")]
    Redis(String),
}

/// A list that is open to revoke something.
pub(crate) struct Joined {
    pub(crate) list: Revocations,
    /// Why a server that starts now could not load it, which stops no revocation.
    pub(crate) trouble: Option<String>,
    /// Gone after the list.
    _spool: Option<tempfile::TempDir>,
}

impl Store {
    /// Reads what `--revocations` or its variable says: a path, a URL, or the file that holds a URL.
    pub(crate) fn named(given: &OsStr, mut arguments: impl Iterator<Item = OsString>) -> Result<Self, CliError> {
        let Some(text) = given.to_str() else { return Ok(Self::Directory(given.into())) };
        if let Some(path) = text.strip_prefix("file:") {
            return from_file(path);
        }
        if !is_url(text) {
            return Ok(Self::Directory(text.into()));
        }
        let holds = |argument: OsString| argument.to_string_lossy().contains(text);
        if has_secret(text) && arguments.any(holds) {
            let what = "--revocations holds a user or a password, which everybody on this machine can read".to_owned();
            return Err(usage(what).advise(
                "give the URL in WAXSEAL_REVOCATIONS, or in a private file as --revocations file:PATH; and replace that password",
            ));
        }
        at(text)
    }

    /// Where it is, without a secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Directory(path) => tame(&path.display().to_string()),
            #[cfg(feature = "redis")]
            Self::Redis(server) => server.shown.clone(),
        }
    }

    pub(crate) fn json(&self) -> Named {
        match self {
            Self::Directory(path) => Named::Directory(whole(path).display().to_string()),
            #[cfg(feature = "redis")]
            Self::Redis(server) => Named::Redis(server.shown.clone()),
        }
    }

    /// Everything that is revoked there.
    pub(crate) fn entries(&self, ring: &KeyRing) -> Result<Vec<EntryReport>, CliError> {
        Ok(match self {
            Self::Directory(path) => Revocations::inspect_directory(ring, path)?.entries,
            #[cfg(feature = "redis")]
            Self::Redis(server) => server.inspect(ring)?.entries,
        })
    }

    /// The list, to revoke something as durably as `level`.
    pub(crate) fn join(&self, ring: &KeyRing, level: Level) -> Result<Joined, CliError> {
        match self {
            Self::Directory(_) if level > Level::Shared => {
                let what = format!("--level {level} needs a Redis server; a directory is never more than shared");
                Err(usage(what).advise("leave --level out"))
            }
            Self::Directory(path) => directory(ring, path),
            #[cfg(feature = "redis")]
            Self::Redis(server) => server.join(ring, level),
        }
    }
}

impl Joined {
    pub(crate) fn new(list: Revocations, trouble: Option<String>, spool: Option<tempfile::TempDir>) -> Self {
        Self { list, trouble, _spool: spool }
    }
}

fn directory(ring: &KeyRing, path: &Path) -> Result<Joined, CliError> {
    let list = Revocations::options().observe().directory(ring, path, Stale::accept_for(DAY))?;
    match list.sync() {
        Ok(()) => Ok(Joined::new(list, None, None)),
        Err(RevocationsError::Directory(error @ (DirectoryError::Gaps { .. } | DirectoryError::Journal { .. }))) => {
            Ok(Joined::new(list, Some(error.to_string()), None))
        }
        Err(error) => Err(error.into()),
    }
}

fn from_file(path: &str) -> Result<Store, CliError> {
    let shown = tame(path);
    let text = read_private(path).map_err(|error| {
        usage(format!("the file {shown} that --revocations names cannot be used: {error}"))
            .advise("it holds the URL alone, and belongs to this user with mode 0600")
    })?;
    match is_url(&text) {
        true => at(&text),
        false => Err(usage(format!("the file {shown} that --revocations names holds no URL"))
            .advise("write redis://:PASSWORD@HOST:6379/0 into it, and nothing else")),
    }
}

#[cfg(feature = "redis")]
fn at(url: &str) -> Result<Store, CliError> {
    Server::at(url).map(Store::Redis)
}

#[cfg(not(feature = "redis"))]
fn at(_: &str) -> Result<Store, CliError> {
    let what = "--revocations names a Redis server, and this program was built without the feature `redis`".to_owned();
    Err(CliError::new(crate::error::Exit::Usage, "no_redis", what)
        .advise("build it with `--features cli,redis`, or name a directory"))
}

/// Whether a text is meant as a URL, even one that lacks something: it must not be repeated as a path would be.
fn is_url(text: &str) -> bool {
    let scheme = ["redis:", "rediss:", "valkey:", "valkeys:"].iter().any(|scheme| text.starts_with(scheme));
    let login = text.split_once('@').is_some_and(|(before, _)| before.contains(':'));
    scheme || text.contains("://") || (login && !text.starts_with(['/', '.']))
}

fn has_secret(url: &str) -> bool {
    url.contains('@') || url.contains("pass=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, arguments: &[&str]) -> Result<Store, CliError> {
        Store::named(text.as_ref(), arguments.iter().map(Into::into))
    }

    #[test]
    fn paths_stay_paths() {
        for path in ["list", "/srv/revocations", "./a:b@c", "/srv/a:b@c", "C:\\list", "a@b", "redis"] {
            assert!(matches!(named(path, &[path]), Ok(Store::Directory(at)) if at == Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_password_is_refused_where_others_see_it_and_never_repeated() {
        for url in [
            "redis://:tell-nobody@host",
            "rediss://ada:tell-nobody@host:1/0",
            "redis:/:tell-nobody@host",
            ":tell-nobody@host:6379",
            "http://host?pass=tell-nobody",
        ] {
            for arguments in [&["--revocations", url][..], &[&format!("--revocations={url}")]] {
                let Err(error) = named(url, arguments) else { panic!("{url}") };
                let told = format!("{error:?}");
                assert!(told.contains("file:PATH") && told.contains("WAXSEAL_REVOCATIONS"), "{told}");
                assert!(!told.contains("tell-nobody"), "{told}");
            }
            if let Err(error) = named(url, &["status"]) {
                assert!(!format!("{error:?}").contains("tell-nobody"), "{url}");
            }
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_server_is_shown_without_its_password() {
        for (url, shown) in [
            ("redis://:tell-nobody@host", "redis://host:6379/0"),
            ("redis://ada:tell-nobody@[::1]:7/3?protocol=3", "redis://[::1]:7/3"),
        ] {
            let store = named(url, &[]).unwrap();
            assert_eq!(store.shown(), shown);
            assert!(!serde_json::to_string(&store.json()).unwrap().contains("tell-nobody"));
        }
        for bad in ["redis://", "redis://host/x", "redis:/host", "http://host", "redis+unix:///run/redis.sock"] {
            assert!(named(bad, &[]).is_err(), "{bad}");
        }
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_program_without_the_feature_says_so() {
        let Err(error) = named("redis://host", &["redis://host"]) else { panic!("it has no Redis") };
        assert!(format!("{error:?}").contains("without the feature `redis`"));
    }
}
