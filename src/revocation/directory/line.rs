//! One line of a journal: an entry, or what writers tell each other about their journals.
//!
//! ```text
//! length (BE16) | body                                       in the base, under one tag
//! length (BE16) | sequence number (BE64) | body | tag (32)   in the tail, each under its own
//! ```

use super::writer_id::WriterId;
use crate::revocation::entry::{Entry, EntryError};
use crate::time::Timestamp;

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The writer is alive, and has read another's journal up to a sequence number.
    Beat { at: Timestamp, read: Option<Place> },
    /// Whatever another writer wrote up to a sequence number, and what lives of it, is in this journal as well.
    Carried { at: Timestamp, of: Place },
    /// The writer has ended, and nothing follows.
    Closed,
    /// A revocation.
    Entry(Entry),
    /// Of a newer version, and safe to pass over.
    Passed,
}

/// A place in a writer's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) writer: WriterId,
    /// The sequence number of the last line.
    pub(crate) seq: u64,
}

impl Line {
    /// Whose journal it says is carried on.
    pub(crate) fn carried(&self) -> Option<WriterId> {
        match self {
            Self::Carried { of, .. } => Some(of.writer),
            _ => None,
        }
    }

    /// Appends the body to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Beat { at, read } => {
                out.push(BEAT);
                instant(*at, out);
                place(read.as_ref(), out);
            }
            Self::Carried { at, of } => {
                out.push(CARRIED);
                instant(*at, out);
                place(Some(of), out);
            }
            Self::Closed => out.push(CLOSED),
            Self::Entry(entry) => entry.write(out),
            Self::Passed => {}
        }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// As for [`Entry::read`]; a kind of 128 or above that is not known is no error.
    pub(crate) fn read(body: &[u8]) -> Result<Self, EntryError> {
        match body.first() {
            Some(&BEAT) => Ok(Self::Beat { at: read_instant(body)?, read: read_place(body)? }),
            Some(&CARRIED) => {
                Ok(Self::Carried { at: read_instant(body)?, of: read_place(body)?.ok_or(EntryError::Malformed)? })
            }
            Some(&CLOSED) => Ok(Self::Closed),
            Some(PASSABLE..) => Ok(Self::Passed),
            _ => Entry::read(body).map(Self::Entry),
        }
    }
}

fn instant(at: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(at.as_unix()).unwrap_or(u32::MAX).to_be_bytes());
}

fn place(place: Option<&Place>, out: &mut Vec<u8>) {
    if let Some(Place { writer, seq }) = place {
        out.extend_from_slice(writer.as_bytes());
        out.extend_from_slice(&seq.to_be_bytes());
    }
}

fn read_instant(body: &[u8]) -> Result<Timestamp, EntryError> {
    let bytes = body[1..].first_chunk().ok_or(EntryError::Malformed)?;
    Ok(Timestamp::from_unix(u32::from_be_bytes(*bytes).into()))
}

fn read_place(body: &[u8]) -> Result<Option<Place>, EntryError> {
    let rest = &body[5..];
    if rest.is_empty() {
        return Ok(None);
    }
    let (writer, seq) = rest.split_first_chunk().ok_or(EntryError::Malformed)?;
    let seq = seq.try_into().map_err(|_| EntryError::Malformed)?;
    Ok(Some(Place { writer: WriterId::from_bytes(*writer), seq: u64::from_be_bytes(seq) }))
}

/// Kinds from here on say nothing about what is revoked, so whoever does not know one passes over it.
const PASSABLE: u8 = 128;

const BEAT: u8 = 128;
const CARRIED: u8 = 129;
const CLOSED: u8 = 130;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Line::read(&body);
        }

        /// The kinds that begin as something does, cut or run on anywhere.
        #[test]
        fn any_bytes_of_a_known_kind_are_read_or_refused(
            kind in prop::sample::select(vec![1_u8, 2, 3, BEAT, CARRIED, CLOSED]),
            rest in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Ok(line) = Line::read(&[&[kind], &rest[..]].concat()) {
                let mut again = vec![];
                line.write(&mut again);
                prop_assert_eq!(Line::read(&again), Ok(line));
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let at = Timestamp::from_unix(1_786_000_000);
        let of = Place { writer: WriterId::from_bytes([7; 8]), seq: 9 };
        for line in
            [Line::Beat { at, read: None }, Line::Beat { at, read: Some(of) }, Line::Carried { at, of }, Line::Closed]
        {
            let mut body = vec![];
            line.write(&mut body);
            assert_eq!(Line::read(&body), Ok(line));
        }
    }

    #[test]
    fn what_is_new_is_passed_over_only_if_it_revokes_nothing() {
        assert_eq!(Line::read(&[200, 1, 2]), Ok(Line::Passed));
        assert_eq!(Line::read(&[50, 0, 0, 0, 0]), Err(EntryError::Newer { kind: 50 }));
        for bad in [&[][..], &[BEAT], &[BEAT, 0, 0, 0, 0, 1], &[CARRIED, 0, 0, 0, 0]] {
            assert_eq!(Line::read(bad), Err(EntryError::Malformed), "{bad:?}");
        }
    }
}
