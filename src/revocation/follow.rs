//! Following a list while a server runs: a thread that looks for news.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::list::Revocations;
use crate::crypto::{OsRandom, Random};

impl Revocations {
    /// Brings the list up to date from a thread until the returned guard is dropped: every
    /// [`poll`](super::RevocationOptions::poll), give or take a fifth, so that a fleet does not read in step.
    ///
    /// Without it the list grows stale, and sessions are answered 503 once it is older than was allowed. What goes wrong is
    /// logged, once for each distinct error, and tried again.
    pub fn follow(&self) -> FollowRevocations {
        let stop = Arc::new(AtomicBool::new(false));
        let (list, stopped) = (self.clone(), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("waxseal-revocations".to_owned());
        let thread = thread.spawn(move || list.keep_up(&stopped));
        if let Err(error) = &thread {
            tracing::error!(%error, "no thread to follow the list of revocations");
        }
        FollowRevocations { list: self.clone(), stop, thread: thread.ok() }
    }

    fn keep_up(&self, stop: &AtomicBool) {
        let signal = &self.shared.signal;
        let mut seen = signal.nudges();
        while !stop.load(Ordering::Relaxed) {
            // Told and logged by the list itself.
            let _ = self.sync();
            seen = signal.wait(seen, stop, self.pause());
        }
    }

    fn pause(&self) -> Duration {
        let mut jitter = [0];
        let _ = OsRandom.fill(&mut jitter);
        self.shared.poll.mul_f64(0.8 + 0.4 * f64::from(jitter[0]) / 255.0)
    }
}

/// Follows a list of revocations until it is dropped. See [`Revocations::follow`].
#[must_use = "the list is followed only while this guard lives"]
pub struct FollowRevocations {
    list: Revocations,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for FollowRevocations {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.list.shared.signal.nudge();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for FollowRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowRevocations").finish_non_exhaustive()
    }
}
