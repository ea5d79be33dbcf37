//! Which ring file, under which key-encryption key, and the errors of both.

use std::path::PathBuf;

use clap::Args;
use waxseal::keys::{
    ChangeError, CreateError, DiskError, KekError, KekSource, PolicyError, RingError, RingFile, RingOptions, Role,
    RotateError,
};

use crate::error::{CliError, Exit};

/// The ring of every verb that reads one.
#[derive(Debug, Args)]
pub(crate) struct RingArg {
    /// The ring file.
    #[arg(long = "ring", value_name = "PATH", env = "WAXSEAL_RING", hide_env_values = true)]
    pub(crate) path: PathBuf,
    /// Where the key-encryption key comes from, never the key: file:PATH,
    /// env:NAME, fd:NUMBER or cmd:COMMAND. Twice while one replaces the other.
    // Read by hand: clap's errors would repeat a key that is given here by mistake.
    #[arg(long = "kek", value_name = "SOURCE", env = "WAXSEAL_KEK", hide_env_values = true)]
    keks: Vec<String>,
}

impl RingArg {
    /// The ring file, to be opened under the sources given.
    pub(crate) fn file(&self) -> Result<RingFile, CliError> {
        Ok(self.sources()?.into_iter().fold(RingFile::at(&self.path), RingFile::kek))
    }

    /// The same for a [`KeyRing`](waxseal::KeyRing).
    pub(crate) fn options(&self, options: RingOptions) -> Result<RingOptions, CliError> {
        Ok(self.sources()?.into_iter().fold(options, RingOptions::kek))
    }

    /// The one in use first.
    pub(crate) fn sources(&self) -> Result<Vec<KekSource>, CliError> {
        if self.keks.len() > 2 {
            let what = format!("--kek is given {} times, and a ring is read under at most two", self.keks.len());
            return Err(usage(what).advise("name the one in use, and the one that it replaces"));
        }
        self.keks.iter().map(|text| source("--kek or WAXSEAL_KEK", text)).collect()
    }
}

/// The ring of every verb that changes one.
#[derive(Debug, Args)]
pub(crate) struct WriteArg {
    #[command(flatten)]
    pub(crate) ring: RingArg,
    /// Change the ring only if it has this generation.
    #[arg(long, value_name = "N")]
    if_generation: Option<u64>,
}

impl WriteArg {
    /// The ring file, to be changed if it has the generation named.
    pub(crate) fn file(&self) -> Result<RingFile, CliError> {
        let file = self.ring.file()?;
        Ok(match self.if_generation {
            Some(generation) => file.if_generation(generation),
            None => file,
        })
    }
}

/// Reads a source without repeating what it was given.
pub(crate) fn source(flag: &str, text: &str) -> Result<KekSource, CliError> {
    text.parse().map_err(|error: KekError| {
        if text.starts_with("waxseal-kek-1:") {
            let what = format!("{flag} holds a key-encryption key itself, where others can read it");
            return usage(what).advise("name where it comes from, as in file:PATH, and replace that key");
        }
        usage(format!("{flag} names no source: {error}")).advise("give, for example, file:/run/waxseal/kek")
    })
}

pub(crate) fn usage(what: String) -> CliError {
    CliError::new(Exit::Usage, "usage", what)
}

impl From<DiskError> for CliError {
    fn from(error: DiskError) -> Self {
        let (text, advice) = (error.to_string(), error.advice());
        let what = text.strip_suffix(advice).and_then(|rest| rest.strip_suffix("; ")).unwrap_or(&text);
        Self::new(Exit::Ring, error.code(), what.to_owned()).advise(advice)
    }
}

impl From<RingError> for CliError {
    fn from(error: RingError) -> Self {
        match error {
            RingError::Disk(error) => error.into(),
            other => Self::new(Exit::Ring, "ring", other.to_string()),
        }
    }
}

impl From<CreateError> for CliError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Policy(error) => Self::from(error),
            other => Self::new(Exit::Failed, "random", other.to_string()),
        }
    }
}

/// Names the flags, where the library names its fields.
impl From<PolicyError> for CliError {
    fn from(error: PolicyError) -> Self {
        let (what, advice) = match error {
            PolicyError::ActivationDelay { seconds, least } => (
                format!(
                    "--activation-delay {seconds}s is too short: a new key is on every server only after \
                     2.4 x refresh + distribution + 2 x skew = {least} s"
                ),
                format!("raise --activation-delay to {least}s, or lower --refresh, --distribution or --skew"),
            ),
            PolicyError::Range { name, value, least, most } => {
                let flag = name.replace("max_token_lifetime", "max-lifetime").replace('_', "-");
                (format!("--{flag} {value}s is out of range"), format!("give {least}s to {most}s"))
            }
            PolicyError::TooManyKeys { needed, least } => (
                format!("{needed} keys would be in the ring at once, and routine rotation stops at 14"),
                format!("raise --rotate-every to {least}s, or lower --max-lifetime or --late"),
            ),
            other => (other.to_string(), "change the durations".into()),
        };
        Self::new(Exit::Usage, "policy", what).advise(advice)
    }
}

impl From<RotateError> for CliError {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Full { next_expiry: Some(_) } => Self::new(Exit::Failed, "ring_full", error.to_string())
                .advise("rotate again after that, and no more often than the ring's policy says"),
            RotateError::Full { .. } => Self::new(Exit::Failed, "ring_full", error.to_string()),
            other => Self::new(Exit::Failed, "random", other.to_string()),
        }
    }
}

impl From<ChangeError> for CliError {
    fn from(error: ChangeError) -> Self {
        let (exit, code, advice) = match error {
            ChangeError::Policy(error) => return error.into(),
            ChangeError::Ahead { .. } => (Exit::Usage, "ahead", "name an instant until now"),
            ChangeError::NoSuchKey { .. } => (Exit::Failed, "no_such_key", "see `waxseal keys list`"),
            ChangeError::NotLater { .. } => (Exit::Failed, "not_later", "a cut-off is only ever moved forward"),
            ChangeError::NotTheLast { .. } => (Exit::Usage, "not_the_last", "name a later date"),
            ChangeError::Past { .. } => (Exit::Usage, "past", "give --at a date ahead, or --now"),
            ChangeError::Random(_) => (Exit::Failed, "random", "try again"),
            ChangeError::Reason => (Exit::Usage, "reason", "shorten --reason to one short line"),
            ChangeError::Retained { until: None, .. } => {
                (Exit::Failed, "retained", "a key goes only after another took over and its tokens ended")
            }
            ChangeError::Retained { role: Role::Revoked, .. } => {
                (Exit::Failed, "retained", "without its tombstone an old copy of the ring could bring the key back")
            }
            ChangeError::Retained { .. } => {
                (Exit::Failed, "retained", "prune it after that, or revoke it if it must stop opening now")
            }
            ChangeError::Role { .. } => (Exit::Failed, "role", "see `waxseal keys list`"),
            ChangeError::SessionsUnsaid { .. } => {
                (Exit::Usage, "sessions", "add --sessions end, or --sessions keep to let forged ones live on too")
            }
            ChangeError::StaleTooLong => (Exit::Usage, "stale_too_long", "give --for at most 24h"),
            ChangeError::TooYoung { .. } => {
                (Exit::Failed, "too_young", "wait, or add --force and lose sessions on servers without it")
            }
            _ => (Exit::Failed, "change", "see `waxseal keys list`"),
        };
        let text = error.to_string();
        // The library's own advice knows no flags.
        let what = text.split("; ").next().unwrap_or(&text).to_owned();
        Self::new(exit, code, what).advise(advice)
    }
}
