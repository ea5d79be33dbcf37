//! What tools do with a server: set it up, look at everything on it, and begin anew.

use super::follower::is_young;
use super::record::{Pen, Record, RecordError, StreamId, open};
use super::server::Server;
use super::view::View;
use super::{Redis, RedisError, draw_epoch};
use crate::revocation::entry::Entry;
use crate::revocation::secrets::Secrets;
use crate::time::Timestamp;

/// Everything that a server holds.
pub(crate) struct Look {
    pub(crate) view: View,
    /// Every entry of the stream, oldest first, and where in the stream it is.
    pub(crate) records: Vec<(StreamId, Result<Record, RecordError>)>,
}

impl Redis {
    /// Sets a server up for the fleet of a ring, once.
    ///
    /// # Errors
    /// It is set up already, or cannot be used.
    pub(crate) fn init(url: &str, secrets: &Secrets) -> Result<(), RedisError> {
        let (mut server, view) = usable(url, secrets)?;
        if server.begin(&draw_epoch()?, view.removed)? { Ok(()) } else { Err(RedisError::Exists) }
    }

    /// Begins another epoch with what the stream holds, and with `entry`; what it has lost, and no server knows, is given up.
    ///
    /// # Errors
    /// The server cannot be used.
    pub(crate) fn reset(url: &str, secrets: &Secrets, entry: Option<&Entry>) -> Result<(), RedisError> {
        let (mut server, view) = usable(url, secrets)?;
        if let Some(entry) = entry {
            let mut pen = Pen::new().map_err(|_| RedisError::Random)?;
            // Before the epoch says that the stream is complete: nobody must see that without it.
            server.append(&[pen.seal(entry, secrets)])?;
        }
        server.begin_anew(&draw_epoch()?, view.removed)
    }

    /// Reads the stream to its end, and writes nothing.
    ///
    /// # Errors
    /// It cannot be read, or was replaced meanwhile.
    pub(crate) fn look(url: &str, secrets: &Secrets) -> Result<Look, RedisError> {
        let mut server = Server::at(url, &secrets.ring_id)?;
        let before = server.look()?;
        let mut records = vec![];
        let mut after = StreamId::default();
        loop {
            let batch = server.read(after)?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            records.extend(batch.iter().map(|(at, bytes)| (*at, open(bytes, secrets))));
        }
        let view = server.look()?;
        if view.place == before.place { Ok(Look { view, records }) } else { Err(RedisError::Changed) }
    }
}

fn usable(url: &str, secrets: &Secrets) -> Result<(Server, View), RedisError> {
    let mut server = Server::at(url, &secrets.ring_id)?;
    let view = server.look()?;
    view.check_role().and(view.check_policy())?;
    Ok((server, view))
}

impl Look {
    /// Why a server that starts now could not load the list, or could not be sure that it is all of it.
    pub(crate) fn problems(&self, dead: Timestamp) -> Vec<RedisError> {
        let view = &self.view;
        let mut problems: Vec<_> =
            [view.check_role(), view.check_policy()].into_iter().filter_map(Result::err).collect();
        if view.place.epoch.is_none() {
            problems.push(RedisError::Missing);
        } else if !view.is_complete(|at| is_young(at, dead)) {
            problems.push(RedisError::Cut);
        }
        let newer = self.records.iter().find_map(|(at, record)| match record {
            Err(RecordError::Newer { kind }) if at.seconds() >= dead.as_unix() => Some(*kind),
            _ => None,
        });
        problems.extend(newer.map(|kind| RedisError::Newer { kind }));
        problems
    }

    /// Entries that revoke nothing because nobody who holds the ring wrote them.
    pub(crate) fn refused(&self) -> usize {
        let refused = |record: &Result<_, _>| matches!(record, Err(RecordError::Forged | RecordError::Malformed));
        self.records.iter().filter(|(_, record)| refused(record)).count()
    }
}
