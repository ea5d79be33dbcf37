//! Nobody waits for ever for a disk or a network that does not answer: every promise is kept or broken in time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::revoke::Promise;

/// A thread that breaks promises which were not kept in time, until it is dropped. What is written after all is durable all the
/// same.
pub(super) struct Patience {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// All wait equally long, so whoever came first is due first.
#[derive(Default)]
struct Waiting {
    promises: VecDeque<(Instant, Weak<Promise>)>,
    stopped: bool,
}

impl Patience {
    pub(super) fn spawn() -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let watched = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("waxseal-patience".to_owned());
        let thread = thread.spawn(move || while watched.watch(PATIENCE) {})?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Breaks `promise` unless it is kept in time.
    pub(super) fn watch(&self, promise: &Arc<Promise>) {
        self.queue.put(promise);
    }
}

impl Queue {
    fn put(&self, promise: &Arc<Promise>) {
        // Real time, not the ring's: it is not about what a token says, but about how long a client holds out.
        self.waiting().promises.push_back((Instant::now(), Arc::downgrade(promise)));
        self.changed.notify_all();
    }

    /// Waits for the first promise; false once there will be no more.
    fn watch(&self, patience: Duration) -> bool {
        let idle = |waiting: &mut Waiting| waiting.promises.is_empty() && !waiting.stopped;
        let waiting = self.changed.wait_while(self.waiting(), idle).unwrap_or_else(PoisonError::into_inner);
        let Some(&(since, _)) = waiting.promises.front() else { return false };
        let left = patience.saturating_sub(since.elapsed());
        let on = |waiting: &mut Waiting| !waiting.stopped;
        let waited = self.changed.wait_timeout_while(waiting, left, on).unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, timeout) = waited;
        if timeout.timed_out()
            && let Some((_, promise)) = waiting.promises.pop_front()
            && let Some(promise) = promise.upgrade()
        {
            promise.give_up(&format!("the store has not answered for {} s", patience.as_secs()));
        }
        !waiting.stopped
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.queue.waiting().stopped = true;
        self.queue.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How long whoever revokes waits for the store.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::revoke::{Level, RevokeError, Revoked, Revoking};

    #[test]
    fn nobody_waits_for_ever_for_a_store_that_hangs() {
        let queue = Queue::default();
        let (first, promise) = Revoking::new();
        let (second, other) = Revoking::new();
        let (kept, third) = Revoking::new();
        let done = Revoked { level: Level::Shared, until: None, cut_off: None };
        [&promise, &other, &third].into_iter().for_each(|promise| queue.put(promise));
        other.has_reached(Level::Local);
        third.keep(Ok(done));
        (0..3).for_each(|_| assert!(queue.watch(Duration::ZERO)));
        let reached = |revoking: Revoking| match revoking.wait() {
            Err(RevokeError::NotDurable { reached, .. }) => reached,
            other => panic!("{other:?}"),
        };
        assert_eq!([reached(first), reached(second)], [None, Some(Level::Local)]);
        assert_eq!(kept.wait(), Ok(done));
        promise.keep(Ok(done));
    }

    #[test]
    fn a_promise_that_is_dropped_is_broken() {
        let (revoking, promise) = Revoking::new();
        drop(promise);
        assert!(matches!(revoking.wait(), Err(RevokeError::NotDurable { .. })));
    }
}
