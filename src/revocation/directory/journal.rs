//! One writer's file: a base that is written whole, and a tail that grows line by line.
//!
//! Only the process that made a journal writes it. It notices when somebody else did, or when it is gone, and then never
//! touches it again.

use core::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::header::{Fleet, HEADER_LEN, Header, HeaderError};
use super::line::{Line, Place};
use super::writer_id::WriterId;
use crate::keys::{step, sync_directory};
use crate::revocation::entry::EntryError;
use crate::revocation::secrets::{Macs, Secrets};
use crate::time::Timestamp;

/// The journal of this process.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    macs: Arc<Macs>,
    tag: [u8; 32],
    pub(crate) writer: WriterId,
    pub(crate) generation: u64,
    pub(crate) base_len: u64,
    pub(crate) len: u64,
    pub(crate) seq: u64,
}

/// What a new file of a writer begins with.
pub(crate) struct Beginning {
    pub(crate) fleet: Fleet,
    pub(crate) writer: WriterId,
    pub(crate) generation: u64,
    pub(crate) base_seq: u64,
    pub(crate) written_at: Timestamp,
}

impl Journal {
    /// Writes a new file with `base`, in place of an older one of this writer if there is one: temp file, fsync, rename,
    /// fsync of the directory.
    ///
    /// # Errors
    /// Any step failed; up to the rename the older file is untouched.
    pub(crate) fn create(
        directory: &Path,
        beginning: &Beginning,
        base: &[Line],
        macs: &Arc<Macs>,
    ) -> Result<Self, JournalError> {
        let Beginning { fleet, writer, generation, base_seq, written_at } = *beginning;
        let mut body = Vec::new();
        base.iter().for_each(|line| frame(line, &[], &mut body));
        let base_len = body.len() as u64;
        let header = Header { fleet, writer, generation, base_seq, base_len, written_at }.seal(macs);
        let mut tag = [0; 32];
        tag.copy_from_slice(&header[HEADER_LEN - 32..]);
        let base_tag: [u8; 32] = macs.snapshot.tag(&[&tag, &body]);
        let path = directory.join(writer.file_name());
        put(&path, &[&header[..], &body, &base_tag].concat(), false).map_err(JournalError::at("write"))?;
        let file = open_file(&path, OpenOptions::new().read(true).append(true)).map_err(JournalError::at("open"))?;
        let len = (HEADER_LEN + 32) as u64 + base_len;
        let journal =
            Self { path, file, macs: Arc::clone(macs), tag, writer, generation, base_len, len, seq: base_seq };
        journal.own()?;
        Ok(journal)
    }

    /// Appends lines; if `durable`, they are on disk when this returns.
    ///
    /// # Errors
    /// - a step failed, so that a part may have been written: this journal must not be used again
    /// - somebody else wrote the file, or it is gone
    pub(crate) fn append(&mut self, lines: &[Line], durable: bool) -> Result<(), JournalError> {
        self.own()?;
        let mut bytes = Vec::new();
        for (line, seq) in lines.iter().zip(self.seq + 1..) {
            let from = bytes.len();
            frame(line, &seq.to_be_bytes(), &mut bytes);
            let tag: [u8; 32] = self.macs.journal.tag(&[&self.tag, &bytes[from..]]);
            bytes.extend_from_slice(&tag);
        }
        step();
        self.file.write_all(&bytes).map_err(JournalError::at("append to"))?;
        step();
        if durable {
            self.file.sync_data().map_err(JournalError::at("sync"))?;
            step();
        }
        self.len += bytes.len() as u64;
        self.seq += lines.len() as u64;
        self.own()
    }

    /// Bytes behind the base.
    pub(crate) fn tail_len(&self) -> u64 {
        self.len - self.base_len
    }

    pub(crate) fn place(&self) -> Place {
        Place { writer: self.writer, seq: self.seq }
    }

