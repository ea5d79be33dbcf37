//! orion 0.18: its ready-made AEAD, XChaCha20-Poly1305 with a random nonce; postcard inside, base64url outside.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orion::aead::{self, SecretKey};

use super::{Contender, KEY, Kind, Profile};
use crate::claims::Compact;
use crate::sessions::Sample;

pub(super) struct Orion(SecretKey);

impl Orion {
    pub(super) fn new() -> Self {
        Self(SecretKey::try_from(&KEY).expect("a key is 32 bytes"))
    }
}

impl<S: Sample> Contender<S> for Orion {
    fn profile(&self) -> Profile {
        Profile { name: "orion aead + postcard", kind: Kind::Encrypted, carries: "all in postcard" }
    }

    fn seal(&self, state: &S) -> String {
        let claims = postcard::to_allocvec(&Compact::now(state)).expect("the sample is written");
        URL_SAFE_NO_PAD.encode(aead::seal(&self.0, &claims).expect("our own key"))
    }

    fn open(&self, token: &str) -> S {
        let sealed = URL_SAFE_NO_PAD.decode(token).expect("our own base64url");
        let claims = aead::open(&self.0, &sealed).expect("our own token");
        let claims: Compact<S> = postcard::from_bytes(&claims).expect("our own postcard");
        claims.judged().expect("it has not ended")
    }
}
