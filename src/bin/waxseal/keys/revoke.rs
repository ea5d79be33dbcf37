//! `keys revoke`: one key that leaked, or all of them, and what is left to do.

use serde::Serialize;
use waxseal::KeyId;
use waxseal::keys::{Revocation, RingFile, RingReport};
use waxseal::time::Timestamp;

use super::args::Revoke;
use super::fleet::Fleet;
use super::{Activation, or_none, staged};
use crate::answer::Answer;
use crate::error::CliError;
use crate::input::instant;
use crate::ring::usage;
use crate::show::{facts, when};

/// Revokes one key, or all.
pub(crate) fn revoke(args: &Revoke) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    if args.all && !args.yes {
        return Err(unconfirmed(&file.report(now)?));
    }
    let done = change(&file, args, now)?;
    let report = file.report(now)?;
    let fleet = Fleet::of(&report, now);
    let then = done.sessions_ended.then_some("waxseal keys not-before now");
    let reset = args.all.then(|| format!("waxseal revocations reset --ring-id {}", &report.ring_id[..8]));
    let mut text =
        format!("{}\n{}{}", facts(&rows(&done, &report, &fleet, args, now)), fleet.proof(), afterwards(&done, args));
    if let Some(reset) = &reset {
        text.push_str(RESET);
        text.push_str(reset);
    }
    let json = RevokeJson {
        revoked: &done.revoked,
        reason: &args.reason,
        promoted: done.promoted.map(Activation::from),
        active: report.active,
        staged: staged(&report),
        sessions_ended: done.sessions_ended,
        not_before: report.not_before,
        unproven: unproven(&done, args),
        fleet,
        once_converged: then,
        reset_with: reset,
    };
    Ok(Answer::new(text, &json))
}

fn change(file: &RingFile, args: &Revoke, now: Timestamp) -> Result<Revocation, CliError> {
    let verb = if args.all { "revoke --all" } else { "revoke" };
    file.update(now, verb, |ring| {
        let done = match args.id {
            Some(id) => ring.revoke(id, Some(&args.reason), args.sessions.map(Into::into), now)?,
            None => ring.revoke_all(Some(&args.reason), now)?,
        };
        Ok((done, true))
    })
}

fn unconfirmed(report: &RingReport) -> CliError {
    let what = format!(
        "--all replaces every key of ring {} and ends every session of its fleet, and is not confirmed",
        report.ring_id
    );
    usage(what).advise("add --yes if that is the ring you mean")
}

fn rows(
    done: &Revocation,
    report: &RingReport,
    fleet: &Fleet,
    args: &Revoke,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let ids = done.revoked.iter().map(KeyId::to_string).collect::<Vec<_>>().join(" ");
    let mut rows = vec![("revoked", format!("{ids}, for good: {}", args.reason))];
    rows.extend(
        done.promoted.map(|promoted| ("takes over", format!("{} at {}", promoted.key, when(promoted.at, now)))),
    );
    rows.push(("active", or_none(report.active)));
    rows.push(("staged", or_none(staged(report))));
    rows.push((
        "sessions",
        match (done.sessions_ended, report.not_before) {
            (true, Some(at)) => format!("all that started up to {} are over", when(at, now)),
            _ => "those under other keys go on".to_owned(),
        },
    ));
    rows.push(fleet.row(now));
    rows
}

/// What nobody knows yet, as sentences for the JSON.
fn unproven(done: &Revocation, args: &Revoke) -> Vec<&'static str> {
    let mut unproven = vec!["every server has this ring; until then the others still open tokens of the revoked keys"];
    if done.sessions_ended {
        unproven.push("no server started or renewed a forged session since; those it did outlive this cut-off");
    } else if args.sessions.is_some() {
        unproven.push("no forged session was renewed under another key; one that was goes on");
    }
    unproven
}

fn afterwards(done: &Revocation, args: &Revoke) -> &'static str {
    if done.sessions_ended {
        "\nUntil then servers with the old ring still open tokens of the revoked keys, and\n\
         start sessions from them that outlive this cut-off. So once the fleet has\n\
         converged, end those too:\n  waxseal keys not-before now"
    } else if args.sessions.is_some() {
        "\nUntil then servers with the old ring still open tokens of the revoked key. Forged\n\
         sessions that were renewed under another key go on; if that must not be, run\n  \
         waxseal keys not-before now"
    } else {
        "\nUntil then servers with the old ring still open tokens of the revoked key."
    }
}

#[derive(Serialize)]
struct RevokeJson<'a> {
    revoked: &'a [KeyId],
    reason: &'a str,
    /// The key that took over.
    promoted: Option<Activation>,
    active: Option<KeyId>,
    staged: Option<KeyId>,
    sessions_ended: bool,
    not_before: Option<Timestamp>,
    #[serde(flatten)]
    fleet: Fleet,
    unproven: Vec<&'static str>,
    /// What to run after the proof.
    once_converged: Option<&'static str>,
    /// What to run at once where servers share a directory of revocations: its secrets were replaced.
    reset_with: Option<String>,
}

const RESET: &str = "\n\nThe secrets of the list of revocations were replaced too. If servers share a\n\
                     directory, it cannot be read with this ring; begin it anew now:\n  ";
