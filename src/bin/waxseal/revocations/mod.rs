//! The verbs that revoke, and those on the store that servers share.

mod args;
mod change;
mod help;
mod look;
#[cfg(feature = "redis")]
mod redis;
mod revoke;
mod size;
mod store;
mod verify;

pub(crate) use args::{RevocationsVerb, RevokeVerb};
pub(crate) use revoke::revoke;

use std::time::Duration;

use waxseal::keys::RingReport;
use waxseal::revocation::{
    DirectoryError, HeaderError, Inspection, Level, RevocationsError, RevokeError, Revoked, Revoking,
};
use waxseal::time::Timestamp;

use store::Store;

use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::ring::usage;

pub(crate) fn run(verb: &RevocationsVerb) -> Result<Answer, CliError> {
    match verb {
        RevocationsVerb::Compact(args) => match args.store()? {
            Store::Directory(path) => change::compact(args, &path),
            #[cfg(feature = "redis")]
            Store::Redis(server) => Ok(redis::compact(&server)),
        },
        RevocationsVerb::Init(args) => match args.store()? {
            Store::Directory(path) => change::init(args, &path),
            #[cfg(feature = "redis")]
            Store::Redis(server) => redis::init(args, &server),
        },
        RevocationsVerb::Inspect(args) => look::inspect(args),
        RevocationsVerb::Reset(args) => match args.place.store()? {
            Store::Directory(path) => change::reset(args, &path),
            #[cfg(feature = "redis")]
            Store::Redis(server) => redis::reset(args, &server),
        },
        RevocationsVerb::Retract(args) => change::retract(args),
        RevocationsVerb::Size(args) => size::size(args),
        RevocationsVerb::Status(args) => match args.look.place.store()? {
            Store::Directory(path) => look::status(args, &path),
            #[cfg(feature = "redis")]
            Store::Redis(server) => redis::status(args, &server),
        },
        RevocationsVerb::Verify(args) => match args.place.store()? {
            Store::Directory(path) => verify::verify(args, &path),
            #[cfg(feature = "redis")]
            Store::Redis(server) => redis::verify(args, &server),
        },
    }
}

/// Waits for a revocation to last. Nobody tries again once this process has ended.
fn lasting(revoking: Revoking) -> Result<Revoked, CliError> {
    revoking.wait().map_err(|error| match error {
        RevokeError::NotDurable { reached: Some(reached), why } if reached >= Level::Shared => {
            let what = format!("it is revoked, but only {reached}: {why}");
            CliError::new(Exit::Failed, "not_durable", what)
                .advise("every server hears of it; revoke again once that is mended, or it may be lost with the master")
        }
        RevokeError::Unsupported { reached, .. } => {
            CliError::new(Exit::Failed, "not_durable", format!("it is revoked, but only {reached}"))
                .advise("a directory is never more than shared")
        }
        RevokeError::NotDurable { why, .. } => {
            let what = format!("it may not be revoked, and nothing is kept to try again: {why}");
            CliError::new(Exit::Failed, "not_durable", what).advise("mend that and revoke again; twice does no harm")
        }
        other => other.into(),
    })
}

/// That whoever ends everything has typed of which ring.
fn confirm(ring: &RingReport, typed: Option<&str>, does: &str) -> Result<(), CliError> {
    let short = &ring.ring_id[..LEAST_ID];
    match typed {
        Some(typed) if typed.len() >= LEAST_ID && ring.ring_id.starts_with(typed) => Ok(()),
        Some(_) => Err(usage(format!("--ring-id is not that of this ring, or has fewer than {LEAST_ID} digits"))
            .advise(format!("give --ring-id {short} if this is the ring you mean"))),
        None => Err(usage(format!("this {does} of ring {}, and is not confirmed", ring.ring_id))
            .advise(format!("add --ring-id {short} if that is the ring you mean"))),
    }
}

/// By when every server knows what was just written.
fn spread(level: Level, now: Timestamp) -> String {
    match level {
        Level::Local => "not shared: no other server reads it".to_owned(),
        _ => {
            format!("knows within {SPREAD} s, by {}, if it looks every 5 s", now.plus(SPREAD))
        }
    }
}

impl From<RevocationsError> for CliError {
    fn from(error: RevocationsError) -> Self {
        match error {
            RevocationsError::Directory(error) => error.into(),
            #[cfg(feature = "redis")]
            RevocationsError::Redis(error) => error.into(),
            RevocationsError::Revoke(error) => error.into(),
            other => Self::new(Exit::Failed, "revocations", other.to_string()),
        }
    }
}

impl From<DirectoryError> for CliError {
    fn from(error: DirectoryError) -> Self {
        let failed = |code, what: String, advice: &str| Self::new(Exit::Failed, code, what).advise(advice);
        let text = error.to_string();
        match error {
            DirectoryError::Exists { path } => failed(
                "revocations_exist",
                format!("{} is a directory of revocations already, or was one", path.display()),
                "use it as it is; `waxseal revocations verify` says how it is, and `waxseal revocations reset` begins anew",
            ),
            DirectoryError::Unmarked { path } => failed(
                "revocations_unmarked",
                format!("the marker of {} is missing, and its journals are there", path.display()),
                "begin it anew with `waxseal revocations reset --ring-id HEX`, and with `--keep-sessions` if servers run \
                 that have read them",
            ),
            DirectoryError::Unnamed => failed("revocations_unnamed", text, "name one by --revocations"),
            DirectoryError::Missing { path } => failed(
                "revocations_missing",
                format!("{} is not a directory of revocations", path.display()),
                "mount it; only for a new fleet: `waxseal revocations init`",
            ),
            DirectoryError::Marker { why, .. } => failed(
                "revocations_marker",
                text,
                match why {
                    HeaderError::Newer => "use the newest version of this program",
                    HeaderError::Ring => "name the directory of this ring, or the ring of this directory",
                    _ => {
                        "if `waxseal keys revoke --all` replaced the ring's secrets, or a restore damaged it, begin anew \
                         with `waxseal revocations reset`"
                    }
                },
            ),
            DirectoryError::Io { .. } => {
                failed("revocations_io", text, "look at the mount, and who may read and write there")
            }
            _ => failed("revocations", text, "see `waxseal revocations verify`"),
        }
    }
}

impl From<RevokeError> for CliError {
    fn from(error: RevokeError) -> Self {
        let text = error.to_string();
        let what = text.split("; ").next().unwrap_or(&text).to_owned();
        match error {
            RevokeError::Ahead { .. } => Self::new(Exit::Usage, "ahead", what).advise("name an instant until now"),
            RevokeError::NotLater { .. } => {
                Self::new(Exit::Failed, "not_later", what).advise("nothing was revoked, and nothing need be")
            }
            _ => Self::new(Exit::Failed, "random", what).advise("try again"),
        }
    }
}

/// What makes a directory one that a server cannot load, or that lacks something.
fn troubles(inspection: &Inspection) -> usize {
    let faults = inspection.journals.iter().filter(|journal| journal.fault.is_some() && !journal.outdated).count();
    let missing = inspection.gaps.iter().filter(|gap| inspection.journals.iter().all(|there| there.writer != **gap));
    faults + missing.count()
}

/// Digits of a ring's id that are enough to name it.
const LEAST_ID: usize = 8;

/// Seconds until every server that looks every five knows, give or take a fifth.
const SPREAD: u64 = 6;

const DAY: Duration = Duration::from_secs(86_400);
