//! Reads what all writers of a directory say, and knows what it could not read.
//!
//! A node that has loaded once keeps what it knows in memory, whatever becomes of the files. One that has not must be sure
//! that nothing is missing: writers mention each other's sequence numbers, and a journal that is gone, damaged or shorter
//! than somebody says is a gap until another writer has carried on what it held.

use core::ops::Bound;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::header::{Fleet, HeaderError};
use super::journal::{Cursor, Fault, Reached, TEMP_PREFIX, read_on};
use super::line::{Line, Place};
use super::writer_id::WriterId;
use crate::crypto::OsRandom;
use crate::revocation::entry::{Act, Entry};
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
    /// How far this process has read each journal, whatever has become of it.
    read: HashMap<WriterId, u64>,
    /// Half-written files, since when they are there by this clock.
    half_written: HashMap<PathBuf, Timestamp>,
    checked: Checked,
}

/// Which journal was read from its start last, to see whether what was read before is still there.
struct Checked {
    writer: WriterId,
    /// When the next is due.
    next_at: Timestamp,
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
    /// And for how many passes: a clock that leaps makes nobody silent.
    still_for: u32,
    /// Since when it cannot be read.
    lost_since: Option<Timestamp>,
    /// What is wrong in a part that was read before, and in which generation of the file.
    rotten: Option<(u64, Fault)>,
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
            read: HashMap::new(),
            half_written: HashMap::new(),
            checked: Checked { writer: WriterId::draw(&OsRandom).unwrap_or(FIRST), next_at: Timestamp::default() },
        }
    }

    /// Reads everything that is new. Faults of single journals are kept with them.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) fn read(&mut self, pass: &Pass<'_>) -> std::io::Result<()> {
        let (mut there, mut half_written) = (vec![], HashMap::new());
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Whoever opened a pipe would wait for ever, and no journal is a link.
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let name = entry.file_name();
            there.extend(name.to_str().and_then(WriterId::of_file_name));
            if name.to_str().is_some_and(|name| name.starts_with(TEMP_PREFIX)) {
                let path = entry.path();
                let since = self.half_written.get(&path).copied().unwrap_or(pass.now);
                half_written.insert(path, since.min(pass.now));
            }
        }
        self.half_written = half_written;
        for &writer in &there {
            self.follow(writer, pass);
        }
        for (writer, followed) in &mut self.journals {
            if !there.contains(writer) {
                followed.blame(Fault::Vanished, *writer, pass.now);
            }
        }
        self.check(pass);
        self.forget(pass.dead);
        Ok(())
    }

    /// Reads one journal from its start, now and then: who starts next must find there what this process has long read.
    fn check(&mut self, pass: &Pass<'_>) {
        // By a clock that was set back it is due too.
        if pass.now < self.checked.next_at && self.checked.next_at.since(pass.now) <= CHECK_AT_MOST {
            return;
        }
        let whole =
            |(&writer, followed): (&WriterId, &Followed)| followed.is_whole().then_some((writer, followed.seq()));
        let behind = self.journals.range((Bound::Excluded(self.checked.writer), Bound::Unbounded)).find_map(whole);
        let Some((writer, seq)) = behind.or_else(|| self.journals.iter().find_map(whole)) else { return };
        let len = fs::metadata(self.path.join(writer.file_name())).map_or(0, |file| file.len());
        let next_at = pass.now.plus((len / CHECK_RATE).clamp(CHECK_EVERY, CHECK_AT_MOST));
        self.checked = Checked { writer, next_at };
        let _ = self.read_anew(Place { writer, seq }, pass, &mut |_, _| {});
    }

    /// Reads a journal from its start as far as `place` at least; if that cannot be done, the journal is at fault from now on.
    pub(crate) fn read_anew(
        &mut self,
        place: Place,
        pass: &Pass<'_>,
        take: &mut dyn FnMut(u64, Line),
    ) -> Result<(), ()> {
        let Some(followed) = self.journals.get_mut(&place.writer) else { return Err(()) };
        let path = self.path.join(place.writer.file_name());
        let Reached { cursor, fault } = read_on(&path, place.writer, self.fleet, None, pass.secrets, take);
        let seq = cursor.as_ref().map_or(0, |cursor| cursor.seq);
        let fault = match fault {
            None if seq >= place.seq => return Ok(()),
            // Seen at the next pass, if it lasts.
            Some(Fault::Vanished | Fault::Io(_)) => return Err(()),
            fault => fault.unwrap_or(Fault::Older),
        };
        let generation = followed.cursor.as_ref().map_or(0, |cursor| cursor.generation);
        followed.rotten = Some((generation, fault.clone()));
        followed.blame(fault, place.writer, pass.now);
        Err(())
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
                // What a retraction takes back may live longer than it seems to, and stand in another journal.
                if entry.at >= pass.dead || matches!(entry.act, Act::Retract(_)) {
                    news.push(entry);
                    flush(&mut news, FLUSH_AT, pass);
                }
            }
            Line::Beat { at, read } => {
                beat_at = Some(at);
                // Of a journal without a revocation nothing can be missing.
                raise(mentioned, read.filter(|place| place.seq > 0), at);
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
        let read = self.read.entry(writer).or_default();
        *read = followed.seq().max(*read);
        followed.entry_seq = entry_seq;
        followed.beat_at = beat_at.or(followed.beat_at);
        followed.still_for = followed.still_for.saturating_add(1);
        followed.closed |= closed;
        if followed.cursor.as_ref().map(|cursor| (cursor.generation, cursor.seq)) != before {
            (followed.still_since, followed.still_for) = (pass.now, 0);
        }
        let generation = followed.cursor.as_ref().map_or(0, |cursor| cursor.generation);
        let rotten = followed.rotten.take().filter(|(of, _)| *of == generation);
        followed.rotten = rotten.clone();
        match fault.or(rotten.map(|(_, fault)| fault)) {
            Some(fault) => followed.blame(fault, writer, pass.now),
            None => (followed.fault, followed.lost_since) = (None, None),
        }
    }

    /// Drops what concerns only sessions that nobody has any more.
    fn forget(&mut self, dead: Timestamp) {
        // A clock that was ahead must not make a word pass before what it answers.
        for (writer, (_, at)) in &mut self.carried {
            *at = self.mentioned.get(writer).map_or(*at, |&(_, mentioned)| mentioned.max(*at));
        }
        self.mentioned.retain(|_, (_, at)| *at >= dead);
        self.carried.retain(|_, (_, at)| !is_word_over(*at, dead));
        let carried = &self.carried;
        self.journals.retain(|writer, followed| {
            let gone = followed.fault == Some(Fault::Vanished);
            // Of one that was never read nothing is known but what others say, and that is kept elsewhere.
            let is_needed = followed.cursor.is_some() && followed.lost_since.is_none_or(|since| since >= dead);
            !gone || is_needed && carried.get(writer).is_none_or(|&(seq, _)| seq < followed.seq())
        });
        let (journals, mentioned) = (&self.journals, &self.mentioned);
        self.read.retain(|writer, _| journals.contains_key(writer) || mentioned.contains_key(writer));
    }

    /// Writers of which this directory does not hold, or does not show, everything that was said.
    pub(crate) fn gaps(&self) -> Vec<WriterId> {
        let mut gaps: Vec<_> = self.journals.keys().chain(self.mentioned.keys()).copied().collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps.retain(|writer| !self.is_of_another_epoch(writer) && !self.is_covered(writer));
        gaps
    }

    /// Writers of whom others have read what this process has not, and nobody carries it on.
    pub(crate) fn unread(&self) -> Vec<WriterId> {
        let mut unread: Vec<_> = self.mentioned.keys().filter(|writer| self.is_unread(writer)).copied().collect();
        unread.sort_unstable();
        unread
    }

    fn is_unread(&self, writer: &WriterId) -> bool {
        let read = self.read.get(writer).copied().unwrap_or(0);
        let [carried, mentioned] =
            [&self.carried, &self.mentioned].map(|places| places.get(writer).map_or(0, |&(seq, _)| seq));
        mentioned > read.max(carried) && !self.is_of_another_epoch(writer)
    }

    /// Whether all that anybody says to have read of a journal is there, or elsewhere.
    fn is_covered(&self, writer: &WriterId) -> bool {
        let least = self.mentioned.get(writer).map_or(0, |&(seq, _)| seq);
        let carried = self.carried.get(writer).map(|&(seq, _)| seq);
        let read = self.journals.get(writer).filter(|followed| followed.is_whole()).map(Followed::seq);
        carried.max(read).is_some_and(|seq| seq >= least)
    }

    fn is_of_another_epoch(&self, writer: &WriterId) -> bool {
        let fault = self.journals.get(writer).and_then(|followed| followed.fault.as_ref());
        matches!(fault, Some(Fault::Epoch { .. }))
    }

    /// Whether some journal holds what only a newer version understands, or cannot be read for now: then nobody can say that
    /// they know everything.
    pub(crate) fn is_beyond_us(&self) -> Option<(WriterId, &Fault)> {
        let faults = self.journals.iter().filter_map(|(writer, followed)| Some((*writer, followed.fault.as_ref()?)));
        faults.into_iter().find(|(writer, fault)| match fault {
            Fault::Newer { .. } | Fault::Header(HeaderError::Newer) => true,
            Fault::Io(_) => !self.is_covered(writer),
            _ => false,
        })
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
            let is_silent = still >= SILENT_FOR && followed.still_for >= SILENT_PASSES;
            let is_over = followed.closed && still >= CLOSED_FOR || is_silent;
            Some(writer) != own && followed.is_whole() && is_over
        });
        dead.map(|(&writer, followed)| Place { writer, seq: followed.seq() }).collect()
    }

    /// Files of earlier epochs, which nobody reads.
    pub(crate) fn outdated(&self) -> Vec<WriterId> {
        let old =
            |followed: &Followed| matches!(followed.fault, Some(Fault::Epoch { found }) if found < self.fleet.epoch);
        self.journals.iter().filter(|(_, followed)| old(followed)).map(|(&writer, _)| writer).collect()
    }

    /// All that lives in those journals of `places` that can still be read from their start; `places` is left with these.
    pub(crate) fn entries_of(&mut self, places: &mut Vec<Place>, pass: &Pass<'_>) -> Vec<Line> {
        let mut lines = vec![];
        let words: HashSet<_> = self.carried.keys().copied().collect();
        places.retain(|&place| {
            let before = lines.len();
            let mut take = |_, line| match line {
                Line::Entry(entry) => lines.extend(living(entry, pass.known, pass.dead)),
                Line::Carried { at, of } if !is_word_over(at, pass.dead) || words.contains(&of.writer) => {
                    lines.push(Line::Carried { at, of });
                }
                // Or nobody would miss what only its writer had read.
                Line::Beat { at, read: Some(_) } if at >= pass.dead => lines.push(line),
                _ => {}
            };
            let whole = self.read_anew(place, pass, &mut take).is_ok();
            if !whole {
                lines.truncate(before);
            }
            whole
        });
        lines
    }

    /// Whether there is nothing in a journal, which is at `path` now, that this process has not read.
    pub(crate) fn has_all(&self, writer: WriterId, path: &Path, secrets: &Secrets) -> bool {
        let Some(cursor) = self.journals.get(&writer).and_then(|followed| followed.cursor.as_ref()) else {
            return false;
        };
        let reached = read_on(path, writer, self.fleet, Some(cursor), secrets, &mut |_, _| {});
        let is_same = |at: Cursor| (at.generation, at.offset) == (cursor.generation, cursor.offset);
        reached.fault.is_none() && reached.cursor.is_some_and(is_same)
    }

    /// Journals that nobody can read and nobody needs: others carry on what was read of them, or nothing in them can live.
    pub(crate) fn useless(&self, now: Timestamp, dead: Timestamp, for_seconds: u64) -> Vec<WriterId> {
        let useless = self.journals.iter().filter(|(writer, followed)| {
            let broken = followed.fault.as_ref().is_some_and(Fault::is_of_the_file);
            let long = followed.lost_since.is_some_and(|since| now.since(since) >= for_seconds);
            let read = followed.seq().max(self.mentioned.get(writer).map_or(0, |&(seq, _)| seq));
            let carried = self.carried.get(writer).is_some_and(|&(seq, _)| seq >= read);
            broken && (long && carried || followed.lost_since.is_some_and(|since| since < dead))
        });
        useless.map(|(&writer, _)| writer).collect()
    }

    /// Files that somebody began to write and has not finished for an hour.
    pub(crate) fn left_over(&self, now: Timestamp) -> impl Iterator<Item = &PathBuf> {
        self.half_written.iter().filter(move |(_, since)| now.since(**since) >= SILENT_FOR).map(|(path, _)| path)
    }

    /// The earliest that it is by the clocks of those who are alive. One clock that ran ahead must not make this process forget, and
    /// drop from the directory, what all others still need.
    pub(crate) fn earliest(&self, now: Timestamp) -> Timestamp {
        let alive = self
            .journals
            .values()
            .filter(|followed| followed.is_whole() && !followed.closed && followed.still_for < SILENT_PASSES);
        alive.filter_map(|followed| followed.beat_at).fold(now, Timestamp::min)
    }

    /// Every word that a journal is carried on: whoever carries all that is known carries that on as well, or it would be lost with
    /// the journal that holds it.
    pub(crate) fn words(&self) -> Vec<Line> {
        let line =
            |(&writer, &(seq, at)): (&WriterId, &(u64, Timestamp))| Line::Carried { at, of: Place { writer, seq } };
        self.carried.iter().map(line).collect()
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
            still_for: 0,
            lost_since: None,
            rotten: None,
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

/// An entry as it is written anew, if it is not forgotten.
pub(crate) fn living(entry: Entry, known: &Known, dead: Timestamp) -> Option<Line> {
    let at = known.lives_from(&entry);
    (at >= dead).then_some(Line::Entry(Entry { at, ..entry }))
}

fn flush(news: &mut Vec<Entry>, at_least: usize, pass: &Pass<'_>) {
    if news.len() >= at_least && !news.is_empty() {
        pass.known.add_all(news.drain(..), pass.now);
    }
}

/// Whether the word that a journal is carried on has done its service: it is kept for longer than any word that there was
/// something in it, by whichever clock.
pub(crate) fn is_word_over(at: Timestamp, dead: Timestamp) -> bool {
    at.plus(WORD_KEPT) < dead
}

/// How much longer than an entry, in seconds: clocks may be a day off, and two days are enough for that.
const WORD_KEPT: u64 = 172_800;

/// Seconds between two journals that are read from their start, if they are small.
const CHECK_EVERY: u64 = 10;

/// And if they are huge.
const CHECK_AT_MOST: u64 = 3_600;

/// Bytes per second that are spent on it.
const CHECK_RATE: u64 = 8_192;

const FIRST: WriterId = WriterId::from_bytes([0; 8]);

/// Entries that are taken in at once.
const FLUSH_AT: usize = 65_536;

/// After how many seconds a journal whose writer has ended is carried on by others, and removed.
const CLOSED_FOR: u64 = 600;

/// After how many seconds without a beat a writer counts as dead. It may come back all the same: it then begins anew.
pub(super) const SILENT_FOR: u64 = 3_600;

/// And after how many passes, which are a minute and a fifth apart at most.
const SILENT_PASSES: u32 = 30;
