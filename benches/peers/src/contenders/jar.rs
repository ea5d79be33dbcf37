//! cookie 0.18, which most of Rust's cookie sessions stand on: its private and its signed jar, JSON inside.
//!
//! A token is what stands in the field, percent-coded as axum-extra, tower-cookies, actix-web and Rocket have it; the
//! private jar is measured a second time without that.

use cookie::{Cookie, CookieJar, Key};

use super::{Contender, Kind, Profile};
use crate::claims::Json;
use crate::sessions::Sample;

pub(crate) const PRIVATE_JAR: &str = "cookie PrivateJar + JSON";

pub(super) struct Jar {
    key: Key,
    kind: Kind,
    percent: bool,
}

impl Jar {
    pub(super) fn private() -> Self {
        Self { key: Key::generate(), kind: Kind::Encrypted, percent: true }
    }

    pub(super) fn private_value() -> Self {
        Self { percent: false, ..Self::private() }
    }

    pub(super) fn signed() -> Self {
        Self { kind: Kind::Readable, ..Self::private() }
    }

    /// The cookie of a field.
    fn parse(&self, field: &str) -> Cookie<'static> {
        let cookie = if self.percent { Cookie::parse_encoded(field) } else { Cookie::parse(field) };
        cookie.expect("our own cookie").into_owned()
    }
}

impl<S: Sample> Contender<S> for Jar {
    fn profile(&self) -> Profile {
        let name = match (self.kind, self.percent) {
            (Kind::Readable, _) => "cookie SignedJar + JSON",
            (Kind::Encrypted, true) => PRIVATE_JAR,
            (Kind::Encrypted, false) => "the same, not percent-coded",
        };
        Profile { name, kind: self.kind, carries: "all in JSON" }
    }

    fn seal(&self, state: &S) -> String {
        let json = serde_json::to_string(&Json::now(state)).expect("the sample is written");
        let (mut jar, cookie) = (CookieJar::new(), Cookie::new(NAME, json));
        match self.kind {
            Kind::Encrypted => jar.private_mut(&self.key).add(cookie),
            Kind::Readable => jar.signed_mut(&self.key).add(cookie),
        }
        let cookie = jar.get(NAME).expect("it was added");
        if self.percent { cookie.encoded().stripped().to_string() } else { cookie.stripped().to_string() }
    }

    fn open(&self, token: &str) -> S {
        let (jar, cookie) = (CookieJar::new(), self.parse(token));
        let cookie = match self.kind {
            Kind::Encrypted => jar.private(&self.key).decrypt(cookie),
            Kind::Readable => jar.signed(&self.key).verify(cookie),
        };
        let json: Json<String, S> = serde_json::from_str(cookie.expect("our own token").value()).expect("our own JSON");
        json.judged().expect("it has not ended")
    }

    fn chars(&self, token: &str) -> usize {
        self.parse(token).value().len()
    }

    fn on_the_wire(&self, token: &str) -> usize {
        token.len() - NAME.len() - 1
    }
}

const NAME: &str = "session";