    /// Whether a reader that has come to `cursor` has read all of it.
    pub(crate) fn ends_at(&self, cursor: &Cursor) -> bool {
        (cursor.generation, cursor.seq, cursor.offset) == (self.generation, self.seq, self.len)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// That the file is still there, still the one this process opened, and as long as this process made it.
    pub(crate) fn own(&self) -> Result<(), JournalError> {
        let there = fs::metadata(&self.path).map_err(|_| JournalError::Lost)?;
        let ours = self.file.metadata().map_err(JournalError::at("look at"))?;
        if there.len() == self.len && same_file(&there, &ours) { Ok(()) } else { Err(JournalError::Lost) }
    }
}

/// Writes `bytes` to `path` as a whole: the file is the old one or the new one. With `fresh` there must be no old one.
pub(crate) fn put(path: &Path, bytes: &[u8], fresh: bool) -> io::Result<()> {
    let directory = crate::keys::parent(path);
    step();
    let mut temp = tempfile::Builder::new().prefix(TEMP_PREFIX).tempfile_in(directory)?;
    step();
    readable_by_group(&temp)?;
    temp.write_all(bytes)?;
    step();
    temp.as_file().sync_all()?;
    step();
    let put = if fresh { temp.persist_noclobber(path) } else { temp.persist(path) };
    put.map_err(|error| error.error)?;
    step();
    sync_directory(directory)?;
    step();
    Ok(())
}

/// The bytes of a directory's marker, and a few more at most: it may be anything.
pub(crate) fn read_marker(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    open_file(path, OpenOptions::new().read(true))?.take(2 * HEADER_LEN as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens what must be a file. Whoever can write the directory can put a pipe there, for which others would wait for ever, or a
/// device that never ends.
fn open_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = without_waiting(options).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// All servers of a fleet read it, and they need not run as one user.
#[cfg(unix)]
fn readable_by_group(temp: &tempfile::NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    temp.as_file().set_permissions(fs::Permissions::from_mode(0o640))
}

#[cfg(not(unix))]
fn readable_by_group(_: &tempfile::NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// `length | seq | body`, the length being that of the body.
fn frame(line: &Line, seq: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(seq);
    line.write(out);
    // A body is two notes of 200 bytes and less than 60 beside.
    let len = (out.len() - from - 2 - seq.len()) as u16;
    out[from..from + 2].copy_from_slice(&len.to_be_bytes());
}

/// How far a reader has come in a journal.
#[derive(Clone)]
pub(crate) struct Cursor {
    pub(crate) generation: u64,
    tag: [u8; 32],
    macs: Arc<Macs>,
    pub(crate) offset: u64,
    pub(crate) seq: u64,
}

/// What reading on in a journal came to.
pub(crate) struct Reached {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) fault: Option<Fault>,
}

/// Reads what is new in the journal of `writer` since `cursor`, and gives every line to `take` with its sequence number; those of
/// the base have the base's.
pub(crate) fn read_on(
    path: &Path,
    writer: WriterId,
    fleet: Fleet,
    cursor: Option<&Cursor>,
    secrets: &Secrets,
    take: &mut dyn FnMut(u64, Line),
) -> Reached {
    let mut at = cursor.cloned();
    let fault = Reading { writer, fleet, secrets, take }.read(path, &mut at).err();
    let went_back = at.as_ref().map_or(0, |at| at.seq) < cursor.map_or(0, |cursor| cursor.seq);
    if fault.is_none() && went_back {
        return Reached { cursor: cursor.cloned(), fault: Some(Fault::Older) };
    }
    Reached { cursor: at, fault }
}

struct Reading<'a> {
    writer: WriterId,
    fleet: Fleet,
    secrets: &'a Secrets,
    take: &'a mut dyn FnMut(u64, Line),
}

impl Reading<'_> {
    fn read(&mut self, path: &Path, cursor: &mut Option<Cursor>) -> Result<(), Fault> {
        let mut file = open_file(path, OpenOptions::new().read(true))?;
        let mut head = [0; HEADER_LEN];
        file.read_exact(&mut head).map_err(|_| Fault::Header(HeaderError::Short))?;
        let verified = Header::open(&head, self.secrets).map_err(Fault::Header)?;
        let header = verified.header;
        if (header.fleet.id, header.fleet.ring_id) != (self.fleet.id, self.fleet.ring_id)
            || header.writer != self.writer
        {
            return Err(Fault::Elsewhere);
        }
        if header.fleet.epoch != self.fleet.epoch {
            return Err(Fault::Epoch { found: header.fleet.epoch });
        }
        match cursor {
            Some(known) if known.generation > header.generation => return Err(Fault::Older),
            Some(known) if known.generation == header.generation && known.tag != verified.tag => {
                return Err(Fault::Older);
            }
            Some(known) if known.generation == header.generation => {}
            _ => {
                let seq = cursor.as_ref().map_or(0, |known| known.seq);
                let fresh = Cursor {
                    generation: header.generation,
                    tag: verified.tag,
                    macs: verified.macs,
                    offset: header.base_len.saturating_add(HEADER_LEN as u64 + 32),
                    seq: header.base_seq,
                };
                // Whoever has read all that went into the base need not read it again.
                if cursor.is_none() || seq < header.base_seq {
                    self.base(&mut file, &fresh, header.base_len)?;
                }
                *cursor = Some(fresh);
            }
        }
        match cursor {
            Some(cursor) => self.tail(&mut file, cursor),
            None => Ok(()),
        }
    }

    /// The whole base is verified before any of it counts.
    fn base(&mut self, file: &mut File, cursor: &Cursor, len: u64) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        // What a header claims is not allocated; what is there is.
        let len = len.saturating_add(32);
        let read = file.take(len).read_to_end(&mut bytes)?;
        let (body, tag) = bytes.split_last_chunk::<32>().ok_or(Fault::Damaged { offset: HEADER_LEN as u64 })?;
        if read as u64 != len || !cursor.macs.snapshot.verify(&[&cursor.tag, body], tag) {
            return Err(Fault::Damaged { offset: HEADER_LEN as u64 });
        }
        let mut rest = body;
        while !rest.is_empty() {
            let damaged = Fault::Damaged { offset: HEADER_LEN as u64 };
            let (len, after) = rest.split_first_chunk::<2>().ok_or(damaged)?;
            let len = usize::from(u16::from_be_bytes(*len));
            let body = after.get(..len).ok_or(Fault::Damaged { offset: HEADER_LEN as u64 })?;
            (self.take)(cursor.seq, Line::read(body).map_err(|error| Fault::of(error, HEADER_LEN as u64))?);
            rest = &after[len..];
        }
        Ok(())
    }

