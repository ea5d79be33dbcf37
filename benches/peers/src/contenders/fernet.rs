//! fernet 0.2: AES-128-CBC and HMAC-SHA256 from RustCrypto, JSON inside.

use super::{Contender, Kind, Profile};
use crate::claims::{Json, LIFETIME};
use crate::sessions::Sample;

pub(super) struct Fernet(fernet::Fernet);

impl Fernet {
    pub(super) fn new() -> Self {
        Self(fernet::Fernet::new(&fernet::Fernet::generate_key()).expect("a key of its own"))
    }
}

impl<S: Sample> Contender<S> for Fernet {
    fn profile(&self) -> Profile {
        let carries = "issue time in the header, the rest in JSON";
        Profile { name: "fernet + JSON", kind: Kind::Encrypted, carries }
    }

    fn seal(&self, state: &S) -> String {
        let json = serde_json::to_vec(&Json::undated(state)).expect("the sample is written");
        self.0.encrypt(&json)
    }

    fn open(&self, token: &str) -> S {
        let json = self.0.decrypt_with_ttl(token, LIFETIME.into()).expect("our own token");
        let json: Json<String, S> = serde_json::from_slice(&json).expect("our own JSON");
        json.judged().expect("it has not ended")
    }
}
