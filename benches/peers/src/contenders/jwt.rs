//! jsonwebtoken 11: a JWT signed with HS256.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};

use super::{Contender, KEY, Kind, Profile};
use crate::claims::Json;
use crate::sessions::Sample;

pub(super) struct Jwt {
    header: Header,
    seals: EncodingKey,
    opens: DecodingKey,
    validation: Validation,
}

impl Jwt {
    pub(super) fn new() -> Self {
        Self {
            header: Header::default(),
            seals: EncodingKey::from_secret(&KEY),
            opens: DecodingKey::from_secret(&KEY),
            validation: Validation::default(),
        }
    }
}

impl<S: Sample> Contender<S> for Jwt {
    fn profile(&self) -> Profile {
        Profile { name: "jsonwebtoken HS256", kind: Kind::Readable, carries: "all in JSON" }
    }

    fn seal(&self, state: &S) -> String {
        jsonwebtoken::encode(&self.header, &Json::now(state), &self.seals).expect("the sample is written")
    }

    fn open(&self, token: &str) -> S {
        let token = jsonwebtoken::decode::<Json<String, S>>(token, &self.opens, &self.validation);
        token.expect("our own token").claims.into_state()
    }
}
