//! Revoking: in force here at once, and written down by a thread, many at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::entry::{Act, CutOff, CutOffId, Entry, Note, Scope};
use super::known::Owner;
use super::list::Revocations;
use super::patience::Patience;
use super::revoke::{Level, Promise, Revoke, RevokeError, Revoked, Revoking, What};
use super::secrets::Names;
use super::share::{Sharer, Wanted};
use super::shared::{Shared, Store};
use crate::crypto::{OsRandom, Random};
use crate::time::Timestamp;

impl Revocations {
    /// Revokes. In force on this server when this returns; durable when what it returns is ready.
    ///
    /// A cut-off that is made in the second of an earlier one that applies counts one second further, so that a login in
    /// between is covered by it.
    pub fn revoke(&self, revoke: Revoke) -> Revoking {
        match self.decide(&revoke) {
            Ok(entry) => self.commit(entry, revoke.level),
            Err(error) => Revoking::ready(Err(error)),
        }
    }

    /// Takes a cut-off back: sessions that it ended live again, if nothing else ended them. As [`Revoke::retract`].
    pub fn retract(&self, cut_off: CutOffId) -> Revoking {
        self.revoke(Revoke::retract(cut_off))
    }

    fn commit(&self, entry: Entry, level: Level) -> Revoking {
        self.shared.known.add(&entry, entry.at);
        let (until, cut_off) = match entry.act {
            Act::CutOff(cut) => (Some(Timestamp::from_unix(cut.until.into())), Some(cut.id)),
            Act::Retract(id) => (None, Some(id)),
            Act::Session(_) => (None, None),
        };
        let done = Revoked { level: Level::Local, until, cut_off };
        match self.shared.store {
            Store::Memory => Revoking::ready(reached(done, Level::Local, level)),
            _ => self.committer.queue(entry, done, level),
        }
    }

    /// A cut-off from now on. Each of one second counts one further, so that it covers a login in between; but none so far that
    /// it would be ahead of somebody's clock. Whoever may end his own sessions as often as he likes must not drive cut-offs
    /// into the future, nor escape those of his tenant or of everyone by a session that starts there.
    fn next_cut_off(
        &self,
        scope: Scope,
        in_force: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Timestamp, RevokeError> {
        let skew = self.shared.ring.snapshot().ring.policy.skew;
        let most = now.plus(match scope {
            Scope::Subject(_) => (skew / 4).max(1),
            Scope::Tenant(_) => (skew / 2).max(2),
            Scope::Everyone => (skew * 3 / 4).max(3),
        });
        let next = self.shared.known.least_cut_off(scope, now).min(most);
        match in_force {
            Some(in_force) if in_force >= next => Err(RevokeError::NotLater { in_force }),
            _ => Ok(next),
        }
    }

    fn decide(&self, revoke: &Revoke) -> Result<Entry, RevokeError> {
        let now = self.shared.ring.clock().now();
        let mut entry = entry(revoke, &self.shared.secrets().names, now)?;
        let in_force = revoke.what.owner().and_then(|owner| self.shared.known.cut_off(owner, now));
        if let Act::CutOff(cut) = &mut entry.act {
            cut.until = match (revoke.until, in_force) {
                (Some(until), Some(in_force)) if until <= in_force => return Err(RevokeError::NotLater { in_force }),
                (Some(until), _) => seconds(until),
                (None, in_force) => seconds(self.next_cut_off(cut.scope, in_force, now)?),
            };
        }
        entry.at = self.shared.known.lives_from(&entry);
        Ok(entry)
    }
}

/// What is written down for `revoke`, if no cut-off is in force.
pub(super) fn entry(revoke: &Revoke, names: &Names, now: Timestamp) -> Result<Entry, RevokeError> {
    let note = Note { actor: revoke.actor.clone(), reason: revoke.reason.clone() };
    let scope = match &revoke.what {
        What::Retract(id) => return Ok(Entry { at: now, act: Act::Retract(*id), note }),
        What::Session(id) => return Ok(Entry { at: now, act: Act::Session(*id), note }),
        What::Everyone => Scope::Everyone,
        What::Subject(name) | What::Tenant(name) if name.is_empty() => return Err(RevokeError::NoName),
        What::Subject(name) => Scope::Subject(names.subject(name)),
        What::Tenant(name) => Scope::Tenant(names.tenant(name)),
    };
    let until = revoke.until.unwrap_or(now);
    if until > now {
        return Err(RevokeError::Ahead { until });
    }
    let mut id = [0; 8];
    OsRandom.fill(&mut id).map_err(|_| RevokeError::Random)?;
    let cut = CutOff { id: CutOffId(id), scope, until: seconds(until), except: revoke.except };
    Ok(Entry { at: now, act: Act::CutOff(cut), note })
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_unix()).unwrap_or(u32::MAX)
}

