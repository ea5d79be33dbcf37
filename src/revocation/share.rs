//! The second step of revoking, for stores that are farther away than the disk: a thread that shares, so that what must only be
//! on disk waits for nobody, and one that gives up waiting, so that nobody waits for ever.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::list::{Shared, Store};
use super::revoke::{Level, Promise, RevokeError, Revoked};

/// How far sharing came.
pub(super) struct Reached {
    /// `None` if no other server can read it.
    pub(super) level: Option<Level>,
    /// Why not further.
    pub(super) why: String,
}

/// A promise that is not kept by writing to disk.
pub(super) struct Wanted {
    pub(super) done: Revoked,
    pub(super) level: Level,
    /// Whether it is on disk.
    pub(super) written: Result<Level, String>,
    pub(super) promise: Arc<Promise>,
}

/// The threads that share and watch over that, until this is dropped.
pub(super) struct Sharer {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Promises that are not kept, those included that are being shared.
    wanted: Vec<Patient>,
    /// How often sharing began.
    batch: u64,
    /// Whether there is something to send, though nobody waits for it.
    due: bool,
    stopped: bool,
}

/// A promise, and how long it waits.
struct Patient {
    wanted: Arc<Wanted>,
    /// How often sharing had begun when it came.
    batch: u64,
    until: Instant,
}

/// What is being shared, until it is dropped: by a panic too.
struct Batch<'a> {
    queue: &'a Queue,
    number: u64,
    wanted: Vec<Arc<Wanted>>,
}

impl Sharer {
    pub(super) fn spawn(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let mut sharer = Self { queue: Arc::default(), threads: vec![] };
        let (theirs, shares) = (Arc::clone(shared), sharer.queue());
        sharer.begin("waxseal-share", move || while share_batch(&theirs, &shares) {})?;
        let watched = sharer.queue();
        sharer.begin("waxseal-share-patience", move || while watch(&watched) {})?;
        Ok(sharer)
    }

    fn begin(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(work)?);
        Ok(())
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }
}

impl Queue {
    /// Says that something was written that has to be shared, and who waits for that.
    pub(super) fn put(&self, wanted: Vec<Wanted>) {
        self.put_until(wanted, Instant::now() + PATIENCE);
    }

