//! The verbs on a key ring: init, list, rotate, status.

use std::path::{Path, PathBuf};

use serde::Serialize;
use waxseal::KeyId;
use waxseal::keys::{KeyReport, Ring, RingFile, RingPolicy, RingReport, Role, Rotation};
use waxseal::time::Timestamp;

use crate::cli::{Init, Look, Rotate};
use crate::error::{CliError, Exit};
use crate::input::instant;
use crate::show::{Answer, facts, span, table, when};

/// Makes a ring file.
pub(crate) fn init(args: &Init) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = RingFile::at(&args.ring.path);
    file.create(&Ring::create(args.policy(), now)?, now)?;
    let report = file.report(now)?;
    let path = whole(&args.ring.path);
    let json = InitJson { ring_file: &path, ring: &report };
    let rows = [
        ("ring", report.ring_id.clone()),
        ("file", format!("{} (mode 0600)", path.display())),
        ("generation", report.generation.to_string()),
        ("active key", format!("{}, seals from now on", or_none(report.active))),
        ("staged key", format!("{}, seals once it is rotated in", or_none(staged(&report)))),
    ];
    let text = format!(
        "{}\nNext: copy the file to every server of the fleet, readable by the service alone,\n\
         and keep a backup: if it is lost, every session ends. Then run\n\
         `waxseal keys rotate` every {}.",
        facts(&rows),
        span(report.policy.rotate_every)
    );
    Ok(Answer::new(text, &json))
}

/// Lists the keys.
pub(crate) fn list(args: &Look) -> Result<Answer, CliError> {
    let report = RingFile::at(&args.ring.path).report(instant(args.now))?;
    let header = ["", "KEY", "ROLE", "SEALS FROM", "SEALS UNTIL", "OPENS UNTIL"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header).chain(report.keys.iter().map(|key| row(key, report.active))).collect();
    let legend = match report.active {
        Some(_) => "* seals new tokens now",
        None => "No key seals now.",
    };
    let (id, generation, now) = (&report.ring_id, report.generation, report.now);
    let text = format!("Ring {id}, generation {generation}, at {now}\n\n{}\n{legend}", table(&rows));
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

/// Dates the staged key.
pub(crate) fn rotate(args: &Rotate) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = RingFile::at(&args.ring.path);
    let done = file.update(now, "rotate", |ring| {
        let done = ring.rotate(now)?;
        Ok::<_, CliError>((done, matches!(done, Rotation::Scheduled { .. })))
    })?;
    let report = file.report(now)?;
    let (changed, key, at) = match done {
        Rotation::AlreadyScheduled { key, at } => (false, key, at),
        Rotation::Scheduled { key, at, .. } => (true, key, at),
    };
    let json = RotateJson {
        changed,
        scheduled: Activation { key, at },
        active: report.active,
        staged: staged(&report),
        generation: report.generation,
    };
    let lead = if changed { "" } else { "Nothing to do: a key is scheduled already.\n\n" };
    let rows = [
        ("scheduled", format!("{key}, seals from {}", when(at, now))),
        ("active", report.active.map_or_else(|| "none".to_owned(), |id| format!("{id}, seals until then"))),
        ("staged", format!("{}, for the rotation after", or_none(staged(&report)))),
    ];
    let next = "Next: copy the file to every server before then. Those that follow it need no\nrestart.";
    Ok(Answer::new(format!("{lead}{}\n{next}", facts(&rows)), &json))
}

/// Shows how the ring is doing.
pub(crate) fn status(args: &Look) -> Result<Answer, CliError> {
    let now = instant(args.now);
    let report = RingFile::at(&args.ring.path).report(now)?;
    let path = whole(&args.ring.path);
    let next = next_activation(&report);
    let due = if next.is_none() { rotation_due(&report) } else { None };
    let overdue = due.is_some_and(|at| at <= now);
    let warning = overdue.then_some("rotation is overdue: run `waxseal keys rotate`");
    let json = StatusJson {
        ring_file: &path,
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
    let rows = [
        ("ring", report.ring_id.clone()),
        ("file", path.display().to_string()),
        ("generation", report.generation.to_string()),
        ("digest", report.digest.clone()),
        ("active key", active.unwrap_or_else(|| "none".to_owned())),
        ("next key", rotation),
        ("not before", report.not_before.map_or_else(|| "no cut-off".to_owned(), |at| cut_off(at, now))),
        ("policy", lives),
        ("", spreads),
    ];
    let warning = warning.map_or_else(String::new, |warning| format!("\nwarning: {warning}\n"));
    let text = format!("{}{warning}", facts(&rows));
    Ok(Answer::new(text, &json).but(report.active.is_none().then(|| no_active_key(next, now))))
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
fn policy(policy: &RingPolicy) -> [String; 2] {
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

/// The key that takes over next, if one has a date.
fn next_activation(report: &RingReport) -> Option<Activation> {
    let scheduled = report.keys.iter().filter(|key| key.role == Role::Scheduled);
    scheduled.filter_map(|key| Some(Activation { key: key.id, at: key.activate_at? })).min_by_key(|next| next.at)
}

/// When the active key has sealed for as long as a key should.
fn rotation_due(report: &RingReport) -> Option<Timestamp> {
    Some(report.key(report.active?)?.activate_at?.plus(report.policy.rotate_every))
}

fn staged(report: &RingReport) -> Option<KeyId> {
    report.keys.iter().find(|key| key.role == Role::Staged).map(|key| key.id)
}

fn or_none(id: Option<KeyId>) -> String {
    id.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

/// The path from the root, for whoever reads this in another directory.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[derive(Serialize)]
struct InitJson<'a> {
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    #[serde(flatten)]
    ring: &'a RingReport,
}

#[derive(Serialize)]
struct RotateJson {
    /// Whether anything was written.
    changed: bool,
    scheduled: Activation,
    active: Option<KeyId>,
    staged: Option<KeyId>,
    generation: u64,
}

#[derive(Serialize)]
struct StatusJson<'a> {
    #[serde(serialize_with = "lossy")]
    ring_file: &'a Path,
    #[serde(flatten)]
    ring: &'a RingReport,
    next_activation: Option<Activation>,
    rotation_due_at: Option<Timestamp>,
    rotation_overdue: bool,
}

#[derive(Clone, Copy, Serialize)]
struct Activation {
    key: KeyId,
    at: Timestamp,
}

/// A path need not be UTF-8, and JSON must.
fn lossy<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// Stands where a date is when nothing has set one.
const NO_END: &str = "no end yet";
