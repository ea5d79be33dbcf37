//! How a server's list is doing, without a secret: for people, for JSON, and for a readiness probe.

use serde::Serialize;

use super::directory::NodeReport;
use super::entry::CutOffId;
use super::list::Revocations;
use super::shared::{Answer, Store, retention};
use crate::time::Timestamp;

/// A list at an instant. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// The instant this status speaks of.
    pub now: Timestamp,
    /// Whether the list was loaded once.
    pub ready: bool,
    /// Whether sessions of which nothing is known go on; if not, they are answered 503.
    pub judges: bool,
    /// When the list was last known to be complete.
    pub synced_at: Option<Timestamp>,
    /// For how long it may be out of date, in seconds.
    pub stale_bound: u64,
    /// Why it is not up to date.
    pub last_error: Option<String>,
    /// Why this server cannot write what it revokes, nor say that it lives.
    pub write_error: Option<String>,
    /// Revocations of this server that no other can read yet.
    pub waiting: usize,
    /// For how long the oldest of them waits, in seconds; `None` if none does.
    pub waiting_for: Option<u64>,
    /// Entries in a Redis stream that are none of this ring's and revoke nothing.
    pub refused: u64,
    /// For how long a revocation is remembered, in seconds.
    pub retention: u64,
    /// Revoked sessions.
    pub sessions: usize,
    /// Cut-offs, those that were retracted included.
    pub cut_offs: usize,
    /// Cut-offs that lie ahead of this clock by more than the skew: a clock is wrong, this one or that of whoever made them. They count as of
    /// when they came.
    pub ahead: Vec<CutOffId>,
    /// Memory that the list takes, about, in bytes.
    pub bytes: usize,
    /// How often a session that is not revoked looks so, 0 to 1; 0 with the exact engine.
    pub false_positives: f64,
    /// Every process whose journal was read; [`this`](NodeReport::this) is true of this one's own.
    pub nodes: Vec<NodeReport>,
}

impl Revocations {
    /// How the list is doing, by the ring's clock.
    pub fn status(&self) -> RevocationStatus {
        let shared = &self.shared;
        let now = shared.ring.clock().now();
        let (waiting, waiting_since, refused, write_error, nodes) = match &shared.store {
            Store::Directory(directory) => {
                let (waiting, since) = directory.waiting();
                (waiting, since, 0, directory.trouble(), directory.nodes())
            }
            Store::Memory => (0, None, 0, None, vec![]),
            #[cfg(feature = "redis")]
            Store::Redis(redis) => {
                let (waiting, since) = redis.waiting();
                (waiting, since, redis.refused(), redis.trouble(), vec![])
            }
        };
        let stats = shared.known.stats();
        RevocationStatus {
            now,
            ready: self.is_ready(),
            judges: shared.answer(now) == Answer::Clear,
            synced_at: shared.synced_at(),
            stale_bound: shared.bound,
            last_error: shared.last_error(),
            write_error,
            waiting,
            waiting_for: waiting_since.map(|since: Timestamp| now.since(since)),
            refused,
            retention: retention(&shared.ring.snapshot().ring),
            sessions: stats.sessions,
            cut_offs: stats.cut_offs,
            ahead: shared.known.ahead(now).into_iter().map(|cut| cut.id).collect(),
            bytes: stats.bytes,
            false_positives: stats.false_positives,
            nodes,
        }
    }
}
