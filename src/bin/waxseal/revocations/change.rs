//! The verbs that change a directory: init, compact, reset; and retract, for any store.

use std::path::Path;

use serde::Serialize;
use waxseal::Revocations;
use waxseal::revocation::{CutOffId, Entered, Revoke};
use waxseal::time::Timestamp;

use super::args::{Place, Reset, Retract};
use super::revoke::{Durable, now};
use super::{confirm, lasting};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::show::{count, facts, lossy, span, whole};

/// Sets a directory up.
pub(crate) fn init(args: &Place, directory: &Path) -> Result<Answer, CliError> {
    let ring = args.load()?;
    Revocations::init_directory(&ring, directory)?;
    let made = Revocations::inspect_directory(&ring, directory)?;
    let (path, ring_id) = (whole(directory), ring.status().ring.ring_id);
    let json = InitJson { directory: &path, ring_id: &ring_id, fleet_id: &made.fleet_id, epoch: made.epoch };
    let rows = [
        ("directory", path.display().to_string()),
        ("ring", ring_id.clone()),
        ("fleet", format!("{}, epoch {}", made.fleet_id, made.epoch)),
        ("kept", format!("for {} after it was decided", span(made.retention))),
    ];
    let next = "Next: let every server's user read and write it, and name it in\n\
                Revocations::directory(). Whoever may delete files there may undo revocations.";
    Ok(Answer::new(format!("{}\n{next}", facts(&rows)), &json))
}

/// Takes over what has ended.
pub(crate) fn compact(args: &Place, directory: &Path) -> Result<Answer, CliError> {
    let ring = args.load()?;
    let bytes = |inspection: &waxseal::revocation::Inspection| -> u64 {
        inspection.journals.iter().map(|journal| journal.bytes).sum()
    };
    let before = Revocations::inspect_directory(&ring, directory)?;
    let removed = Revocations::compact_directory(&ring, directory)?;
    let after = Revocations::inspect_directory(&ring, directory)?;
    let json = CompactJson {
        removed: &removed,
        journals: after.journals.len(),
        bytes_before: bytes(&before),
        bytes: bytes(&after),
    };
    let text = match removed.len() {
        0 => "Nothing to do: no writer has ended that left anything to take over.".to_owned(),
        number => format!(
            "Removed {}; what lives of them stands in another. {} and {} bytes before, {} and {} now.",
            count(number, "journal", "journals"),
            count(before.journals.len(), "journal", "journals"),
            json.bytes_before,
            json.journals,
            json.bytes
        ),
    };
    Ok(Answer::new(text, &json))
}

/// Takes a cut-off back.
pub(crate) fn retract(args: &Retract) -> Result<Answer, CliError> {
    let (ring, store) = (args.place.load()?, args.place.store()?);
    let entries = store.entries(&ring)?;
    let cut_off = |what: &Entered| match *what {
        Entered::CutOff { id, until, retracted, .. } if id == args.id => Some((until, retracted)),
        _ => None,
    };
    let failed = |code, what: String| CliError::new(Exit::Failed, code, what);
    let until = match entries.iter().find_map(|entry| cut_off(&entry.what)) {
        None => {
            let what = format!("there is no cut-off {} in {}", args.id, store.shown());
            return Err(failed("no_such_cut_off", what).advise("see `waxseal revocations inspect`"));
        }
        Some((_, true)) => {
            return Err(failed("retracted", format!("the cut-off {} was taken back already", args.id))
                .advise("nothing need be done"));
        }
        Some((until, false)) => until,
    };
    let joined = store.join(&ring, args.note.level())?;
    let done = lasting(joined.list.revoke(args.note.on(Revoke::retract(args.id))))?;
    let mut rows = vec![("retracted", format!("{}, which ended sessions that started up to {until}", args.id))];
    let now = now();
    rows.extend(store.durable(done.level, now));
    let json = RetractJson { retracted: args.id.to_string(), until, durable: Durable::of(done.level, now) };
    let then = "Those of its sessions that have not expired meanwhile live again, if nothing\nelse ended them.";
    Ok(Answer::new(format!("{}\n{then}", facts(&rows)), &json))
}

/// Begins anew.
pub(crate) fn reset(args: &Reset, directory: &Path) -> Result<Answer, CliError> {
    let ring = args.place.load()?;
    let does = match args.keep_sessions {
        true => "gives up every revocation that no running server knows",
        false => "ends every session",
    };
    confirm(&ring.status().ring, args.ring_id.as_deref(), does)?;
    let revoke = (!args.keep_sessions).then(|| args.note.on(Revoke::everyone()));
    let (epoch, id) = Revocations::reset_directory(&ring, directory, revoke.as_ref())?;
    let now = now();
    let made = Revocations::inspect_directory(&ring, directory)?;
    let path = whole(directory);
    let mut rows =
        vec![("directory", path.display().to_string()), ("fleet", format!("{}, epoch {epoch}", made.fleet_id))];
    rows.push(match id {
        Some(id) => ("sessions", format!("all that started up to {now} are over, by cut-off {id}")),
        None => ("sessions", "go on".to_owned()),
    });
    rows.push(("set aside", format!("{}, which nobody reads", count(made.leftovers.len(), "file", "files"))));
    let then = match args.keep_sessions {
        true => {
            "Given up: every revocation that stood in the old journals alone. Sessions that\n\
             they ended live again, stolen ones too. Servers that run write what they know\n\
             into the new epoch at their next look."
        }
        false => {
            "Everybody logs in again. Servers that run enter the new epoch at their next look\n\
             and need no restart."
        }
    };
    let json = ResetJson {
        directory: &path,
        fleet_id: &made.fleet_id,
        epoch,
        sessions_ended: id.is_some(),
        cut_off: id.map(|id: CutOffId| id.to_string()),
        set_aside: &made.leftovers,
        now,
    };
    Ok(Answer::new(format!("{}\n{then}", facts(&rows)), &json))
}

#[derive(Serialize)]
struct InitJson<'a> {
    #[serde(serialize_with = "lossy")]
    directory: &'a Path,
    ring_id: &'a str,
    fleet_id: &'a str,
    epoch: u64,
}

#[derive(Serialize)]
struct CompactJson<'a> {
    removed: &'a [String],
    journals: usize,
    bytes_before: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct RetractJson {
    retracted: String,
    until: Timestamp,
    #[serde(flatten)]
    durable: Durable,
}

#[derive(Serialize)]
struct ResetJson<'a> {
    #[serde(serialize_with = "lossy")]
    directory: &'a Path,
    fleet_id: &'a str,
    epoch: u64,
    sessions_ended: bool,
    cut_off: Option<String>,
    set_aside: &'a [String],
    now: Timestamp,
}
