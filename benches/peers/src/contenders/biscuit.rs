//! biscuit-auth 6: Ed25519 and datalog. It is readable, and can be narrowed by whoever holds it; nobody else here can.

use core::time::Duration;

use biscuit_auth::macros::{authorizer, biscuit};
use biscuit_auth::{AuthorizerLimits, KeyPair, PublicKey};

use super::{Contender, Kind, Profile};
use crate::claims::{ID, LIFETIME, now};
use crate::sessions::Sample;

pub(super) struct Biscuit {
    root: KeyPair,
    public: PublicKey,
}

impl Biscuit {
    pub(super) fn new() -> Self {
        let root = KeyPair::new();
        let public = root.public();
        Self { root, public }
    }
}

impl<S: Sample> Contender<S> for Biscuit {
    fn profile(&self) -> Profile {
        let carries = "facts, and a check of the time; the state is a fact in postcard";
        Profile { name: "biscuit-auth", kind: Kind::Readable, carries }
    }

    fn seal(&self, state: &S) -> String {
        let (id, state) = (ID.to_vec(), postcard::to_allocvec(state).expect("the sample is written"));
        let issued = now() as i64;
        let ends = issued + i64::from(LIFETIME);
        let token = biscuit!(
            "session({id}, {issued}, {state}); check if now($now), $now < {ends};",
            id = id,
            issued = issued,
            state = state,
            ends = ends,
        );
        token.build(&self.root).expect("our own key").to_base64().expect("our own token")
    }

    fn open(&self, token: &str) -> S {
        let token = biscuit_auth::Biscuit::from_base64(token, self.public).expect("our own token");
        let judge = authorizer!("now({now}); allow if true;", now = now() as i64);
        let mut judge = judge.set_limits(PATIENT).build(&token).expect("facts");
        judge.authorize().expect("it has not ended");
        let (_, state): (i64, Vec<u8>) =
            judge.query_exactly_one("data($issued, $state) <- session($id, $issued, $state)").expect("one session");
        postcard::from_bytes(&state).expect("our own postcard")
    }
}

/// Its default is a millisecond of wall time, which a busy machine exceeds.
const PATIENT: AuthorizerLimits =
    AuthorizerLimits { max_facts: 1_000, max_iterations: 100, max_time: Duration::from_secs(1) };
