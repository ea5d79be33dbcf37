//! Which times are acceptable: strict by default, a pure function of `now`.

use core::fmt;
use std::time::Duration;

use super::refusal::{PolicyLimit, Reason};
use crate::id::SessionId;
use crate::time::Timestamp;

/// How long sessions and their tokens live. All in whole seconds, 1 to 4,294,967,295.
///
/// What is not set follows from the ring and from what is: the idle limit is the ring's longest
/// token lifetime, the absolute limit 30 days, the token lifetime the idle limit, and a token is due
/// for renewal after half its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    ttl: Option<Duration>,
    idle: Option<Duration>,
    absolute: Option<Duration>,
    renew_after: Option<Duration>,
}

impl Policy {
    /// How long a token lives unless a call says otherwise. At most the idle limit.
    pub fn token_lifetime(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// How long a session lives without a renewal, whatever its token says. At most the ring's
    /// longest token lifetime and the absolute limit.
    pub fn idle_limit(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// How long a session lives at all, from its start.
    pub fn absolute_limit(mut self, absolute: Duration) -> Self {
        self.absolute = Some(absolute);
        self
    }

    /// From which age of a token [`is_due`](super::Sealer::is_due) says so. Below the token lifetime.
    pub fn renew_after(mut self, age: Duration) -> Self {
        self.renew_after = Some(age);
        self
    }

    /// The limits in force under a ring whose tokens live at most `ring_max` seconds.
    pub(crate) fn resolve(&self, ring_max: u64) -> Result<Limits, LimitError> {
        let ring_max = u32::try_from(ring_max).unwrap_or(u32::MAX);
        let absolute = seconds(Limit::Absolute, self.absolute)?;
        let idle = seconds(Limit::Idle, self.idle)?;
        let ttl = seconds(Limit::TokenLifetime, self.ttl)?;
        let renew_after = seconds(Limit::RenewAfter, self.renew_after)?;
        let ring = (Limit::RingLifetime, ring_max);
        within((Limit::Idle, idle), ring)?;
        within((Limit::TokenLifetime, ttl), ring)?;
        let absolute_in_force = absolute.unwrap_or(DEFAULT_ABSOLUTE.max(idle.or(ttl).unwrap_or(0)));
        within((Limit::Idle, idle), (Limit::Absolute, absolute_in_force))?;
        within((Limit::TokenLifetime, ttl), (Limit::Absolute, absolute_in_force))?;
        let idle_in_force = idle.unwrap_or(ring_max.min(absolute_in_force));
        within((Limit::TokenLifetime, ttl), (Limit::Idle, idle_in_force))?;
        let ttl = ttl.unwrap_or(idle_in_force);
        if renew_after.is_some_and(|age| age >= ttl) {
            return Err(LimitError::Contradiction { limit: Limit::RenewAfter, above: Limit::TokenLifetime });
        }
        let renew_after = renew_after.unwrap_or(ttl / 2);
        Ok(Limits { ttl, idle: idle_in_force, absolute: absolute_in_force, renew_after })
    }
}

fn seconds(limit: Limit, duration: Option<Duration>) -> Result<Option<u32>, LimitError> {
    let Some(duration) = duration else { return Ok(None) };
    match u32::try_from(duration.as_secs()) {
        Ok(seconds @ 1..) if duration.subsec_nanos() == 0 => Ok(Some(seconds)),
        _ => Err(LimitError::Range { limit }),
    }
}

fn within((limit, value): (Limit, Option<u32>), (above, most): (Limit, u32)) -> Result<(), LimitError> {
    if value.is_some_and(|value| value > most) { Err(LimitError::Contradiction { limit, above }) } else { Ok(()) }
}

/// A policy's limits in seconds, with nothing left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) ttl: u32,
    pub(crate) idle: u32,
    pub(crate) absolute: u32,
    pub(crate) renew_after: u32,
}

/// The three numbers a token's life follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) issued_at: u32,
    pub(crate) ttl: u32,
    pub(crate) id: SessionId,
}

/// What the ring says about time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingTimes {
    pub(crate) skew: u64,
    pub(crate) not_before: Timestamp,
    /// The last issue time that the token's key can honestly have.
    pub(crate) issues_until: Timestamp,
}

impl Limits {
    /// The lifetime of a token issued at `issued_at` in a session that began at `start`, in seconds;
    /// `None` if the session is over.
    pub(crate) fn lifetime(&self, asked: u32, issued_at: u32, start: u32, ring_max: u64) -> Option<u32> {
        let left = u64::from(start) + u64::from(self.absolute);
        let left = left.saturating_sub(issued_at.into());
        let ttl = u64::from(asked.min(self.idle)).min(ring_max).min(left);
        u32::try_from(ttl).ok().filter(|&ttl| ttl >= 1)
    }

    /// Judges a token's times and the cut-off for everyone, and returns when it expires.
    ///
    /// FORMAT.md, "Opening", steps 11 to 14. Sums in u64: four u32 never overflow one.
    pub(crate) fn accept(&self, times: &Times, ring: &RingTimes, now: Timestamp) -> Result<Timestamp, Reason> {
        let issued_at = Timestamp::from_unix(times.issued_at.into());
        if issued_at > now.plus(2 * ring.skew) {
            return Err(Reason::NotYetValid { seconds: issued_at.since(now) });
        }
        if issued_at > ring.issues_until {
            return Err(Reason::RetiredKey);
        }
        let (expires_at, limit) = self.expiry(times);
        if now >= expires_at {
            return Err(Reason::Expired { limit, seconds: now.since(expires_at) });
        }
        if ring.not_before.as_unix() > 0 && times.id.start() <= ring.not_before {
            return Err(Reason::Revoked);
        }
        Ok(expires_at)
    }

