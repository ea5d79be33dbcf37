//! A fleet on one simulated clock: an admin who changes the ring, servers that get it late, requests all the while.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use waxseal::keys::{ChangeError, Ring, RingFile, RingPolicy, Role, Rotation};
use waxseal::session::Reason;
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{KeyId, KeyRing, Sealer};

use super::dice::Dice;
use super::tally::Tally;
use super::{NOW, User, at, put, sealer};

/// What a fleet is like.
pub(crate) struct Setup {
    pub(crate) nodes: usize,
    /// Every clock is off by at most this much, to either side.
    pub(crate) clocks: u64,
    /// A changed ring reaches a disk within this time; the policy's own unless a run is to break.
    pub(crate) distribution: u64,
    /// Seconds between two requests that mint.
    pub(crate) pace: u64,
    pub(crate) policy: RingPolicy,
    pub(crate) seed: u64,
}

impl Default for Setup {
    /// Fifty servers, clocks ±30 s at 60 s skew, and tokens and tardiness of six hours.
    fn default() -> Self {
        let mut policy = RingPolicy::default();
        policy.max_token_lifetime = 21_600;
        policy.late = 21_600;
        Self { nodes: 50, clocks: 30, distribution: policy.distribution, pace: 60, policy, seed: 1 }
    }
}

/// Simulated servers with their admin.
pub(crate) struct Fleet {
    pub(crate) admin: RingFile,
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) tally: Tally,
    directory: tempfile::TempDir,
    dice: Dice,
    distribution: u64,
    pace: u64,
    longest: u64,
    refresh: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sent: u64,
    tokens: Vec<Minted>,
    rings: Vec<Rc<Vec<u8>>>,
}

/// One server.
pub(crate) struct Node {
    pub(crate) ring: KeyRing,
    pub(crate) sealer: Sealer<User>,
    clock: Arc<ManualClock>,
    ahead: i64,
    path: PathBuf,
    /// Nothing reaches its disk before this.
    cut_off_until: u64,
}

struct Minted {
    text: String,
    expires_at: u64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A ring reaches the disk of a server.
    Arrive { node: usize, ring: usize },
    /// A server looks at its file.
    Refresh { node: usize },
    /// Every server mints, and others open at once.
    Burst,
    /// A token is opened just before it ends.
    Last { token: String, expires_at: u64 },
}

