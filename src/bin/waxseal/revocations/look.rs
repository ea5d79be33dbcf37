//! The verbs that look: status of a directory, and inspect.

use std::path::Path;

use serde::Serialize;
use waxseal::revocation::{CutOffScope, Entered, EntryReport, Inspection, JournalReport, Question};
use waxseal::time::Timestamp;
use waxseal::{KeyRing, Revocations};

use super::args::{Inspect, Look, Status};
use super::store::{Named, Store};
use super::troubles;
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::show::{away, facts, lossy, span, table, tame, when, whole};

impl Look {
    pub(super) fn inspect(&self, directory: &Path) -> Result<(KeyRing, Inspection), CliError> {
        let ring = self.place.load_at(self.now)?;
        let seen = Revocations::inspect_directory(&ring, directory)?;
        Ok((ring, seen))
    }

    /// Everything that is revoked, in any store.
    fn seen(&self, store: &Store) -> Result<(KeyRing, Seen), CliError> {
        match store {
            Store::Directory(path) => {
                let (ring, seen) = self.inspect(path)?;
                let problem = incomplete(&seen);
                Ok((ring, Seen { now: seen.now, not_before: seen.not_before, entries: seen.entries, problem }))
            }
            #[cfg(feature = "redis")]
            Store::Redis(server) => super::redis::seen(self, server),
        }
    }
}

/// What is revoked, wherever it stands.
pub(super) struct Seen {
    pub(super) now: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) entries: Vec<EntryReport>,
    /// What cannot be read.
    pub(super) problem: Option<CliError>,
}

/// Shows how the directory is doing.
pub(crate) fn status(args: &Status, directory: &Path) -> Result<Answer, CliError> {
    let (_, seen) = args.look.inspect(directory)?;
    let path = whole(directory);
    let counts = Counts::of(&seen.entries);
    let alive = seen.journals.iter().filter(|journal| is_alive(journal, seen.now)).count();
    let bytes = seen.journals.iter().map(|journal| journal.bytes).sum();
    let ready = match &seen.cold_start {
        None => "yes, a server that starts now can load it".to_owned(),
        Some(why) => format!("no: {}", tame(why)),
    };
    let mut rows = vec![
        ("directory", path.display().to_string()),
        ("fleet", format!("{}, epoch {}", seen.fleet_id, seen.epoch)),
        ("ready", ready),
        ("sessions", format!("{} revoked", counts.sessions)),
        ("cut-offs", counts.cut_offs()),
        ("kept", format!("for {} after it was decided", span(seen.retention))),
        ("journals", format!("{}, {bytes} bytes, {} forgotten entries in them", seen.journals.len(), seen.forgotten)),
        ("writers", format!("{alive} alive within the last minute")),
    ];
    if let Some(at) = seen.not_before {
        rows.push(("not before", format!("the ring itself ends sessions started up to {}", when(at, seen.now))));
    }
    let journals = if args.nodes { format!("\n{}", nodes(&seen)) } else { String::new() };
    let json = StatusJson {
        directory: &path,
        fleet_id: &seen.fleet_id,
        epoch: seen.epoch,
        now: seen.now,
        ready: seen.cold_start.is_none(),
        cold_start: seen.cold_start.as_deref(),
        gaps: &seen.gaps,
        retention: seen.retention,
        not_before: seen.not_before,
        counts: &counts,
        forgotten: seen.forgotten,
        bytes,
        alive,
        journals: &seen.journals,
    };
    Ok(Answer::new(facts(&rows) + &journals, &json).but(incomplete(&seen)))
}

