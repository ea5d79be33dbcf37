//! One revocation as bytes: what servers tell each other, wherever it is written down.
//!
//! ```text
//! kind (1) | at (BE32) | fields of the kind | actor length (1) | actor | reason length (1) | reason
//! ```
//!
//! Who says it and whether it is true is the business of what carries it; see FORMAT.md, "Revocation entries".

use core::fmt;
use core::str::FromStr;

use super::secrets::ScopeId;
use crate::id::SessionId;
use crate::text;
use crate::time::Timestamp;

/// What is to be revoked, or taken back, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was decided, by the clock of whoever did.
    pub(crate) at: Timestamp,
    pub(crate) act: Act,
    pub(crate) note: Note,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    /// Ends sessions that started at or before an instant.
    CutOff(CutOff),
    /// Takes a cut-off back.
    Retract(CutOffId),
    /// Ends one session.
    Session(SessionId),
}

/// Ends every session of a scope that started at or before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CutOff {
    pub(crate) id: CutOffId,
    pub(crate) scope: Scope,
    /// C, in Unix seconds.
    pub(crate) until: u32,
    /// The one session that goes on.
    pub(crate) except: Option<SessionId>,
}

/// Whose sessions a cut-off ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    Everyone,
    Subject(ScopeId),
    Tenant(ScopeId),
}

/// Who decided, and why, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) actor: String,
    pub(crate) reason: String,
}

/// The name of a cut-off, by which it can be retracted: 8 random bytes, written as 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CutOffId(pub(crate) [u8; 8]);

impl fmt::Display for CutOffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::hex(&self.0))
    }
}

/// As displayed.
impl serde::Serialize for CutOffId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for CutOffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CutOffId({self})")
    }
}

impl FromStr for CutOffId {
    type Err = ParseCutOffIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text::unhex(text).map(Self).ok_or(ParseCutOffIdError)
    }
}

/// A text is not the id of a cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCutOffIdError;

impl fmt::Display for ParseCutOffIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a cut-off is 16 lowercase hexadecimal digits, uncut")
    }
}

impl std::error::Error for ParseCutOffIdError {}

impl Entry {
    /// Appends the entry's bytes to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // Seconds beyond 2106 belong to no session: ids end there too.
        let at = u32::try_from(self.at.as_unix()).unwrap_or(u32::MAX).to_be_bytes();
        match &self.act {
            Act::Session(id) => {
                out.push(SESSION);
                out.extend_from_slice(&at);
                out.extend_from_slice(id.as_bytes());
            }
            Act::CutOff(cut) => {
                out.push(CUT_OFF);
                out.extend_from_slice(&at);
                out.extend_from_slice(&cut.id.0);
                let (kind, id) = match cut.scope {
                    Scope::Everyone => (EVERYONE, [0; 16]),
                    Scope::Subject(id) => (SUBJECT, id),
                    Scope::Tenant(id) => (TENANT, id),
                };
                out.push(kind);
                out.extend_from_slice(&id);
                out.extend_from_slice(&cut.until.to_be_bytes());
                out.extend_from_slice(&cut.except.map_or([0; 16], |id| *id.as_bytes()));
            }
            Act::Retract(id) => {
                out.push(RETRACT);
                out.extend_from_slice(&at);
                out.extend_from_slice(&id.0);
            }
        }
        for text in [&self.note.actor, &self.note.reason] {
            let text = shortened(text);
            out.push(text.len() as u8);
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// Reads the bytes of one entry, all of them.
    ///
    /// # Errors
    /// - the kind is of a newer version
    /// - anything else is not as it must be
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut rest = bytes;
        let kind = take::<1>(&mut rest)?[0];
        let at = Timestamp::from_unix(u32::from_be_bytes(take(&mut rest)?).into());
        let act = match kind {
            SESSION => Act::Session(session(&mut rest)?),
            CUT_OFF => Act::CutOff(CutOff {
                id: CutOffId(take(&mut rest)?),
                scope: scope(&mut rest)?,
                until: u32::from_be_bytes(take(&mut rest)?),
                except: Some(session(&mut rest)?).filter(|id| *id.as_bytes() != [0; 16]),
            }),
            RETRACT => Act::Retract(CutOffId(take(&mut rest)?)),
            kind => return Err(EntryError::Newer { kind }),
        };
        let note = Note { actor: note(&mut rest)?, reason: note(&mut rest)? };
        if rest.is_empty() { Ok(Self { at, act, note }) } else { Err(EntryError::Malformed) }
    }
}

