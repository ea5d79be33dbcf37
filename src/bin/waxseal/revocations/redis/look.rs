//! The verbs that look at a Redis server: status, verify, and what inspect lists.

use serde::Serialize;
use waxseal::KeyRing;
use waxseal::revocation::{RedisError, StreamInspection};
use waxseal::time::Timestamp;

use super::{MISSING, Server};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::finding::{Finding, Severity, error, warning};
use crate::revocations::args::{Look, Status};
use crate::revocations::look::{Counts, Seen};
use crate::revocations::verify::{ahead, told};
use crate::show::{count, facts, span, tame, when};

impl Look {
    fn inspect_redis(&self, server: &Server) -> Result<StreamInspection, CliError> {
        server.inspect(&self.place.load_at(self.now)?)
    }
}

/// Shows how the server is doing.
pub(crate) fn status(args: &Status, server: &Server) -> Result<Answer, CliError> {
    let seen = args.look.inspect_redis(server)?;
    let counts = Counts::of(&seen.entries);
    let holds = seen.problems.iter().find(|problem| holds_up(problem, &seen));
    let ready = match holds {
        None => "yes, a server that starts now can load it".to_owned(),
        Some(why) => format!("no: {}", tame(&why.to_string())),
    };
    let mut rows = vec![
        ("redis", server.shown.clone()),
        ("epoch", seen.epoch.as_deref().map_or_else(|| "none: emptied, or never set up".to_owned(), tame)),
        ("ready", ready),
        ("role", tame(&seen.role)),
        ("eviction", tame(&seen.maxmemory_policy)),
        ("sessions", format!("{} revoked", counts.sessions)),
        ("cut-offs", counts.cut_offs()),
        ("kept", format!("for {} after it was decided", span(seen.retention))),
        ("stream", stream(&seen)),
    ];
    if let Some(at) = seen.not_before {
        rows.push(("not before", format!("the ring itself ends sessions started up to {}", when(at, seen.now))));
    }
    let json = StatusJson {
        redis: &server.shown,
        epoch: seen.epoch.as_deref(),
        now: seen.now,
        ready: holds.is_none(),
        problems: seen.problems.iter().map(ToString::to_string).collect(),
        role: &seen.role,
        maxmemory_policy: &seen.maxmemory_policy,
        retention: seen.retention,
        not_before: seen.not_before,
        counts: &counts,
        length: seen.length,
        refused: seen.refused,
        forgotten: seen.forgotten,
    };
    Ok(Answer::new(facts(&rows), &json).but(incomplete(&seen)))
}

fn stream(seen: &StreamInspection) -> String {
    match seen.length {
        None => "none".to_owned(),
        Some(length) => format!(
            "{}, of them {} forgotten and {} none of this ring's",
            count(length as usize, "entry", "entries"),
            seen.forgotten,
            seen.refused
        ),
    }
}

/// Whether a server that starts now cannot load the list for good. Where entries were cut off, it waits a while for others.
fn holds_up(problem: &RedisError, seen: &StreamInspection) -> bool {
    *problem != RedisError::Cut || seen.length.is_none()
}

/// What the server lacks, if it lacks something.
fn incomplete(seen: &StreamInspection) -> Option<CliError> {
    let what = "a server that starts now cannot load the list; those that run keep what they know";
    let advice = "`waxseal revocations verify` says what to do";
    seen.problems
        .iter()
        .any(|problem| holds_up(problem, seen))
        .then(|| CliError::new(Exit::Refused, "revocations_faults", what.to_owned()).advise(advice))
}

/// What `inspect` lists.
pub(crate) fn seen(args: &Look, server: &Server) -> Result<(KeyRing, Seen), CliError> {
    let ring = args.place.load_at(args.now)?;
    let seen = server.inspect(&ring)?;
    let problem = incomplete(&seen);
    Ok((ring, Seen { now: seen.now, not_before: seen.not_before, entries: seen.entries, problem }))
}

/// Reads the stream to its end and names all that is wrong.
pub(crate) fn verify(args: &Look, server: &Server) -> Result<Answer, CliError> {
    let seen = args.inspect_redis(server)?;
    let mut found: Vec<_> = seen.problems.iter().map(|problem| finding(problem, &seen)).collect();
    found.extend(refused(&seen));
    found.extend(seen.entries.iter().filter_map(|entry| ahead(entry, seen.now)));
    found.sort_by_key(|finding| finding.severity);
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    let json = VerifyJson {
        redis: &server.shown,
        ok: errors == 0,
        ready: errors == 0,
        epoch: seen.epoch.as_deref(),
        length: seen.length,
        entries: seen.entries.len(),
        errors,
        findings: &found,
    };
    let sum = format!(
        "{} in the stream, {} still needed; a server that starts now {} load them",
        count(seen.length.unwrap_or_default() as usize, "entry", "entries"),
        seen.entries.len(),
        if errors == 0 { "can" } else { "cannot" }
    );
    Ok(told(&found, &sum, &json))
}

fn finding(problem: &RedisError, seen: &StreamInspection) -> Finding {
    let text = problem.to_string();
    match problem {
        RedisError::Missing => {
            error("epoch", "there is no epoch of this ring: it was emptied, or never set up".to_owned(), MISSING)
        }
        RedisError::Cut if seen.length.is_none() => {
            error("stream", "there is an epoch, and no stream: somebody deleted it".to_owned(), MISSING)
        }
        RedisError::Cut => warning(
            "cut",
            "entries that may be needed were removed from the stream".to_owned(),
            "servers that run have published them again by now; if none ran, `waxseal revocations reset`",
        ),
        RedisError::Eviction { policy } => error(
            "eviction",
            format!("its maxmemory-policy is {}, by which it may throw the stream away", tame(policy)),
            "set it to noeviction, or to one that begins with volatile-; or use a server of its own",
        ),
        RedisError::Newer { .. } => error("newer", tame(&text), "use the newest version of servers and this program"),
        RedisError::Role { role } => {
            error("role", format!("it is a {} and no master", tame(role)), "name what always leads to the master")
        }
        _ => error("redis", tame(&text), "see the text"),
    }
}

fn refused(seen: &StreamInspection) -> Option<Finding> {
    let one = "entry of the stream is none of this ring's and revokes nothing";
    let what = count(seen.refused, one, "entries of the stream are none of this ring's and revoke nothing");
    let advice = "see who else may write there; after `waxseal keys revoke --all` they are those from before, and go by \
                  themselves";
    (seen.refused > 0).then(|| warning("refused", what, advice))
}

#[derive(Serialize)]
struct StatusJson<'a> {
    redis: &'a str,
    epoch: Option<&'a str>,
    now: Timestamp,
    ready: bool,
    problems: Vec<String>,
    role: &'a str,
    maxmemory_policy: &'a str,
    /// In seconds.
    retention: u64,
    not_before: Option<Timestamp>,
    #[serde(flatten)]
    counts: &'a Counts,
    length: Option<u64>,
    refused: usize,
    forgotten: usize,
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    redis: &'a str,
    ok: bool,
    ready: bool,
    epoch: Option<&'a str>,
    length: Option<u64>,
    entries: usize,
    errors: usize,
    findings: &'a [Finding],
}
