//! The arguments of the verbs on a ring.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use waxseal::KeyId;
use waxseal::keys::{RingPolicy, Sessions};
use waxseal::time::Timestamp;

use super::help;
use crate::input::{Moment, date, duration, key_id, moment};
use crate::ring::{RingArg, WriteArg};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// Make a new ring file, once for a whole fleet.
    #[command(after_help = help::INIT)]
    Init(Init),
    /// List the keys in the order in which they take over.
    #[command(after_help = help::LIST)]
    List(Look),
    /// Show how the ring is doing, and whether anything is to be done.
    #[command(after_help = help::STATUS)]
    Status(Look),
    /// Give the staged key a date from which it seals, and stage another.
    #[command(after_help = help::ROTATE)]
    Rotate(Rotate),
    /// Date one staged or scheduled key by hand.
    #[command(after_help = help::PROMOTE)]
    Promote(Promote),
    /// Switch a key off until it is enabled again.
    #[command(after_help = help::DISABLE)]
    Disable(OneKey),
    /// Switch a disabled key on again.
    #[command(after_help = help::ENABLE)]
    Enable(OneKey),
    /// End a key for good: wipe its secret and leave a tombstone.
    #[command(after_help = help::REVOKE)]
    Revoke(Revoke),
    /// End every session that started at or before an instant.
    #[command(after_help = help::NOT_BEFORE)]
    NotBefore(NotBefore),
    /// Accept a stale list of revocations for a while.
    #[command(after_help = help::STALE_OK)]
    StaleOk(StaleOk),
    /// Drop keys that no living token can need.
    #[command(after_help = help::PRUNE)]
    Prune(Prune),
    /// Show the policy, or change it.
    #[command(after_help = help::POLICY)]
    Policy(PolicyArgs),
    /// Encrypt the ring file under another key-encryption key, or leave it plain.
    #[command(after_help = help::REWRAP)]
    Rewrap(Rewrap),
    /// Make a key-encryption key in a file of its own.
    #[command(after_help = help::KEK)]
    Kek(Kek),
    /// Read the ring file by every rule and say whether it is one.
    #[command(after_help = help::VERIFY)]
    Verify(Verify),
    /// Find what is wrong with the ring, its file and this machine.
    #[command(after_help = help::DOCTOR)]
    Doctor(Look),
    /// Say which servers have the newest ring, from what they say of themselves.
    #[command(after_help = help::COMPARE)]
    Compare(Compare),
    /// Write the ring in the newest format.
    #[command(after_help = help::UPGRADE_FORMAT)]
    UpgradeFormat(UpgradeFormat),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) ring: RingArg,
    /// Leave the ring file unencrypted.
    #[arg(long)]
    pub(crate) plaintext: bool,
    /// The longest any token may live.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "24h")]
    max_lifetime: Duration,
    /// The largest difference between two clocks of the fleet.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "60s")]
    skew: Duration,
    /// How long after `rotate` the new key seals.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "1h")]
    activation_delay: Duration,
    /// How long a key should seal before the next takes over.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "30d")]
    rotate_every: Duration,
    /// How often a server looks at the ring file.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "15s")]
    refresh: Duration,
    /// How long a new ring file takes to reach every server.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "10m")]
    distribution: Duration,
    /// How long a server may run on an old ring.
    #[arg(long, value_name = "D", value_parser = duration, default_value = "24h")]
    late: Duration,
}

impl Init {
    pub(crate) fn policy(&self) -> RingPolicy {
        let mut policy = RingPolicy::default();
        policy.max_token_lifetime = self.max_lifetime.as_secs();
        policy.skew = self.skew.as_secs();
        policy.activation_delay = self.activation_delay.as_secs();
        policy.rotate_every = self.rotate_every.as_secs();
        policy.refresh = self.refresh.as_secs();
        policy.distribution = self.distribution.as_secs();
        policy.late = self.late.as_secs();
        policy
    }
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    pub(crate) ring: RingArg,
    /// Look at the ring as of this Unix second instead of now.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// Do nothing while the active key has sealed for less than this.
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) if_older_than: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("when").required(true).args(["at", "now"])))]
pub(crate) struct Promote {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// The id of the key.
    #[arg(value_parser = key_id)]
    pub(crate) id: KeyId,
    /// From when it seals: Unix seconds, or RFC 3339.
    #[arg(long, value_name = "T", value_parser = date)]
    pub(crate) at: Option<Timestamp>,
    /// It seals from now on.
    #[arg(long)]
    now: bool,
    /// Even if servers may not have the key yet; they would refuse its tokens.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OneKey {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// The id of the key.
    #[arg(value_parser = key_id)]
    pub(crate) id: KeyId,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// The id of the key.
    #[arg(value_parser = key_id, required_unless_present = "all", conflicts_with = "all")]
    pub(crate) id: Option<KeyId>,
    /// Replace every key and end all sessions: for a ring file that leaked.
    #[arg(long)]
    pub(crate) all: bool,
    /// Why, in one line of at most 200 bytes; servers show it in their status.
    #[arg(long, value_name = "R")]
    pub(crate) reason: String,
    /// Whether all sessions end, if another key has sealed since this one.
    #[arg(long, value_name = "WHAT", conflicts_with = "all")]
    pub(crate) sessions: Option<SessionsArg>,
    /// Confirm --all.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What is to become of the sessions when a key is revoked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SessionsArg {
    /// All that started until now end.
    End,
    /// They go on, forged ones too.
    Keep,
}

