//! A directory as a tool sees it: every entry and every journal, without taking part in it.

mod report;
#[cfg(feature = "redis")]
mod stream;

use std::collections::{HashMap, HashSet};
use std::path::Path;

pub use report::{CutOffScope, Entered, EntryReport, JournalReport};
use serde::Serialize;
#[cfg(feature = "redis")]
pub use stream::StreamInspection;

use super::directory::{Directory, DirectoryError, Line, Look};
use super::entry::{Act, CutOffId, Entry, Note};
use super::error::RevocationsError;
use super::known::Known;
use super::list::Revocations;
use super::revoke::Revoke;
use super::secrets::Secrets;
use super::shared::retention;
use crate::id::SessionId;
use crate::keys::KeyRing;
use crate::text;
use crate::time::Timestamp;

/// Everything that a directory of revocations holds. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The instant this speaks of.
    pub now: Timestamp,
    /// The fleet's name, drawn when the directory was set up: 32 hexadecimal digits.
    pub fleet_id: String,
    /// How often the directory began anew, and once more.
    pub epoch: u64,
    /// For how long an entry is remembered, in seconds.
    pub retention: u64,
    /// Seconds that a cut-off may lie ahead of a clock; beyond it, it counts as of its arrival.
    pub skew: u64,
    /// The ring's own cut-off for everyone.
    pub not_before: Option<Timestamp>,
    /// Why a server that starts now could not load the list.
    pub cold_start: Option<String>,
    /// Writers of whom something is missing or cannot be read, and whom nobody has carried on.
    pub gaps: Vec<String>,
    /// Entries that are forgotten, and still stand in a journal.
    pub forgotten: usize,
    /// Every writer that has a journal.
    pub journals: Vec<JournalReport>,
    /// Every entry that is not forgotten, newest first.
    pub entries: Vec<EntryReport>,
    /// Files that nobody reads any more.
    pub leftovers: Vec<String>,
}

/// Of whom to ask whether they are revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question<'a> {
    /// A session.
    pub session: Option<SessionId>,
    /// Its subject, or one by itself.
    pub subject: Option<&'a str>,
    /// Its tenant, or one by itself.
    pub tenant: Option<&'a str>,
}

impl Revocations {
    /// Reads everything in a directory, for people and tools. Writes nothing; a server that runs is not disturbed.
    ///
    /// # Errors
    /// It is no directory of this ring's, or cannot be read at all. Faults of single journals are in the answer.
    pub fn inspect_directory(ring: &KeyRing, path: impl AsRef<Path>) -> Result<Inspection, RevocationsError> {
        let now = ring.clock().now();
        let (secrets, known, keep) = tools(ring);
        let look = Directory::look(path.as_ref(), &secrets, &known, now)?;
        let snapshot = ring.snapshot();
        let not_before = Some(snapshot.ring.not_before).filter(|at| at.as_unix() > 0);
        Ok(Inspection::of(look, now, keep, snapshot.ring.policy.skew, not_before))
    }

    /// Takes over the journals of writers that have ended into one, and drops what is forgotten, as servers do by themselves. The
    /// writers whose journals were removed.
    ///
    /// # Errors
    /// It is no directory of this ring's, or cannot be written. Nothing is lost then.
    pub fn compact_directory(ring: &KeyRing, path: impl AsRef<Path>) -> Result<Vec<String>, RevocationsError> {
        let (secrets, known, keep) = tools(ring);
        let removed = Directory::collect(path.as_ref(), &secrets, &known, ring.clock().now(), keep)?;
        Ok(removed.iter().map(ToString::to_string).collect())
    }

    /// Begins a directory anew with `revoke` alone, or with nothing: whatever only its files held is given up, and they are set
    /// aside. Servers that run write into it all that they know. For a directory that can be mended in no other way, and for a
    /// ring whose secrets were replaced. The new epoch, and the id of the cut-off if `revoke` is one.
    ///
    /// # Errors
    /// - it is no directory of revocations, or one of another ring or a newer version
    /// - it cannot be written
    pub fn reset_directory(
        ring: &KeyRing,
        path: impl AsRef<Path>,
        revoke: Option<&Revoke>,
    ) -> Result<(u64, Option<CutOffId>), RevocationsError> {
        let now = ring.clock().now();
        let (secrets, known, _) = tools(ring);
        let (entry, id) = first_entry(revoke, &secrets, now)?;
        let directory = Directory::at(path.as_ref(), true);
        let epoch = directory.reset(entry.into_iter().collect(), &known, &secrets, now)?;
        Ok((epoch, id))
    }

