//! Who is measured: each peer in a file of its own, and the floors.
//!
//! All are given the same claims (see [`claims`](crate::claims)) and check the same when they open: that the token is
//! authentic, and that it has not ended.

mod biscuit;
mod branca;
mod fernet;
mod floor;
mod jar;
#[cfg(feature = "josekit")]
mod jwe;
mod jwt;
mod orion;
mod paseto;
mod waxseal;

use crate::sessions::Sample;

pub(crate) use floor::OWN_FLOOR;
pub(crate) use jar::PRIVATE_JAR;
pub(crate) use waxseal::{RENEWED, SEALED};

/// A way to make a session a token and a token a session.
pub(crate) trait Contender<S> {
    fn profile(&self) -> Profile;

    fn seal(&self, state: &S) -> String;

    /// The state in a token of this contender's own, which it opens.
    fn open(&self, token: &str) -> S;

    /// Characters of the token.
    fn chars(&self, token: &str) -> usize {
        token.len()
    }

    /// Characters of the token in a cookie.
    fn on_the_wire(&self, token: &str) -> usize {
        token.len()
    }
}

/// What a reader of the table must know of a contender.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Where id, issue time and expiry are, and how the state is written.
    pub(crate) carries: &'static str,
}

/// Who can read a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Encrypted,
    /// Anyone: it is only signed.
    Readable,
}

/// Everybody, the library first and the floors last.
pub(crate) fn all<S: Sample>() -> Vec<Box<dyn Contender<S>>> {
    vec![
        Box::new(waxseal::Sealed::new()),
        Box::new(waxseal::Renewed::new()),
        Box::new(waxseal::Signed::new()),
        Box::new(orion::Orion::new()),
        Box::new(jar::Jar::private()),
        Box::new(jar::Jar::private_value()),
        Box::new(jar::Jar::signed()),
        Box::new(jwt::Jwt::new()),
        #[cfg(feature = "josekit")]
        Box::new(jwe::Jwe::new()),
        Box::new(paseto::RustyPaseto::new()),
        Box::new(paseto::Pasetors::new()),
        Box::new(branca::Branca),
        Box::new(fernet::Fernet::new()),
        Box::new(biscuit::Biscuit::new()),
        Box::new(floor::Floor::with_ring()),
        Box::new(floor::Floor::as_it_comes()),
        Box::new(floor::Floor::signed()),
    ]
}

/// The key of everybody who takes 32 bytes.
const KEY: [u8; 32] = *b"\x8d\x1f\x5a\xe0\x33\xc7\x94\x02\xb6\x7e\x21\xdd\x48\x90\xfc\x15\
    \x6a\x0b\xe9\x57\xc2\x3d\x84\x1a\xf5\x60\x99\x0e\xd7\x42\xab\x71";
