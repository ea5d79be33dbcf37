//! The verbs that look at a ring: list, status, verify.

use std::path::Path;

use serde::Serialize;
use waxseal::KeyId;
use waxseal::keys::{KeyReport, RingPolicy, RingReport, Role};
use waxseal::time::Timestamp;

use super::args::{Look, Verify};
use super::timeline::chart;
use super::{Activation, at_rest, next_activation, rotation_due};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::input::instant;
use crate::show::{facts, lossy, span, table, tame, when, whole};

/// Lists the keys.
pub(crate) fn list(args: &Look) -> Result<Answer, CliError> {
    let report = args.ring.file()?.report(instant(args.now))?;
    let header = ["", "KEY", "ROLE", "SEALS FROM", "SEALS UNTIL", "OPENS UNTIL"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header).chain(report.keys.iter().map(|key| row(key, report.active))).collect();
    let legend = match report.active {
        Some(_) => "* seals new tokens now",
        None => "No key seals now.",
    };
    let graves: String = report.keys.iter().filter_map(grave).collect();
    let (id, generation, now) = (&report.ring_id, report.generation, report.now);
    let text = format!(
        "Ring {id}, generation {generation}, at {now}\n\n{}\n{legend}\n{graves}\n{}",
        table(&rows),
        chart(&report)
    );
    Ok(Answer::new(text, &report))
}

fn row(key: &KeyReport, active: Option<KeyId>) -> [String; 6] {
    let or = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| at.to_string());
    let opens = match key.role {
        Role::Revoked => "never".to_owned(),
        Role::Disabled => "not while disabled".to_owned(),
        _ => or(key.opens_until, NO_END),
    };
    [
        if active == Some(key.id) { "*" } else { " " }.to_owned(),
        key.id.to_string(),
        key.role.to_string(),
        or(key.activate_at, "no date yet"),
        or(key.superseded_at, NO_END),
        opens,
    ]
}

fn grave(key: &KeyReport) -> Option<String> {
    let reason = key.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", tame(reason)));
    Some(format!("{} was revoked at {}{reason}\n", key.id, key.revoked_at?))
}

/// Shows how the ring is doing.
pub(crate) fn status(args: &Look) -> Result<Answer, CliError> {
    let now = instant(args.now);
    let file = args.ring.file()?;
    let (report, kek_id) = (file.report(now)?, file.kek_id()?);
    let path = whole(&args.ring.path);
    let (next, due) = (next_activation(&report), rotation_due(&report));
    let overdue = due.is_some_and(|at| at <= now);
    let json = StatusJson {
        ring_file: &path,
        encrypted_under: kek_id.as_deref(),
        ring: &report,
        next_activation: next,
        rotation_due_at: due,
        rotation_overdue: overdue,
    };
    let since = |key: &KeyReport| key.activate_at.map(|at| format!("{}, since {}", key.id, when(at, now)));
    let active = report.active.and_then(|id| report.key(id)).and_then(since);
    let rotation = match (next, due) {
        (Some(next), _) => format!("{} seals from {}", next.key, when(next.at, now)),
        (None, Some(at)) => format!("none scheduled; rotate by {}", when(at, now)),
        (None, None) => "none scheduled".to_owned(),
    };
    let [lives, spreads] = policy(&report.policy);
    let mut rows = vec![
        ("ring", report.ring_id.clone()),
        ("file", path.display().to_string()),
        ("at rest", at_rest(kek_id.as_deref())),
        ("generation", report.generation.to_string()),
        ("digest", report.digest.clone()),
        ("active key", active.unwrap_or_else(|| "none".to_owned())),
        ("next key", rotation),
        ("room for", format!("{} more keys by rotation", report.slots_left)),
        ("not before", report.not_before.map_or_else(|| "no cut-off".to_owned(), |at| cut_off(at, now))),
        ("policy", lives),
        ("", spreads),
    ];
    if let Some(until) = report.stale_ok_until {
        rows.push(("stale ok", format!("until {}", when(until, now))));
    }
    let warning = if overdue { "\nwarning: rotation is overdue: run `waxseal keys rotate`\n" } else { "" };
    let text = format!("{}\n{}{warning}", facts(&rows), chart(&report));
    Ok(Answer::new(text, &json).but(report.active.is_none().then(|| no_active_key(next, now))))
}

/// Reads the ring file by every rule.
pub(crate) fn verify(args: &Verify) -> Result<Answer, CliError> {
    let file = args.ring.file()?;
    let (report, kek_id) = (file.report(instant(None))?, file.kek_id()?);
    let path = whole(&args.ring.path);
    let json = VerifyJson {
        ok: true,
        ring_file: &path,
        encrypted_under: kek_id.as_deref(),
        ring_id: &report.ring_id,
        generation: report.generation,
        digest: &report.digest,
    };
    let text = format!(
        "ok: ring {}, generation {}, {}, {}",
        report.ring_id,
        report.generation,
        report.digest,
        at_rest(kek_id.as_deref())
    );
    Ok(Answer::new(text, &json))
}

fn no_active_key(next: Option<Activation>, now: Timestamp) -> CliError {
    let next = next.map_or_else(String::new, |next| format!("; {} seals from {}", next.key, next.at));
    CliError::new(Exit::Refused, "no_active_key", format!("no key of the ring seals at {now}{next}"))
        .advise("check this machine's clock, and that this is the fleet's newest ring file")
}

fn cut_off(at: Timestamp, now: Timestamp) -> String {
    format!("sessions started up to {} are over", when(at, now))
}

/// The policy in two lines, named as the flags of `init`.
pub(crate) fn policy(policy: &RingPolicy) -> [String; 2] {
    let part = |&(name, seconds): &(&str, u64)| format!("{name} {}", span(seconds));
    let line = |parts: &[(&str, u64)]| parts.iter().map(part).collect::<Vec<_>>().join(", ");
    [
        line(&[("max-lifetime", policy.max_token_lifetime), ("rotate-every", policy.rotate_every)])
            + &format!(", {}", part(&("activation-delay", policy.activation_delay))),
        line(&[
            ("skew", policy.skew),
            ("refresh", policy.refresh),
            ("distribution", policy.distribution),
            ("late", policy.late),
        ]),
    ]
}

#[derive(Serialize)]
struct StatusJson<'a> {
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    /// The id of the KEK, null for a plain file.
    encrypted_under: Option<&'a str>,
    #[serde(flatten)]
    ring: &'a RingReport,
    next_activation: Option<Activation>,
    rotation_due_at: Option<Timestamp>,
    rotation_overdue: bool,
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    ok: bool,
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    encrypted_under: Option<&'a str>,
    ring_id: &'a str,
    generation: u64,
    digest: &'a str,
}

/// Stands where a date is when nothing has set one.
const NO_END: &str = "no end yet";
