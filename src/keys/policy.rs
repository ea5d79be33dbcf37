//! The ring's policy: how long tokens live, how clocks differ, how fast a new ring reaches every server.

use core::fmt;

use serde::Serialize;

/// What the whole fleet agrees on. Every field is in whole seconds.
///
/// [`Default`] is for a fleet whose ring is a file distributed within ten minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RingPolicy {
    /// The longest any token may live, from issue to expiry. 86,400 (a day): it bounds how long a
    /// retired key must be kept and a revocation remembered.
    pub max_token_lifetime: u64,
    /// The largest difference between two clocks of the fleet. 60, as most token systems assume.
    pub skew: u64,
    /// How often a server looks at the ring file. 15: a file is small, and an emergency should not wait.
    pub refresh: u64,
    /// How long a new ring takes to reach every server's disk. 600, which covers a Kubernetes Secret.
    pub distribution: u64,
    /// How long a server may run on an old ring, cut off or forgotten, without losing a session. 86,400.
    pub late: u64,
    /// From `rotate` to the instant the new key seals. 3,600: an hour to notice that a roll-out failed.
    pub activation_delay: u64,
    /// How long a key should seal before the next takes over. 2,592,000 (30 days).
    pub rotate_every: u64,
}

impl Default for RingPolicy {
    fn default() -> Self {
        Self {
            max_token_lifetime: 86_400,
            skew: 60,
            refresh: 15,
            distribution: 600,
            late: 86_400,
            activation_delay: 3_600,
            rotate_every: 2_592_000,
        }
    }
}

impl RingPolicy {
    /// Whether these numbers can work together.
    ///
    /// # Errors
    /// - a number is out of its range
    /// - keys would be activated before every server has them
    /// - more keys would have to be kept than a ring holds
    pub fn check(&self) -> Result<(), PolicyError> {
        for (name, value, least, most) in [
            ("max_token_lifetime", self.max_token_lifetime, 1, TEN_YEARS),
            ("skew", self.skew, 2, 3_600),
            ("refresh", self.refresh, 1, 3_600),
            ("distribution", self.distribution, 0, SECONDS),
            ("late", self.late, 0, SECONDS),
            ("activation_delay", self.activation_delay, 0, SECONDS),
            ("rotate_every", self.rotate_every, 1, SECONDS),
        ] {
            if !(least..=most).contains(&value) {
                return Err(PolicyError::Range { name, value, least, most });
            }
        }
        if self.activation_delay < self.shortest_activation_delay() {
            return Err(PolicyError::ActivationDelay {
                seconds: self.activation_delay,
                least: self.shortest_activation_delay(),
            });
        }
        if self.keys_needed() > ROUTINE_KEYS as u64 {
            return Err(PolicyError::TooManyKeys { needed: self.keys_needed(), least: self.shortest_rotation() });
        }
        Ok(())
    }

    /// The time in which every server surely has a new ring: two polls with their jitter of a fifth,
    /// the distribution, and the skew on both sides.
    pub(crate) fn shortest_activation_delay(&self) -> u64 {
        (self.refresh * 12).div_ceil(5) + self.distribution + 2 * self.skew
    }

    /// How long a key opens after it was superseded, for tokens that lived `lifetime` seconds.
    pub(crate) fn retention(&self, lifetime: u64) -> u64 {
        lifetime + self.late + 2 * self.skew
    }

    /// Keys kept at once: the retiring ones, the active, the scheduled and the staged.
    fn keys_needed(&self) -> u64 {
        self.retention(self.max_token_lifetime).div_ceil(self.rotate_every) + 3
    }

    fn shortest_rotation(&self) -> u64 {
        self.retention(self.max_token_lifetime).div_ceil(ROUTINE_KEYS as u64 - 3)
    }
}

/// Why a policy cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// Keys would be activated before every server has them.
    ActivationDelay {
        /// The delay asked for, in seconds.
        seconds: u64,
        /// The shortest that is safe with the other numbers, in seconds.
        least: u64,
    },
    /// A number is out of its range.
    Range {
        /// The field.
        name: &'static str,
        /// What was asked for, in seconds.
        value: u64,
        /// The least allowed, in seconds.
        least: u64,
        /// The most allowed, in seconds.
        most: u64,
    },
    /// Keys would retire more slowly than new ones come.
    TooManyKeys {
        /// Keys that would be in the ring at once.
        needed: u64,
        /// The shortest rotation period that works, in seconds.
        least: u64,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActivationDelay { seconds, least } => write!(
                f,
                "an activation delay of {seconds} s is too short: a new key reaches every server only after \
                 2.4 x refresh + distribution + 2 x skew = {least} s; raise the delay or lower one of these"
            ),
            Self::Range { name, value, least, most } => {
                write!(f, "{name} of {value} s is out of range; it must be {least} to {most} s")
            }
            Self::TooManyKeys { needed, least } => write!(
                f,
                "{needed} keys would be in the ring at once, and routine rotation stops at {ROUTINE_KEYS}: \
                 rotate at most every {least} s, or lower max_token_lifetime or late"
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

/// Most keys with a secret that a routine rotation leaves, so that an emergency finds room.
pub(crate) const ROUTINE_KEYS: usize = 14;

/// 3,650 days, in seconds.
const TEN_YEARS: u64 = 315_360_000;

/// The most seconds any other field may have.
const SECONDS: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RingPolicy)) -> Result<(), PolicyError> {
        let mut policy = RingPolicy::default();
        change(&mut policy);
        policy.check()
    }

    #[test]
    fn the_default_works() {
        assert_eq!(RingPolicy::default().check(), Ok(()));
    }

    #[test]
    fn numbers_are_bounded() {
        let refused = |change: fn(&mut RingPolicy)| matches!(with(change), Err(PolicyError::Range { .. }));
        assert!(refused(|policy| policy.max_token_lifetime = 0));
        assert!(refused(|policy| policy.max_token_lifetime = u64::MAX));
        assert!(refused(|policy| policy.skew = 1));
        assert!(refused(|policy| policy.skew = 3601));
        assert!(refused(|policy| policy.refresh = 0));
        assert!(refused(|policy| policy.distribution = u64::MAX));
        assert!(refused(|policy| policy.late = u64::MAX));
        assert!(refused(|policy| policy.activation_delay = u64::MAX));
        assert!(refused(|policy| policy.rotate_every = 0));
    }

    #[test]
    fn a_key_is_not_activated_before_it_has_arrived() {
        let least = 36 + 600 + 120;
        assert_eq!(with(|policy| policy.activation_delay = least), Ok(()));
        assert_eq!(
            with(|policy| policy.activation_delay = least - 1),
            Err(PolicyError::ActivationDelay { seconds: least - 1, least })
        );
    }

    #[test]
    fn keys_must_fit_the_ring() {
        let retention = 86_400 + 86_400 + 120;
        let least = 15_720;
        assert_eq!(u64::div_ceil(retention, 11), least);
        assert_eq!(with(|policy| policy.rotate_every = least), Ok(()));
        assert_eq!(with(|policy| policy.rotate_every = least - 1), Err(PolicyError::TooManyKeys { needed: 15, least }));
    }
}