    fn put_until(&self, wanted: Vec<Wanted>, until: Instant) {
        let mut waiting = self.waiting();
        let batch = waiting.batch;
        waiting.wanted.extend(wanted.into_iter().map(|wanted| Patient { wanted: Arc::new(wanted), batch, until }));
        waiting.due = true;
        self.changed.notify_all();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shares all that was written meanwhile; false once there will be nothing more.
fn share_batch(shared: &Shared, queue: &Queue) -> bool {
    let idle = |waiting: &mut Waiting| !waiting.due && !waiting.stopped;
    let mut waiting = queue.changed.wait_while(queue.waiting(), idle).unwrap_or_else(PoisonError::into_inner);
    let (due, stopped) = (waiting.due, waiting.stopped);
    waiting.due = false;
    if !due {
        return !stopped;
    }
    waiting.batch += 1;
    let wanted = waiting.wanted.iter().map(|patient| Arc::clone(&patient.wanted)).collect();
    let batch = Batch { queue, number: waiting.batch, wanted };
    drop(waiting);
    let most = batch.wanted.iter().map(|wanted| wanted.level).max().unwrap_or(Level::Shared);
    let reached = shared.share(most);
    batch.wanted.iter().for_each(|wanted| wanted.keep(&reached));
    true
}

/// Gives up waiting for a store that does not answer, or only others; false once there will be nothing more. What is shared
/// after all is shared all the same.
fn watch(queue: &Queue) -> bool {
    let idle = |waiting: &mut Waiting| waiting.wanted.is_empty() && !waiting.stopped;
    let waiting = queue.changed.wait_while(queue.waiting(), idle).unwrap_or_else(PoisonError::into_inner);
    let Some(until) = waiting.wanted.iter().map(|patient| patient.until).min() else {
        return !waiting.stopped;
    };
    let left = until.saturating_duration_since(Instant::now());
    let early = |waiting: &mut Waiting| waiting.wanted.iter().any(|patient| patient.until == until);
    let waited = queue.changed.wait_timeout_while(waiting, left, early);
    let (mut waiting, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
    if timeout.timed_out() {
        let why = format!("the store has not answered for {} s", PATIENCE.as_secs());
        let late = waiting.wanted.extract_if(.., |patient| patient.until <= until);
        late.for_each(|patient| patient.wanted.keep(&Reached { level: None, why: why.clone() }));
    }
    true
}

impl Wanted {
    fn keep(&self, reached: &Reached) {
        let Self { done, level, written, promise } = self;
        let at = reached.level.max(written.as_ref().ok().copied());
        promise.keep(match (at, written) {
            (Some(at), _) if at >= *level => Ok(Revoked { level: at, ..*done }),
            (None, Err(why)) => {
                Err(RevokeError::NotDurable { reached: None, why: format!("{why}; and {}", reached.why) })
            }
            _ => Err(RevokeError::NotDurable { reached: at, why: reached.why.clone() }),
        });
    }
}

/// Nobody waits for what nobody keeps. What was said before stays said.
impl Drop for Wanted {
    fn drop(&mut self) {
        self.keep(&Reached { level: None, why: "sharing it broke off".to_owned() });
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.queue.waiting().wanted.retain(|patient| patient.batch >= self.number);
        self.queue.changed.notify_all();
    }
}

impl Shared {
    fn share(&self, wanted: Level) -> Reached {
        match &self.store {
            #[cfg(feature = "redis")]
            Store::Redis(redis) => redis.share(wanted, &self.secrets(), self.ring.clock().now()),
            Store::Memory | Store::Directory(_) => Reached { level: None, why: format!("it is never {wanted}") },
        }
    }
}

impl Drop for Sharer {
    fn drop(&mut self) {
        self.queue.waiting().stopped = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// How long whoever revokes waits for others to be able to read it.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::super::revoke::Revoking;
    use super::*;

    fn wanted(written: Result<Level, String>) -> (Revoking, Wanted) {
        let (revoking, promise) = Revoking::new();
        let done = Revoked { level: Level::Local, until: None, cut_off: None };
        (revoking, Wanted { done, level: Level::Shared, written, promise })
    }

    #[test]
    fn nobody_waits_for_ever_for_a_store_that_hangs() {
        let queue = Queue::default();
        let (on_disk, first) = wanted(Ok(Level::Local));
        let (nowhere, second) = wanted(Err("no disk".to_owned()));
        queue.put_until(vec![first], Instant::now());
        let sharing = Batch { queue: &queue, number: 1, wanted: vec![Arc::clone(&queue.waiting().wanted[0].wanted)] };
        queue.waiting().batch = 1;
        queue.put_until(vec![second], Instant::now());
        while !queue.waiting().wanted.is_empty() {
            assert!(watch(&queue));
        }
        assert!(matches!(on_disk.wait(), Err(RevokeError::NotDurable { reached: Some(Level::Local), .. })));
        assert!(matches!(nowhere.wait(), Err(RevokeError::NotDurable { reached: None, .. })));
        drop(sharing);
        queue.waiting().stopped = true;
        assert!(!watch(&queue));
    }

    #[test]
    fn a_panic_while_sharing_leaves_nobody_waiting() {
        let queue = Queue::default();
        let (broken, first) = wanted(Ok(Level::Local));
        let (_later, second) = wanted(Ok(Level::Local));
        queue.put(vec![first]);
        queue.waiting().batch = 1;
        queue.put(vec![second]);
        drop(Batch { queue: &queue, number: 1, wanted: vec![] });
        assert_eq!(queue.waiting().wanted.len(), 1);
        assert!(matches!(broken.wait(), Err(RevokeError::NotDurable { reached: Some(Level::Local), .. })));
    }
}