    /// Those of `entries` that act on whom is asked of, in their order.
    pub fn answer<'a>(
        ring: &KeyRing,
        entries: &'a [EntryReport],
        question: Question<'_>,
    ) -> impl Iterator<Item = &'a EntryReport> + use<'a> {
        let names = Secrets::of(&ring.snapshot()).names;
        let subject = question.subject.map(|name| CutOffScope::Subject(names.subject(name)));
        let tenant = question.tenant.map(|name| CutOffScope::Tenant(names.tenant(name)));
        let (scopes, session) = ([Some(CutOffScope::Everyone), subject, tenant], question.session);
        entries.iter().filter(move |entry| match entry.what {
            Entered::Session { session: id, .. } => session == Some(id),
            Entered::CutOff { scope, until, except, retracted, .. } => {
                let covers = session.is_none_or(|id| id.start() <= until && except != Some(id));
                !retracted && covers && scopes.contains(&Some(scope))
            }
            Entered::Retract { .. } => false,
        })
    }
}

/// What a tool needs of a ring: secrets, a list to read into, and for how long entries are remembered.
fn tools(ring: &KeyRing) -> (Secrets, Known, u64) {
    let snapshot = ring.snapshot();
    let secrets = Secrets::of(&snapshot);
    let known = Known::new(secrets.names.clone(), snapshot.ring.policy.skew);
    (secrets, known, retention(&snapshot.ring))
}

impl Inspection {
    fn of(look: Look, now: Timestamp, retention: u64, skew: u64, not_before: Option<Timestamp>) -> Self {
        let dead = Timestamp::from_unix(now.as_unix().saturating_sub(retention));
        let gaps = match &look.cold {
            Some(DirectoryError::Gaps { writers, .. }) => writers.iter().map(ToString::to_string).collect(),
            _ => vec![],
        };
        let journals = look.journals.iter().map(|journal| (journal, journal.writer.to_string()));
        let lines = journals.flat_map(|(journal, writer)| journal.lines.iter().map(move |line| (line, writer.clone())));
        let entries = lines.filter_map(|(line, writer)| match line {
            Line::Entry(entry) => Some((entry.clone(), writer)),
            _ => None,
        });
        let (entries, forgotten) = merged(entries, dead);
        let entries = reports(entries, now, retention, skew);
        Self {
            now,
            fleet_id: text::hex(&look.fleet.id),
            epoch: look.fleet.epoch,
            retention,
            skew,
            not_before,
            cold_start: look.cold.map(|error| error.to_string()),
            gaps,
            forgotten,
            journals: look.journals.iter().map(|journal| JournalReport::of(journal, &look.nodes)).collect(),
            entries,
            leftovers: look.leftovers,
        }
    }
}

/// The entry with which a store begins anew, and the id of the cut-off if it is one.
fn first_entry(
    revoke: Option<&Revoke>,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(Option<Entry>, Option<CutOffId>), RevocationsError> {
    let entry = revoke.map(|revoke| super::commit::entry(revoke, &secrets.names, now)).transpose()?;
    let id = entry.as_ref().and_then(|entry| match &entry.act {
        Act::CutOff(cut) => Some(cut.id),
        _ => None,
    });
    Ok((entry, id))
}

/// Every entry once, with the name of the writer that says most of it; and how many are forgotten. Later ones come first.
fn merged(written: impl Iterator<Item = (Entry, String)>, dead: Timestamp) -> (Vec<(Entry, String)>, usize) {
    let (mut entries, mut places) = (Vec::<(Entry, String)>::new(), HashMap::new());
    let mut forgotten = 0;
    for (entry, writer) in written {
        if entry.at < dead {
            forgotten += 1;
            continue;
        }
        let place = *places.entry(entry.act).or_insert(entries.len());
        match entries.get_mut(place) {
            None => entries.push((entry, writer)),
            Some(known) => {
                // Carried on from memory it has lost its note; it lives as long as the longest of them all the same.
                let at = known.0.at.max(entry.at);
                if known.0.note == Note::default() && entry.note != known.0.note {
                    *known = (entry, writer);
                }
                known.0.at = at;
            }
        }
    }
    entries.reverse();
    (entries, forgotten)
}

/// Entries as they are told, newest first.
fn reports(entries: Vec<(Entry, String)>, now: Timestamp, retention: u64, skew: u64) -> Vec<EntryReport> {
    let retracted: HashSet<_> = entries
        .iter()
        .filter_map(|(entry, _)| match entry.act {
            Act::Retract(id) => Some(id),
            _ => None,
        })
        .collect();
    let report = |(entry, writer): (Entry, String)| EntryReport {
        what: Entered::of(&entry, &retracted, now.plus(skew)),
        decided_at: entry.at,
        forgotten_at: entry.at.plus(retention),
        writer,
        actor: entry.note.actor,
        reason: entry.note.reason,
    };
    let mut reports: Vec<_> = entries.into_iter().map(report).collect();
    reports.sort_by_key(|report| std::cmp::Reverse(report.decided_at));
    reports
}

#[cfg(test)]
mod tests;
