//! What a journal begins with, and the marker of a directory, which is the same without a writer.
//!
//! ```text
//! offset bytes
//!  0      8    magic
//!  8     16    ring id
//! 24     16    fleet id
//! 40      8    epoch (BE64)
//! 48      8    writer
//! 56      8    generation of the file (BE64)
//! 64      8    sequence number up to which the base goes (BE64)
//! 72      8    bytes of the base, without its tag (BE64)
//! 80      4    when it was written (BE32)
//! 84     32    tag
//! ```

use core::fmt;
use std::sync::Arc;

use super::writer_id::WriterId;
use crate::revocation::secrets::{Macs, Secrets};
use crate::time::Timestamp;

/// The fleet that a directory belongs to, and how often it began anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fleet {
    pub(crate) ring_id: [u8; 16],
    pub(crate) id: [u8; 16],
    pub(crate) epoch: u64,
}

/// The head of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fleet: Fleet,
    pub(crate) writer: WriterId,
    /// Greater whenever the file is written anew.
    pub(crate) generation: u64,
    /// The base holds what lives of all lines up to this one.
    pub(crate) base_seq: u64,
    pub(crate) base_len: u64,
    pub(crate) written_at: Timestamp,
}

/// A header that verified, and the keys under which it did.
pub(crate) struct Verified {
    pub(crate) header: Header,
    pub(crate) tag: [u8; 32],
    pub(crate) macs: Arc<Macs>,
}

impl Header {
    /// The bytes of the header of a journal, closed by their tag.
    pub(crate) fn seal(&self, macs: &Macs) -> [u8; HEADER_LEN] {
        self.close(JOURNAL, macs)
    }

    /// Reads the head of a journal.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub(crate) fn open(bytes: &[u8], secrets: &Secrets) -> Result<Verified, HeaderError> {
        Self::verify(JOURNAL, bytes, secrets)
    }

    fn close(&self, magic: &[u8; 8], macs: &Macs) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let seconds = u32::try_from(self.written_at.as_unix()).unwrap_or(u32::MAX);
        let fields: [&[u8]; 9] = [
            magic,
            &self.fleet.ring_id,
            &self.fleet.id,
            &self.fleet.epoch.to_be_bytes(),
            self.writer.as_bytes(),
            &self.generation.to_be_bytes(),
            &self.base_seq.to_be_bytes(),
            &self.base_len.to_be_bytes(),
            &seconds.to_be_bytes(),
        ];
        bytes[..FIELDS_LEN].copy_from_slice(&fields.concat());
        let tag: [u8; 32] = macs.snapshot.tag(&[&bytes[..FIELDS_LEN]]);
        bytes[FIELDS_LEN..].copy_from_slice(&tag);
        bytes
    }

    fn verify(magic: &[u8; 8], bytes: &[u8], secrets: &Secrets) -> Result<Verified, HeaderError> {
        let bytes: &[u8; HEADER_LEN] =
            bytes.get(..HEADER_LEN).and_then(|bytes| bytes.try_into().ok()).ok_or(HeaderError::Short)?;
        let (fields, tag) = bytes.split_at(FIELDS_LEN);
        let tag: [u8; 32] = tag.try_into().map_err(|_| HeaderError::Short)?;
        if fields[..7] != magic[..7] {
            return Err(HeaderError::Magic);
        }
        if fields[8..24] != secrets.ring_id {
            return Err(HeaderError::Ring);
        }
        let macs = secrets.macs.iter().find(|macs| macs.snapshot.verify(&[fields], &tag)).ok_or(HeaderError::Forged)?;
        // Every version closes its head with this tag, or anybody could claim to be newer.
        if fields[7] != magic[7] {
            return Err(HeaderError::Newer);
        }
        let header = Self {
            fleet: Fleet {
                ring_id: field(fields, 8),
                id: field(fields, 24),
                epoch: u64::from_be_bytes(field(fields, 40)),
            },
            writer: WriterId::from_bytes(field(fields, 48)),
            generation: u64::from_be_bytes(field(fields, 56)),
            base_seq: u64::from_be_bytes(field(fields, 64)),
            base_len: u64::from_be_bytes(field(fields, 72)),
            written_at: Timestamp::from_unix(u32::from_be_bytes(field(fields, 80)).into()),
        };
        Ok(Verified { header, tag, macs: Arc::clone(macs) })
    }
}

impl Fleet {
    /// The bytes of a directory's marker.
    pub(crate) fn marker(self, now: Timestamp, macs: &Macs) -> [u8; HEADER_LEN] {
        let none = WriterId::from_bytes([0; 8]);
        Header { fleet: self, writer: none, generation: 0, base_seq: 0, base_len: 0, written_at: now }
            .close(MARKER, macs)
    }

    /// Reads the marker of a directory.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub(crate) fn of_marker(bytes: &[u8], secrets: &Secrets) -> Result<Self, HeaderError> {
        if bytes.len() > HEADER_LEN {
            return Err(HeaderError::Magic);
        }
        Header::verify(MARKER, bytes, secrets).map(|verified| verified.header.fleet)
    }
}

fn field<const N: usize>(fields: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&fields[at..at + N]);
    field
}

/// Why the head of a file is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The tag verifies under no revocation secret of the ring.
    Forged,
    /// It begins with something else.
    Magic,
    /// It is of a newer version.
    Newer,
    /// It belongs to another ring.
    Ring,
    /// It is cut short.
    Short,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forged => "its tag verifies under no revocation secret of this ring",
            Self::Magic => "it is not a file of revocations",
            Self::Newer => "it is of a newer version; update this program",
            Self::Ring => "it belongs to another ring",
            Self::Short => "it is cut short",
        })
    }
}

impl std::error::Error for HeaderError {}

/// Bytes of a header with its tag, and of a marker.
pub(crate) const HEADER_LEN: usize = FIELDS_LEN + 32;

const FIELDS_LEN: usize = 84;
const JOURNAL: &[u8; 8] = b"waxrevj1";
const MARKER: &[u8; 8] = b"waxrevm1";
