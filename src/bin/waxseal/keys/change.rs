//! The verbs that change a ring, but for revoke: rotate, promote, disable, enable, not-before, stale-ok, prune, policy.

use serde::Serialize;
use waxseal::KeyId;
use waxseal::keys::{Promotion, RingPolicy, RingReport, Role, Rotation};
use waxseal::time::Timestamp;

use super::args::{NotBefore, OneKey, PolicyArgs, Promote, Prune, Rotate, StaleOk};
use super::fleet::Fleet;
use super::{Activation, look, next_activation, or_none, sealing_since, staged};
use crate::answer::Answer;
use crate::error::CliError;
use crate::input::{Moment, instant};
use crate::show::{facts, span, when};

/// Dates the staged key.
pub(crate) fn rotate(args: &Rotate) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let done = file.update(now, "rotate", |ring| {
        if still_young(&ring.report(now), args, now) {
            return Ok((None, false));
        }
        let done = ring.rotate(now)?;
        Ok::<_, CliError>((Some(done), matches!(done, Rotation::Scheduled { .. })))
    })?;
    let report = file.report(now)?;
    let (changed, scheduled) = match done {
        None => (false, None),
        Some(Rotation::AlreadyScheduled { key, at }) => (false, Some(Activation { key, at })),
        Some(Rotation::Scheduled { key, at, .. }) => (true, Some(Activation { key, at })),
    };
    let json = RotateJson {
        changed,
        scheduled,
        active: report.active,
        staged: staged(&report),
        generation: report.generation,
    };
    let Some(Activation { key, at }) = scheduled else {
        let since = sealing_since(&report).map_or(0, |since| now.since(since));
        let text = format!("Nothing to do: key {} has sealed for {}.", or_none(report.active), span(since));
        return Ok(Answer::new(text, &json));
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

/// Whether the active key has sealed for less than was asked for, and none is scheduled yet.
fn still_young(report: &RingReport, args: &Rotate, now: Timestamp) -> bool {
    let age = sealing_since(report).map(|since| now.since(since));
    let young = |least: std::time::Duration| age.is_some_and(|age| age < least.as_secs());
    args.if_older_than.is_some_and(young) && next_activation(report).is_none()
}

/// Dates one key by hand.
pub(crate) fn promote(args: &Promote) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let done = file
        .update(now, "promote", |ring| Ok::<_, CliError>((ring.promote(args.id, args.at, args.force, now)?, true)))?;
    changed(&file.report(now)?, Some(args.id), Some(done), vec![], now)
}

/// Switches a key off.
pub(crate) fn disable(args: &OneKey) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let done = file.update(now, "disable", |ring| Ok::<_, CliError>((ring.disable(args.id, now)?, true)))?;
    let row = ("disabled", format!("{}, its tokens are answered with 503 until it is enabled", args.id));
    changed(&file.report(now)?, Some(args.id), done, vec![row], now)
}

/// Switches a key on.
pub(crate) fn enable(args: &OneKey) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let role = file.update(now, "enable", |ring| Ok::<_, CliError>((ring.enable(args.id, now)?, true)))?;
    let does = match role {
        Role::Active => "seals and opens again",
        Role::Retiring => "opens again; another key took over meanwhile, so it never seals again",
        _ => "opens again",
    };
    changed(&file.report(now)?, Some(args.id), None, vec![("enabled", format!("{}, {role}: {does}", args.id))], now)
}

/// Moves the ring's cut-off forward.
pub(crate) fn not_before(args: &NotBefore) -> Result<Answer, CliError> {
    let now = instant(None);
    let at = match args.at {
        Moment::At(at) => at,
        Moment::Now => now,
    };
    let file = args.write.file()?;
    file.update(now, "not-before", |ring| Ok::<_, CliError>((ring.set_not_before(at, now)?, true)))?;
    let row = ("not before", format!("sessions started up to {} are over", when(at, now)));
    changed(&file.report(now)?, None, None, vec![row], now)
}

/// Accepts a stale list of revocations for a while, or no longer.
pub(crate) fn stale_ok(args: &StaleOk) -> Result<Answer, CliError> {
    let now = instant(None);
    let until = args.how_long.map(|how_long| now.plus(how_long.as_secs()));
    let file = args.write.file()?;
    file.update(now, "stale-ok", |ring| {
        let before = ring.report(now).stale_ok_until;
        ring.set_stale_ok(until, now)?;
        Ok::<_, CliError>(((), before != until))
    })?;
    let row = match until {
        Some(until) => ("stale ok", format!("until {}", when(until, now))),
        None => ("stale ok", "no; a stale list of revocations is refused".to_owned()),
    };
    changed(&file.report(now)?, None, None, vec![row], now)
}

