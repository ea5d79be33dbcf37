//! The one door to randomness: the operating system, asked once for each draw.
//!
//! There is no pool in user space, since a fork or a cloned machine would share it.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use getrandom::SysRng;
use rand_core::TryRng;

/// Where random bytes come from. Only tests give another answer than [`OsRandom`].
pub(crate) trait Random: Send + Sync {
    /// Fills `bytes`, or gives nothing.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's generator.
pub(crate) struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        SysRng.try_fill_bytes(bytes).map_err(|_| RandomError)
    }
}

/// The number of this draw in this process, from 1.
///
/// It goes into the derivation of `rnd`, so that a generator that repeats itself within one process
/// still does not repeat a nonce (FORMAT.md, "rnd").
pub(crate) fn next_draw() -> u64 {
    static DRAWS: AtomicU64 = AtomicU64::new(0);
    DRAWS.fetch_add(1, Ordering::Relaxed) + 1
}

/// The operating system refused to give random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no random bytes")
    }
}

impl std::error::Error for RandomError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_never_repeat() {
        let (first, second) = (next_draw(), next_draw());
        assert!(second > first);
    }

    #[test]
    fn the_operating_system_answers_with_something_new() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        OsRandom.fill(&mut first).unwrap();
        OsRandom.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
