//! A running server with its keys, to which rows are put, and whose log must hold no secret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use crate::ask::Ask;
use crate::keys::Keys;
use crate::row::{Outcome, Row};
use crate::run::{Answer, Protocol, curl};
use crate::server::Server;

pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) keys: Keys,
    /// The session's cookie as this server writes it: its name, and its attributes.
    cookie: (&'static str, &'static str),
    /// All that was sent or received and is nobody else's business.
    secrets: RefCell<BTreeSet<Vec<u8>>>,
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with options beside port and ring.
    pub(crate) fn with(options: &[&str]) -> Self {
        let keys = Keys::make();
        let server = Server::spawn_with(&keys.ring(), options).ready();
        let cookie = match options.contains(&PLAIN_HTTP) {
            true => (PLAIN_COOKIE, " Path=/; HttpOnly; SameSite=Lax"),
            false => (COOKIE, " Path=/; Secure; HttpOnly; SameSite=Lax"),
        };
        Self { server, keys, cookie, secrets: RefCell::default() }
    }

    /// Puts every row over every protocol that it is for, and fails with all that went wrong.
    #[track_caller]
    pub(crate) fn check(&self, rows: &[Row]) {
        assert!(!rows.is_empty(), "no rows");
        let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
        assert_eq!(names.len(), rows.len(), "two rows have the same name");
        let each = rows.iter().flat_map(|row| Protocol::BOTH.map(|protocol| (row, protocol)));
        let each: Vec<_> = each.filter(|(row, protocol)| !row.expected(*protocol).is_empty()).collect();
        let wrong: Vec<_> = each.iter().filter_map(|(row, protocol)| self.try_row(row, *protocol).err()).collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), each.len(), wrong.join("\n"));
        self.check_log();
    }

    /// Puts one row over one protocol.
    #[track_caller]
    pub(crate) fn check_over(&self, protocol: Protocol, row: &Row) {
        let tried = self.try_row(row, protocol);
        assert!(tried.is_ok(), "{}", tried.unwrap_err());
    }

    fn try_row(&self, row: &Row, protocol: Protocol) -> Result<(), String> {
        let answer = self.send(protocol, &row.ask);
        let got = answer.as_ref().map_or(Outcome::HungUp, |answer| answer.face(self.cookie).into());
        let expected = row.expected(protocol);
        let broken = answer.and_then(|answer| answer.broken_laws());
        if expected.contains(&got) && broken.is_none() {
            return Ok(());
        }
        let expected: Vec<_> = expected.iter().map(Outcome::to_string).collect();
        let expected = expected.join("\n        or: ");
        let broken = broken.map_or(String::new(), |law| format!("\n       law: {law}"));
        Err(format!("{protocol:?}, {}:\n  expected: {expected}\n       got: {got}{broken}", row.name))
    }

    /// Sends one request.
    pub(crate) fn send(&self, protocol: Protocol, ask: &Ask) -> Option<Answer> {
        let tries = if ask.has_body() { TRIES } else { 1 };
        let mut answers = (0..tries).map(|_| curl(protocol, self.server.authority(), self.directory(), ask));
        let answer = answers.find_map(|answer| answer);
        let mut secrets = self.secrets.borrow_mut();
        secrets.extend(ask.secrets());
        secrets.extend(answer.iter().flat_map(Answer::tokens).map(String::into_bytes));
        answer
    }

    /// A directory of this site's own.
    pub(crate) fn directory(&self) -> &Path {
        self.keys.directory()
    }

    /// Fails if the server wrote any part of a credential, or of a token, into its log.
    #[track_caller]
    pub(crate) fn check_log(&self) {
        let log = self.server.log().into_bytes();
        let logged: BTreeSet<_> = log.windows(TELLTALE).collect();
        let secrets = self.secrets.borrow();
        assert!(!secrets.is_empty(), "nothing to look for");
        for secret in secrets.iter() {
            let told = secret.windows(TELLTALE).find(|part| logged.contains(part));
            assert!(told.is_none(), "{} of {} is in the log", told.unwrap().escape_ascii(), secret.escape_ascii());
        }
    }
}

/// The session's cookie.
pub(crate) const COOKIE: &str = "__Host-Http-id";

/// The session's cookie under [`PLAIN_HTTP`].
pub(crate) const PLAIN_COOKIE: &str = "id";

pub(crate) const PLAIN_HTTP: &str = "--plain-http";

/// How many bytes of a secret are no coincidence. Fewer are the version and the key id, which tokens have in common.
const TELLTALE: usize = 10;

/// How often a request with a body is sent until it is answered. A server of HTTP/2 may answer before it has the body, and
/// then closes the stream (RFC 9113, section 8.1); curl, still sending, takes that for a failure now and then: curl#22984.
const TRIES: usize = 50;