    fn tail(&mut self, file: &mut File, cursor: &mut Cursor) -> Result<(), Fault> {
        let len = file.metadata()?.len();
        if len < cursor.offset {
            return Err(Fault::Older);
        }
        file.seek(SeekFrom::Start(cursor.offset))?;
        let mut bytes = Vec::new();
        loop {
            let read = file.take(CHUNK).read_to_end(&mut bytes)?;
            let used = self.lines(&bytes, cursor)?;
            bytes.drain(..used);
            // Nothing more, or only zeros: however many there are, they are not read.
            if read == 0 || bytes.len() > MAX_LINE_LEN {
                break;
            }
        }
        Ok(())
    }

    /// Takes the whole lines at the start of `bytes`; how many bytes they were.
    fn lines(&mut self, bytes: &[u8], cursor: &mut Cursor) -> Result<usize, Fault> {
        let mut used = 0;
        while let Some((len, rest)) = bytes[used..].split_first_chunk::<2>() {
            let len = usize::from(u16::from_be_bytes(*len));
            if len > MAX_BODY_LEN {
                return Err(Fault::Damaged { offset: cursor.offset });
            }
            // Cut short: the writer is at it, or was killed at it, and then never said that it was done.
            let Some(rest) = rest.get(..8 + len + 32) else { break };
            let (framed, tag) = (&bytes[used..used + 10 + len], &rest[8 + len..]);
            let tag: &[u8; 32] = tag.try_into().map_err(|_| Fault::Damaged { offset: cursor.offset })?;
            if !cursor.macs.journal.verify(&[&cursor.tag, framed], tag) {
                // What a file system leaves of an append that a crash of the machine cut short.
                let rest = &bytes[used..];
                if rest.len() <= CHUNK as usize && rest.iter().all(|&byte| byte == 0) {
                    break;
                }
                return Err(Fault::Damaged { offset: cursor.offset });
            }
            let mut seq = [0; 8];
            seq.copy_from_slice(&rest[..8]);
            let seq = u64::from_be_bytes(seq);
            if seq > cursor.seq.saturating_add(1) {
                return Err(Fault::Hole { after: cursor.seq, found: seq });
            }
            let line = Line::read(&rest[8..8 + len]).map_err(|error| Fault::of(error, cursor.offset))?;
            (self.take)(seq, line);
            used += 10 + len + 32;
            cursor.offset += (10 + len + 32) as u64;
            // A clone of the writer repeats numbers; what it says is authentic all the same.
            cursor.seq = cursor.seq.max(seq);
        }
        Ok(used)
    }
}

