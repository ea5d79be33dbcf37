//! What is to be said after an urgent change: when the fleet follows, and the command that proves it.

use serde::Serialize;
use waxseal::keys::RingReport;
use waxseal::time::Timestamp;

use crate::show::{span, when};

/// When every server that is reachable has the ring just written.
#[derive(Serialize)]
pub(crate) struct Fleet {
    generation: u64,
    /// Seconds from the writing of the file: its distribution, and one look with its jitter.
    fleet_follows_in: u64,
    fleet_follows_at: Timestamp,
    prove_with: String,
}

impl Fleet {
    pub(crate) fn of(report: &RingReport, now: Timestamp) -> Self {
        let seconds = report.policy.distribution + (report.policy.refresh * 6).div_ceil(5);
        Self {
            generation: report.generation,
            fleet_follows_in: seconds,
            fleet_follows_at: now.plus(seconds),
            prove_with: format!(
                "waxseal keys compare --ring-id {} --generation {} STATUS.json...",
                &report.ring_id[..8],
                report.generation
            ),
        }
    }

    /// The row of the answer that says when.
    pub(crate) fn row(&self, now: Timestamp) -> (&'static str, String) {
        let (seconds, at) = (self.fleet_follows_in, when(self.fleet_follows_at, now));
        ("fleet", format!("follows within {seconds} s ({}), by {at}", span(seconds)))
    }

    /// What is unproven yet, and how to prove it.
    pub(crate) fn proof(&self) -> String {
        format!(
            "Next: copy the file to every server now. Not proven yet: that every server has\n\
             generation {}. Prove it, with what each server says in KeyRing::status():\n  {}",
            self.generation, self.prove_with
        )
    }
}
