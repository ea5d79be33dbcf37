//! What a tool is told of one journal and of one entry.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use crate::id::SessionId;
use crate::revocation::directory::{Fault, JournalLook, Line, NodeReport};
use crate::revocation::entry::{Act, CutOff, CutOffId, Entry, Scope};
use crate::text;
use crate::time::Timestamp;

/// One journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JournalReport {
    /// Its writer: 16 hexadecimal digits. The file is called so, with `.journal` behind.
    pub writer: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// The number of the last line.
    pub lines: u64,
    /// Entries in it, forgotten ones too.
    pub entries: usize,
    /// When its writer last said that it was alive, by its own clock.
    pub beat_at: Option<Timestamp>,
    /// When anything was last written.
    pub written_at: Timestamp,
    /// Whether its writer has ended properly.
    pub ended: bool,
    /// Whether it is of an earlier epoch, so that nobody reads it.
    pub outdated: bool,
    /// Why it cannot be read to its end.
    pub fault: Option<String>,
    /// What to do about that.
    pub advice: Option<&'static str>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntryReport {
    /// What it does.
    #[serde(flatten)]
    pub what: Entered,
    /// When it was decided, by the clock of whoever did.
    pub decided_at: Timestamp,
    /// When it is forgotten.
    pub forgotten_at: Timestamp,
    /// The writer in whose journal it stands.
    pub writer: String,
    /// Who decided it; empty if nobody said, or if a server carried it on from memory.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entered {
    /// Ends the sessions of a scope that started at or before an instant.
    CutOff {
        /// By which it can be retracted.
        #[serde(serialize_with = "shown")]
        id: CutOffId,
        /// Whose.
        scope: CutOffScope,
        /// The instant.
        until: Timestamp,
        /// The one session that goes on.
        #[serde(serialize_with = "maybe")]
        except: Option<SessionId>,
        /// Whether it was taken back.
        retracted: bool,
        /// Whether it lies so far ahead of this clock that it counts as of its arrival.
        ahead: bool,
    },
    /// Takes a cut-off back.
    Retract {
        /// The cut-off.
        #[serde(serialize_with = "shown")]
        id: CutOffId,
    },
    /// Ends one session.
    Session {
        /// The session.
        #[serde(serialize_with = "shown")]
        session: SessionId,
        /// When it started.
        started_at: Timestamp,
    },
}

/// Whose sessions a cut-off ends. Names are not kept, only what a name hashes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CutOffScope {
    /// All of them.
    Everyone,
    /// Those of a subject.
    #[serde(serialize_with = "hashed")]
    Subject([u8; 16]),
    /// Those of a tenant.
    #[serde(serialize_with = "hashed")]
    Tenant([u8; 16]),
}

impl JournalReport {
    pub(super) fn of(journal: &JournalLook, nodes: &[NodeReport]) -> Self {
        let writer = journal.writer.to_string();
        let node = nodes.iter().find(|node| node.writer == writer);
        Self {
            bytes: journal.bytes,
            lines: node.map_or(0, |node| node.lines),
            entries: journal.lines.iter().filter(|line| matches!(line, Line::Entry(_))).count(),
            beat_at: node.and_then(|node| node.beat_at),
            written_at: journal.written_at,
            ended: journal.ended,
            outdated: matches!(journal.fault, Some(Fault::Epoch { .. })),
            fault: journal.fault.as_ref().map(ToString::to_string),
            advice: journal.fault.as_ref().map(advice),
            writer,
        }
    }
}

/// What to do about a journal that cannot be read to its end.
fn advice(fault: &Fault) -> &'static str {
    match fault {
        Fault::Epoch { .. } => "nothing: servers remove it, and so does `waxseal revocations compact`",
        Fault::Io(_) => "let every server's user read it and write the directory, and look at the mount",
        Fault::Newer { .. } => "update this program, and servers that are older than its writer",
        Fault::Vanished => "nothing if it was just taken over: look again",
        _ => {
            "leave it: servers that have read it carry it on within minutes; if none runs that has, what it held is lost: \
             `waxseal revocations reset`"
        }
    }
}

impl Entered {
    pub(super) fn of(entry: &Entry, retracted: &HashSet<CutOffId>, ahead_of: Timestamp) -> Self {
        match entry.act {
            Act::Session(session) => Self::Session { session, started_at: session.start() },
            Act::Retract(id) => Self::Retract { id },
            Act::CutOff(CutOff { id, scope, until, except }) => {
                let until = Timestamp::from_unix(until.into());
                let retracted = retracted.contains(&id);
                Self::CutOff { id, scope: scope.into(), until, except, retracted, ahead: until > ahead_of }
            }
        }
    }
}

impl From<Scope> for CutOffScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Everyone => Self::Everyone,
            Scope::Subject(id) => Self::Subject(id),
            Scope::Tenant(id) => Self::Tenant(id),
        }
    }
}

fn shown<S: Serializer>(id: &impl core::fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

fn maybe<S: Serializer>(id: &Option<SessionId>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.collect_str(id),
        None => to.serialize_none(),
    }
}

fn hashed<S: Serializer>(id: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text::hex(id))
}
