//! Revocations shared by files in a directory: one journal for each writer, read by all.
//!
//! A marker says which fleet the directory belongs to, so that a path that is not mounted is not taken for an empty list.
//! Nothing is locked between processes: each writes its own journal only, and reading twice changes nothing.

mod folded;
mod follower;
mod header;
mod journal;
mod line;
mod tool;
mod writer;
mod writer_id;

use core::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use follower::Follower;
pub(crate) use follower::Pass;
use header::Fleet;
pub use header::HeaderError;
pub use journal::Fault;
use journal::{TEMP_PREFIX, put, read_marker};
pub(crate) use line::Line;
use line::Place;
pub(crate) use tool::{JournalLook, Look};
use writer::Writer;
pub use writer_id::WriterId;

use super::entry::Entry;
use super::known::Known;
use super::secrets::Secrets;
use crate::crypto::{OsRandom, Random};
use crate::text;
use crate::time::Timestamp;

/// A directory that servers share, as this process reads and writes it.
pub(crate) struct Directory {
    path: PathBuf,
    /// Only what it revokes is written.
    observes: bool,
    reader: Mutex<Reader>,
    /// Held for moments; never while other journals are read.
    writer: Mutex<Option<Writer>>,
    /// Why this process could not write at the last pass.
    trouble: Mutex<Option<String>>,
    /// Entries that its journal does not hold yet, for whoever asks while it is written anew.
    waiting: Mutex<(usize, Option<Timestamp>)>,
    /// What was revoked before the directory was found.
    early: Mutex<Vec<Entry>>,
    /// As of the last pass, for whoever asks while another is under way.
    nodes: Mutex<Vec<NodeReport>>,
}

#[derive(Default)]
struct Reader {
    follower: Option<Follower>,
    /// With each beat another one is mentioned.
    round: usize,
}

impl Directory {
    pub(crate) fn at(path: &Path, observes: bool) -> Self {
        Self {
            path: path.to_owned(),
            observes,
            reader: Mutex::default(),
            writer: Mutex::new(None),
            trouble: Mutex::default(),
            waiting: Mutex::default(),
            early: Mutex::default(),
            nodes: Mutex::default(),
        }
    }

    /// Makes a directory one of revocations.
    ///
    /// # Errors
    /// - it is one already
    /// - the operating system says no
    pub(crate) fn init(path: &Path, secrets: &Secrets, now: Timestamp) -> Result<(), DirectoryError> {
        named(path)?;
        fs::create_dir_all(path).map_err(DirectoryError::io("make", path))?;
        if tool::has_journals(path) && !path.join(MARKER).exists() {
            return Err(DirectoryError::Unmarked { path: path.to_owned() });
        }
        if tool::has_journals(path) {
            return Err(DirectoryError::Exists { path: path.to_owned() });
        }
        let mut id = [0; 16];
        OsRandom.fill(&mut id).map_err(|error| DirectoryError::io("name", path)(io::Error::other(error)))?;
        Self::mark(path, Fleet { ring_id: secrets.ring_id, id, epoch: 1 }, true, secrets, now)
    }

    /// Makes a directory one of revocations unless it is one.
    ///
    /// # Errors
    /// - it is one of another ring
    /// - the operating system says no
    #[cfg(feature = "redis")]
    pub(crate) fn ensure(path: &Path, secrets: &Secrets, now: Timestamp) -> Result<(), DirectoryError> {
        match Self::at(path, true).fleet(secrets) {
            Err(DirectoryError::Missing { .. }) => Self::init(path, secrets, now),
            found => found.map(|_| ()),
        }
    }