impl From<SessionsArg> for Sessions {
    fn from(arg: SessionsArg) -> Self {
        match arg {
            SessionsArg::End => Self::End,
            SessionsArg::Keep => Self::Keep,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct NotBefore {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// `now`, Unix seconds, or RFC 3339.
    #[arg(value_name = "T", value_parser = moment)]
    pub(crate) at: Moment,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["how_long", "off"])))]
pub(crate) struct StaleOk {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// From now on for this long, at most 24h.
    #[arg(long = "for", value_name = "D", value_parser = duration)]
    pub(crate) how_long: Option<Duration>,
    /// No longer.
    #[arg(long)]
    off: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// Only this key.
    #[arg(value_parser = key_id)]
    pub(crate) id: Option<KeyId>,
    /// Say what would go and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// The longest any token may live.
    #[arg(long, value_name = "D", value_parser = duration)]
    max_lifetime: Option<Duration>,
    /// The largest difference between two clocks of the fleet.
    #[arg(long, value_name = "D", value_parser = duration)]
    skew: Option<Duration>,
    /// How long after `rotate` the new key seals.
    #[arg(long, value_name = "D", value_parser = duration)]
    activation_delay: Option<Duration>,
    /// How long a key should seal before the next takes over.
    #[arg(long, value_name = "D", value_parser = duration)]
    rotate_every: Option<Duration>,
    /// How often a server looks at the ring file.
    #[arg(long, value_name = "D", value_parser = duration)]
    refresh: Option<Duration>,
    /// How long a new ring file takes to reach every server.
    #[arg(long, value_name = "D", value_parser = duration)]
    distribution: Option<Duration>,
    /// How long a server may run on an old ring.
    #[arg(long, value_name = "D", value_parser = duration)]
    late: Option<Duration>,
}

impl PolicyArgs {
    /// `policy` with whatever was asked for.
    pub(crate) fn applied(&self, policy: &RingPolicy) -> RingPolicy {
        let mut policy = policy.clone();
        for (field, asked) in [
            (&mut policy.max_token_lifetime, self.max_lifetime),
            (&mut policy.skew, self.skew),
            (&mut policy.activation_delay, self.activation_delay),
            (&mut policy.rotate_every, self.rotate_every),
            (&mut policy.refresh, self.refresh),
            (&mut policy.distribution, self.distribution),
            (&mut policy.late, self.late),
        ] {
            *field = asked.map_or(*field, |asked| asked.as_secs());
        }
        policy
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    #[command(flatten)]
    pub(crate) write: WriteArg,
    /// Where the new key-encryption key comes from [default: the first --kek].
    #[arg(long, value_name = "SOURCE", conflicts_with = "to_plaintext")]
    pub(crate) to: Option<String>,
    /// Leave the file unencrypted.
    #[arg(long)]
    pub(crate) to_plaintext: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Kek {
    /// The file to make.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) ring: RingArg,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// What each server says in KeyRing::status(), as JSON; `-` reads
    /// standard input. One file may hold several, one after another.
    #[arg(required = true, value_name = "STATUS.json")]
    pub(crate) files: Vec<PathBuf>,
    /// The generation that servers must have reached [default: the greatest].
    #[arg(long, value_name = "N")]
    pub(crate) generation: Option<u64>,
    /// What the ring's id begins with [default: that of most servers].
    #[arg(long, value_name = "HEX")]
    pub(crate) ring_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct UpgradeFormat {
    #[command(flatten)]
    pub(crate) write: WriteArg,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Area, Cli};

    #[test]
    fn defaults_are_the_library_s() {
        let cli = Cli::try_parse_from(["waxseal", "keys", "init", "--ring", "x"]).unwrap();
        let Area::Keys(KeysVerb::Init(init)) = cli.area else { panic!("{cli:?}") };
        assert_eq!(init.policy(), RingPolicy::default());
    }
}
