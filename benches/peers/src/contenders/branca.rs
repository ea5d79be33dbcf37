//! branca 0.10: XChaCha20-Poly1305 and base62, postcard inside.

use super::{Contender, KEY, Kind, Profile};
use crate::claims::{Undated, now};
use crate::sessions::Sample;

pub(super) struct Branca;

impl<S: Sample> Contender<S> for Branca {
    fn profile(&self) -> Profile {
        let carries = "issue time in the header, the rest in postcard";
        Profile { name: "branca + postcard", kind: Kind::Encrypted, carries }
    }

    fn seal(&self, state: &S) -> String {
        let claims = postcard::to_allocvec(&Undated::of(state)).expect("the sample is written");
        branca::encode(&claims, &KEY, now() as u32).expect("our own key")
    }

    fn open(&self, token: &str) -> S {
        let (issued_at, claims) = branca::decode_with_timestamp(token, &KEY).expect("our own token");
        let claims: Undated<S> = postcard::from_bytes(&claims).expect("our own postcard");
        claims.judged(issued_at.into()).expect("it has not ended")
    }
}
