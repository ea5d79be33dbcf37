//! Writes the journal of this process, and keeps what could not be written yet.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::MARKER;
use super::folded::folded;
use super::follower::{is_word_over, living};
use super::header::Fleet;
use super::journal::{Beginning, Fault, Journal, JournalError, read_marker, read_on};
use super::line::{Line, Place};
use super::writer_id::WriterId;
use crate::crypto::OsRandom;
use crate::revocation::entry::Entry;
use crate::revocation::known::Known;
use crate::revocation::secrets::{Macs, Secrets};
use crate::time::Timestamp;

/// The writing side of a directory.
pub(crate) struct Writer {
    path: PathBuf,
    fleet: Fleet,
    /// The directory's marker as it was read; `None` if it is yet to be written.
    marker: Option<Vec<u8>>,
    macs: Arc<Macs>,
    journal: Option<Journal>,
    /// Entries that are in force here and in no journal.
    outbox: Vec<Entry>,
    /// Since when the oldest of them waits: their own instants move on while they do.
    since: Option<Timestamp>,
    /// A journal of this process that was lost, whose entries the next one must hold.
    lost: Option<Place>,
    /// Whether the next journal must hold all that is known here.
    everything: bool,
    /// Which journals are carried on by others, as far as is known here.
    words: Vec<Line>,
    beat_at: Option<Timestamp>,
    written_at: Timestamp,
}

impl Writer {
    pub(crate) fn new(path: &Path, fleet: Fleet, marker: Option<Vec<u8>>, macs: &Arc<Macs>) -> Self {
        Self {
            path: path.to_owned(),
            fleet,
            marker,
            macs: Arc::clone(macs),
            journal: None,
            outbox: vec![],
            since: None,
            lost: None,
            everything: false,
            words: vec![],
            beat_at: None,
            written_at: Timestamp::default(),
        }
    }

    /// Writes for another fleet, epoch or secret from now on; all that is known here goes along.
    pub(crate) fn move_to(&mut self, fleet: Fleet, marker: Vec<u8>, macs: &Arc<Macs>) {
        if self.fleet != fleet {
            self.lost = None;
            self.journal = None;
            self.words = vec![];
        }
        self.abandon();
        (self.fleet, self.marker) = (fleet, Some(marker));
        self.macs = Arc::clone(macs);
        self.everything = true;
    }

    pub(crate) fn fleet(&self) -> Fleet {
        self.fleet
    }

    /// Whether it writes for this epoch, under this secret.
    pub(crate) fn is_for(&self, fleet: Fleet, macs: &Arc<Macs>) -> bool {
        self.fleet == fleet && self.macs.same(macs)
    }

    /// Whether those who have these secrets believe what it writes.
    pub(crate) fn is_believed(&self, secrets: &Secrets) -> bool {
        secrets.macs.iter().any(|macs| macs.same(&self.macs))
    }

    /// Takes in which journals others carry on.
    pub(crate) fn hear(&mut self, words: Vec<Line>) {
        self.words = words;
    }

    /// Lets entries wait for the next call of [`write`](Self::write).
    pub(crate) fn keep(&mut self, entries: Vec<Entry>) {
        self.since = self.since.or(entries.iter().map(|entry| entry.at).min());
        self.outbox.extend(entries);
    }

    /// Writes entries, those that are waiting first. When this returns they are on disk.
    ///
    /// # Errors
    /// They are not; they wait for the next call.
    pub(crate) fn write(&mut self, entries: Vec<Entry>, known: &Known, now: Timestamp) -> Result<(), String> {
        self.keep(entries);
        if self.outbox.is_empty() && !self.everything {
            return Ok(());
        }
        // Whoever reads a revocation late must still find it alive: it lives from when it was shared.
        if self.outbox.iter().any(|entry| entry.at < now) {
            self.outbox.iter_mut().for_each(|entry| entry.at = entry.at.max(now));
            known.add_all(&self.outbox, now);
        }
        let lines: Vec<_> = self.outbox.iter().cloned().map(Line::Entry).collect();
        let done = self.append(&lines, true, known, now);
        if done.is_ok() {
            self.outbox.clear();
            self.since = None;
        }
        done.map_err(|error| error.to_string())
    }

    /// Whether it is time to say so; by a clock that was set back it is too.
    pub(crate) fn is_beat_due(&self, now: Timestamp) -> bool {
        self.beat_at.is_none_or(|at| now.as_unix().abs_diff(at.as_unix()) >= BEAT_EVERY)
    }

    /// Says that this process lives, and how far it has read another's journal.
    pub(crate) fn beat(&mut self, read: Option<Place>, known: &Known, now: Timestamp) -> Result<(), String> {
        self.append(&[Line::Beat { at: now, read }], false, known, now).map_err(|error| error.to_string())?;
        self.beat_at = Some(now);
        Ok(())
    }

    /// Says that this process ends.
    pub(crate) fn close(&mut self) {
        if let Some(journal) = &mut self.journal {
            let _ = journal.append(&[Line::Closed], true);
        }
    }

