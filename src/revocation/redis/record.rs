//! One entry of the stream as bytes, and where in the stream it is.
//!
//! ```text
//! writer (8) | sequence number (BE64) | entry | tag (32)
//! ```
//!
//! See FORMAT.md, "Revocations in Redis".

use core::fmt;

use crate::crypto::{OsRandom, RandomError};
use crate::id::SessionId;
use crate::revocation::directory::WriterId;
use crate::revocation::entry::{Act, CutOffId, Entry, EntryError};
use crate::revocation::secrets::Secrets;

/// Writes entries under the name of this process, one number after the other.
pub(crate) struct Pen {
    pub(crate) writer: WriterId,
    /// The last that was used.
    pub(crate) seq: u64,
}

impl Pen {
    pub(crate) fn new() -> Result<Self, RandomError> {
        Ok(Self { writer: WriterId::draw(&OsRandom)?, seq: 0 })
    }

    /// The bytes of `entry`, under the secret that is current.
    pub(crate) fn seal(&mut self, entry: &Entry, secrets: &Secrets) -> Vec<u8> {
        self.seq += 1;
        let mut bytes = [&self.writer.as_bytes()[..], &self.seq.to_be_bytes()].concat();
        entry.write(&mut bytes);
        let tag: [u8; 32] = secrets.macs[0].journal.tag(&[MAGIC, &secrets.ring_id, &bytes]);
        bytes.extend_from_slice(&tag);
        bytes
    }
}

/// An entry, and who wrote it as which of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) writer: WriterId,
    pub(crate) seq: u64,
    pub(crate) entry: Entry,
}

/// Reads the bytes of one entry of the stream.
///
/// # Errors
/// - they are too short, or their tag verifies under no secret of the ring
/// - as for [`Entry::read`]
pub(crate) fn open(bytes: &[u8], secrets: &Secrets) -> Result<Record, RecordError> {
    let (said, tag) = bytes.split_last_chunk::<32>().ok_or(RecordError::Forged)?;
    let (writer, rest) = said.split_first_chunk().ok_or(RecordError::Forged)?;
    let (seq, entry) = rest.split_first_chunk().ok_or(RecordError::Forged)?;
    let signed = [MAGIC, &secrets.ring_id, said];
    if !secrets.macs.iter().any(|macs| macs.journal.verify(&signed, tag)) {
        return Err(RecordError::Forged);
    }
    let entry = Entry::read(entry).map_err(|error| match error {
        EntryError::Malformed => RecordError::Malformed,
        EntryError::Newer { kind } => RecordError::Newer { kind },
    })?;
    Ok(Record { writer: WriterId::from_bytes(*writer), seq: u64::from_be_bytes(*seq), entry })
}

/// Why bytes revoke nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// Nobody who holds the ring wrote them.
    Forged,
    /// Somebody who holds the ring wrote nonsense.
    Malformed,
    /// Only a newer version understands them.
    Newer { kind: u8 },
}

/// What an entry is about; two of the same mark revoke the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    CutOff(CutOffId),
    Retract(CutOffId),
    Session(SessionId),
}

impl Mark {
    pub(crate) fn of(entry: &Entry) -> Self {
        match entry.act {
            Act::CutOff(cut) => Self::CutOff(cut.id),
            Act::Retract(id) => Self::Retract(id),
            Act::Session(id) => Self::Session(id),
        }
    }
}

/// A place in the stream: milliseconds of the server's clock, and a number within them. Written `1786000000000-0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId {
    ms: u64,
    seq: u64,
}

impl StreamId {
    /// The first place at or after an instant, in Unix seconds.
    pub(crate) const fn at(seconds: u64) -> Self {
        Self { ms: seconds.saturating_mul(1000), seq: 0 }
    }

    pub(crate) const fn seconds(self) -> u64 {
        self.ms / 1000
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (ms, seq) = text.split_once('-')?;
        Some(Self { ms: ms.parse().ok()?, seq: seq.parse().ok()? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// What every tag of the stream covers first.
const MAGIC: &[u8] = b"waxrevs1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRing;
    use crate::revocation::entry::Note;
    use crate::time::Timestamp;

    fn secrets() -> Secrets {
        Secrets::of(&KeyRing::generate().unwrap().snapshot())
    }

    fn entry() -> Entry {
        let note = Note { actor: "ada".to_owned(), reason: "lost".to_owned() };
        Entry { at: Timestamp::from_unix(1_786_000_000), act: Act::Session(SessionId::from_bytes([7; 16])), note }
    }

    #[test]
    fn only_what_was_written_is_read() {
        let (ours, theirs) = (secrets(), secrets());
        let mut pen = Pen::new().unwrap();
        let bytes = pen.seal(&entry(), &ours);
        assert_eq!(open(&bytes, &ours), Ok(Record { writer: pen.writer, seq: 1, entry: entry() }));
        assert_eq!(open(&bytes, &theirs), Err(RecordError::Forged));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(open(&bad, &ours), Err(RecordError::Forged), "{at}");
            assert_eq!(open(&bytes[..at], &ours), Err(RecordError::Forged), "{at}");
        }
        assert_ne!(pen.seal(&entry(), &ours), bytes);
    }

    #[test]
    fn every_secret_of_the_ring_is_accepted() {
        let (mut ours, older) = (secrets(), secrets());
        let bytes = Pen::new().unwrap().seal(&entry(), &Secrets { ring_id: ours.ring_id, ..older.clone() });
        assert_eq!(open(&bytes, &ours), Err(RecordError::Forged));
        ours.macs.extend(older.macs);
        assert_eq!(open(&bytes, &ours).unwrap().entry, entry());
    }

    #[test]
    fn places_are_ordered_as_numbers() {
        let place = |text| StreamId::parse(text).unwrap();
        assert!(place("9-9") < place("10-0") && place("10-2") < place("10-10"));
        assert_eq!(place("1786000000123-4").to_string(), "1786000000123-4");
        assert_eq!(place("1786000000123-4").seconds(), 1_786_000_000);
        for bad in ["", "1", "-", "1-", "a-1", "1-1-1"] {
            assert_eq!(StreamId::parse(bad), None, "{bad}");
        }
    }
}