impl What {
    /// Whose cut-offs apply to the sessions that are meant; `None` if no cut-off is.
    fn owner(&self) -> Option<Owner<'_>> {
        match self {
            Self::Everyone => Some(Owner::default()),
            Self::Retract(_) | Self::Session(_) => None,
            Self::Subject(name) => Some(Owner { subject: Some(name), ..Owner::default() }),
            Self::Tenant(name) => Some(Owner { tenant: Some(name), ..Owner::default() }),
        }
    }
}

/// The threads that write and watch over that, until its last handle is dropped.
pub(super) struct Committer {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    /// Ends after the threads, one of which gives it work.
    sharer: Option<Sharer>,
    patience: Option<Patience>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<(Entry, Revoked, Level, Arc<Promise>)>,
    stopped: bool,
}

impl Committer {
    /// For a list that is written nowhere.
    pub(super) fn none(shared: &Arc<Shared>) -> std::io::Result<Self> {
        Ok(Self { shared: Arc::clone(shared), queue: Arc::default(), threads: vec![], sharer: None, patience: None })
    }

    pub(super) fn spawn(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let mut committer = Self::none(shared)?;
        if shared.store.is_far() {
            committer.sharer = Some(Sharer::spawn(shared)?);
        }
        let far = committer.sharer.as_ref().map(Sharer::queue);
        let (list, queue) = (Arc::clone(shared), Arc::clone(&committer.queue));
        // Code of others runs here, such as a clock or a subscriber; if it panics, its batch is lost and not those to come.
        let batch = move || catch_unwind(AssertUnwindSafe(|| write_batch(&list, &queue, far.as_deref())));
        let write = move || while batch().unwrap_or(true) {};
        committer.threads.push(std::thread::Builder::new().name("waxseal-revoke".to_owned()).spawn(write)?);
        committer.patience = Some(Patience::spawn()?);
        Ok(committer)
    }

    fn queue(&self, entry: Entry, done: Revoked, level: Level) -> Revoking {
        let (revoking, promise) = Revoking::new();
        if let Some(patience) = &self.patience {
            patience.watch(&promise);
        }
        self.queue.waiting().entries.push((entry, done, level, promise));
        self.queue.changed.notify_all();
        revoking
    }
}

/// Writes all that has come meanwhile with one sync of the disk, and hands on to `far` what has to go farther; false once there
/// will be nothing more.
fn write_batch(shared: &Shared, queue: &Queue, far: Option<&super::share::Queue>) -> bool {
    let idle = |waiting: &mut Waiting| waiting.entries.is_empty() && !waiting.stopped;
    let waiting = queue.changed.wait_while(queue.waiting(), idle);
    let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
    let batch = std::mem::take(&mut waiting.entries);
    let stopped = waiting.stopped;
    drop(waiting);
    if batch.is_empty() {
        return !stopped;
    }
    let entries = batch.iter().map(|(entry, ..)| entry.clone()).collect();
    let written = shared.write(entries);
    if let Ok(level) = written {
        batch.iter().for_each(|(.., promise)| promise.has_reached(level));
    }
    let enough = |level: Level| written.as_ref().is_ok_and(|at| *at >= level);
    let (later, now): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|(_, _, level, _)| far.is_some() && !enough(*level));
    for (_, done, level, promise) in now {
        promise.keep(match &written {
            Ok(at) => reached(done, *at, level),
            Err(why) => Err(RevokeError::NotDurable { reached: None, why: why.clone() }),
        });
    }
    if let Some(far) = far {
        let wanted = |(_, done, level, promise)| Wanted { done, level, written: written.clone(), promise };
        far.put(later.into_iter().map(wanted).collect());
    }
    true
}

fn reached(done: Revoked, at: Level, asked: Level) -> Result<Revoked, RevokeError> {
    if at >= asked {
        return Ok(Revoked { level: at, ..done });
    }
    Err(RevokeError::Unsupported { asked, reached: at })
}

impl Shared {
    fn write(&self, entries: Vec<Entry>) -> Result<Level, String> {
        let now = self.ring.clock().now();
        match &self.store {
            Store::Memory => Ok(Level::Local),
            Store::Directory(directory) => {
                directory.write(entries, &self.known, &self.secrets(), now).map(|()| Level::Shared)
            }
            #[cfg(feature = "redis")]
            Store::Redis(redis) => redis.write(entries, &self.known, &self.secrets(), now).map(|()| Level::Local),
        }
    }
}

impl Store {
    /// The most durable that what is revoked can become in it.
    pub(super) fn most(&self) -> Level {
        match self {
            Self::Memory => Level::Local,
            Self::Directory(_) => Level::Shared,
            #[cfg(feature = "redis")]
            Self::Redis(_) => Level::Replicated,
        }
    }

    /// Whether it is farther away than a disk.
    fn is_far(&self) -> bool {
        match self {
            Self::Memory | Self::Directory(_) => false,
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
        }
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue.waiting().stopped = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.sharer = None;
        match &self.shared.store {
            Store::Directory(directory) => directory.close(),
            Store::Memory => {}
            #[cfg(feature = "redis")]
            Store::Redis(redis) => redis.close(),
        }
    }
}
