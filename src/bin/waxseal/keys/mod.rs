//! The verbs on a key ring.

mod args;
mod change;
mod compare;
mod doctor;
mod fleet;
mod help;
mod look;
mod make;
mod mount;
mod revoke;
mod timeline;

pub(crate) use args::KeysVerb;

use serde::Serialize;
use waxseal::KeyId;
use waxseal::keys::{Promotion, RingReport, Role};
use waxseal::time::Timestamp;

use crate::answer::Answer;
use crate::error::CliError;

pub(crate) fn run(verb: &KeysVerb) -> Result<Answer, CliError> {
    match verb {
        KeysVerb::Compare(args) => compare::compare(args),
        KeysVerb::Disable(args) => change::disable(args),
        KeysVerb::Doctor(args) => doctor::doctor(args),
        KeysVerb::Enable(args) => change::enable(args),
        KeysVerb::Init(args) => make::init(args),
        KeysVerb::Kek(args) => make::kek(args),
        KeysVerb::List(args) => look::list(args),
        KeysVerb::NotBefore(args) => change::not_before(args),
        KeysVerb::Policy(args) => change::policy(args),
        KeysVerb::Promote(args) => change::promote(args),
        KeysVerb::Prune(args) => change::prune(args),
        KeysVerb::Revoke(args) => revoke::revoke(args),
        KeysVerb::Rewrap(args) => make::rewrap(args),
        KeysVerb::Rotate(args) => change::rotate(args),
        KeysVerb::StaleOk(args) => change::stale_ok(args),
        KeysVerb::Status(args) => look::status(args),
        KeysVerb::UpgradeFormat(args) => make::upgrade_format(args),
        KeysVerb::Verify(args) => look::verify(args),
    }
}

/// A key and the date from which it seals.
#[derive(Clone, Copy, Serialize)]
struct Activation {
    key: KeyId,
    at: Timestamp,
}

impl From<Promotion> for Activation {
    fn from(promotion: Promotion) -> Self {
        Self { key: promotion.key, at: promotion.at }
    }
}

/// The key that takes over next, if one has a date.
fn next_activation(report: &RingReport) -> Option<Activation> {
    let scheduled = report.keys.iter().filter(|key| key.role == Role::Scheduled);
    scheduled.filter_map(|key| Some(Activation { key: key.id, at: key.activate_at? })).min_by_key(|next| next.at)
}

/// Since when the active key seals.
fn sealing_since(report: &RingReport) -> Option<Timestamp> {
    report.key(report.active?)?.activate_at
}

/// When a rotation should have been asked for; `None` while a key is scheduled or none seals.
fn rotation_due(report: &RingReport) -> Option<Timestamp> {
    let since = sealing_since(report).filter(|_| next_activation(report).is_none())?;
    Some(since.plus(report.policy.rotate_every))
}

fn staged(report: &RingReport) -> Option<KeyId> {
    report.keys.iter().find(|key| key.role == Role::Staged).map(|key| key.id)
}

fn or_none(id: Option<KeyId>) -> String {
    id.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

/// How a file lies on disk.
fn at_rest(kek_id: Option<&str>) -> String {
    kek_id.map_or_else(|| "plain, not encrypted".to_owned(), |id| format!("encrypted under KEK {id}"))
}