    /// When a token with these times ends.
    pub(crate) fn expires_at(&self, times: &Times) -> Timestamp {
        self.expiry(times).0
    }

    fn expiry(&self, times: &Times) -> (Timestamp, PolicyLimit) {
        let issued_at = Timestamp::from_unix(times.issued_at.into());
        let own = (issued_at.plus(times.ttl.into()), PolicyLimit::TokenLifetime);
        let idle = (issued_at.plus(self.idle.into()), PolicyLimit::Idle);
        let absolute = (times.id.start().plus(self.absolute.into()), PolicyLimit::Absolute);
        [own, idle, absolute].into_iter().min_by_key(|&(at, _)| at).unwrap_or(own)
    }
}

/// A limit of a policy or of the ring, as an error names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Policy::absolute_limit`].
    Absolute,
    /// [`Policy::idle_limit`].
    Idle,
    /// [`Policy::renew_after`].
    RenewAfter,
    /// The ring's longest token lifetime.
    RingLifetime,
    /// [`Policy::token_lifetime`].
    TokenLifetime,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "absolute limit",
            Self::Idle => "idle limit",
            Self::RenewAfter => "age for renewal",
            Self::RingLifetime => "ring's longest token lifetime",
            Self::TokenLifetime => "token lifetime",
        })
    }
}

/// Why a policy cannot be in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitError {
    /// A limit is above, or at, one that it must be below.
    Contradiction { limit: Limit, above: Limit },
    /// Not 1 to 4,294,967,295 whole seconds.
    Range { limit: Limit },
}

/// 30 days, in seconds: what people expect of "stay logged in".
const DEFAULT_ABSOLUTE: u32 = 2_592_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u32 = 3600;
    const DAY: u32 = 86_400;

    fn secs(seconds: u32) -> Duration {
        Duration::from_secs(seconds.into())
    }

    #[test]
    fn what_is_not_set_follows_from_what_is() {
        let limits = |policy: Policy| policy.resolve(DAY.into()).unwrap();
        let of = |ttl, idle, absolute, renew_after| Limits { ttl, idle, absolute, renew_after };
        assert_eq!(limits(Policy::default()), of(DAY, DAY, 30 * DAY, DAY / 2));
        assert_eq!(limits(Policy::default().idle_limit(secs(HOUR))), of(HOUR, HOUR, 30 * DAY, HOUR / 2));
        assert_eq!(limits(Policy::default().absolute_limit(secs(HOUR))), of(HOUR, HOUR, HOUR, HOUR / 2));
        assert_eq!(limits(Policy::default().token_lifetime(secs(HOUR))), of(HOUR, DAY, 30 * DAY, HOUR / 2));
        let long = Policy::default().idle_limit(secs(90 * DAY)).resolve(u64::from(100 * DAY)).unwrap();
        assert_eq!(long, of(90 * DAY, 90 * DAY, 90 * DAY, 45 * DAY));
    }

    #[test]
    fn lifetimes_are_the_least_of_all() {
        let limits = Policy::default().idle_limit(secs(7200)).absolute_limit(secs(43_200)).resolve(DAY.into()).unwrap();
        // The table of FORMAT.md, "Minting".
        for (asked, age, ttl) in [
            (3600, 0, Some(3600)),
            (10_000, 0, Some(7200)),
            (3600, 43_000, Some(200)),
            (3600, 43_199, Some(1)),
            (3600, 43_200, None),
            (3600, 43_201, None),
        ] {
            assert_eq!(limits.lifetime(asked, 1_786_000_000 + age, 1_786_000_000, DAY.into()), ttl);
        }
        assert_eq!(limits.lifetime(3600, u32::MAX, u32::MAX, 60), Some(60), "a ring's limit that was lowered");
    }

    #[test]
    fn times_are_judged_to_the_second() {
        let limits = Limits { ttl: 1000, idle: 500, absolute: 800, renew_after: 250 };
        let ring =
            RingTimes { skew: 60, not_before: Timestamp::from_unix(0), issues_until: Timestamp::from_unix(5000) };
        let judge = |issued_at: u32, ttl, start, now| {
            let times = Times { issued_at, ttl, id: SessionId::new(start, [0; 12]) };
            limits.accept(&times, &ring, Timestamp::from_unix(now)).map(Timestamp::as_unix)
        };
        assert_eq!(judge(1000, 300, 1000, 880), Ok(1300));
        assert_eq!(judge(1000, 300, 1000, 879), Err(Reason::NotYetValid { seconds: 121 }));
        let expired = |limit, seconds| Err(Reason::Expired { limit, seconds });
        assert_eq!(judge(1000, 300, 1000, 1299), Ok(1300));
        assert_eq!(judge(1000, 300, 1000, 1300), expired(PolicyLimit::TokenLifetime, 0));
        assert_eq!(judge(1000, 600, 1000, 1500), expired(PolicyLimit::Idle, 0));
        assert_eq!(judge(1000, 300, 300, 1101), expired(PolicyLimit::Absolute, 1));
        assert_eq!(judge(5000, 300, 5000, 5000), Ok(5300));
        assert_eq!(judge(5001, 300, 5001, 5001), Err(Reason::RetiredKey));
        assert_eq!(judge(u32::MAX, u32::MAX, u32::MAX, u64::MAX), Err(Reason::RetiredKey));
        let cut = RingTimes { not_before: Timestamp::from_unix(1000), ..ring };
        for (start, expected) in [(1000, Err(Reason::Revoked)), (1001, Ok(Timestamp::from_unix(1301)))] {
            let times = Times { issued_at: 1001, ttl: 300, id: SessionId::new(start, [0; 12]) };
            assert_eq!(limits.accept(&times, &cut, Timestamp::from_unix(1001)), expected);
        }
    }
}