/// Why a journal cannot be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes were changed.
    Damaged {
        /// Where the first line begins that does not verify, in bytes.
        offset: u64,
    },
    /// It was copied here from another writer or fleet.
    Elsewhere,
    /// It is of another epoch than the directory.
    Epoch {
        /// Its own.
        found: u64,
    },
    /// Its head is not one of ours.
    Header(HeaderError),
    /// Lines are missing in the middle.
    Hole {
        /// The sequence number before the hole.
        after: u64,
        /// The one behind it.
        found: u64,
    },
    /// The operating system says no.
    Io(String),
    /// It holds a revocation that only a newer version understands.
    Newer {
        /// The kind of entry.
        kind: u8,
    },
    /// It is an earlier state of what was read before: a backup was restored.
    Older,
    /// It was there, and is no more.
    Vanished,
}

impl Fault {
    fn of(error: EntryError, offset: u64) -> Self {
        match error {
            EntryError::Malformed => Self::Damaged { offset },
            EntryError::Newer { kind } => Self::Newer { kind },
        }
    }
}

impl Fault {
    /// Whether the file itself is worth nothing, to whomever.
    pub(crate) fn is_of_the_file(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Elsewhere | Self::Hole { .. } | Self::Older => true,
            Self::Header(error) => !matches!(error, HeaderError::Newer),
            Self::Epoch { .. } | Self::Io(_) | Self::Newer { .. } | Self::Vanished => false,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Vanished,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { offset } => write!(f, "it is damaged at byte {offset}"),
            Self::Elsewhere => f.write_str("it was copied from another writer or fleet"),
            Self::Epoch { found } => write!(f, "it is of epoch {found}"),
            Self::Header(error) => error.fmt(f),
            Self::Hole { after, found } => write!(f, "line {found} follows line {after}; those between are missing"),
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::Newer { kind } => {
                write!(
                    f,
                    "it holds a revocation of kind {kind}, which only a newer version understands; update this program"
                )
            }
            Self::Older => f.write_str("it is an earlier state of what was read before; was a backup restored?"),
            Self::Vanished => f.write_str("it is gone"),
        }
    }
}

/// Why a journal was not written.
#[derive(Debug)]
pub(crate) enum JournalError {
    Io {
        doing: &'static str,
        error: io::Error,
    },
    /// Somebody else wrote it, or it is gone: a cloned machine, or somebody tidied up.
    Lost,
    /// The directory of revocations is not where it was.
    NoDirectory,
}

impl JournalError {
    fn at(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, error }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } => write!(f, "cannot {doing} the journal: {error}"),
            Self::Lost => f.write_str("the journal is gone, or somebody else has written it"),
            Self::NoDirectory => f.write_str("the directory of revocations is not where it was; is it mounted?"),
        }
    }
}

/// What half-written files are called; nobody reads them.
pub(crate) const TEMP_PREFIX: &str = ".waxseal-revocations-";

/// Most bytes of a line's body: two notes, and less than 100 beside.
const MAX_BODY_LEN: usize = 512;

/// Most bytes of a line of the tail.
const MAX_LINE_LEN: usize = 2 + 8 + MAX_BODY_LEN + 32;

/// Bytes of a tail that are read at once.
const CHUNK: u64 = 1 << 20;
