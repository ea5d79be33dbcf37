//! How a server's list is doing, without a secret: for people, for JSON, and for a readiness probe.

use serde::Serialize;

use super::directory::NodeReport;
use super::list::{Answer, Revocations, Store, retention};
use crate::time::Timestamp;

/// A list at an instant. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Revocations of this server that no other can read yet.
    pub waiting: usize,
    /// For how long a revocation is remembered, in seconds.
    pub retention: u64,
    /// Every writer whose journal was read.
    pub nodes: Vec<NodeReport>,
}

impl Revocations {
    /// How the list is doing, by the ring's clock.
    pub fn status(&self) -> RevocationStatus {
        let shared = &self.shared;
        let now = shared.ring.clock().now();
        let (waiting, nodes) = match &shared.store {
            Store::Directory(directory) => (directory.waiting(), directory.nodes()),
            Store::Memory => (0, vec![]),
        };
        RevocationStatus {
            now,
            ready: self.is_ready(),
            judges: shared.answer(now) == Answer::Clear,
            synced_at: shared.synced_at(),
            stale_bound: shared.bound,
            last_error: shared.last_error(),
            waiting,
            retention: retention(&shared.ring.snapshot().ring),
            nodes,
        }
    }
}
