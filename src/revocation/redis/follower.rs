//! Reads the stream, notices when it holds less than it did, and gives it back what this process knows.
//!
//! Reading never lowers anything, so whatever is in doubt is read again from the start. What a server has lost, every node
//! that was loaded publishes again, each a few passes later than it noticed, so that the first spare the others the work.

use std::collections::HashSet;

use super::RedisError;
use super::reader::Reader;
use super::record::{Mark, StreamId};
use super::server::Server;
use super::view::View;
use crate::crypto::{OsRandom, Random};
use crate::revocation::directory::{Pass, WriterId};
use crate::revocation::entry::{Act, Entry};
use crate::time::Timestamp;

/// What this process has read of a stream.
pub(crate) struct Follower {
    /// Most seconds that the list may be out of date.
    bound: u64,
    reader: Reader,
    /// What the server said last.
    seen: Option<View>,
    /// In how many passes the stream gets what it lacks.
    republish_in: Option<u8>,
    /// While nobody says that the stream is complete: passes since this process has given it what it lacked.
    incomplete: Option<u8>,
    /// When this process last knew all that the stream held, or had held until just before.
    current_at: Option<Timestamp>,
    trimmed_at: Option<Timestamp>,
}

/// One pass over the stream.
pub(crate) struct Turn<'a> {
    pub(crate) pass: &'a Pass<'a>,
    /// The server at the start of it.
    pub(crate) view: &'a View,
    /// The last entry that there was then, or that this process has added since: what comes later is for the next pass, so that
    /// whoever writes without end holds up none.
    pub(crate) until: StreamId,
    /// This process, and the last that it wrote.
    pub(crate) own: (WriterId, u64),
    /// Whether this process has loaded everything once.
    pub(crate) loaded: bool,
    /// Whether it takes no part but to revoke.
    pub(crate) observes: bool,
}

impl Follower {
    /// Of a list that may be out of date by `bound` seconds.
    pub(crate) fn new(bound: u64) -> Self {
        Self {
            bound,
            reader: Reader::default(),
            seen: None,
            republish_in: None,
            incomplete: None,
            current_at: None,
            trimmed_at: None,
        }
    }

    /// Reads what is new. Returns what the stream lacks, when it is time to publish that.
    ///
    /// # Errors
    /// Nobody can say that everything is known here.
    pub(crate) fn follow(&mut self, server: &mut Server, turn: &Turn<'_>) -> Result<Option<Vec<Entry>>, RedisError> {
        if !turn.loaded && turn.view.place.epoch.is_none() {
            return Err(RedisError::Missing);
        }
        self.judge(turn);
        let missing = self.read(server, turn)?;
        if !turn.loaded {
            let after = server.look()?;
            let was_cut = after.was_cut_since(turn.view, |at| turn.is_young(at));
            let was_lost = turn.is_complete() && !after.is_complete(|at| turn.is_young(at));
            if after.place != turn.view.place || was_cut || was_lost {
                // Emptied while it was read: what came is not everything.
                return Err(RedisError::Changed);
            }
        }
        Ok(missing)
    }

    /// Whether what [`follow`](Self::follow) has read is everything.
    ///
    /// # Errors
    /// It is not, or nobody can say.
    pub(crate) fn conclude(&mut self, server: &mut Server, turn: &Turn<'_>) -> Result<(), RedisError> {
        if let Some(kind) = self.reader.newer(turn.pass.dead) {
            return Err(RedisError::Newer { kind });
        }
        let has_epoch = turn.view.place.epoch.is_some();
        if !turn.is_complete() {
            if !self.was_current(turn) {
                // However long it takes: what is missing may be known to a server that is away.
                return Err(if has_epoch { RedisError::Cut } else { RedisError::Missing });
            }
            self.begin_epoch(server, turn)?;
        }
        self.current_at = Some(turn.pass.now);
        if has_epoch { Ok(()) } else { Err(RedisError::Missing) }
    }

    /// Whether this process knew everything shortly before, so that it misses nothing that the stream has lost.
    fn was_current(&self, turn: &Turn<'_>) -> bool {
        turn.loaded && self.current_at.is_some_and(|at| turn.pass.now.since(at) <= self.bound)
    }

    /// Decides from where to read, and whether to publish again.
    fn judge(&mut self, turn: &Turn<'_>) {
        if let Some(why) = self.doubt(turn) {
            tracing::warn!(why, "revocations are read from the start, and published again where they are missing");
            self.republish_in.get_or_insert(draw() % (MAX_DELAY + 1));
            self.incomplete = None;
            self.reader.start_over();
        } else if self.seen.is_none() {
            // What the spool holds may never have been shared.
            self.republish_in = Some(0);
        }
        self.reader.renew(&turn.pass.secrets.macs);
        self.seen = Some(turn.view.clone());
        self.incomplete = (!turn.is_complete()).then(|| self.incomplete.unwrap_or_default());
        if turn.observes {
            self.republish_in = None;
        }
    }

    /// Reads all of the stream again from the next pass on.
    pub(crate) fn start_over(&mut self) {
        self.reader.start_over();
    }