fn nodes(seen: &Inspection) -> String {
    if seen.journals.is_empty() {
        return "No writer has a journal yet.\n".to_owned();
    }
    let header = ["WRITER", "STATE", "LAST BEAT", "LINES", "BYTES"].map(str::to_owned);
    let rows = seen.journals.iter().map(|journal| {
        let state = match journal {
            JournalReport { fault: Some(fault), .. } => tame(fault),
            JournalReport { ended: true, .. } => "ended".to_owned(),
            _ if is_alive(journal, seen.now) => "alive".to_owned(),
            _ => "silent".to_owned(),
        };
        let beat = journal.beat_at.map_or_else(|| "-".to_owned(), |at| away(at, seen.now));
        [journal.writer.clone(), state, beat, journal.lines.to_string(), journal.bytes.to_string()]
    });
    table(&[header].into_iter().chain(rows).collect::<Vec<_>>())
}

fn is_alive(journal: &JournalReport, now: Timestamp) -> bool {
    journal.fault.is_none() && !journal.ended && journal.beat_at.is_some_and(|at| now.since(at) <= ALIVE)
}

/// What the directory lacks, if it lacks something.
fn incomplete(seen: &Inspection) -> Option<CliError> {
    let troubles = troubles(seen);
    let what = match (&seen.cold_start, troubles) {
        (None, 0) => return None,
        (None, 1) => "1 journal has a fault".to_owned(),
        (None, count) => format!("{count} journals have faults"),
        (Some(_), _) => "a server that starts now cannot load the list; those that run keep what they know".to_owned(),
    };
    Some(
        CliError::new(Exit::Refused, "revocations_faults", what).advise("`waxseal revocations verify` says what to do"),
    )
}

/// Lists entries, or answers.
pub(crate) fn inspect(args: &Inspect) -> Result<Answer, CliError> {
    let store = args.look.place.store()?;
    let (ring, seen) = args.look.seen(&store)?;
    let mut question = Question::default();
    (question.session, question.subject) = (args.session, args.subject.as_deref());
    question.tenant = args.tenant.as_deref();
    let asks = question != Question::default();
    let found: Vec<_> = match asks {
        true => Revocations::answer(&ring, &seen.entries, question).collect(),
        false => seen.entries.iter().collect(),
    };
    let by_ring = args.session.zip(seen.not_before).is_some_and(|(session, at)| session.start() <= at);
    let revoked = args.session.map(|_| by_ring || !found.is_empty());
    let json = InspectJson {
        store: store.json(),
        now: seen.now,
        session: args.session.map(|id| id.to_string()),
        subject: question.subject,
        tenant: question.tenant,
        revoked,
        by_ring,
        not_before: seen.not_before,
        entries: &found,
    };
    let lead = if asks { verdict(args, &found, by_ring) } else { String::new() };
    let listed = match found.is_empty() {
        true if asks => String::new(),
        true => "Nothing is revoked.\n".to_owned(),
        false => format!("{}{}", if asks { "\n" } else { "" }, entries(&found, seen.now)),
    };
    Ok(Answer::new(lead + &listed, &json).but(seen.problem))
}

/// The answer in a sentence.
fn verdict(args: &Inspect, found: &[&EntryReport], by_ring: bool) -> String {
    let owner = [("subject", &args.subject), ("tenant", &args.tenant)];
    let owner = owner.iter().filter_map(|(kind, name)| Some(format!("{kind} `{}`", tame(name.as_ref()?))));
    let owner = owner.collect::<Vec<_>>().join(" in ");
    let greatest = found.iter().filter_map(|entry| match entry.what {
        Entered::CutOff { until, .. } => Some(until),
        _ => None,
    });
    match (args.session, greatest.max()) {
        (Some(id), _) if by_ring => format!("{id} is revoked, by the ring's own not-before.\n"),
        (Some(id), _) if !found.is_empty() => format!("{id} is revoked.\n"),
        (Some(id), _) if owner.is_empty() => {
            format!("{id} is not revoked, unless by a cut-off of its subject or tenant: name them too.\n")
        }
        (Some(id), _) => format!("{id} of {owner} is not revoked.\n"),
        (None, Some(until)) => format!("Sessions of {owner} that started up to {until} are over.\n"),
        (None, None) => format!("No cut-off ends sessions of {owner}.\n"),
    }
}

