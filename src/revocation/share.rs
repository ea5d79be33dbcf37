//! The second step of revoking, for stores that are farther away than the disk: a thread that shares, so that what must only be
//! on disk waits for nobody.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::revoke::{Level, Promise, Reached, RevokeError, Revoked};
use super::shared::{Shared, Store};

/// A promise that is not kept by writing to disk.
pub(super) struct Wanted {
    pub(super) done: Revoked,
    pub(super) level: Level,
    /// Whether it is on disk.
    pub(super) written: Result<Level, String>,
    pub(super) promise: Arc<Promise>,
}

/// The thread that shares, until it is dropped.
pub(super) struct Sharer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    wanted: Vec<Wanted>,
    /// Whether there is something to send, though nobody waits for it.
    due: bool,
    stopped: bool,
}

impl Sharer {
    pub(super) fn spawn(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let (theirs, shares) = (Arc::clone(shared), Arc::clone(&queue));
        let thread = std::thread::Builder::new().name("waxseal-share".to_owned());
        let thread = thread.spawn(move || while share_batch(&theirs, &shares) {})?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }
}

impl Queue {
    /// Says that something was written that has to be shared, and who waits for that.
    pub(super) fn put(&self, wanted: Vec<Wanted>) {
        let mut waiting = self.waiting();
        waiting.wanted.extend(wanted);
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
    let (batch, due, stopped) = (std::mem::take(&mut waiting.wanted), waiting.due, waiting.stopped);
    waiting.due = false;
    drop(waiting);
    if !due {
        return !stopped;
    }
    let most = batch.iter().map(|wanted| wanted.level).max().unwrap_or(Level::Shared);
    let reached = shared.share(most);
    batch.into_iter().for_each(|wanted| wanted.keep(&reached));
    true
}

impl Wanted {
    fn keep(self, reached: &Reached) {
        let Self { done, level, written, promise } = self;
        let at = reached.level.max(written.as_ref().ok().copied());
        promise.keep(match (at, written) {
            (Some(at), _) if at >= level => Ok(Revoked { level: at, ..done }),
            (None, Err(why)) => {
                Err(RevokeError::NotDurable { reached: None, why: format!("{why}; and {}", reached.why) })
            }
            _ => Err(RevokeError::NotDurable { reached: at, why: reached.why.clone() }),
        });
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
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
