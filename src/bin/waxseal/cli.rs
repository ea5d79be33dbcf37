//! The arguments, and the help that goes with them.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use waxseal::id::Purpose;
use waxseal::session::{Policy, Prefix};
use waxseal::{Carrier, Mode};

use crate::help;
use crate::input::duration;
use crate::keys::KeysVerb;
use crate::revocations::{RevocationsVerb, RevokeVerb};
use crate::ring::RingArg;

/// Key rings, session tokens and revocations, from a shell.
#[derive(Debug, Parser)]
#[command(name = "waxseal", version, max_term_width = 80, after_help = help::EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) area: Area,
    /// Print one JSON object; errors too, on standard error.
    #[arg(long, global = true, display_order = 99)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Area {
    /// Make, look at, rotate and repair a key ring.
    #[command(subcommand, after_help = help::EXIT_CODES)]
    Keys(KeysVerb),
    /// Set up, look at and mend the list of revocations that servers share.
    #[command(subcommand, after_help = help::EXIT_CODES)]
    Revocations(RevocationsVerb),
    /// End sessions before their time, on every server.
    #[command(subcommand, after_help = help::EXIT_CODES)]
    Revoke(RevokeVerb),
    /// Seal, open and inspect single tokens.
    #[command(subcommand, after_help = help::EXIT_CODES)]
    Token(TokenVerb),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Mint the first token of a session and print it.
    #[command(after_help = help::SEAL)]
    Seal(Seal),
    /// Open a token and print what it says, verified.
    #[command(after_help = help::OPEN)]
    Open(Open),
    /// Print what a token says of itself, without a key and NOT verified.
    #[command(after_help = help::INSPECT)]
    Inspect(Inspect),
}

/// What a sealer is built from, the same for sealing and opening.
#[derive(Debug, Args)]
pub(crate) struct Channel {
    #[command(flatten)]
    pub(crate) ring: RingArg,
    /// What the token is for, such as `session`: 1 to 64 of a-z 0-9 . _ / -
    #[arg(long, value_name = "P")]
    pub(crate) purpose: Purpose,
    /// How the token travels: `header` or `cookie:NAME`.
    #[arg(long, value_name = "C", default_value = "header")]
    pub(crate) carrier: Carrier,
    /// `sealed` (encrypted) or `signed` (readable by anyone).
    #[arg(long, value_name = "M", default_value = "sealed")]
    pub(crate) mode: Mode,
    /// What the token is bound to beside its carrier, up to 1024 bytes in hex.
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true)]
    pub(crate) context: String,
    /// What tokens begin with, such as `shop_`.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<Prefix>,
    /// How long a session lives without a renewal [default: the ring's longest lifetime].
    #[arg(long, value_name = "D", value_parser = duration)]
    idle_limit: Option<Duration>,
    /// How long a session lives at all [default: 30d].
    #[arg(long, value_name = "D", value_parser = duration)]
    absolute_limit: Option<Duration>,
    /// Act as if it were this Unix second; for tests.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<u64>,
}

impl Channel {
    pub(crate) fn policy(&self, ttl: Option<Duration>) -> Policy {
        let mut policy = Policy::default();
        if let Some(ttl) = ttl {
            policy = policy.token_lifetime(ttl);
        }
        if let Some(idle) = self.idle_limit {
            policy = policy.idle_limit(idle);
        }
        if let Some(absolute) = self.absolute_limit {
            policy = policy.absolute_limit(absolute);
        }
        policy
    }
}

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The state's bytes in hex; `-` reads the hex from standard input.
    #[arg(long, value_name = "HEX|-")]
    pub(crate) body: String,
    /// How long the token lives [default: the idle limit].
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) ttl: Option<Duration>,
    /// The number of the state's type.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) schema: u16,
    #[command(flatten)]
    pub(crate) channel: Channel,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    #[command(flatten)]
    pub(crate) channel: Channel,
    /// The token; read from standard input if left out or `-`.
    pub(crate) token: Option<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// What tokens begin with, such as `shop_`.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<Prefix>,
    /// Tell times as seen from this Unix second; for tests.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<u64>,
    /// The token; read from standard input if left out or `-`.
    pub(crate) token: Option<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
