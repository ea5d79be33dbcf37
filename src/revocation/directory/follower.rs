//! Reads what all writers of a directory say, and knows what it could not read.
//!
//! A node that has loaded once keeps what it knows in memory, whatever becomes of the files. One that has not must be sure
//! that nothing is missing: writers mention each other's sequence numbers, and a journal that is gone, damaged or shorter
//! than somebody says is a gap until another writer has carried on what it held.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::header::Fleet;
use super::journal::{Cursor, Fault, Reached, read_on};
use super::line::{Line, Place};
use super::writer_id::WriterId;
use crate::revocation::entry::Entry;
use crate::revocation::known::Known;
use crate::revocation::secrets::Secrets;
use crate::time::Timestamp;

/// What this process has read of a directory.
pub(crate) struct Follower {
    path: PathBuf,
    fleet: Fleet,
    journals: BTreeMap<WriterId, Followed>,
    /// The furthest that anybody says to have read of a journal, and when.
    mentioned: HashMap<WriterId, (u64, Timestamp)>,
    /// How far others carry a journal on, and since when.
    carried: HashMap<WriterId, (u64, Timestamp)>,
}

/// One journal, as far as it was read.
pub(crate) struct Followed {
    cursor: Option<Cursor>,
    /// The last entry that was read, and as of the pass before: only what was read a while ago is surely on disk.
    entry_seq: u64,
    settled_seq: u64,
    pub(crate) fault: Option<Fault>,
    pub(crate) closed: bool,
    /// When its writer last said that it was alive, by its own clock.
    pub(crate) beat_at: Option<Timestamp>,
    /// Since when nothing was added, by this clock.
    pub(crate) still_since: Timestamp,
    /// Since when it cannot be read.
    lost_since: Option<Timestamp>,
}

/// What the readers of one pass share.
pub(crate) struct Pass<'a> {
    pub(crate) known: &'a Known,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: Timestamp,
    /// What was decided before this is forgotten.
    pub(crate) dead: Timestamp,
}

impl Follower {
    pub(crate) fn new(path: &Path, fleet: Fleet) -> Self {
        Self {
            path: path.to_owned(),
            fleet,
            journals: BTreeMap::new(),
            mentioned: HashMap::new(),
            carried: HashMap::new(),
        }
    }

