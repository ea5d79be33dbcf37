//! `revocations verify`: what is wrong with a directory, and what to do about it.

use std::path::Path;

use serde::Serialize;
use waxseal::revocation::{Entered, EntryReport, Inspection, JournalReport};
use waxseal::time::Timestamp;

use super::args::Look;
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::finding::{Finding, Severity, error, note, warning};
use crate::show::{count, lossy, span, tame, whole};

/// Reads every journal to its end.
pub(crate) fn verify(args: &Look, directory: &Path) -> Result<Answer, CliError> {
    let (_, seen) = args.inspect(directory)?;
    let mut found: Vec<_> = seen.journals.iter().filter_map(|journal| fault(journal, &seen)).collect();
    found.extend(seen.gaps.iter().filter_map(|gap| missing(gap, &seen)));
    found.extend(seen.entries.iter().filter_map(|entry| ahead(entry, seen.now)));
    found.extend(seen.leftovers.iter().map(|name| leftover(name)));
    found.sort_by_key(|finding| finding.severity);
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    let path = whole(directory);
    let json = VerifyJson {
        directory: &path,
        ok: errors == 0,
        ready: seen.cold_start.is_none(),
        epoch: seen.epoch,
        journals: seen.journals.len(),
        entries: seen.entries.len(),
        errors,
        findings: &found,
    };
    let sum = format!(
        "epoch {}, {}, {}; a server that starts now {} load them",
        seen.epoch,
        count(seen.journals.len(), "journal", "journals"),
        count(seen.entries.len(), "entry", "entries"),
        if seen.cold_start.is_none() { "can" } else { "cannot" }
    );
    Ok(told(&found, &sum, &json))
}

/// Every finding in a line, and the sum of it; a failure if one is an error.
pub(super) fn told(found: &[Finding], sum: &str, json: &impl Serialize) -> Answer {
    let lines: String = found.iter().map(Finding::line).collect();
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    let text = if errors == 0 { format!("{lines}ok: {sum}\n") } else { format!("{lines}{sum}\n") };
    let problem = (errors > 0).then(|| {
        let what = format!("{errors} of {} findings must be mended", found.len());
        CliError::new(Exit::Refused, "findings", what).advise("the lines that begin `error` say how")
    });
    Answer::new(text, json).but(problem)
}

fn fault(journal: &JournalReport, seen: &Inspection) -> Option<Finding> {
    let what = |what: &str| format!("{}.journal: {}", journal.writer, tame(what));
    let advice = journal.advice.unwrap_or_default();
    match &journal.fault {
        Some(fault) if journal.outdated => Some(note("outdated", what(fault), advice)),
        Some(fault) if seen.gaps.contains(&journal.writer) || seen.cold_start.is_some() => {
            Some(error("fault", what(fault), advice))
        }
        Some(fault) => {
            let what = format!("{}; another journal holds what it held", what(fault));
            Some(warning("carried", what, "nothing: servers set it aside"))
        }
        None if journal.beat_at.is_some_and(|at| at.since(seen.now) > seen.skew) => {
            let what = what("its writer's clock is ahead of this one");
            Some(warning("clock", what, "set the clocks: what a fast clock decides is kept for longer"))
        }
        None => None,
    }
}

/// A journal that others speak of and that is not there.
fn missing(writer: &str, seen: &Inspection) -> Option<Finding> {
    let there = seen.journals.iter().any(|journal| journal.writer == writer && journal.fault.is_some());
    let short = seen.journals.iter().any(|journal| journal.writer == writer);
    let what = match short {
        true => format!("{writer}.journal is shorter than another writer has read it"),
        false => format!("{writer}.journal is missing, and another writer has read it"),
    };
    let advice = "servers that have read it carry it on within minutes; if none runs that has, what it held is lost: \
                  `waxseal revocations reset`";
    (!there).then(|| error("gap", what, advice))
}

/// A cut-off from a clock that was wrong.
pub(super) fn ahead(entry: &EntryReport, now: Timestamp) -> Option<Finding> {
    let Entered::CutOff { id, until, ahead: true, retracted: false, .. } = entry.what else { return None };
    let what = format!("cut-off {id} lies {} ahead; until then it counts as of its arrival", span(until.since(now)));
    Some(warning(
        "ahead",
        what,
        &format!("if the clock that decided it was wrong, `waxseal revocations retract {id}`, and set that clock"),
    ))
}

fn leftover(name: &str) -> Finding {
    note("leftover", format!("{} is read by nobody", tame(name)), "remove it once nobody wants to know why it is there")
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    #[serde(serialize_with = "lossy")]
    directory: &'a Path,
    ok: bool,
    ready: bool,
    epoch: u64,
    journals: usize,
    entries: usize,
    errors: usize,
    findings: &'a [Finding],
}
