//! The arguments of the verbs that revoke, and of those on the store.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use waxseal::SessionId;
use waxseal::revocation::{CutOffId, Level, Revoke};

use super::help;
use super::store::Store;
use crate::error::CliError;
use crate::input::{Moment, duration, moment};
use crate::ring::RingArg;

#[derive(Debug, Subcommand)]
pub(crate) enum RevokeVerb {
    /// End single sessions, in all their tokens.
    #[command(after_help = help::SESSION, override_usage = "waxseal revoke session [OPTIONS] <ID|->...")]
    Session(Sessions),
    /// End all sessions of one user: log out everywhere.
    #[command(after_help = help::SUBJECT, override_usage = "waxseal revoke subject [OPTIONS] <NAME>")]
    Subject(Subject),
    /// End all sessions of one tenant.
    #[command(after_help = help::TENANT, override_usage = "waxseal revoke tenant [OPTIONS] <NAME>")]
    Tenant(Tenant),
    /// End every session of the fleet.
    #[command(after_help = help::ALL)]
    All(All),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RevocationsVerb {
    /// Set a directory or a Redis server up, once for a whole fleet.
    #[command(after_help = help::INIT)]
    Init(Place),
    /// Show whether servers can load the list, and how they are doing.
    #[command(after_help = help::STATUS)]
    Status(Status),
    /// List what is revoked, or answer whether somebody is.
    #[command(after_help = help::INSPECT)]
    Inspect(Inspect),
    /// Read everything to its end and name what is wrong.
    #[command(after_help = help::VERIFY)]
    Verify(Look),
    /// Take over a directory's journals whose writers have ended.
    #[command(after_help = help::COMPACT)]
    Compact(Place),
    /// Take a cut-off back: what it ended lives again.
    #[command(after_help = help::RETRACT, override_usage = "waxseal revocations retract [OPTIONS] <ID>")]
    Retract(Retract),
    /// Begin anew, with everybody logged out: for what cannot be mended.
    #[command(after_help = help::RESET)]
    Reset(Reset),
    /// Say what a list takes before there is one.
    #[command(after_help = help::SIZE)]
    Size(SizeArgs),
}

/// Where the list is, and the ring it belongs to.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) ring: RingArg,
    /// What servers share: a directory, or redis://HOST:PORT. A URL with a
    /// password comes by the variable, or from a private file as file:PATH.
    // Read by hand: it may hold a password.
    #[arg(long = "revocations", value_name = "STORE", env = "WAXSEAL_REVOCATIONS", hide_env_values = true)]
    store: OsString,
}

impl Place {
    /// The store that is named.
    pub(crate) fn store(&self) -> Result<Store, CliError> {
        Store::named(&self.store, std::env::args_os())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Look at it as of this Unix second instead of now.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<u64>,
}

/// For the record.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// Who decides this, in one line of at most 200 bytes.
    #[arg(long, value_name = "WHO", value_parser = line, default_value = "", hide_default_value = true)]
    actor: String,
    /// Why, in one line of at most 200 bytes.
    #[arg(long, value_name = "R", value_parser = line, default_value = "", hide_default_value = true)]
    reason: String,
}

impl Record {
    pub(crate) fn on(&self, revoke: Revoke) -> Revoke {
        revoke.actor(&self.actor).reason(&self.reason)
    }
}

/// For the record, and how long it must last.
#[derive(Debug, Args)]
pub(crate) struct Note {
    #[command(flatten)]
    record: Record,
    /// How durable it must be: on a disk, where every server reads it, or
    /// copied to a replica of Redis as well.
    #[arg(long, value_name = "LEVEL", default_value = "shared")]
    level: LevelArg,
}

impl Note {
    pub(crate) fn on(&self, revoke: Revoke) -> Revoke {
        self.record.on(revoke).level(self.level())
    }