    /// One more try with a new journal, if the one that there is cannot be written any more.
    fn append(&mut self, lines: &[Line], durable: bool, known: &Known, now: Timestamp) -> Result<(), JournalError> {
        if self.journal.is_some() && !self.everything {
            match self.journal.as_mut().map(|journal| journal.append(lines, durable)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => {
                    tracing::warn!(%error, "this server begins a new journal of revocations");
                    self.everything |= matches!(error, JournalError::Lost);
                    self.abandon();
                }
                None => {}
            }
        }
        self.begin(known, now)?;
        match self.journal.as_mut().map(|journal| journal.append(lines, durable)) {
            Some(Err(error)) => {
                self.abandon();
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// A journal of a new name; with all that is known here if an earlier one was lost.
    fn begin(&mut self, known: &Known, now: Timestamp) -> Result<(), JournalError> {
        self.check_marker()?;
        let mut base = vec![];
        if self.everything {
            known.entries(&mut |entry| base.push(Line::Entry(entry)));
            base.extend(self.words.iter().cloned());
            base.extend(self.lost.map(|of| Line::Carried { at: now, of }));
        }
        let writer = WriterId::draw(&OsRandom)
            .map_err(|error| JournalError::Io { doing: "name", error: std::io::Error::other(error) })?;
        let base_seq = u64::from(!base.is_empty());
        let beginning = Beginning { fleet: self.fleet, writer, generation: 1, base_seq, written_at: now };
        self.journal = Some(Journal::create(&self.path, &beginning, &base, &self.macs)?);
        (self.everything, self.lost, self.written_at) = (false, None, now);
        Ok(())
    }

    /// That this is still the directory that was found here: what is written beneath a mount point that nothing is mounted on,
    /// nobody reads.
    fn check_marker(&self) -> Result<(), JournalError> {
        let Some(marker) = &self.marker else { return Ok(()) };
        match read_marker(&self.path.join(MARKER)) {
            Ok(there) if there == *marker => Ok(()),
            _ => Err(JournalError::NoDirectory),
        }
    }

    /// Never touches the present journal again.
    pub(crate) fn abandon(&mut self) {
        if let Some(journal) = self.journal.take() {
            self.lost = Some(journal.place());
        }
    }

    /// Somebody else has to be told everything, since it cannot be read where it was written.
    pub(crate) fn lose(&mut self) {
        self.abandon();
        self.everything = true;
    }

    /// Carries on what other journals held: `lines`, and the word that they are here.
    pub(crate) fn carry(
        &mut self,
        places: &[Place],
        lines: Vec<Line>,
        secrets: &Secrets,
        known: &Known,
        now: Timestamp,
        dead: Timestamp,
    ) -> Result<(), String> {
        if self.journal.is_none() {
            self.begin(known, now).map_err(|error| error.to_string())?;
        }
        let carried = places.iter().map(|&of| Line::Carried { at: now, of });
        self.rewrite(lines.into_iter().chain(carried).collect(), secrets, known, now, dead)
    }

    /// Folds the tail into the base once it has grown, and drops what is dead.
    pub(crate) fn compact(
        &mut self,
        secrets: &Secrets,
        known: &Known,
        now: Timestamp,
        dead: Timestamp,
    ) -> Result<(), String> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let grown = journal.tail_len() > MIN_TAIL.max(journal.base_len);
        let old = now.since(self.written_at) > MAX_AGE && journal.base_len > 0;
        if grown || old { self.rewrite(vec![], secrets, known, now, dead) } else { Ok(()) }
    }

    /// Writes the journal anew: what lives of it, and `more`, for which the others must read the base.
    fn rewrite(
        &mut self,
        more: Vec<Line>,
        secrets: &Secrets,
        known: &Known,
        now: Timestamp,
        dead: Timestamp,
    ) -> Result<(), String> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let mut base = vec![];
        let words: HashSet<_> = self.words.iter().filter_map(Line::carried).collect();
        let mut take = |_, line| match line {
            Line::Entry(entry) => base.extend(living(entry, known, dead)),
            Line::Carried { at, of } if is_word_over(at, dead) && !words.contains(&of.writer) => {}
            Line::Beat { at, read: Some(_) } if at < dead => {}
            Line::Beat { read: None, .. } | Line::Closed | Line::Passed => {}
            line => base.push(line),
        };
        let reached = read_on(journal.path(), journal.writer, self.fleet, None, secrets, &mut take);
        let why = match (reached.fault, journal.own()) {
            (Some(fault), _) => Some(fault.to_string()),
            (None, Err(error)) => Some(error.to_string()),
            (None, Ok(())) => {
                (!reached.cursor.is_some_and(|at| journal.ends_at(&at))).then(|| Fault::Older.to_string())
            }
        };
        if let Some(why) = why {
            // Who starts next cannot read it either.
            self.lose();
            return Err(format!("this server's own journal cannot be read back: {why}"));
        }
        let base_seq = journal.seq + u64::from(!more.is_empty());
        base.extend(more);
        let base = folded(base);
        let beginning = Beginning {
            fleet: self.fleet,
            writer: journal.writer,
            generation: journal.generation + 1,
            base_seq,
            written_at: now,
        };
        let fresh = Journal::create(&self.path, &beginning, &base, &self.macs).map_err(|error| error.to_string())?;
        (self.journal, self.written_at) = (Some(fresh), now);
        Ok(())
    }

    /// The name of the journal, once there is one.
    pub(crate) fn writer(&self) -> Option<WriterId> {
        self.journal.as_ref().map(|journal| journal.writer)
    }

    /// Entries that no other server can read yet, and since when the oldest waits.
    pub(crate) fn waiting(&self) -> (usize, Option<Timestamp>) {
        (self.outbox.len(), self.since)
    }
}

/// Seconds between two beats.
const BEAT_EVERY: u64 = 10;

/// A tail below this many bytes is left alone.
const MIN_TAIL: u64 = 262_144;

/// After how many seconds a journal is written anew though it has not grown, to drop what is dead.
const MAX_AGE: u64 = 86_400;
