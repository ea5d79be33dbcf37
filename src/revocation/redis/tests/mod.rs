//! The drills of a fleet that shares a real server. Time is simulated; the server's own is not.

mod guards;
mod losses;
mod outages;
mod server;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::KeyRing;
use crate::id::SessionId;
use crate::keys::{Ring, RingFile, RingPolicy};
use crate::revocation::list::{Answer, Revocations};
use crate::revocation::{Revoke, Stale};
use crate::time::{Clock, ManualClock};
use server::RedisServer;

/// A ring, a clock, and a directory for the spools of nodes that share one server.
struct Fleet {
    url: String,
    directory: tempfile::TempDir,
    file: RingFile,
    ring: KeyRing,
    clock: Arc<ManualClock>,
}

impl Fleet {
    fn new(url: &str) -> Self {
        // The server's own clock names the places in the stream.
        let now = crate::time::SystemClock::new(Duration::from_secs(60)).now();
        let clock = Arc::new(ManualClock::at(now));
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        file.create(&Ring::create(RingPolicy::default(), now).unwrap(), now).unwrap();
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(file.path()).unwrap();
        Revocations::init_redis(&ring, url).unwrap();
        Self { url: url.to_owned(), directory, file, ring, clock }
    }

    fn node(&self, name: &str) -> Revocations {
        let stale = Stale::refuse_after(Duration::from_secs(BOUND));
        Revocations::redis(&self.ring, &self.url, self.spool(name), stale).unwrap()
    }

    fn spool(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn session(&self, n: u8) -> SessionId {
        SessionId::new(1_786_000_000, [n; 12])
    }

    fn answer(&self, node: &Revocations, n: u8) -> Answer {
        node.judge(self.session(n), self.clock.now())
    }

    fn revoke(&self, node: &Revocations, n: u8, level: Level) -> Result<(), crate::revocation::RevokeError> {
        node.revoke(Revoke::session(self.session(n)).level(level)).wait().map(|_| ())
    }

    fn stream(&self) -> String {
        format!("waxseal:{{{}}}:revocations", crate::text::hex(&self.ring.snapshot().ring.id))
    }

    fn epoch(&self) -> String {
        format!("waxseal:{{{}}}:epoch", crate::text::hex(&self.ring.snapshot().ring.id))
    }

    /// Passes of all nodes, one after the other, as many as are needed for anything.
    fn settle(&self, nodes: &[&Revocations]) {
        for _ in 0..8 {
            self.clock.advance(5);
            for node in nodes {
                let _ = node.sync();
            }
        }
        for node in nodes {
            node.sync().unwrap();
        }
    }
}

/// The answer of a server that cannot say anything.
const NEVER_LOADED: Answer = Answer::Unknown { stale_for: None };

/// For how long a list may be out of date in these drills, in seconds.
const BOUND: u64 = 900;
