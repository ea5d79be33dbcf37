//! Whole seconds, and the one door to the clock.
//!
//! [`SystemClock`] does not believe every reading of the wall clock. It runs on the monotonic clock
//! and follows wall time while the two agree within the fleet's skew; a larger difference is adopted
//! only after it has been steady for ten minutes. So one bad NTP sample logs nobody out, and a
//! machine that was asleep for a day still finds its way back.

use core::fmt;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant in whole Unix seconds. Displayed in RFC 3339, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Reads RFC 3339, such as `2026-08-06T07:06:40Z`; `None` for anything else, and for years before 1970.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        date.unix_timestamp().try_into().ok().map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_unix(self) -> u64 {
        self.0
    }

    /// This instant and `seconds` more; stays at the end of time rather than wrapping.
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since `earlier`, 0 if that is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|date| date.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// Unix seconds.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.0)
    }
}

/// What time it is. Asked once for each operation.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Whether the clock itself has doubts about [`now`](Self::now), so that a session which looks expired may not be.
    fn is_suspect(&self) -> bool {
        false
    }
}

/// The machine's clock, without its jumps. See the module docs.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    trust: Trust,
}

impl SystemClock {
    /// A clock that follows wall time in steps of at most `skew`, as in the ring's policy.
    pub fn new(skew: Duration) -> Self {
        let started = Instant::now();
        Self { started, trust: Trust::new(millis(skew), wall_millis(), 0) }
    }

    /// By how much wall time now differs from the trusted time, if by more than the skew.
    ///
    /// `Some` means that somebody set the clock, or that the machine was suspended; the difference
    /// is adopted once it has been steady for ten minutes.
    pub fn jump(&self) -> Option<Duration> {
        self.trust.pending().map(Duration::from_millis)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let monotonic = millis(self.started.elapsed());
        Timestamp(self.trust.now(monotonic, wall_millis) / 1000)
    }

    fn is_suspect(&self) -> bool {
        self.trust.pending().is_some()
    }
}

/// A clock that stands still until it is told otherwise, for tests.
///
/// ```
/// use waxseal::time::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_unix(1_786_000_000));
/// clock.advance(60);
/// assert_eq!(clock.now().as_unix(), 1_786_000_060);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Moves the clock on by `seconds`.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn is_suspect(&self) -> bool {
        (**self).is_suspect()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Wall time in Unix milliseconds; a clock before 1970 reads 0, at which every token is refused.
fn wall_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// The rule of [`SystemClock`] over two readings, in milliseconds; a pure function of what it was shown.
#[derive(Debug)]
struct Trust {
    skew: u64,
    /// Trusted time minus monotonic time.
    offset: AtomicI64,
    /// The monotonic time at which wall time is looked at again.
    look_at: AtomicU64,
    jump: Mutex<Option<Jump>>,
}

/// A difference beyond the skew that has not been adopted yet.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// Wall minus monotonic time when it was first seen.
    offset: i64,
    since: u64,
    size: u64,
}

impl Trust {
    fn new(skew: u64, wall: u64, monotonic: u64) -> Self {
        Self {
            skew,
            offset: AtomicI64::new(difference(wall, monotonic)),
            look_at: AtomicU64::new(monotonic),
            jump: Mutex::new(None),
        }
    }

    /// The trusted time. Reads wall time at most every 100 ms, since it only corrects a drift.
    fn now(&self, monotonic: u64, wall: impl FnOnce() -> u64) -> u64 {
        if monotonic >= self.look_at.load(Ordering::Relaxed) {
            self.look_at.store(monotonic.saturating_add(LOOK_EVERY_MS), Ordering::Relaxed);
            self.look(monotonic, wall());
        }
        monotonic.saturating_add_signed(self.offset.load(Ordering::Relaxed))
    }

    fn look(&self, monotonic: u64, wall: u64) {
        let seen = difference(wall, monotonic);
        let size = seen.abs_diff(self.offset.load(Ordering::Relaxed));
        let mut jump = self.jump.lock().unwrap_or_else(PoisonError::into_inner);
        if size <= self.skew {
            *jump = None;
            self.offset.store(seen, Ordering::Relaxed);
            return;
        }
        match *jump {
            Some(known) if known.offset.abs_diff(seen) <= self.skew => {
                if monotonic.saturating_sub(known.since) >= STEADY_MS {
                    *jump = None;
                    self.offset.store(seen, Ordering::Relaxed);
                    tracing::warn!(
                        milliseconds = size,
                        "the wall clock's jump was steady for ten minutes and is adopted"
                    );
                }
            }
            _ => {
                *jump = Some(Jump { offset: seen, since: monotonic, size });
                tracing::warn!(milliseconds = size, "the wall clock jumped; trusted time goes on without it");
            }
        }
    }

