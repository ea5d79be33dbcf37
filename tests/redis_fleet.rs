//! A fleet that shares what it revokes by a Redis server, which fails in every way.
//!
//! | | what goes wrong | test |
//! |---|---|---|
//! | R6 | a node lost its disk, and its revocations are in the stream alone | `outages::r6_*` |
//! | R20 | the server away, standing still, emptied, replaced, trimmed, evicting | `r20_*` |
//!
//! Every server is a real one; the time of the fleet is simulated.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "redis_fleet/guards.rs"]
mod guards;
#[path = "redis_fleet/losses.rs"]
mod losses;
#[path = "redis_fleet/outages.rs"]
mod outages;
#[path = "redis_fleet/server.rs"]
mod server;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use server::RedisServer;
use waxseal::keys::{Ring, RingFile, RingPolicy};
use waxseal::revocation::{Level, RevokeError};
use waxseal::session::Reason;
use waxseal::time::{Clock, ManualClock, SystemClock};
use waxseal::{KeyRing, Policy, Revocations, Revoke, Sealer, SessionId, SessionState, Stale};

#[derive(Serialize, Deserialize)]
struct Shop(u16);
impl SessionState for Shop {}

/// A ring, a clock, and a directory for the spools of nodes that share one server.
struct Fleet {
    url: String,
    directory: tempfile::TempDir,
    file: RingFile,
    ring: KeyRing,
    clock: Arc<ManualClock>,
    /// Logs in before anything is revoked.
    desk: Sealer<Shop>,
    sessions: RefCell<HashMap<u16, (SessionId, String)>>,
}

/// A server of the fleet.
struct Node {
    list: Revocations,
    sealer: Sealer<Shop>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Clear,
    Revoked,
    Unknown { stale_for: Option<u64> },
}

impl Fleet {
    fn new(url: &str) -> Self {
        // The server's own clock names the places in the stream.
        let now = SystemClock::new(Duration::from_secs(60)).now();
        let clock = Arc::new(ManualClock::at(now));
        let directory = tempfile::tempdir().unwrap();
        let file = RingFile::at(directory.path().join("ring.json"));
        file.create(&Ring::create(RingPolicy::default(), now).unwrap(), now).unwrap();
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(file.path()).unwrap();
        Revocations::init_redis(&ring, url).unwrap();
        let desk = Sealer::builder(&ring, "session").policy(policy()).build().unwrap();
        Self { url: url.to_owned(), directory, file, ring, clock, desk, sessions: RefCell::default() }
    }

    fn node(&self, name: &str) -> Node {
        self.serve(Revocations::redis(&self.ring, &self.url, self.spool(name), stale()).unwrap())
    }

    fn serve(&self, list: Revocations) -> Node {
        let sealer = Sealer::builder(&self.ring, "session").policy(policy()).revocations(&list).build().unwrap();
        Node { list, sealer }
    }

    fn spool(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The id of one of the fleet's sessions, and its token.
    fn session(&self, n: u16) -> (SessionId, String) {
        let login = || {
            let token = self.desk.start(&Shop(n)).unwrap();
            (token.id(), token.into_string())
        };
        self.sessions.borrow_mut().entry(n).or_insert_with(login).clone()
    }

    fn answer(&self, node: &Node, n: u16) -> Answer {
        match node.sealer.open(&self.session(n).1).map_err(|error| error.reason()) {
            Ok(_) => Answer::Clear,
            Err(Reason::Revoked) => Answer::Revoked,
            Err(Reason::UnknownRevocation { stale_for }) => Answer::Unknown { stale_for },
            Err(reason) => panic!("refused for another reason: {reason}"),
        }
    }

    fn revoke(&self, node: &Node, n: u16, level: Level) -> Result<(), RevokeError> {
        node.revoke(Revoke::session(self.session(n).0).level(level)).wait().map(|_| ())
    }

    fn stream(&self) -> String {
        format!("waxseal:{{{}}}:revocations", self.ring.status().ring.ring_id)
    }

    fn epoch(&self) -> String {
        format!("waxseal:{{{}}}:epoch", self.ring.status().ring.ring_id)
    }

    /// Passes of all nodes, one after the other, as many as are needed for anything.
    fn settle(&self, nodes: &[&Node]) {
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

impl Deref for Node {
    type Target = Revocations;

    fn deref(&self) -> &Revocations {
        &self.list
    }
}

/// Sessions outlive every drill.
fn policy() -> Policy {
    let day = Duration::from_secs(86_400);
    Policy::default().token_lifetime(day).idle_limit(day).absolute_limit(7 * day)
}

fn stale() -> Stale {
    Stale::refuse_after(Duration::from_secs(BOUND))
}

/// The answer of a server that cannot say anything.
const NEVER_LOADED: Answer = Answer::Unknown { stale_for: None };

/// For how long a list may be out of date in these drills, in seconds.
const BOUND: u64 = 900;
