//! `revoke`: sessions, a subject, a tenant, all; in force when it returns, and when every server knows.

use serde::Serialize;
use waxseal::revocation::{CutOffId, Level, Revoke};
use waxseal::time::{Clock, SystemClock, Timestamp};
use waxseal::{KeyRing, SessionId};

use super::args::{All, Note, Place, RevokeVerb, Sessions, Subject, Tenant};
use super::store::Store;
use super::{SPREAD, confirm, lasting, spread};
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::input::{self, Moment};
use crate::ring::usage;
use crate::show::{facts, span, tame, when};

/// Revokes.
pub(crate) fn revoke(verb: &RevokeVerb) -> Result<Answer, CliError> {
    match verb {
        RevokeVerb::All(args) => all(args),
        RevokeVerb::Session(args) => sessions(args),
        RevokeVerb::Subject(args) => subject(args),
        RevokeVerb::Tenant(args) => tenant(args),
    }
}

fn subject(args: &Subject) -> Result<Answer, CliError> {
    let mut revoke = until(Revoke::subject(&args.name), args.until);
    if let Some(except) = args.except {
        revoke = revoke.except(except);
    }
    cut_off(&args.place, &args.note, revoke, &Whose { kind: "subject", name: Some(&args.name), except: args.except })
}

fn tenant(args: &Tenant) -> Result<Answer, CliError> {
    let revoke = until(Revoke::tenant(&args.name), args.until);
    cut_off(&args.place, &args.note, revoke, &Whose { kind: "tenant", name: Some(&args.name), except: None })
}

fn all(args: &All) -> Result<Answer, CliError> {
    args.place.store()?;
    let ring = args.place.load()?;
    confirm(&ring.status().ring, args.ring_id.as_deref(), "ends every session")?;
    cut_off(&args.place, &args.note, Revoke::everyone(), &Whose { kind: "everyone", name: None, except: None })
}

fn until(revoke: Revoke, until: Moment) -> Revoke {
    match until {
        Moment::At(at) => revoke.until(at),
        Moment::Now => revoke,
    }
}

/// Whom a cut-off is for.
struct Whose<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    except: Option<SessionId>,
}

fn cut_off(place: &Place, note: &Note, revoke: Revoke, whose: &Whose<'_>) -> Result<Answer, CliError> {
    let store = place.store()?;
    let joined = store.join(&place.load()?, note.level())?;
    let done = lasting(joined.list.revoke(note.on(revoke)))?;
    let now = now();
    let sessions = match whose.name {
        Some(name) => format!("every session of {} `{}`", whose.kind, tame(name)),
        None => "every session".to_owned(),
    };
    let started = done.until.map_or_else(String::new, |until| format!(" that started up to {}", when(until, now)));
    let mut rows = vec![("revoked", sessions + &started)];
    rows.extend(whose.except.map(|id| ("except", id.to_string())));
    rows.extend(done.cut_off.map(|id| ("cut-off", format!("{id}; `waxseal revocations retract {id}` takes it back"))));
    rows.extend(store.durable(done.level, now));
    let json = CutOffJson {
        scope: whose.kind,
        name: whose.name,
        until: done.until,
        except: whose.except.map(|id| id.to_string()),
        cut_off: done.cut_off.map(|id: CutOffId| id.to_string()),
        durable: Durable::of(done.level, now),
        warnings: joined.trouble.iter().cloned().chain(whose.name.and_then(spaced)).collect(),
    };
    Ok(Answer::new(facts(&rows) + &warned(&json.warnings), &json))
}

fn sessions(args: &Sessions) -> Result<Answer, CliError> {
    let ids = read(&args.ids)?;
    let (store, ring) = (args.place.store()?, args.place.load()?);
    let now = now();
    let skew = ring.status().ring.policy.skew;
    if let Some(ahead) = ids.iter().find(|id| id.start() > now.plus(2 * skew)) {
        let what = format!("{ahead} starts at {}, which lies ahead of this clock", ahead.start());
        return Err(usage(what).advise("check the id, and set this clock; nothing was revoked"));
    }
    let joined = store.join(&ring, args.note.level())?;
    let list = &joined.list;
    let kept = list.status().retention;
    let revoking: Vec<_> = ids.iter().map(|&id| list.revoke(args.note.on(Revoke::session(id)))).collect();
    let done = revoking.into_iter().map(lasting).collect::<Vec<_>>();
    let failed = done.iter().filter(|done| done.is_err()).count();
    let all = done.len();
    let level = done.iter().flatten().map(|done| done.level).min().unwrap_or(Level::Local);
    if let Some(error) = done.into_iter().find_map(Result::err) {
        let (code, what, advice) = error.parts();
        let what = format!("{failed} of {all} sessions: {what}");
        return Err(CliError::new(Exit::Failed, code, what).advise(advice.unwrap_or_default()));
    }
    let warnings: Vec<_> =
        joined.trouble.iter().cloned().chain(ids.iter().filter_map(|id| too_old(*id, kept.max(LONG), now))).collect();
    let json = SessionsJson {
        revoked: ids.iter().map(|id| SessionJson { session: id.to_string(), started_at: id.start() }).collect(),
        durable: Durable::of(level, now),
        warnings,
    };
    let lead = |place: usize| if place == 0 { "revoked" } else { "" };
    let shown = ids.iter().enumerate();
    let mut rows: Vec<_> =
        shown.map(|(place, id)| (lead(place), format!("{id}, started {}", when(id.start(), now)))).collect();
    rows.extend(store.durable(level, now));
    rows.push(("kept", format!("until {}, longer than any of its tokens lives", when(now.plus(kept), now))));
    Ok(Answer::new(facts(&rows) + &warned(&json.warnings), &json))
}

