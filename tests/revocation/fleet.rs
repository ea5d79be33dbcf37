//! A fleet whose servers share a directory of revocations: each has a clock of its own, none runs a thread.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waxseal::keys::{ChangeError, DiskError, Ring, RingFile, RingPolicy};
use waxseal::revocation::{Engine, Level, Revoked};
use waxseal::session::Reason;
use waxseal::time::{ManualClock, Timestamp};
use waxseal::{KeyRing, Policy, Revocations, Revoke, Sealer, SessionId, SessionState, Stale, Token};

use super::testkit::NOW;

/// The state of every session here.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) user: String,
    pub(crate) shop: String,
}

impl SessionState for Member {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn tenant(&self) -> Option<&str> {
        Some(&self.shop)
    }
}

/// The files of a fleet, and the clocks of its servers.
pub(crate) struct Fleet {
    pub(crate) admin: RingFile,
    clocks: RefCell<Vec<Arc<ManualClock>>>,
    now: Cell<u64>,
    directory: tempfile::TempDir,
}

/// One server.
pub(crate) struct Node {
    pub(crate) ring: KeyRing,
    pub(crate) list: Revocations,
    pub(crate) sealer: Sealer<Member>,
    pub(crate) clock: Arc<ManualClock>,
}

/// Somebody who is logged in.
pub(crate) struct Login {
    pub(crate) token: RefCell<Token>,
    pub(crate) id: SessionId,
    /// Whether it was ended.
    pub(crate) over: Cell<bool>,
}

/// How a server is set up.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    /// By how many seconds its clock is ahead.
    pub(crate) ahead: i64,
    pub(crate) engine: Engine,
    pub(crate) stale: Stale,
    pub(crate) absolute: u64,
    /// Reads, and writes nothing of its own accord.
    pub(crate) observes: bool,
}

/// What servers said of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) open: usize,
    pub(crate) over: usize,
    /// Answered 503, the token kept.
    pub(crate) unknown: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            ahead: 0,
            engine: Engine::Exact,
            stale: Stale::refuse_after(BOUND),
            absolute: 30 * 86_400,
            observes: false,
        }
    }
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Self::of(RingPolicy::default())
    }

    pub(crate) fn of(policy: RingPolicy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let admin = RingFile::at(directory.path().join("ring.json"));
        admin.create(&Ring::create(policy, at(NOW)).unwrap(), at(NOW)).unwrap();
        let fleet = Self { admin, clocks: RefCell::default(), now: Cell::new(NOW), directory };
        let ring = KeyRing::options().clock(Arc::new(ManualClock::at(at(NOW)))).load(fleet.admin.path()).unwrap();
        Revocations::init_directory(&ring, fleet.shared()).unwrap();
        fleet
    }

    /// The directory that the servers share.
    pub(crate) fn shared(&self) -> PathBuf {
        self.directory.path().join("shared")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn now(&self) -> Timestamp {
        at(self.now.get())
    }

    pub(crate) fn node(&self) -> Node {
        self.node_with(Setup::default())
    }

    /// A server that starts on a directory that somebody else changed, and leaves no trace in it.
    pub(crate) fn witness(&self, shared: &Path) -> Node {
        self.node_on(self.admin.path(), shared, Setup { observes: true, ..Setup::default() })
    }

    pub(crate) fn node_ahead(&self, ahead: i64) -> Node {
        self.node_with(Setup { ahead, ..Setup::default() })
    }

    pub(crate) fn node_with(&self, setup: Setup) -> Node {
        self.node_on(self.admin.path(), &self.shared(), setup)
    }

    /// A server on a ring file and a directory of its own.
    pub(crate) fn node_on(&self, ring: &Path, shared: &Path, setup: Setup) -> Node {
        let Setup { ahead, engine, stale, absolute, observes } = setup;
        let clock = Arc::new(ManualClock::at(at(self.now.get().saturating_add_signed(ahead))));
        self.clocks.borrow_mut().push(Arc::clone(&clock));
        let ring = KeyRing::options().clock(Arc::clone(&clock)).load(ring).unwrap();
        let options = Revocations::options().engine(engine);
        let options = if observes { options.observe() } else { options };
        let list = options.directory(&ring, shared, stale).unwrap();
        let policy = Policy::default().absolute_limit(Duration::from_secs(absolute));
        let sealer = Sealer::builder(&ring, "session").policy(policy).revocations(&list).build().unwrap();
        Node { ring, list, sealer, clock }
    }

    /// Lets `seconds` pass; these servers look for news every ten.
    pub(crate) fn pass(&self, seconds: u64, nodes: &[&Node]) {
        self.pass_by(10, seconds, nodes);
    }

    pub(crate) fn pass_by(&self, step: u64, seconds: u64, nodes: &[&Node]) {
        for _ in 0..seconds / step {
            self.advance(step);
            nodes.iter().for_each(|node| node.poll());
        }
    }

    /// Lets `seconds` pass, and nobody looks.
    pub(crate) fn advance(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds);
        self.clocks.borrow().iter().for_each(|clock| clock.advance(seconds));
    }

    /// The admin changes the ring; servers find it when they look.
    pub(crate) fn change<A>(&self, change: impl FnOnce(&mut Ring, Timestamp) -> Result<A, ChangeError>) -> A {
        let now = self.now();
        let done = self.admin.update(now, "test", |ring| Ok::<_, DiskError>((change(ring, now).unwrap(), true)));
        done.unwrap()
    }

    /// Copies the directory beside itself.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let copy = self.beside(name);
        let _ = std::fs::remove_dir_all(&copy);
        std::fs::create_dir(&copy).unwrap();
        for path in self.files() {
            std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    /// The journals that there are, by name.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let is_journal = |path: &PathBuf| path.extension().is_some_and(|end| end == "journal");
        self.files().into_iter().filter(is_journal).collect()
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.shared()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Bytes of the whole directory.
    pub(crate) fn size(&self) -> u64 {
        self.files().iter().map(|path| path.metadata().unwrap().len()).sum()
    }
}

