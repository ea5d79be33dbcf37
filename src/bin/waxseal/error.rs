//! What went wrong, in one line: what it was, and what to do next.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde::Serialize;
use waxseal::MIN_TEXT_LEN;
use waxseal::session::{BuildError, Limit, Reason, SealError};

use crate::show::{note, span};

/// An error with its exit code.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: Exit,
    code: &'static str,
    what: String,
    advice: Option<String>,
}

/// The exit codes other than 0, as `waxseal --help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The token was refused, no key of the ring seals, or a check found something.
    Refused = 1,
    /// Wrong arguments.
    Usage = 2,
    /// The ring file cannot be used or made.
    Ring = 3,
    /// It could not be done.
    Failed = 4,
}

/// An error as `--json` shows it.
#[derive(Serialize)]
struct ErrorJson<'a> {
    error: &'a str,
    code: &'a str,
    advice: Option<&'a str>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, code: &'static str, what: String) -> Self {
        Self { exit, code, what, advice: None }
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// What was wrong, and what to do next.
    pub(crate) fn parts(self) -> (&'static str, String, Option<String>) {
        (self.code, self.what, self.advice)
    }

    /// Writes the error to standard error.
    pub(crate) fn print(&self, json: bool) -> ExitCode {
        let advice = self.advice.as_deref();
        match (json, advice) {
            (true, _) => {
                let error = ErrorJson { error: &self.what, code: self.code, advice };
                note(&serde_json::to_string(&error).expect("strings always serialize"));
            }
            (false, Some(advice)) => note(&format!("waxseal: {}; {advice}", self.what)),
            (false, None) => note(&format!("waxseal: {}", self.what)),
        }
        ExitCode::from(self.exit as u8)
    }

    /// A token was refused. `reason` is for the operator who runs this command, and so exact.
    pub(crate) fn refused(reason: &Reason) -> Self {
        let exit = if matches!(reason, Reason::Context { .. }) { Exit::Usage } else { Exit::Refused };
        let code = reason.code();
        let error = Self::new(exit, code, format!("token refused ({code}): {reason}"));
        match advice(reason) {
            Some(advice) => error.advise(advice),
            None => error,
        }
    }

    /// A sealer could not be built on a ring whose tokens live at most `ring_max` seconds.
    pub(crate) fn build(error: &BuildError, ring_max: u64) -> Self {
        let advice = match error {
            BuildError::Contradiction { limit, above: Limit::RingLifetime } => {
                Some(format!("lower {} to at most {ring_max} s ({})", flag(*limit), span(ring_max)))
            }
            BuildError::Contradiction { limit, above } => {
                Some(format!("lower {} or raise {}", flag(*limit), flag(*above)))
            }
            BuildError::Range { limit } => Some(format!("change {}", flag(*limit))),
            _ => None,
        };
        Self { advice, ..Self::new(Exit::Usage, "usage", error.to_string()) }
    }
}

impl From<SealError> for CliError {
    fn from(error: SealError) -> Self {
        let (exit, code) = match error {
            SealError::ContextTooLong { .. } => (Exit::Usage, "context"),
            SealError::CutOffAhead => (Exit::Failed, "cut_off_ahead"),
            SealError::EndOfTime => (Exit::Failed, "end_of_time"),
            SealError::NoActiveKey => (Exit::Failed, "no_active_key"),
            SealError::Random(_) => (Exit::Failed, "random"),
            SealError::TooLong { .. } => (Exit::Failed, "too_long"),
            _ => (Exit::Failed, "seal"),
        };
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, advice)) => Self::new(exit, code, what.to_owned()).advise(advice),
            None => Self::new(exit, code, text),
        }
    }
}

/// The flag that sets a limit.
fn flag(limit: Limit) -> &'static str {
    match limit {
        Limit::Absolute => "--absolute-limit",
        Limit::Idle => "--idle-limit",
        Limit::TokenLifetime => "--ttl",
        _ => "the ring's longest token lifetime",
    }
}

/// What an operator can do about a refusal.
fn advice(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Claims(_) => "whatever sealed it does not follow the format",
        Reason::Context { .. } => "shorten --context",
        Reason::DisabledKey { .. } => "it opens again once the key is enabled",
        Reason::Expired { .. } | Reason::ExpiredKey { .. } | Reason::RevokedKey { .. } | Reason::Revoked => {
            "its user has to log in again"
        }
        Reason::Forged { .. } => {
            "check --purpose, --carrier and --context; if they are right, the token was changed or made up"
        }
        Reason::Length { .. } => "check that it was copied whole; a token with a prefix needs --prefix",
        Reason::Mode { byte: 0x11 } => "it is a sealed token: give --mode sealed",
        Reason::Mode { byte: 0x12 } => "it is a signed token: give --mode signed",
        Reason::Mode { .. } => "it is no token of this format version; one with a prefix needs --prefix",
        Reason::NotYetValid { .. } => "set this clock, or that of the server that issued it",
        Reason::Prefix => "check --prefix, and that the token was copied whole",
        Reason::RetiredKey => "somebody may have that key: treat it as stolen",
        Reason::Text => "copy it without quotes, spaces or line ends; a token with a prefix needs --prefix",
        Reason::UnknownKey { .. } => "the token is of another ring, or of a newer file of this one",
        _ => return None,
    })
}