    /// Why the stream may hold less than was read of it.
    fn doubt(&self, turn: &Turn<'_>) -> Option<&'static str> {
        let view = turn.view;
        let (seen, cursor) = (self.seen.as_ref()?, self.reader.cursor());
        let passed = cursor > StreamId::default() && view.first.is_none_or(|first| first > cursor);
        if seen.place != view.place {
            Some("the server restarted, was replaced, or began another epoch")
        } else if cursor > view.last || (seen.has_stream && !view.has_stream) {
            Some("the stream ends before what was read of it")
        } else if view.was_cut_since(seen, |at| turn.is_young(at)) || (passed && turn.is_young(cursor)) {
            Some("somebody removed entries of the stream")
        } else if !turn.is_complete() && self.incomplete.is_none() {
            Some("nobody says that the stream is complete")
        } else {
            None
        }
    }

    fn read(&mut self, server: &mut Server, turn: &Turn<'_>) -> Result<Option<Vec<Entry>>, RedisError> {
        if self.republish_in == Some(0) {
            let mut there = HashSet::new();
            self.reader.start_over();
            self.reader.read(server, turn, &mut |entry| {
                there.insert(Mark::of(entry));
            })?;
            return Ok(Some(missing(turn.pass, &there)));
        }
        self.republish_in = self.republish_in.map(|passes| passes - 1);
        let whole = self.reader.read(server, turn, &mut |_| {})?;
        if !whole && !turn.observes {
            tracing::warn!("revocations of this server are missing from the stream, and published again");
            self.republish_in = Some(0);
        }
        Ok(None)
    }

    /// That the stream has what it lacked.
    pub(crate) fn published(&mut self) {
        self.republish_in = None;
    }

    /// A stream that lost anything gets another epoch once everybody has had the time to publish what they know.
    fn begin_epoch(&mut self, server: &mut Server, turn: &Turn<'_>) -> Result<(), RedisError> {
        let Some(passes) = self.incomplete.as_mut().filter(|_| !turn.observes && self.republish_in.is_none()) else {
            return Ok(());
        };
        *passes += 1;
        if *passes <= OTHERS_PUBLISH {
            return Ok(());
        }
        let (epoch, removed) = (super::draw_epoch()?, turn.view.removed);
        let begun = match &turn.view.place.epoch {
            Some(_) => server.begin_anew(&epoch, removed).map(|()| true)?,
            None => server.begin(&epoch, removed)?,
        };
        if begun {
            tracing::warn!("the stream had lost revocations; all that are known here are there again");
        }
        self.incomplete = None;
        Ok(())
    }

    /// Removes what concerns no session that lives, once in an hour. By the older of two clocks, so that one that is wrong does not
    /// remove what is needed.
    pub(crate) fn trim(&mut self, server: &mut Server, turn: &Turn<'_>) -> Result<(), RedisError> {
        let pass = turn.pass;
        if !turn.is_complete() || self.trimmed_at.is_some_and(|at| pass.now.since(at) < TRIM_EVERY) {
            return Ok(());
        }
        let first_time = self.trimmed_at.replace(pass.now).is_none();
        let retention = pass.now.since(pass.dead);
        let newest = pass.now.as_unix().min(turn.view.last.seconds());
        let before = newest.saturating_sub(retention + DAY);
        if first_time || before == 0 {
            return Ok(());
        }
        let removed = server.trim(StreamId::at(before))?;
        match &turn.view.place.epoch {
            // Else who starts might take what is trimmed for lost, once tokens live longer.
            Some(epoch) if removed > 0 && turn.view.counts => server.count_on(epoch, turn.view.unmissed + removed),
            _ => Ok(()),
        }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.reader.refused()
    }
}

impl Turn<'_> {
    /// Whether the stream holds everything that is needed, as those say who have known it.
    fn is_complete(&self) -> bool {
        self.view.is_complete(|at| self.is_young(at))
    }

    /// Whether what was written there may concern a session that lives; half a day less than is trimmed, for clocks that differ.
    fn is_young(&self, at: StreamId) -> bool {
        is_young(at, self.pass.dead)
    }
}

/// As [`Turn::is_young`], if what was decided before `dead` is forgotten.
pub(crate) fn is_young(at: StreamId, dead: Timestamp) -> bool {
    at.seconds() > dead.as_unix().saturating_sub(DAY / 2)
}

/// What is known here and not in the stream. It lives from now on, for those who read it now; only a cut-off that was taken back
/// must not outlive that.
fn missing(pass: &Pass<'_>, there: &HashSet<Mark>) -> Vec<Entry> {
    let (mut all, mut retracted) = (vec![], HashSet::new());
    pass.known.entries(&mut |entry| {
        if let Act::Retract(id) = entry.act {
            retracted.insert(Mark::CutOff(id));
        }
        if entry.at >= pass.dead && !there.contains(&Mark::of(&entry)) {
            all.push(entry);
        }
    });
    all.retain(|entry| !retracted.contains(&Mark::of(entry)));
    all.iter_mut().for_each(|entry| entry.at = entry.at.max(pass.now));
    all
}

fn draw() -> u8 {
    let mut byte = [0];
    let _ = OsRandom.fill(&mut byte);
    byte[0]
}

/// Passes by which republishing is delayed at most.
const MAX_DELAY: u8 = 2;

/// Passes that others have to publish what they know before an epoch begins: one more than anybody's delay.
const OTHERS_PUBLISH: u8 = MAX_DELAY + 1;

/// Seconds between two times that the stream is trimmed.
const TRIM_EVERY: u64 = 3_600;

const DAY: u64 = 86_400;
