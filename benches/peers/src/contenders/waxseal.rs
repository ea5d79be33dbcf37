//! waxseal itself, as its users call it.

use core::time::Duration;

use ::waxseal::time::{Clock, SystemClock, Timestamp};
use ::waxseal::{KeyRing, Sealer, Session, Signer};

use super::{Contender, Kind, Profile};
use crate::sessions::Sample;

pub(crate) const SEALED: &str = "waxseal";
pub(crate) const RENEWED: &str = "waxseal, renewed";
const SIGNED: &str = "waxseal, signed";

/// The first token of a session.
pub(super) struct Sealed<S>(Sealer<S>);

impl<S: Sample> Sealed<S> {
    pub(super) fn new() -> Self {
        Self(sealer())
    }
}

impl<S: Sample> Contender<S> for Sealed<S> {
    fn profile(&self) -> Profile {
        let carries = "key id, issue time and id in the header, lifetime and schema beside postcard";
        Profile { name: SEALED, kind: Kind::Encrypted, carries }
    }

    fn seal(&self, state: &S) -> String {
        self.0.start(state).expect("the sample fits").into_string()
    }

    fn open(&self, token: &str) -> S {
        self.0.open(token).expect("our own token").into_state()
    }
}

/// A later token of a session that began ten minutes ago: the changed state is the one in the session.
pub(super) struct Renewed<S> {
    sealer: Sealer<S>,
    session: Session<S>,
}

impl<S: Sample> Renewed<S> {
    pub(super) fn new() -> Self {
        let clock = TenMinutesOn(SystemClock::new(Duration::from_secs(60)));
        let earlier = clock.0.now();
        let builder = Sealer::builder(&ring(), "session").clock(clock);
        let sealer = builder.build().expect("the purpose is one");
        let token = sealer.with(&[]).at(earlier).start(&S::sample()).expect("the sample fits");
        let session = sealer.open(&token).expect("our own token");
        Self { sealer, session }
    }
}

/// The machine's clock, ten minutes from now: no ring is old enough for a session to have begun ten minutes ago.
struct TenMinutesOn(SystemClock);

impl Clock for TenMinutesOn {
    fn now(&self) -> Timestamp {
        self.0.now().plus(600)
    }
}

impl<S: Sample> Contender<S> for Renewed<S> {
    fn profile(&self) -> Profile {
        let carries = "the same, and the start of the session with its id";
        Profile { name: RENEWED, kind: Kind::Encrypted, carries }
    }

    fn seal(&self, _: &S) -> String {
        self.sealer.renew(&self.session).expect("the sample fits").into_string()
    }

    fn open(&self, token: &str) -> S {
        self.sealer.open(token).expect("our own token").into_state()
    }
}

/// The first token of a session that anyone can read.
pub(super) struct Signed<S>(Signer<S>);

impl<S: Sample> Signed<S> {
    pub(super) fn new() -> Self {
        Self(Signer::new(&ring(), "session").expect("the purpose is one"))
    }
}

impl<S: Sample> Contender<S> for Signed<S> {
    fn profile(&self) -> Profile {
        Profile { name: SIGNED, kind: Kind::Readable, carries: "as waxseal" }
    }

    fn seal(&self, state: &S) -> String {
        self.0.sign(state).expect("the sample fits").into_string()
    }

    fn open(&self, token: &str) -> S {
        self.0.verify(token).expect("our own token").into_state()
    }
}

fn sealer<S: Sample>() -> Sealer<S> {
    Sealer::new(&ring(), "session").expect("the purpose is one")
}

fn ring() -> KeyRing {
    KeyRing::generate().expect("the operating system gives random bytes")
}
