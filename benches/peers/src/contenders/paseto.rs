//! PASETO v4.local, twice: the core of rusty_paseto 0.10 and the low level of pasetors 0.8.
//!
//! Both are given times as numbers, not as the RFC 3339 text that the specification asks for: that is shorter and faster.

use pasetors::keys::SymmetricKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{LocalToken, V4 as Version4};
use rusty_paseto::core::{Key, Local, Paseto, PasetoNonce, PasetoSymmetricKey, Payload, V4};

use super::{Contender, KEY, Kind, Profile};
use crate::claims::Json;
use crate::sessions::Sample;

pub(super) struct RustyPaseto(PasetoSymmetricKey<V4, Local>);

impl RustyPaseto {
    pub(super) fn new() -> Self {
        Self(PasetoSymmetricKey::from(Key::from(KEY)))
    }
}

impl<S: Sample> Contender<S> for RustyPaseto {
    fn profile(&self) -> Profile {
        Profile { name: "rusty_paseto core v4.local", kind: Kind::Encrypted, carries: "all in JSON" }
    }

    fn seal(&self, state: &S) -> String {
        let json = serde_json::to_string(&Json::now(state)).expect("the sample is written");
        let nonce = Key::<32>::try_new_random().expect("the operating system gives random bytes");
        let mut token = Paseto::<V4, Local>::builder();
        token.set_payload(Payload::from(json.as_str()));
        token.try_encrypt(&self.0, &PasetoNonce::from(&nonce)).expect("our own key")
    }

    fn open(&self, token: &str) -> S {
        let json = Paseto::<V4, Local>::try_decrypt(token, &self.0, None, None).expect("our own token");
        let json: Json<String, S> = serde_json::from_str(&json).expect("our own JSON");
        json.judged().expect("it has not ended")
    }
}

pub(super) struct Pasetors(SymmetricKey<Version4>);

impl Pasetors {
    pub(super) fn new() -> Self {
        Self(SymmetricKey::from(&KEY).expect("a key is 32 bytes"))
    }
}

impl<S: Sample> Contender<S> for Pasetors {
    fn profile(&self) -> Profile {
        Profile { name: "pasetors low level v4.local", kind: Kind::Encrypted, carries: "all in JSON" }
    }

    fn seal(&self, state: &S) -> String {
        let json = serde_json::to_vec(&Json::now(state)).expect("the sample is written");
        LocalToken::encrypt(&self.0, &json, None, None).expect("our own key")
    }

    fn open(&self, token: &str) -> S {
        let token = UntrustedToken::try_from(token).expect("our own token");
        let token = LocalToken::decrypt(&self.0, &token, None, None).expect("our own token");
        let json: Json<String, S> = serde_json::from_str(token.payload()).expect("our own JSON");
        json.judged().expect("it has not ended")
    }
}
