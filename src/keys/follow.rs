//! Following a ring file while a server runs: a thread that looks at it, and a watch that says when.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::shared::KeyRing;
use super::signal::Signal;
use crate::crypto::{OsRandom, Random};

impl KeyRing {
    /// Follows the file from a thread until the returned guard is dropped.
    ///
    /// The file is looked at every `refresh` seconds of the ring's policy, give or take a fifth, and
    /// sooner after a token with an unknown key id. With the feature `watch` its directory is watched
    /// as well, as a hint: what counts is the content. A file that cannot be used is logged, once for
    /// each distinct reason, and the last good ring is kept. For a ring in memory there is nothing to
    /// follow.
    pub fn follow(&self) -> Follow {
        let stop = Arc::new(AtomicBool::new(false));
        let signal = Arc::clone(&self.shared.signal);
        let thread = self.shared.source.as_ref().and_then(|_| {
            let (ring, stop) = (self.clone(), Arc::clone(&stop));
            let name = "waxseal-ring".to_owned();
            let spawned = std::thread::Builder::new().name(name).spawn(move || ring.keep_up(&stop));
            spawned.inspect_err(|error| self.complain(&format!("no thread to follow the key ring: {error}"))).ok()
        });
        Follow {
            #[cfg(feature = "watch")]
            _watch: self.shared.source.as_ref().and_then(|source| watch::directory_of(&source.path, &signal)),
            stop,
            signal,
            thread,
        }
    }

    fn keep_up(&self, stop: &AtomicBool) {
        let signal = &self.shared.signal;
        let mut seen = signal.nudges();
        loop {
            seen = signal.wait(seen, stop, self.pause());
            if stop.load(Ordering::Relaxed) {
                return;
            }
            // Told and logged by the ring itself.
            let _ = self.reload();
        }
    }

    /// How long to wait before the next look: `refresh`, give or take a fifth, so that a fleet does
    /// not read in step.
    fn pause(&self) -> Duration {
        let mut jitter = [0; 2];
        let _ = OsRandom.fill(&mut jitter);
        let refresh = 1000 * self.snapshot().ring.policy.refresh;
        let spread = refresh * 2 / 5 * u64::from(u16::from_le_bytes(jitter)) / u64::from(u16::MAX);
        Duration::from_millis(refresh * 4 / 5 + spread)
    }
}

/// Follows a ring file until it is dropped. See [`KeyRing::follow`].
#[must_use = "the ring is followed only while this guard lives"]
pub struct Follow {
    #[cfg(feature = "watch")]
    _watch: Option<notify::RecommendedWatcher>,
    stop: Arc<AtomicBool>,
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.signal.nudge();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

#[cfg(feature = "watch")]
mod watch {
    use std::path::Path;
    use std::sync::Arc;

    use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

    use super::Signal;

    /// Nudges `signal` whenever something changes in the directory of `path`.
    ///
    /// The directory, not the file: Kubernetes swaps a symbolic link beside it, and editors and our own
    /// writer replace the file, so a watch on the file itself would follow what is gone.
    pub(super) fn directory_of(path: &Path, signal: &Arc<Signal>) -> Option<RecommendedWatcher> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let signal = Arc::clone(signal);
        let changed = move |event: notify::Result<notify::Event>| match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            _ => signal.nudge(),
        };
        let watch = notify::recommended_watcher(changed).and_then(|mut watcher| {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        watch.inspect_err(|error| tracing::warn!(%error, "the key ring's directory is not watched, only polled")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::shared::tests::loaded;

    #[test]
    fn a_ring_in_memory_has_nothing_to_follow() {
        let ring = KeyRing::generate().unwrap();
        assert!(ring.follow().thread.is_none());
    }

    #[test]
    fn following_stops_with_its_guard() {
        let (_directory, _file, ring, _clock) = loaded();
        let follow = ring.follow();
        assert!(follow.thread.is_some());
        drop(follow);
        assert_eq!(Arc::strong_count(&ring.shared), 1);
    }

    #[test]
    fn pauses_are_refresh_give_or_take_a_fifth() {
        let ring = KeyRing::generate().unwrap();
        for _ in 0..100 {
            assert!((Duration::from_secs(12)..=Duration::from_secs(18)).contains(&ring.pause()));
        }
    }

    #[test]
    fn unknown_keys_nudge_once_in_ten_seconds() {
        let (_directory, _file, ring, clock) = loaded();
        let nudges = |ring: &KeyRing| ring.shared.signal.nudges();
        let now = crate::time::Clock::now(&clock);
        (0..1000).for_each(|_| ring.hint(now));
        assert_eq!(nudges(&ring), 1);
        (0..1000).for_each(|_| ring.hint(now.plus(9)));
        assert_eq!(nudges(&ring), 1);
        (0..1000).for_each(|_| ring.hint(now.plus(10)));
        assert_eq!(nudges(&ring), 2);
    }
}