    pub(crate) fn level(&self) -> Level {
        self.level.into()
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LevelArg {
    Local,
    Shared,
    Replicated,
}

impl From<LevelArg> for Level {
    fn from(arg: LevelArg) -> Self {
        match arg {
            LevelArg::Local => Self::Local,
            LevelArg::Shared => Self::Shared,
            LevelArg::Replicated => Self::Replicated,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Sessions {
    /// Session ids, uncut; `-` reads them from standard input, one a line.
    // Read by hand: clap's errors would repeat a token that is given here by mistake.
    #[arg(required = true, value_name = "ID|-")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// The subject, as the session's state gives it.
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Sessions that started until then: `now`, Unix seconds, or RFC 3339.
    #[arg(long, value_name = "T", value_parser = moment, default_value = "now")]
    pub(crate) until: Moment,
    /// The one session that goes on.
    #[arg(long, value_name = "ID")]
    pub(crate) except: Option<SessionId>,
    #[command(flatten)]
    pub(crate) note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Tenant {
    /// The tenant, as the session's state gives it.
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Sessions that started until then: `now`, Unix seconds, or RFC 3339.
    #[arg(long, value_name = "T", value_parser = moment, default_value = "now")]
    pub(crate) until: Moment,
    #[command(flatten)]
    pub(crate) note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct All {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Confirm: what the ring's id begins with, 8 digits or more.
    #[arg(long, value_name = "HEX")]
    pub(crate) ring_id: Option<String>,
    #[command(flatten)]
    pub(crate) note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) look: Look,
    /// Every writer of a directory as well: a process, and not a host.
    #[arg(long = "writers", alias = "nodes")]
    pub(crate) nodes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) look: Look,
    /// Whether this session is revoked, and by what.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<SessionId>,
    /// Whose it is, or what ended the sessions of this subject.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
    /// Whose it is, or what ended the sessions of this tenant.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Retract {
    /// The id of the cut-off, as `revoke` or `revocations inspect` shows it.
    #[arg(value_name = "ID")]
    pub(crate) id: CutOffId,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Confirm: what the ring's id begins with, 8 digits or more.
    #[arg(long, value_name = "HEX")]
    pub(crate) ring_id: Option<String>,
    /// Log nobody out: sessions whose revocation is lost live again.
    #[arg(long)]
    pub(crate) keep_sessions: bool,
    #[command(flatten)]
    pub(crate) note: Record,
}

#[derive(Debug, Args)]
pub(crate) struct SizeArgs {
    /// Revocations a day, logouts included.
    #[arg(long, value_name = "N")]
    pub(crate) per_day: u64,
    /// The longest token lifetime of the ring.
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) lifetime: Duration,
    /// What servers keep: whole session ids, or a filter in front that is
    /// wrong about a few.
    #[arg(long, value_name = "E", default_value = "exact")]
    pub(crate) engine: EngineArg,
    /// How often a bloom filter is wrong about a session [default: 1e-6].
    #[arg(long, value_name = "P", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Sessions that are alive at a time.
    #[arg(long, value_name = "N")]
    pub(crate) sessions: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineArg {
    Exact,
    Bloom,
}

/// Reads the name of a subject or a tenant.
fn name(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("an empty name is nobody's".to_owned()) } else { Ok(text.to_owned()) }
}

/// Reads a line for the record.
fn line(text: &str) -> Result<String, String> {
    if text.len() > MAX_NOTE || text.chars().any(char::is_control) {
        return Err(format!("give one line of at most {MAX_NOTE} bytes"));
    }
    Ok(text.to_owned())
}

/// Reads a probability.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate >= LEAST_RATE && *rate <= MOST_RATE);
    rate.ok_or_else(|| format!("a rate is {LEAST_RATE:e} to {MOST_RATE}, such as 1e-6 or 0.001"))
}

/// Most bytes of an actor, and of a reason.
const MAX_NOTE: usize = 200;

/// Beyond these a filter is no filter, or an exact set is smaller.
const LEAST_RATE: f64 = 1e-18;
const MOST_RATE: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_small_probability() {
        assert_eq!((rate("1e-6"), rate("0.1"), rate("1e-18")), (Ok(1e-6), Ok(0.1), Ok(1e-18)));
        for bad in ["", "0", "1", "-1e-6", "nan", "inf", "1e-19", "0.11", "1%"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_note_is_one_short_line() {
        assert!(line("").is_ok() && line(&"x".repeat(200)).is_ok());
        for bad in ["two\nlines", "\u{1b}[2J", &"x".repeat(201)] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
    }
}