/// Answers `--help` and `--version`, and arguments that clap refused.
pub(crate) fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // A reader of the help that has gone away wants no more of it.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = advised(error, clip(&without_logins(error.render().to_string(), arguments)));
    if !arguments.iter().any(|argument| argument == "--json") {
        note(text.trim_end());
        return ExitCode::from(Exit::Usage as u8);
    }
    let what = text.split("\n\nUsage:").next().unwrap_or(&text).split("\n\nFor more").next().unwrap_or(&text);
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what).to_owned();
    CliError::new(Exit::Usage, "usage", what).advise("see --help").print(true)
}

/// Clap's message without the user and the password of a URL that was given in a wrong place.
fn without_logins(mut text: String, arguments: &[OsString]) -> String {
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        let login = argument.rsplit_once('@').map(|(before, _)| before);
        if let Some((_, login)) = login.and_then(|login| login.split_once(':')).filter(|(_, login)| !login.is_empty()) {
            text = text.replace(login, "[redacted]");
        }
    }
    text
}

/// Clap's message, with what it does not know.
fn advised(error: &clap::Error, text: String) -> String {
    let lacks = |flag: &str| {
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::Strings(missing))
            if error.kind() == ErrorKind::MissingRequiredArgument && missing.iter().any(|name| name.starts_with(flag)))
    };
    let of = |verb: &str| text.contains(&format!("Usage: waxseal {verb} "));
    let tip = match (lacks("--ring "), lacks("--revocations ")) {
        (true, true) => {
            "WAXSEAL_RING may name the ring file too, and WAXSEAL_REVOCATIONS the directory or Redis server"
        }
        (true, false) => "WAXSEAL_RING may name the ring file too",
        (false, true) => "WAXSEAL_REVOCATIONS may name the directory or Redis server too",
        _ if error.kind() == ErrorKind::InvalidSubcommand && of("revoke") => {
            "revoke a `session`, a `subject` (a user), a `tenant`, or `all`"
        }
        _ if error.kind() == ErrorKind::UnknownArgument && of("revoke tenant") && text.contains("'--except'") => {
            return text.replacen("to pass '--except' as a value, use '-- --except'", "a tenant has no exception", 1);
        }
        _ => return text,
    };
    text.replacen("\n\nUsage:", &format!("\n\n  tip: {tip}\n\nUsage:"), 1)
}

/// Clap's message, with whatever may be a token cut short, and nothing in it that a terminal obeys.
fn clip(text: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut clipped = String::new();
    for piece in text.split_inclusive(|c| !in_token(c)) {
        match piece.get(..SHOWN) {
            Some(start) if piece.len() > MIN_TEXT_LEN => {
                clipped.push_str(start);
                clipped.push_str("...");
                clipped.extend(piece.chars().last().filter(|&c| !in_token(c)));
            }
            _ => clipped.push_str(piece),
        }
    }
    clipped.replace(|c: char| c.is_control() && c != '\n', "?")
}

/// How many characters of a long word an error repeats.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_not_repeated() {
        for given in ["redis://:tell-nobody@host", "--revocations=redis://ada:tell-nobody@host", "ada:tell-nobody@host"]
        {
            let told = without_logins(format!("unexpected argument '{given}' found"), &[given.into()]);
            assert!(told.contains("[redacted]@host") && !told.contains("tell-nobody"), "{told}");
        }
        assert_eq!(without_logins("no 'a:b' here".into(), &["a:b".into(), ":@".into()]), "no 'a:b' here");
    }

    #[test]
    fn what_may_be_a_token_is_cut_short() {
        let word = "a".repeat(MIN_TEXT_LEN - 1);
        assert_eq!(clip(&format!("no '{word}' here")), format!("no '{word}' here"));
        assert_eq!(clip(&format!("no '{word}a', '{word}aa' here")), "no 'aaaaaaaa...', 'aaaaaaaa...' here");
        assert_eq!(clip(&format!("{word}a\u{1b}[2J\n{word}aa")), "aaaaaaaa...?[2J\naaaaaaaa...");
    }
}