/// As much of `text` as a note holds, in whole characters.
fn shortened(text: &str) -> &str {
    let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    let end = ends.take_while(|&end| end <= MAX_NOTE_LEN).last().unwrap_or(0);
    &text[..end]
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], EntryError> {
    let (taken, left) = rest.split_first_chunk().ok_or(EntryError::Malformed)?;
    *rest = left;
    Ok(*taken)
}

fn session(rest: &mut &[u8]) -> Result<SessionId, EntryError> {
    Ok(SessionId::from_bytes(take(rest)?))
}

fn scope(rest: &mut &[u8]) -> Result<Scope, EntryError> {
    let kind = take::<1>(rest)?[0];
    let id = take(rest)?;
    match kind {
        EVERYONE if id == [0; 16] => Ok(Scope::Everyone),
        SUBJECT => Ok(Scope::Subject(id)),
        TENANT => Ok(Scope::Tenant(id)),
        _ => Err(EntryError::Malformed),
    }
}

fn note(rest: &mut &[u8]) -> Result<String, EntryError> {
    let len = take::<1>(rest)?[0].into();
    let text = rest.get(..len).ok_or(EntryError::Malformed)?;
    *rest = &rest[len..];
    String::from_utf8(text.to_vec()).map_err(|_| EntryError::Malformed)
}

/// Why bytes are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryError {
    /// Not as FORMAT.md says.
    Malformed,
    /// A kind that this version does not know, so what it revokes is not known here either.
    Newer {
        /// The kind.
        kind: u8,
    },
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("an entry is malformed"),
            Self::Newer { kind } => write!(f, "an entry of kind {kind} is of a newer version"),
        }
    }
}

impl std::error::Error for EntryError {}

/// Most bytes of an actor, and of a reason.
pub(crate) const MAX_NOTE_LEN: usize = 200;

const SESSION: u8 = 1;
const CUT_OFF: u8 = 2;
const RETRACT: u8 = 3;

const EVERYONE: u8 = 1;
const TENANT: u8 = 2;
const SUBJECT: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_session() -> impl Strategy<Value = SessionId> {
        any::<[u8; 16]>().prop_map(SessionId::from_bytes)
    }

    fn any_scope() -> impl Strategy<Value = Scope> {
        prop_oneof![
            Just(Scope::Everyone),
            any::<[u8; 16]>().prop_map(Scope::Subject),
            any::<[u8; 16]>().prop_map(Scope::Tenant),
        ]
    }

    fn any_act() -> impl Strategy<Value = Act> {
        let except = prop::option::of(any_session().prop_filter("zero is none", |id| *id.as_bytes() != [0; 16]));
        prop_oneof![
            any_session().prop_map(Act::Session),
            any::<[u8; 8]>().prop_map(|id| Act::Retract(CutOffId(id))),
            (any::<[u8; 8]>(), any_scope(), any::<u32>(), except)
                .prop_map(|(id, scope, until, except)| Act::CutOff(CutOff { id: CutOffId(id), scope, until, except })),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at: u32, act in any_act(), actor in ".{0,40}", reason in ".{0,40}") {
            let entry = Entry { at: Timestamp::from_unix(at.into()), act, note: Note { actor, reason } };
            let mut bytes = vec![];
            entry.write(&mut bytes);
            prop_assert_eq!(Entry::read(&bytes), Ok(entry));
            for cut in 0..bytes.len() {
                prop_assert!(Entry::read(&bytes[..cut]).is_err());
            }
            bytes.push(0);
            prop_assert!(Entry::read(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(entry) = Entry::read(&bytes) {
                let mut again = vec![];
                entry.write(&mut again);
                // Notes may be longer than we write them.
                prop_assert_eq!(&again[..5], &bytes[..5]);
            }
        }
    }

    #[test]
    fn long_notes_are_cut_at_a_character() {
        let note = Note { actor: "ä".repeat(150), reason: String::new() };
        let entry = Entry { at: Timestamp::from_unix(1), act: Act::Retract(CutOffId([7; 8])), note };
        let mut bytes = vec![];
        entry.write(&mut bytes);
        assert_eq!(Entry::read(&bytes).unwrap().note.actor, "ä".repeat(100));
    }

    #[test]
    fn a_newer_kind_is_told_from_nonsense() {
        assert_eq!(Entry::read(&[9, 0, 0, 0, 1, 0, 0]), Err(EntryError::Newer { kind: 9 }));
        assert_eq!(Entry::read(&[]), Err(EntryError::Malformed));
    }
}