fn entries(found: &[&EntryReport], now: Timestamp) -> String {
    let header = ["DECIDED", "ENDS", "ID", "STARTED", "BY", "WHY"].map(str::to_owned);
    let rows = found.iter().map(|entry| {
        let [what, id, until] = what(entry, now);
        let said = |text: &str| if text.is_empty() { "-".to_owned() } else { tame(text) };
        [entry.decided_at.to_string(), what, id, until, said(&entry.actor), said(&entry.reason)]
    });
    table(&[header].into_iter().chain(rows).collect::<Vec<_>>())
}

fn what(entry: &EntryReport, now: Timestamp) -> [String; 3] {
    match &entry.what {
        Entered::CutOff { id, scope, until, except, retracted, ahead } => {
            let mut what = match scope {
                CutOffScope::Everyone => "everyone".to_owned(),
                CutOffScope::Subject(_) => "a subject".to_owned(),
                CutOffScope::Tenant(_) => "a tenant".to_owned(),
                _ => "a newer scope".to_owned(),
            };
            if let Some(except) = except {
                what.push_str(&format!(" but {except}"));
            }
            if *retracted {
                what.push_str(", retracted");
            } else if *ahead {
                what.push_str(&format!(", {} ahead", span(until.since(now))));
            }
            [what, id.to_string(), format!("up to {until}")]
        }
        Entered::Retract { id } => ["nothing: retracts".to_owned(), id.to_string(), "-".to_owned()],
        Entered::Session { session, started_at } => {
            ["a session".to_owned(), session.to_string(), format!("at {started_at}")]
        }
        _ => ["newer".to_owned(), "-".to_owned(), "-".to_owned()],
    }
}

/// Entries by kind.
#[derive(Default, Serialize)]
pub(super) struct Counts {
    pub(super) sessions: usize,
    everyone: usize,
    subjects: usize,
    tenants: usize,
    retracted: usize,
}

impl Counts {
    pub(super) fn of(entries: &[EntryReport]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            let count = match entry.what {
                Entered::Session { .. } => &mut counts.sessions,
                Entered::CutOff { retracted: true, .. } => &mut counts.retracted,
                Entered::CutOff { scope: CutOffScope::Everyone, .. } => &mut counts.everyone,
                Entered::CutOff { scope: CutOffScope::Subject(_), .. } => &mut counts.subjects,
                Entered::CutOff { scope: CutOffScope::Tenant(_), .. } => &mut counts.tenants,
                _ => continue,
            };
            *count += 1;
        }
        counts
    }

    pub(super) fn cut_offs(&self) -> String {
        format!(
            "{} for everyone, {} for subjects, {} for tenants, {} retracted",
            self.everyone, self.subjects, self.tenants, self.retracted
        )
    }
}

#[derive(Serialize)]
struct StatusJson<'a> {
    #[serde(serialize_with = "lossy")]
    directory: &'a Path,
    fleet_id: &'a str,
    epoch: u64,
    now: Timestamp,
    ready: bool,
    cold_start: Option<&'a str>,
    gaps: &'a [String],
    /// In seconds.
    retention: u64,
    not_before: Option<Timestamp>,
    #[serde(flatten)]
    counts: &'a Counts,
    forgotten: usize,
    bytes: u64,
    /// Writers whose last beat is at most a minute old.
    alive: usize,
    journals: &'a [JournalReport],
}

#[derive(Serialize)]
struct InspectJson<'a> {
    #[serde(flatten)]
    store: Named,
    now: Timestamp,
    session: Option<String>,
    subject: Option<&'a str>,
    tenant: Option<&'a str>,
    /// Of the session, if one was named.
    revoked: Option<bool>,
    /// Whether the ring's own not-before ends it.
    by_ring: bool,
    not_before: Option<Timestamp>,
    entries: &'a [&'a EntryReport],
}

/// Seconds since its last beat within which a server counts as alive: they beat every ten.
const ALIVE: u64 = 60;
