//! Something to wait for: a nudge, a stop, or the end of a pause.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes those who wait, each at most once for each nudge.
#[derive(Default)]
pub(crate) struct Signal {
    nudges: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// Wakes everyone who waits.
    pub(crate) fn nudge(&self) {
        *self.nudges.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// How often there was a nudge.
    pub(crate) fn nudges(&self) -> u64 {
        *self.nudges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits up to `most`, or until there was a nudge since `seen` or `stop` is set; the nudges now.
    pub(crate) fn wait(&self, seen: u64, stop: &AtomicBool, most: Duration) -> u64 {
        let nudges = self.nudges.lock().unwrap_or_else(PoisonError::into_inner);
        let asleep = |nudges: &mut u64| *nudges == seen && !stop.load(Ordering::Relaxed);
        let waited = self.changed.wait_timeout_while(nudges, most, asleep);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
