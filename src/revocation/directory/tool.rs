//! What tools do with a directory: look at every line of it, take over what has ended, and begin anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::header::{Fleet, HeaderError};
use super::journal::{Fault, TEMP_PREFIX, read_on};
use super::line::{Line, Place};
use super::writer::Writer;
use super::writer_id::WriterId;
use super::{Directory, DirectoryError, MARKER, NodeReport, Pass, Reader};
use crate::crypto::{OsRandom, Random};
use crate::revocation::entry::Entry;
use crate::revocation::known::Known;
use crate::revocation::secrets::Secrets;
use crate::time::Timestamp;

/// Everything that a directory holds.
pub(crate) struct Look {
    pub(crate) fleet: Fleet,
    /// Why a server that starts now could not load it.
    pub(crate) cold: Option<DirectoryError>,
    pub(crate) nodes: Vec<NodeReport>,
    pub(crate) journals: Vec<JournalLook>,
    /// Files that nobody reads: journals that were set aside, and what a writer that was stopped left half-written.
    pub(crate) leftovers: Vec<String>,
}

/// Everything that one journal holds.
pub(crate) struct JournalLook {
    pub(crate) writer: WriterId,
    pub(crate) bytes: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) fault: Option<Fault>,
    /// Whether its last word is that its writer has ended.
    pub(crate) ended: bool,
    /// When anything was last written to it, by its file or by what stands in it.
    pub(crate) written_at: Timestamp,
}

impl Directory {
    /// Reads every journal to its end, and writes nothing.
    ///
    /// # Errors
    /// It is no directory of this ring's, or cannot be listed.
    pub(crate) fn look(path: &Path, secrets: &Secrets, known: &Known, now: Timestamp) -> Result<Look, DirectoryError> {
        let directory = Self::at(path, true);
        let (fleet, _) = directory.fleet(secrets)?;
        let pass = Pass { known, secrets, now, dead: Timestamp::default() };
        let cold = match directory.sync(&pass, false) {
            Ok(_) => None,
            Err(error @ (DirectoryError::Gaps { .. } | DirectoryError::Journal { .. })) => Some(error),
            Err(error) => return Err(error),
        };
        let (writers, leftovers) = listed(path)?;
        let journals = writers.iter().map(|&writer| look_at(path, writer, fleet, secrets)).collect();
        Ok(Look { fleet, cold, nodes: directory.nodes(), journals, leftovers })
    }

    /// Takes over the journals of writers that have ended, as servers do, and removes those of earlier epochs. What is forgotten
    /// is dropped by the newest instant that stands in the directory, if that is earlier than this clock: a clock that is wrong
    /// must not drop what lives.
    ///
    /// # Errors
    /// - it is no directory of this ring's, or cannot be listed
    /// - the operating system says no; nothing is removed then
    pub(crate) fn collect(
        path: &Path,
        secrets: &Secrets,
        known: &Known,
        now: Timestamp,
        retention: u64,
    ) -> Result<Vec<WriterId>, DirectoryError> {
        let look = Self::look(path, secrets, known, now)?;
        let said = look.journals.iter().flat_map(|journal| &journal.lines).filter_map(instant);
        let seen = said.filter(|&at| at <= now).max().unwrap_or_default();
        let dead = Timestamp::from_unix(seen.as_unix().saturating_sub(retention));
        let gone: Vec<_> = look.journals.iter().filter(|journal| journal.is_over(now)).collect();
        let mut places: Vec<_> = gone.iter().map(|journal| journal.place(&look.nodes)).collect();
        let worth = gone.len() > 1 || gone.iter().any(|journal| journal.has_forgotten(dead));
        let directory = Self::at(path, true);
        let pass = Pass { known, secrets, now, dead };
        // A server may say no for what it cannot read; what has ended is whole.
        let _ = directory.sync(&pass, false);
        let mut reader = directory.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Reader { follower: Some(follower), .. } = &mut *reader else { return Ok(vec![]) };
        let mut removed = follower.outdated();
        if worth && let Some(writer) = directory.writer().as_mut() {
            let lines = follower.entries_of(&mut places, &pass);
            writer
                .carry(&places, lines, secrets, known, now, dead)
                .map_err(|why| DirectoryError::io("begin a journal in", path)(io::Error::other(why)))?;
            writer.close();
            removed.extend(places.iter().map(|place| place.writer));
        }
        removed.iter().for_each(|writer| directory.remove(&writer.file_name()));
        Ok(removed)
    }