    /// Reads everything that is new. Faults of single journals are kept with them.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) fn read(&mut self, pass: &Pass<'_>) -> std::io::Result<()> {
        let mut there = vec![];
        for entry in fs::read_dir(&self.path)? {
            there.extend(entry?.file_name().to_str().and_then(WriterId::of_file_name));
        }
        for &writer in &there {
            self.follow(writer, pass);
        }
        for (writer, followed) in &mut self.journals {
            if !there.contains(writer) {
                followed.blame(Fault::Vanished, *writer, pass.now);
            }
        }
        self.forget(pass.dead);
        Ok(())
    }

    fn follow(&mut self, writer: WriterId, pass: &Pass<'_>) {
        let followed = self.journals.entry(writer).or_insert_with(|| Followed::new(pass.now));
        let before = followed.cursor.as_ref().map(|cursor| (cursor.generation, cursor.seq));
        let (mentioned, carried) = (&mut self.mentioned, &mut self.carried);
        let mut news = vec![];
        let (mut beat_at, mut closed, mut entry_seq) = (None, false, followed.entry_seq);
        followed.settled_seq = entry_seq;
        let mut take = |seq, line| match line {
            Line::Entry(entry) => {
                entry_seq = seq;
                if entry.at >= pass.dead {
                    news.push(entry);
                    flush(&mut news, FLUSH_AT, pass);
                }
            }
            Line::Beat { at, read } => {
                beat_at = Some(at);
                raise(mentioned, read, at);
            }
            Line::Carried { at, of } => raise(carried, Some(of), at),
            Line::Closed => closed = true,
            Line::Passed => {}
        };
        let path = self.path.join(writer.file_name());
        let Reached { cursor, fault } =
            read_on(&path, writer, self.fleet, followed.cursor.as_ref(), pass.secrets, &mut take);
        flush(&mut news, 0, pass);
        followed.cursor = cursor;
        followed.entry_seq = entry_seq;
        followed.beat_at = beat_at.or(followed.beat_at);
        followed.closed |= closed;
        if followed.cursor.as_ref().map(|cursor| (cursor.generation, cursor.seq)) != before {
            followed.still_since = pass.now;
        }
        match fault {
            Some(fault) => followed.blame(fault, writer, pass.now),
            None => (followed.fault, followed.lost_since) = (None, None),
        }
    }

    /// Drops what concerns only sessions that nobody has any more.
    fn forget(&mut self, dead: Timestamp) {
        self.mentioned.retain(|_, (_, at)| *at >= dead);
        self.carried.retain(|_, (_, at)| *at >= dead);
        let carried = &self.carried;
        self.journals.retain(|writer, followed| {
            let gone = followed.fault == Some(Fault::Vanished);
            !gone || carried.get(writer).is_none_or(|&(seq, _)| seq < followed.seq())
        });
    }

    /// Writers of which this directory does not hold, or does not show, everything that was said.
    pub(crate) fn gaps(&self) -> Vec<WriterId> {
        let covered = |writer: &WriterId, least: u64| {
            let carried = self.carried.get(writer).map(|&(seq, _)| seq);
            let read = self.journals.get(writer).filter(|followed| followed.is_whole()).map(Followed::seq);
            carried.max(read).is_some_and(|seq| seq >= least)
        };
        let least = |writer: &WriterId| self.mentioned.get(writer).map_or(0, |&(seq, _)| seq);
        let mut gaps: Vec<_> = self.journals.keys().chain(self.mentioned.keys()).copied().collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps.retain(|writer| !self.is_of_another_epoch(writer) && !covered(writer, least(writer)));
        gaps
    }

    fn is_of_another_epoch(&self, writer: &WriterId) -> bool {
        let fault = self.journals.get(writer).and_then(|followed| followed.fault.as_ref());
        matches!(fault, Some(Fault::Epoch { .. }))
    }

    /// Whether some journal holds what only a newer version understands, or cannot be read for now: then nobody can say that
    /// they know everything.
    pub(crate) fn is_beyond_us(&self) -> Option<(WriterId, &Fault)> {
        let faults = self.journals.iter().filter_map(|(writer, followed)| Some((*writer, followed.fault.as_ref()?)));
        let newer =
            |fault: &Fault| matches!(fault, Fault::Newer { .. } | Fault::Header(super::header::HeaderError::Newer));
        faults.into_iter().find(|(_, fault)| newer(fault))
    }

    /// Journals that this process has read and that cannot be read any more, for at least `for_seconds`: it should carry them.
    pub(crate) fn lost(&self, now: Timestamp, for_seconds: u64) -> Vec<Place> {
        let lost = self.journals.iter().filter(|(writer, followed)| {
            let long = followed.lost_since.is_some_and(|since| now.since(since) >= for_seconds);
            let carried = self.carried.get(writer).is_some_and(|&(seq, _)| seq >= followed.seq());
            long && followed.cursor.is_some() && !carried && !self.is_of_another_epoch(writer)
        });
        lost.map(|(&writer, followed)| Place { writer, seq: followed.seq() }).collect()
    }

    /// Journals to which nobody will add anything: closed a while ago, or still for long.
    pub(crate) fn dead(&self, now: Timestamp, own: Option<WriterId>) -> Vec<Place> {
        let dead = self.journals.iter().filter(|&(&writer, followed)| {
            let still = now.since(followed.still_since);
            Some(writer) != own && followed.is_whole() && still >= if followed.closed { CLOSED_FOR } else { SILENT_FOR }
        });
        dead.map(|(&writer, followed)| Place { writer, seq: followed.seq() }).collect()
    }

    /// Files of earlier epochs, which nobody reads.
    pub(crate) fn outdated(&self) -> Vec<WriterId> {
        let old =
            |followed: &Followed| matches!(followed.fault, Some(Fault::Epoch { found }) if found < self.fleet.epoch);
        self.journals.iter().filter(|(_, followed)| old(followed)).map(|(&writer, _)| writer).collect()
    }

    /// All that lives in the journals of `places`, read once more, and those of them that could be read to the end.
    pub(crate) fn entries_of(&self, places: &[Place], pass: &Pass<'_>) -> (Vec<Place>, Vec<Line>) {
        let (mut whole, mut lines) = (vec![], vec![]);
        for &place in places {
            let before = lines.len();
            let mut take = |_, line| match line {
                Line::Entry(Entry { at, .. }) | Line::Carried { at, .. } if at >= pass.dead => lines.push(line),
                _ => {}
            };
            let path = self.path.join(place.writer.file_name());
            let Reached { cursor, fault } = read_on(&path, place.writer, self.fleet, None, pass.secrets, &mut take);
            if fault.is_none() && cursor.is_some_and(|cursor| cursor.seq >= place.seq) {
                whole.push(place);
            } else {
                lines.truncate(before);
            }
        }
        (whole, lines)
    }

    pub(crate) fn fleet(&self) -> Fleet {
        self.fleet
    }

    pub(crate) fn journals(&self) -> impl Iterator<Item = (WriterId, &Followed)> {
        self.journals.iter().map(|(&writer, followed)| (writer, followed))
    }

    /// What can be said to others of how far one journal goes. A beat may be gone after a crash of its machine, and a line that
    /// was read just now too.
    pub(crate) fn settled(&self, writer: WriterId) -> Option<Place> {
        let followed = self.journals.get(&writer).filter(|followed| followed.is_whole())?;
        Some(Place { writer, seq: followed.settled_seq })
    }

    pub(crate) fn fault(&self, writer: WriterId) -> Option<&Fault> {
        self.journals.get(&writer)?.fault.as_ref()
    }
}

