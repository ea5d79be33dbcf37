//! The `waxseal` command: key rings and tokens from a shell.

mod answer;
mod cli;
mod error;
mod finding;
mod help;
mod input;
mod keys;
mod revocations;
mod ring;
mod show;
mod token;

use std::process::ExitCode;

use clap::Parser;

use answer::Answer;
use cli::{Area, Cli, TokenVerb};
use error::CliError;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error, &std::env::args_os().skip(1).collect::<Vec<_>>()),
    };
    match run(&cli).and_then(|answer| answer.print(cli.json)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.print(cli.json),
    }
}

fn run(cli: &Cli) -> Result<Answer, CliError> {
    match &cli.area {
        Area::Keys(verb) => keys::run(verb),
        Area::Revocations(verb) => revocations::run(verb),
        Area::Revoke(verb) => revocations::revoke(verb),
        Area::Token(TokenVerb::Seal(args)) => token::seal(args),
        Area::Token(TokenVerb::Open(args)) => token::open(args),
        Area::Token(TokenVerb::Inspect(args)) => token::inspect(args),
    }
}