/// Names are compared byte by byte, and one that was pasted may have brought more along.
fn spaced(name: &str) -> Option<String> {
    (name != name.trim()).then(|| "the name begins or ends with white space, which counts: check it".to_owned())
}

/// A session that can hardly be alive was hardly meant.
fn too_old(id: SessionId, limit: u64, now: Timestamp) -> Option<String> {
    let age = now.since(id.start());
    (age > limit).then(|| {
        format!(
            "{id} started {} ago; unless your absolute limit is longer, it is over already: check the id",
            span(age)
        )
    })
}

fn warned(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("\nwarning: {warning}\n")).collect()
}

/// Every id, all of them before any is revoked.
fn read(arguments: &[String]) -> Result<Vec<SessionId>, CliError> {
    let mut ids = vec![];
    for (argument, number) in arguments.iter().zip(1..) {
        if argument != "-" {
            ids.push(parse(argument, &format!("argument {number}"))?);
            continue;
        }
        let Some(bytes) = input::standard(MAX_IDS)? else {
            return Err(usage(format!("standard input has more than {MAX_IDS} bytes")).advise("pass the ids in parts"));
        };
        let text = String::from_utf8_lossy(&bytes);
        for (line, number) in text.lines().zip(1..).filter(|(line, _): &(&str, u32)| !line.trim().is_empty()) {
            ids.push(parse(line.trim(), &format!("line {number} of standard input"))?);
        }
    }
    if ids.is_empty() {
        return Err(usage("there is no session id: standard input is empty".into()).advise("pipe them in, one a line"));
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// What is no id may be a token, and is not repeated.
fn parse(text: &str, place: &str) -> Result<SessionId, CliError> {
    text.parse().map_err(|error| {
        usage(format!("{place} is no session id: {error}"))
            .advise("copy the whole of it, as `waxseal token open` shows it; a token is no id. Nothing was revoked")
    })
}

pub(super) fn now() -> Timestamp {
    SystemClock::new(std::time::Duration::from_secs(1)).now()
}

impl Place {
    pub(super) fn load(&self) -> Result<KeyRing, CliError> {
        self.load_at(None)
    }

    /// The ring, seen from the instant asked for.
    pub(super) fn load_at(&self, now: Option<u64>) -> Result<KeyRing, CliError> {
        let mut options = self.ring.options(KeyRing::options())?;
        if let Some(now) = now {
            options = options.clock(waxseal::time::ManualClock::at(Timestamp::from_unix(now)));
        }
        Ok(options.load(&self.ring.path)?)
    }
}

impl Store {
    /// How durable it is, and by when the fleet knows.
    pub(super) fn durable(&self, level: Level, now: Timestamp) -> [(&'static str, String); 2] {
        [("level", format!("{level}, in {}", self.shown())), ("fleet", spread(level, now))]
    }
}

/// How durable it is, and by when every server knows.
#[derive(Serialize)]
pub(super) struct Durable {
    level: String,
    /// Seconds.
    fleet_knows_in: u64,
    fleet_knows_at: Timestamp,
}

impl Durable {
    pub(super) fn of(level: Level, now: Timestamp) -> Self {
        Self { level: level.to_string(), fleet_knows_in: SPREAD, fleet_knows_at: now.plus(SPREAD) }
    }
}

#[derive(Serialize)]
struct CutOffJson<'a> {
    scope: &'static str,
    name: Option<&'a str>,
    until: Option<Timestamp>,
    except: Option<String>,
    cut_off: Option<String>,
    #[serde(flatten)]
    durable: Durable,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct SessionsJson {
    revoked: Vec<SessionJson>,
    #[serde(flatten)]
    durable: Durable,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct SessionJson {
    session: String,
    started_at: Timestamp,
}

/// Most bytes of ids on standard input: a million of them.
const MAX_IDS: u64 = 64 << 20;

/// For how long sessions live unless a policy says otherwise, in seconds.
const LONG: u64 = 30 * 86_400;