    /// Begins anew with `entries` alone: what only lost journals held is given up. Servers that run write all they know into the
    /// new epoch. Where no marker of this ring's secrets says which fleet it is, a new one begins.
    ///
    /// # Errors
    /// - it is no directory of revocations, or one of another ring or a newer version
    /// - the operating system says no
    pub(crate) fn reset(
        &self,
        entries: Vec<Entry>,
        known: &Known,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<u64, DirectoryError> {
        let next = self.next(secrets)?;
        // Written before the marker says that it counts: nobody must see the new epoch without it.
        let mut writer = Writer::new(&self.path, next, None, &secrets.macs[0]);
        writer
            .write(entries, known, now)
            .map_err(|why| DirectoryError::io("begin a journal in", &self.path)(io::Error::other(why)))?;
        writer.close();
        Self::mark(&self.path, next, false, secrets, now)?;
        let (writers, _) = listed(&self.path)?;
        // From here on nobody begins a journal for the old epoch; what is there would be a gap if it cannot be read.
        writers
            .into_iter()
            .filter(|&old| Some(old) != writer.writer())
            .try_for_each(|old| set_aside(&self.path, old))?;
        Ok(next.epoch)
    }

    fn next(&self, secrets: &Secrets) -> Result<Fleet, DirectoryError> {
        match self.fleet(secrets) {
            Ok((fleet, _)) => Ok(Fleet { epoch: fleet.epoch + 1, ..fleet }),
            Err(DirectoryError::Marker {
                why: HeaderError::Forged | HeaderError::Magic | HeaderError::Short, ..
            }) => self.anew(secrets),
            Err(DirectoryError::Unmarked { .. }) => self.anew(secrets),
            Err(error) => Err(error),
        }
    }

    /// A fleet of a new name, whose journals no older one can be taken for.
    fn anew(&self, secrets: &Secrets) -> Result<Fleet, DirectoryError> {
        let mut id = [0; 16];
        OsRandom.fill(&mut id).map_err(|error| DirectoryError::io("name", &self.path)(io::Error::other(error)))?;
        Ok(Fleet { ring_id: secrets.ring_id, id, epoch: 1 })
    }
}

/// Whether there are journals, with or without a marker.
pub(super) fn has_journals(path: &Path) -> bool {
    listed(path).is_ok_and(|(writers, _)| !writers.is_empty())
}

/// The writers of whom there are journals, and files that nobody reads, both in order.
fn listed(path: &Path) -> Result<(Vec<WriterId>, Vec<String>), DirectoryError> {
    let (mut writers, mut leftovers) = (vec![], vec![]);
    for entry in fs::read_dir(path).map_err(DirectoryError::io("list", path))? {
        let name = entry.map_err(DirectoryError::io("list", path))?.file_name();
        let name = name.to_string_lossy();
        match WriterId::of_file_name(&name) {
            Some(writer) => writers.push(writer),
            None if name == MARKER => {}
            None => leftovers.extend(is_leftover(&name).then(|| name.into_owned())),
        }
    }
    writers.sort_unstable();
    leftovers.sort_unstable();
    Ok((writers, leftovers))
}

fn is_leftover(name: &str) -> bool {
    name.starts_with(TEMP_PREFIX) || [DAMAGED, ASIDE].iter().any(|end| name.ends_with(&format!(".{end}")))
}

fn look_at(path: &Path, writer: WriterId, fleet: Fleet, secrets: &Secrets) -> JournalLook {
    let file = path.join(writer.file_name());
    let mut lines = vec![];
    let reached = read_on(&file, writer, fleet, None, secrets, &mut |_, line| lines.push(line));
    let metadata = fs::metadata(&file).ok();
    let touched = metadata.as_ref().and_then(|metadata| metadata.modified().ok()).map(unix).unwrap_or_default();
    let said = lines.iter().filter_map(instant).max().unwrap_or_default();
    JournalLook {
        writer,
        bytes: metadata.map_or(0, |metadata| metadata.len()),
        fault: reached.fault,
        ended: lines.last() == Some(&Line::Closed),
        written_at: touched.max(said),
        lines,
    }
}

fn unix(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(since.as_secs())
}

impl JournalLook {
    /// Whether nobody will add anything: its writer has ended, or has been silent for so long that it would begin anew.
    fn is_over(&self, now: Timestamp) -> bool {
        self.fault.is_none() && (self.ended || now.since(self.written_at) >= SILENT_FOR)
    }

    fn has_forgotten(&self, dead: Timestamp) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Entry(entry) if entry.at < dead))
    }

    fn place(&self, nodes: &[NodeReport]) -> Place {
        let name = self.writer.to_string();
        let seq = nodes.iter().find(|node| node.writer == name).map_or(0, |node| node.lines);
        Place { writer: self.writer, seq }
    }
}

/// When a line was written, as far as it says.
fn instant(line: &Line) -> Option<Timestamp> {
    match line {
        Line::Beat { at, .. } | Line::Carried { at, .. } => Some(*at),
        Line::Entry(entry) => Some(entry.at),
        Line::Closed | Line::Passed => None,
    }
}

/// Keeps a journal under a name that nobody reads.
fn set_aside(path: &Path, writer: WriterId) -> Result<(), DirectoryError> {
    let from: PathBuf = path.join(writer.file_name());
    match fs::rename(&from, from.with_extension(ASIDE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DirectoryError::io("set aside", &from)(error)),
        _ => Ok(()),
    }
}

/// What a journal of an earlier epoch is called, and one that was found damaged.
const ASIDE: &str = "reset";
pub(super) const DAMAGED: &str = "damaged";

/// As long as servers wait for a writer without a word.
const SILENT_FOR: u64 = super::follower::SILENT_FOR;