impl Node {
    /// Looks at the ring and at the list, whatever comes of it.
    pub(crate) fn poll(&self) {
        let _ = self.ring.reload();
        let _ = self.list.sync();
    }

    pub(crate) fn login(&self, user: &str, shop: &str) -> Login {
        let token = self.sealer.start(&Member { user: user.into(), shop: shop.into() }).unwrap();
        Login { id: token.id(), token: RefCell::new(token), over: Cell::new(false) }
    }

    /// Opens and renews, as a browser in use does.
    pub(crate) fn renew(&self, login: &Login) {
        let session = self.sealer.open(&*login.token.borrow()).unwrap();
        let token = self.sealer.renew(&session).unwrap();
        assert_eq!(token.id(), login.id);
        drop(login.token.replace(token));
    }

    /// Ends one session; every server's disk holds that when this returns.
    pub(crate) fn end(&self, login: &Login) {
        self.revoke(Revoke::session(login.id));
        login.over.set(true);
    }

    pub(crate) fn revoke(&self, revoke: Revoke) -> Revoked {
        self.list.revoke(revoke.level(Level::Shared)).wait().unwrap()
    }

    /// The journal of this server.
    pub(crate) fn journal(&self, fleet: &Fleet) -> PathBuf {
        let status = self.list.status();
        let own = status.nodes.iter().find(|node| node.this).expect("the server has written");
        fleet.shared().join(format!("{}.journal", own.writer))
    }

    pub(crate) fn reason(&self, login: &Login) -> Option<Reason> {
        self.sealer.open(&*login.token.borrow()).err().map(|error| error.reason())
    }
}

/// Opens every session on every server, and holds that none is lost and nothing revoked accepted.
#[track_caller]
pub(crate) fn check<'a>(nodes: &[&Node], logins: impl IntoIterator<Item = &'a Login>) -> Seen {
    let (mut seen, mut lost, mut accepted) = (Seen::default(), vec![], 0);
    for login in logins {
        for node in nodes {
            match node.sealer.open(&*login.token.borrow()) {
                Ok(_) if login.over.get() => accepted += 1,
                Ok(_) => seen.open += 1,
                Err(error) => match error.reason() {
                    Reason::UnknownRevocation { .. } => {
                        assert_eq!((error.status(), error.keep_token()), (503, true));
                        seen.unknown += 1;
                    }
                    Reason::Revoked if login.over.get() => seen.over += 1,
                    reason => lost.push(reason),
                },
            }
        }
    }
    assert!(lost.is_empty(), "{} sessions lost, such as {:?}", lost.len(), lost[0]);
    assert_eq!(accepted, 0, "revoked sessions were accepted");
    seen
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// How long a list may be out of date here.
pub(crate) const BOUND: Duration = Duration::from_secs(900);