impl Followed {
    fn new(now: Timestamp) -> Self {
        Self {
            cursor: None,
            entry_seq: 0,
            settled_seq: 0,
            fault: None,
            closed: false,
            beat_at: None,
            still_since: now,
            lost_since: None,
        }
    }

    /// The last sequence number that was read.
    pub(crate) fn seq(&self) -> u64 {
        self.cursor.as_ref().map_or(0, |cursor| cursor.seq)
    }

    fn is_whole(&self) -> bool {
        self.fault.is_none() && self.cursor.is_some()
    }

    fn blame(&mut self, fault: Fault, writer: WriterId, now: Timestamp) {
        if self.fault.as_ref() != Some(&fault) {
            match fault {
                Fault::Epoch { .. } => {}
                _ => tracing::error!(%writer, %fault, "a journal of revocations cannot be read to its end"),
            }
        }
        self.fault = Some(fault);
        self.lost_since.get_or_insert(now);
    }
}

fn raise(places: &mut HashMap<WriterId, (u64, Timestamp)>, place: Option<Place>, at: Timestamp) {
    if let Some(Place { writer, seq }) = place {
        let known = places.entry(writer).or_insert((seq, at));
        *known = (known.0.max(seq), known.1.max(at));
    }
}

fn flush(news: &mut Vec<Entry>, at_least: usize, pass: &Pass<'_>) {
    if news.len() >= at_least && !news.is_empty() {
        pass.known.add_all(news.drain(..), pass.now);
    }
}

/// Entries that are taken in at once.
const FLUSH_AT: usize = 65_536;

/// After how many seconds a journal whose writer has ended is carried on by others, and removed.
const CLOSED_FOR: u64 = 600;

/// After how many seconds without a beat a writer counts as dead. It may come back all the same: it then begins anew.
pub(super) const SILENT_FOR: u64 = 3_600;