/// The answer of a verb that the fleet has to hear of.
fn changed(
    report: &RingReport,
    key: Option<KeyId>,
    promoted: Option<Promotion>,
    mut rows: Vec<(&'static str, String)>,
    now: Timestamp,
) -> Result<Answer, CliError> {
    let fleet = Fleet::of(report, now);
    rows.extend(promoted.map(|promoted| ("takes over", format!("{} at {}", promoted.key, when(promoted.at, now)))));
    rows.push(("active", or_none(report.active)));
    rows.push(("staged", or_none(staged(report))));
    rows.push(fleet.row(now));
    let text = format!("{}\n{}", facts(&rows), fleet.proof());
    let json = ChangeJson {
        key,
        role: key.and_then(|id| report.key(id)).map(|key| key.role),
        promoted: promoted.map(Activation::from),
        active: report.active,
        staged: staged(report),
        not_before: report.not_before,
        stale_ok_until: report.stale_ok_until,
        fleet,
    };
    Ok(Answer::new(text, &json))
}

/// Drops what nobody can need.
pub(crate) fn prune(args: &Prune) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let drop = |ring: &mut waxseal::keys::Ring| match args.id {
        Some(id) => ring.prune_key(id, now).map(|()| vec![id]),
        None => Ok(ring.prune(now)),
    };
    let pruned = if args.dry_run {
        drop(&mut file.read()?)?
    } else {
        file.update(now, "prune", |ring| {
            let pruned = drop(ring)?;
            let changed = !pruned.is_empty();
            Ok::<_, CliError>((pruned, changed))
        })?
    };
    let report = file.report(now)?;
    let json = PruneJson {
        changed: !pruned.is_empty() && !args.dry_run,
        pruned: &pruned,
        generation: report.generation,
        slots_left: report.slots_left,
    };
    let ids = pruned.iter().map(KeyId::to_string).collect::<Vec<_>>().join(" ");
    let text = match (pruned.is_empty(), args.dry_run) {
        (true, _) => "Nothing to prune: living tokens may need every key.".to_owned(),
        (false, true) => format!("Would prune: {ids}\nNothing was written."),
        (false, false) => format!("Pruned: {ids}"),
    };
    Ok(Answer::new(text, &json))
}

/// Shows the policy, or changes it.
pub(crate) fn policy(args: &PolicyArgs) -> Result<Answer, CliError> {
    let now = instant(None);
    let file = args.write.file()?;
    let before = file.report(now)?.policy;
    let asks = args.applied(&before) != before;
    if asks {
        file.update(now, "policy", |ring| {
            let policy = args.applied(ring.policy());
            Ok::<_, CliError>((ring.set_policy(policy, now)?, true))
        })?;
    }
    let report = file.report(now)?;
    let [lives, spreads] = look::policy(&report.policy);
    let mut text = facts(&[("policy", lives), ("", spreads)]);
    if asks {
        let fleet = Fleet::of(&report, now);
        text = format!("{text}fleet   {}\n\n{}", fleet.row(now).1, fleet.proof());
    }
    Ok(Answer::new(text, &PolicyJson { changed: asks, policy: &report.policy, generation: report.generation }))
}

#[derive(Serialize)]
struct RotateJson {
    /// Whether anything was written.
    changed: bool,
    scheduled: Option<Activation>,
    active: Option<KeyId>,
    staged: Option<KeyId>,
    generation: u64,
}

#[derive(Serialize)]
struct ChangeJson {
    /// The key named.
    key: Option<KeyId>,
    /// What it does now.
    role: Option<Role>,
    /// The key that was given a date.
    promoted: Option<Activation>,
    active: Option<KeyId>,
    staged: Option<KeyId>,
    not_before: Option<Timestamp>,
    stale_ok_until: Option<Timestamp>,
    #[serde(flatten)]
    fleet: Fleet,
}

#[derive(Serialize)]
struct PruneJson<'a> {
    changed: bool,
    pruned: &'a [KeyId],
    generation: u64,
    slots_left: usize,
}

#[derive(Serialize)]
struct PolicyJson<'a> {
    changed: bool,
    policy: &'a RingPolicy,
    generation: u64,
}