    fn mark(path: &Path, fleet: Fleet, fresh: bool, secrets: &Secrets, now: Timestamp) -> Result<(), DirectoryError> {
        let marker = path.join(MARKER);
        put(&marker, &fleet.marker(now, &secrets.macs[0]), fresh).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => DirectoryError::Exists { path: path.to_owned() },
            _ => DirectoryError::io("write", &marker)(error),
        })
    }

    fn fleet(&self, secrets: &Secrets) -> Result<(Fleet, Vec<u8>), DirectoryError> {
        named(&self.path)?;
        let marker = self.path.join(MARKER);
        let bytes = read_marker(&marker).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if tool::has_journals(&self.path) => {
                DirectoryError::Unmarked { path: self.path.clone() }
            }
            io::ErrorKind::NotFound => DirectoryError::Missing { path: self.path.clone() },
            _ => DirectoryError::io("read", &marker)(error),
        })?;
        let fleet = Fleet::of_marker(&bytes, secrets).map_err(|why| DirectoryError::Marker { path: marker, why })?;
        Ok((fleet, bytes))
    }

    /// Writes entries; when this returns they are on disk, where every server reads them.
    ///
    /// # Errors
    /// They are not, and wait for the next call.
    pub(crate) fn write(
        &self,
        entries: Vec<Entry>,
        known: &Known,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut writer = self.writer();
        let done = match writer.as_mut() {
            Some(writer) if writer.is_believed(secrets) => writer.write(entries, known, now),
            Some(writer) => {
                writer.keep(entries);
                Err("the directory of revocations is written under secrets that the ring holds no more".to_owned())
            }
            None => {
                self.early().extend(entries);
                Err("the directory of revocations has not been found yet".to_owned())
            }
        };
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) =
            writer.as_ref().map_or((0, None), Writer::waiting);
        done
    }

    /// Reads what is new, writes what waits, and keeps the directory in order. `loaded` is whether this process has loaded all
    /// of it before; returns whether it has now.
    ///
    /// # Errors
    /// The list could not be brought up to date.
    pub(crate) fn sync(&self, pass: &Pass<'_>, loaded: bool) -> Result<bool, DirectoryError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (fleet, marker) = self.fleet(pass.secrets)?;
        self.enter(&mut reader, fleet, marker.clone(), pass);
        let Reader { follower: Some(follower), round } = &mut *reader else { return Ok(loaded) };
        follower.read(pass).map_err(DirectoryError::io("list", &self.path))?;
        let beyond = follower.is_beyond_us().map(|(writer, fault)| (writer, fault.clone()));
        // Whoever has loaded knows what it has read, whatever becomes of the files; but not what it has missed.
        let gaps = if loaded { follower.unread() } else { follower.gaps() };
        self.keep_up(follower, round, loaded || gaps.is_empty(), pass);
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = self.report(follower);
        match (beyond, gaps.first()) {
            (Some((writer, fault)), _) => Err(DirectoryError::Journal { path: self.path.clone(), writer, fault }),
            (None, Some(_)) => Err(DirectoryError::Gaps { path: self.path.clone(), writers: gaps }),
            (None, None) if !loaded => self.is_still(&marker).map(|()| true),
            (None, None) => Ok(true),
        }
    }

    /// That what was read all through is the directory of this marker: one that was unmounted meanwhile looks empty.
    fn is_still(&self, marker: &[u8]) -> Result<(), DirectoryError> {
        let path = self.path.join(MARKER);
        match read_marker(&path) {
            Ok(there) if there == marker => Ok(()),
            Ok(_) => Err(DirectoryError::io("read", &path)(io::Error::other("it was changed meanwhile"))),
            Err(error) => Err(DirectoryError::io("read", &path)(error)),
        }
    }

    /// The earliest that it is by the clocks of all who are alive; `None` before the directory was read.
    pub(crate) fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.follower.as_ref().map(|follower| follower.earliest(now))
    }

    /// Forgets how far everything was read, so that the next pass reads it all again.
    pub(crate) fn read_again(&self) {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).follower = None;
    }

    fn enter(&self, reader: &mut Reader, fleet: Fleet, marker: Vec<u8>, pass: &Pass<'_>) {
        let macs = &pass.secrets.macs[0];
        let mut writer = self.writer();
        if let Some(before) = writer.as_ref().map(Writer::fleet).filter(|before| before.id != fleet.id) {
            let (before, now) = (text::hex(&before.id), text::hex(&fleet.id));
            tracing::error!(%before, %now, path = %self.path.display(), "the directory of revocations is another one now; unless it was begun anew, something else is mounted here, and this server hears of nobody");
        }
        match writer.as_mut() {
            None => {
                let writer = writer.insert(Writer::new(&self.path, fleet, Some(marker), macs));
                writer.keep(std::mem::take(&mut *self.early()));
            }
            Some(writer) if writer.is_for(fleet, macs) => {}
            Some(writer) => writer.move_to(fleet, marker, macs),
        }
        if reader.follower.as_ref().map(Follower::fleet) != Some(fleet) {
            reader.follower = Some(Follower::new(&self.path, fleet));
        }
    }

    /// Everything but reading. What goes wrong here is tried again at the next pass.
    fn keep_up(&self, follower: &mut Follower, round: &mut usize, loaded: bool, pass: &Pass<'_>) {
        let mut writer = self.writer();
        let Some(writer) = writer.as_mut() else { return };
        writer.hear(follower.words());
        let own = writer.writer();
        if own.is_some_and(|own| follower.fault(own).is_some()) {
            writer.lose();
        }
        let mut done = writer.write(vec![], pass.known, pass.now);
        if !self.observes && writer.is_beat_due(pass.now) {
            *round += 1;
            done = done.and_then(|()| writer.beat(mention(follower, own, *round), pass.known, pass.now));
        }
        if !self.observes && loaded {
            done = done.and_then(|()| self.tidy(writer, follower, own, pass));
        }
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = &done
            && trouble.as_ref() != Some(error)
        {
            tracing::error!(%error, waiting = writer.waiting().0, "this server cannot write its revocations");
        }
        *trouble = done.err();
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = writer.waiting();
    }

    fn tidy(
        &self,
        writer: &mut Writer,
        follower: &mut Follower,
        own: Option<WriterId>,
        pass: &Pass<'_>,
    ) -> Result<(), String> {
        let Pass { known, secrets, now, dead } = *pass;
        let lost: Vec<_> = follower.lost(now, CARRY_AFTER + u64::from(draw()) % CARRY_SPREAD);
        if !lost.is_empty() {
            let mut lines = follower.words();
            known.entries(&mut |entry| lines.push(Line::Entry(entry)));
            writer.carry(&lost, lines, secrets, known, now, dead)?;
            tracing::warn!(journals = lost.len(), "carried on the revocations of journals that are lost");
        }
        follower.useless(now, dead, CARRY_AFTER + CARRY_SPREAD).into_iter().for_each(|writer| self.set_aside(writer));
        let mut gone = follower.dead(now, own);
        // All see it at once, and one of them is enough.
        if !gone.is_empty() && draw().is_multiple_of(COLLECT_ONE_IN) {
            let lines = follower.entries_of(&mut gone, pass);
            writer.carry(&gone, lines, secrets, known, now, dead)?;
            gone.iter().for_each(|place| self.take_away(place.writer, follower, secrets));
            tracing::info!(journals = gone.len(), "took over the journals of writers that have ended");
        }
        follower.outdated().into_iter().for_each(|writer| self.remove(&writer.file_name()));
        follower.left_over(now).filter_map(|path| path.file_name()?.to_str()).for_each(|name| self.remove(name));
        writer.compact(secrets, known, now, dead)
    }

    /// Removes a journal that is carried on. Its writer may have come back meanwhile and added to it: then it stays. Whoever adds to
    /// it from here on finds it gone, and begins anew.
    fn take_away(&self, writer: WriterId, follower: &Follower, secrets: &Secrets) {
        let name = writer.file_name();
        // Removed by others in an hour, if this process is killed here.
        let aside = format!("{TEMP_PREFIX}{name}");
        let [from, to] = [&name, &aside].map(|name| self.path.join(name));
        if fs::rename(&from, &to).is_err() {
            return;
        }
        if follower.has_all(writer, &to, secrets) {
            self.remove(&aside);
        } else {
            let _ = fs::rename(to, from);
        }
    }

    /// Keeps a damaged journal for whoever wants to know why, under a name that nobody reads.
    fn set_aside(&self, writer: WriterId) {
        let path = self.path.join(writer.file_name());
        let _ = fs::rename(&path, path.with_extension(tool::DAMAGED));
    }

    fn remove(&self, name: &str) {
        let path = self.path.join(name);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "a file that nobody needs any more was not removed");
        }
    }

    /// Says that this process ends.
    pub(crate) fn close(&self) {
        if let Some(writer) = self.writer().as_mut() {
            writer.close();
        }
    }

    /// Why this process cannot write.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Entries that no other server can read yet, and since when the oldest waits.
    pub(crate) fn waiting(&self) -> (usize, Option<Timestamp>) {
        let (kept, since) = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let early = self.early();
        let oldest = early.iter().map(|entry| entry.at).chain(since).min();
        (kept + early.len(), oldest)
    }

    /// Every writer of whom there was a journal at the last pass.
    pub(crate) fn nodes(&self) -> Vec<NodeReport> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn report(&self, follower: &Follower) -> Vec<NodeReport> {
        let own = self.writer().as_ref().and_then(Writer::writer);
        let of = |(writer, followed): (WriterId, &follower::Followed)| NodeReport {
            writer: writer.to_string(),
            this: Some(writer) == own,
            lines: followed.seq(),
            beat_at: followed.beat_at,
            ended: followed.closed,
            fault: followed.fault.as_ref().map(ToString::to_string),
        };
        follower.journals().map(of).collect()
    }

    fn early(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a writer of the directory is doing. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct NodeReport {
    /// Its name: 16 hexadecimal digits.
    pub writer: String,
    /// Whether it is this process.
    pub this: bool,
    /// The last line that was read.
    pub lines: u64,
    /// When it last said that it was alive, by its own clock.
    pub beat_at: Option<Timestamp>,
    /// Whether it has ended properly.
    pub ended: bool,
    /// Why its journal cannot be read to its end.
    pub fault: Option<String>,
}

/// One journal after the other, so that everybody's place is mentioned by somebody soon.
fn mention(follower: &Follower, own: Option<WriterId>, round: usize) -> Option<Place> {
    let others: Vec<_> = follower.journals().map(|(writer, _)| writer).filter(|&writer| Some(writer) != own).collect();
    follower.settled(*others.get(round.checked_rem(others.len())?)?)
}

/// An empty path would be taken for the directory that the process runs in.
fn named(path: &Path) -> Result<(), DirectoryError> {
    if path.as_os_str().is_empty() { Err(DirectoryError::Unnamed) } else { Ok(()) }
}

fn draw() -> u8 {
    let mut byte = [0];
    let _ = OsRandom.fill(&mut byte);
    byte[0]
}

/// Why a directory of revocations cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It is one already.
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// This process has not loaded the list yet, and journals that others speak of are missing or cannot be read.
    Gaps {
        /// The directory.
        path: PathBuf,
        /// Their writers.
        writers: Vec<WriterId>,
    },
    /// The operating system said no.
    Io {
        /// What was to be done.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A journal holds what this version does not understand.
    Journal {
        /// The directory.
        path: PathBuf,
        /// Its writer.
        writer: WriterId,
        /// What is wrong.
        fault: Fault,
    },
    /// The marker is not one of this ring's.
    Marker {
        /// The marker.
        path: PathBuf,
        /// Why.
        why: HeaderError,
    },
    /// There is no marker: nothing is mounted there, or it was never set up.
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// There are journals, and no marker that says whose.
    Unmarked {
        /// The directory.
        path: PathBuf,
    },
    /// The path is empty.
    Unnamed,
}

impl DirectoryError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path } => write!(f, "{} is a directory of revocations already", path.display()),
            Self::Gaps { path, writers } => {
                let first = writers.first().map(ToString::to_string).unwrap_or_default();
                match writers.len() {
                    1 => write!(f, "1 journal in {} is missing or damaged, {first}.journal", path.display())?,
                    more => write!(
                        f,
                        "{more} journals in {} are missing or damaged, {first}.journal first",
                        path.display()
                    )?,
                }
                f.write_str(
                    "; a server that has read it carries it on within minutes, and without one see `waxseal revocations verify`",
                )
            }
            Self::Io { doing, path, error } => write!(f, "cannot {doing} {}: {error}", path.display()),
            Self::Journal { path, writer, fault } => write!(f, "{}/{}: {fault}", path.display(), writer.file_name()),
            Self::Marker { path, why } => write!(f, "{} cannot be used: {why}", path.display()),
            Self::Missing { path } => write!(
                f,
                "{} is not a directory of revocations; mount it. Only for a new fleet: `waxseal revocations init`",
                path.display()
            ),
            Self::Unmarked { path } => write!(
                f,
                "the marker of {} is missing, and its journals are there; see `waxseal revocations reset`",
                path.display()
            ),
            Self::Unnamed => f.write_str("the path of the directory of revocations is empty"),
        }
    }
}

impl std::error::Error for DirectoryError {}

/// The file that makes a directory one of revocations.
pub(crate) const MARKER: &str = "waxseal-revocations";

/// After how many seconds a lost journal is carried on at the earliest, and how many later at the latest: whoever wrote it may
/// be faster, and one of the others is enough.
const CARRY_AFTER: u64 = 15;
const CARRY_SPREAD: u64 = 60;

/// How likely a node is to take over dead journals in a pass.
const COLLECT_ONE_IN: u8 = 4;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;
