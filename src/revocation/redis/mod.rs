//! Revocations shared by a stream of a Redis or Valkey server, and kept on this server's own disk besides.
//!
//! What this server revokes is on its disk first, in a spool, and then in the stream. While the server is away it waits in an
//! outbox; after a restart, whatever the stream lacks of the spool is sent. An epoch key says that the stream is complete: a
//! server that was emptied has none, and a stream that was deleted or cut is not that of the epoch, until those who know have
//! published everything again.

mod error;
mod follower;
mod outbox;
mod reader;
mod record;
mod server;
mod tool;
mod view;
mod wire;

use core::sync::atomic::{AtomicU64, Ordering};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use error::RedisError;
use follower::{Follower, Turn};
use outbox::Outbox;
use record::{Pen, StreamId};
use server::Server;
pub(crate) use tool::Look;

use super::directory::{Directory, DirectoryError, Pass};
use super::entry::Entry;
use super::known::Known;
use super::revoke::Reached;
use super::secrets::Secrets;
use super::{Level, RevocationsError};
use crate::crypto::{OsRandom, Random};
use crate::time::Timestamp;

/// A stream that servers share, as this process reads and writes it.
pub(crate) struct Redis {
    observes: bool,
    path: PathBuf,
    spool: Directory,
    /// Why the spool could not be read, so that it is logged once.
    spool_fault: Mutex<Option<String>>,
    /// Held for moments.
    outbox: Mutex<Outbox>,
    /// Held while the server is talked to.
    link: Mutex<Link>,
    refused: AtomicU64,
}

struct Link {
    server: Server,
    follower: Follower,
    pen: Pen,
}

impl Redis {
    /// The stream of the server at `url`, and the spool at `path`, which is set up if there is none. Nothing is connected yet. The
    /// list may be out of date by `bound`.
    ///
    /// # Errors
    /// - the URL is not one of a server
    /// - the spool cannot be used
    pub(crate) fn at(
        url: &str,
        path: &Path,
        secrets: &Secrets,
        observes: bool,
        bound: Duration,
        now: Timestamp,
    ) -> Result<Self, RevocationsError> {
        let server = Server::at(url, &secrets.ring_id)?;
        let pen = Pen::new().map_err(|_| RedisError::Random)?;
        Directory::ensure(path, secrets, now)?;
        Ok(Self {
            observes,
            path: path.to_owned(),
            spool: Directory::at(path, observes),
            spool_fault: Mutex::default(),
            outbox: Mutex::default(),
            link: Mutex::new(Link { server, follower: Follower::new(bound.as_secs()), pen }),
            refused: AtomicU64::new(0),
        })
    }

    /// Writes entries to the spool. When this returns they are on this server's disk, and wait to be shared in any case.
    ///
    /// # Errors
    /// They are not on its disk.
    pub(crate) fn write(
        &self,
        entries: Vec<Entry>,
        known: &Known,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(), String> {
        let written = self.spool.write(entries.clone(), known, secrets, now);
        self.outbox().put(entries, now);
        written
    }

    /// Sends what waits, and waits for a replica if that is wanted.
    pub(crate) fn share(&self, wanted: Level, secrets: &Secrets, now: Timestamp) -> Reached {
        let mut link = self.link();
        if let Err(error) = self.send(&mut link, secrets, now) {
            return Reached { level: None, why: error.to_string() };
        }
        match wanted {
            Level::Replicated => match link.server.confirm() {
                Ok(()) => Reached { level: Some(Level::Replicated), why: String::new() },
                Err(error) => Reached { level: Some(Level::Shared), why: error.to_string() },
            },
            _ => Reached { level: Some(Level::Shared), why: String::new() },
        }
    }

    /// Sends what waits. Where the last of it is in the stream.
    fn send(&self, link: &mut Link, secrets: &Secrets, now: Timestamp) -> Result<StreamId, RedisError> {
        let letters = self.outbox().letters(now);
        let sealed: Vec<_> = letters.iter().map(|entry| link.pen.seal(entry, secrets)).collect();
        let last = link.server.append(&sealed)?;
        self.outbox().sent(letters.len());
        Ok(last)
    }

    /// Reads what is new, sends what waits, and gives the server back what it lost. `loaded` is whether this process has loaded
    /// everything before.
    ///
    /// # Errors
    /// The list could not be brought up to date.
    pub(crate) fn sync(&self, pass: &Pass<'_>, loaded: bool) -> Result<(), RedisError> {
        self.read_spool(pass);
        let mut link = self.link();
        let view = link.server.look()?;
        view.check_role()?;
        let sent = self.send(&mut link, pass.secrets, pass.now)?;
        view.check_policy()?;
        let Link { server, follower, pen } = &mut *link;
        let own = (pen.writer, pen.seq);
        let turn = Turn { pass, view: &view, until: view.last.max(sent), own, loaded, observes: self.observes };
        let missing = follower.follow(server, &turn)?;
        self.refused.store(follower.refused(), Ordering::Relaxed);
        if let Some(missing) = missing {
            publish(server, pen, &missing, pass.secrets)?;
            follower.published();
        }
        follower.conclude(server, &turn)?;
        if !self.observes {
            follower.trim(server, &turn).unwrap_or_else(|error| tracing::warn!(%error, "the stream grows"));
        }
        Ok(())
    }

    /// The spool is this server's own: if it is gone, nobody else's revocations are.
    fn read_spool(&self, pass: &Pass<'_>) {
        let read = Directory::ensure(&self.path, pass.secrets, pass.now).and_then(|()| self.spool.sync(pass, true));
        let fault = read.err().map(|error: DirectoryError| error.to_string());
        let mut known = self.spool_fault.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = fault.as_ref().filter(|_| *known != fault) {
            tracing::error!(%error, "this server's spool of revocations cannot be used; revocations are shared all the same");
        }
        *known = fault;
    }

    /// Why this process could not write to its spool at the last pass.
    pub(crate) fn trouble(&self) -> Option<String> {
        let fault = self.spool_fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        fault.or_else(|| self.spool.trouble())
    }

    /// Forgets how far everything was read, so that the next pass reads it all again.
    pub(crate) fn read_again(&self) {
        self.spool.read_again();
        self.link().follower.start_over();
    }

    /// Says in the spool that this process ends.
    pub(crate) fn close(&self) {
        self.spool.close();
    }

    /// Entries that no other server can read yet, and since when the oldest waits.
    pub(crate) fn waiting(&self) -> (usize, Option<Timestamp>) {
        let outbox = self.outbox();
        (outbox.len(), outbox.since())
    }

    /// Entries of the stream that are none of this ring's.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the stream what it lacks.
fn publish(server: &mut Server, pen: &mut Pen, missing: &[Entry], secrets: &Secrets) -> Result<(), RedisError> {
    let sealed: Vec<_> = missing.iter().map(|entry| pen.seal(entry, secrets)).collect();
    server.append(&sealed)?;
    if !sealed.is_empty() {
        tracing::warn!(entries = sealed.len(), "published revocations that the stream did not hold");
    }
    Ok(())
}

fn draw_epoch() -> Result<[u8; 16], RedisError> {
    let mut epoch = [0; 16];
    OsRandom.fill(&mut epoch).map_err(|_| RedisError::Random)?;
    Ok(epoch)
}