impl Fleet {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { nodes, clocks, distribution, pace, policy, seed } = setup;
        let directory = tempfile::tempdir().unwrap();
        let (longest, refresh) = (policy.max_token_lifetime, policy.refresh);
        let admin = RingFile::at(directory.path().join("admin.json"));
        admin.create(&Ring::create(policy, at(NOW)).unwrap(), at(NOW)).unwrap();
        let mut dice = Dice(seed);
        let first = std::fs::read(admin.path()).unwrap();
        let node = |index| {
            let path = directory.path().join(format!("{index}.json"));
            put(&path, &first);
            Node::new(path, dice.either_side(clocks), NOW)
        };
        let nodes = (0..nodes).map(node).collect();
        Self {
            admin,
            now: NOW,
            nodes,
            tally: Tally::default(),
            directory,
            dice,
            distribution,
            pace,
            longest,
            refresh,
            events: BinaryHeap::new(),
            sent: 0,
            tokens: vec![],
            rings: vec![],
        }
    }

    /// The admin changes the ring, and it is sent to every server; a change refused changes nothing.
    pub(crate) fn change<A>(
        &mut self,
        verb: &str,
        change: impl FnOnce(&mut Ring, Timestamp) -> Result<A, ChangeError>,
    ) -> Result<A, ChangeError> {
        let answer = super::change(&self.admin, at(self.now), verb, change)?;
        self.send();
        Ok(answer)
    }

    /// Rotates; everybody mints and opens around the instant at which the next key takes over.
    pub(crate) fn rotate(&mut self) -> Rotation {
        let done = self.change("rotate", |ring, now| Ok(ring.rotate(now).unwrap())).unwrap();
        self.burst_around(self.now + self.admin.read().unwrap().policy().activation_delay);
        done
    }

    /// The first key of a role in the admin's ring.
    pub(crate) fn key(&self, role: Role) -> KeyId {
        let report = self.admin.report(at(self.now)).unwrap();
        report.keys.iter().find(|key| key.role == role).unwrap_or_else(|| panic!("no key is {role}")).id
    }

    pub(crate) fn burst_around(&mut self, instant: u64) {
        for ahead in [0, 31, 59, 60, 61, 91, 120] {
            self.push(instant + ahead - 60, Event::Burst);
        }
    }

    /// Sends the admin's file to every server, each with a delay of its own.
    pub(crate) fn send(&mut self) {
        self.rings.push(Rc::new(std::fs::read(self.admin.path()).unwrap()));
        for node in 0..self.nodes.len() {
            let delay = self.dice.below(self.distribution + 1);
            self.push(self.now + delay, Event::Arrive { node, ring: self.rings.len() - 1 });
        }
    }

    /// Lets nothing reach a server's disk for so long.
    pub(crate) fn cut_off(&mut self, node: usize, seconds: u64) {
        self.nodes[node].cut_off_until = self.now + seconds;
    }

    /// Where the fleet keeps its files.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Lets time pass: what was sent arrives, and at the set pace servers mint and open.
    pub(crate) fn run(&mut self, seconds: u64) {
        let end = self.now + seconds;
        let mut request = self.now + self.pace;
        loop {
            let next = self.events.peek().map_or(u64::MAX, |Reverse((instant, ..))| *instant);
            if next.min(request) > end {
                break;
            }
            self.now = next.min(request);
            if next <= request {
                let Reverse((_, _, event)) = self.events.pop().unwrap();
                self.happen(event);
            } else {
                self.requests();
                request += self.pace;
            }
        }
        self.now = end;
    }

    fn push(&mut self, instant: u64, event: Event) {
        self.sent += 1;
        self.events.push(Reverse((instant, self.sent, event)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { node, .. } if self.nodes[node].cut_off_until > self.now => {
                self.push(self.nodes[node].cut_off_until, event);
            }
            Event::Arrive { node, ring } => {
                put(&self.nodes[node].path, &self.rings[ring]);
                // Polls are `refresh` apart, give or take a fifth; the file came at any time between two.
                let poll = self.now + 1 + self.dice.below(self.refresh * 6 / 5);
                self.push(poll, Event::Refresh { node });
            }
            Event::Refresh { node } => {
                if let Err(error) = self.nodes[node].at(self.now).ring.reload() {
                    self.tally.refused_rings.push(error.to_string());
                }
            }
            Event::Burst => (0..self.nodes.len()).for_each(|node| {
                let token = self.mint(node);
                (0..3).for_each(|_| self.open_anywhere(&token.text, token.expires_at));
            }),
            Event::Last { token, expires_at } => self.open_anywhere(&token, expires_at),
        }
    }

    /// One server mints, and four open.
    fn requests(&mut self) {
        let node = self.dice.index(self.nodes.len());
        let token = self.mint(node);
        let before_end = token.expires_at.saturating_sub(1 + self.dice.below(60));
        let last = Event::Last { token: token.text.clone(), expires_at: token.expires_at };
        self.push(before_end.max(self.now), last);
        self.tokens.push(token);
        let now = self.now;
        self.tokens.retain(|token| token.expires_at > now);
        for _ in 0..4.min(self.tokens.len()) {
            let index = self.dice.index(self.tokens.len());
            let token = &self.tokens[index];
            let (text, expires_at) = (token.text.clone(), token.expires_at);
            self.open_anywhere(&text, expires_at);
        }
    }

    fn mint(&mut self, node: usize) -> Minted {
        let node = self.nodes[node].at(self.now);
        let longest = self.longest;
        // Half of them live as long as they may, so that some outlast every key.
        let lifetime = if self.dice.below(2) == 0 { longest } else { 60 + self.dice.below(longest - 60) };
        match node.sealer.with(&[]).ttl(Duration::from_secs(lifetime)).start(&User { number: self.tally.minted }) {
            Ok(token) => {
                self.tally.minted += 1;
                Minted { expires_at: token.expires_at().as_unix(), text: token.into_string() }
            }
            Err(error) => {
                self.tally.lost.push(format!("not sealed: {error}"));
                Minted { text: String::new(), expires_at: 0 }
            }
        }
    }

    fn open_anywhere(&mut self, token: &str, expires_at: u64) {
        if !token.is_empty() {
            let node = self.dice.index(self.nodes.len());
            self.open(node, token, expires_at);
        }
    }

    fn open(&mut self, node: usize, token: &str, expires_at: u64) {
        let server = self.nodes[node].at(self.now);
        let unexpired = server.seconds(self.now) < expires_at;
        match server.sealer.open(token).map_err(|error| error.reason()) {
            Ok(_) if unexpired => self.tally.opened += 1,
            Ok(_) => self.tally.lost.push(format!("server {node} opened an expired token")),
            Err(Reason::RevokedKey { .. } | Reason::Revoked) => self.tally.ended += 1,
            Err(Reason::Expired { .. }) if !unexpired => self.tally.ended += 1,
            // An expired token's key may be gone as well.
            Err(Reason::ExpiredKey { .. } | Reason::UnknownKey { .. }) if !unexpired => self.tally.ended += 1,
            Err(reason) => self.tally.lost.push(format!("server {node} at {}: {reason:?}", self.now - NOW)),
        }
    }
}

impl Node {
    fn new(path: PathBuf, ahead: i64, now: u64) -> Self {
        let clock = Arc::new(ManualClock::at(at(now.saturating_add_signed(ahead))));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(&path).unwrap();
        let sealer = sealer(&ring);
        Self { ring, sealer, clock, ahead, path, cut_off_until: 0 }
    }

    /// This server when the fleet's clock shows `now`.
    pub(crate) fn at(&self, now: u64) -> &Self {
        self.clock.set(at(self.seconds(now)));
        self
    }

    fn seconds(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.ahead)
    }

    /// Sets the clock off by so much from here on.
    pub(crate) fn set_ahead(&mut self, seconds: i64) {
        self.ahead = seconds;
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    pub(crate) fn active(&self) -> Option<KeyId> {
        self.ring.status().ring.active
    }
}
