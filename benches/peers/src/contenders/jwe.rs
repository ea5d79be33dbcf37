//! josekit 0.10: a JWE with a direct key and A256GCM, through OpenSSL.

use josekit::jwe::alg::direct::{DirectJweAlgorithm, DirectJweDecrypter, DirectJweEncrypter};
use josekit::jwe::{self, JweHeader};

use super::{Contender, KEY, Kind, Profile};
use crate::claims::Json;
use crate::sessions::Sample;

pub(super) struct Jwe {
    header: JweHeader,
    seals: DirectJweEncrypter,
    opens: DirectJweDecrypter,
}

impl Jwe {
    pub(super) fn new() -> Self {
        let mut header = JweHeader::new();
        header.set_content_encryption("A256GCM");
        let seals = DirectJweAlgorithm::Dir.encrypter_from_bytes(KEY).expect("a key is 32 bytes");
        let opens = DirectJweAlgorithm::Dir.decrypter_from_bytes(KEY).expect("a key is 32 bytes");
        Self { header, seals, opens }
    }
}

impl<S: Sample> Contender<S> for Jwe {
    fn profile(&self) -> Profile {
        Profile { name: "josekit JWE dir A256GCM", kind: Kind::Encrypted, carries: "all in JSON" }
    }

    fn seal(&self, state: &S) -> String {
        let json = serde_json::to_vec(&Json::now(state)).expect("the sample is written");
        jwe::serialize_compact(&json, &self.header, &self.seals).expect("our own key")
    }

    fn open(&self, token: &str) -> S {
        let (json, _) = jwe::deserialize_compact(token, &self.opens).expect("our own token");
        let json: Json<String, S> = serde_json::from_slice(&json).expect("our own JSON");
        json.judged().expect("it has not ended")
    }
}