    fn pending(&self) -> Option<u64> {
        self.jump.lock().unwrap_or_else(PoisonError::into_inner).map(|jump| jump.size)
    }
}

/// `wall - monotonic`; both fit, since 2^63 milliseconds are 292 million years.
fn difference(wall: u64, monotonic: u64) -> i64 {
    i64::try_from(wall).unwrap_or(i64::MAX).saturating_sub(i64::try_from(monotonic).unwrap_or(i64::MAX))
}

/// How long a jump must be steady before it is adopted, in milliseconds.
const STEADY_MS: u64 = 600_000;

/// How often wall time is looked at, in milliseconds.
const LOOK_EVERY_MS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const NOON: u64 = 1_786_000_000_000;

    /// Shows `wall` every second from `from` to `to` and returns the last trusted time.
    fn show(trust: &Trust, from: u64, to: u64, wall: impl Fn(u64) -> u64) -> u64 {
        (from..=to).step_by(1000).map(|mono| trust.now(mono, || wall(mono))).last().unwrap()
    }

    #[test]
    fn an_instant_is_read_as_it_is_shown() {
        let at = Timestamp::from_unix(1_786_000_000);
        assert_eq!(Timestamp::from_rfc3339(&at.to_string()), Some(at));
        assert_eq!(Timestamp::from_rfc3339("2026-08-06T09:06:40+02:00"), Some(at));
        for bad in ["", "now", "2026-08-06", "2026-08-06 07:06:40", "1969-12-31T23:59:59Z", "2026-13-06T07:06:40Z"] {
            assert_eq!(Timestamp::from_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn small_steps_are_followed() {
        let trust = Trust::new(MINUTE, NOON, 0);
        assert_eq!(trust.now(1000, || NOON + 1000 + 59_000), NOON + 60_000);
        assert_eq!(trust.now(2000, || NOON + 2000), NOON + 2000);
        assert_eq!(trust.pending(), None);
    }

    #[test]
    fn ten_seconds_of_bad_ntp_change_nothing() {
        let trust = Trust::new(MINUTE, NOON, 0);
        assert_eq!(show(&trust, 0, 10_000, |mono| NOON + mono + 86_400_000), NOON + 10_000);
        assert_eq!(trust.pending(), Some(86_400_000));
        assert_eq!(show(&trust, 11_000, 20_000, |mono| NOON + mono), NOON + 20_000);
        assert_eq!(trust.pending(), None);
    }

    #[test]
    fn a_resumed_machine_is_believed_after_ten_steady_minutes() {
        let trust = Trust::new(MINUTE, NOON, 0);
        let day = 86_400_000;
        assert_eq!(show(&trust, 0, 9 * MINUTE, |mono| NOON + mono + day), NOON + 9 * MINUTE);
        assert_eq!(show(&trust, 9 * MINUTE, 11 * MINUTE, |mono| NOON + mono + day), NOON + 11 * MINUTE + day);
    }

    #[test]
    fn an_unsteady_clock_is_never_believed() {
        let trust = Trust::new(MINUTE, NOON, 0);
        let wild = |mono: u64| NOON + mono + (mono / MINUTE % 7 + 2) * 3_600_000;
        assert_eq!(show(&trust, 0, 60 * MINUTE, wild), NOON + 60 * MINUTE);
    }

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let trust = Trust::new(MINUTE, 0, 0);
        assert_eq!(trust.now(u64::MAX, || u64::MAX), u64::MAX);
        assert_eq!(Timestamp::from_unix(u64::MAX).plus(1), Timestamp::from_unix(u64::MAX));
        assert!(Timestamp::from_unix(u64::MAX).to_string().ends_with("s after 1970"));
        assert_eq!(Timestamp::from_unix(1_786_000_000).to_string(), "2026-08-06T07:06:40Z");
    }
}
