//! What of an answer matters to a session, in one line.

use std::collections::BTreeMap;
use std::fmt;

/// The status, the fields that concern the session, and what the JSON body says of it; all else is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Face(BTreeMap<&'static str, String>);

impl Face {
    /// A status, and nothing that concerns the session.
    pub(crate) fn untouched(status: u16) -> Self {
        Self::default().with(STATUS, status)
    }

    /// The session was looked at.
    pub(crate) fn read(status: u16) -> Self {
        Self::untouched(status).with(CACHE_CONTROL, "private").with(VARY, "Cookie, Authorization")
    }

    /// The session was looked at, and the answer shows its signals.
    pub(crate) fn shown(status: u16) -> Self {
        Self::read(status).shows_signals()
    }

    /// The answer shows the signals, and so depends on them.
    pub(crate) fn shows_signals(self) -> Self {
        self.with(VARY, "DNT, Sec-GPC, Cookie, Authorization")
    }

    /// A token goes out, or is taken back, by a server that listens to signals.
    pub(crate) fn written(status: u16) -> Self {
        Self::written_unasked(status).with(VARY, "DNT, Sec-GPC, Cookie, Authorization")
    }

    /// The same, by a server to which signals make no difference.
    pub(crate) fn written_unasked(status: u16) -> Self {
        Self::read(status).with(CACHE_CONTROL, "no-store")
    }

    pub(crate) fn sets_cookie(self) -> Self {
        self.with(SET_COOKIE, SET)
    }

    pub(crate) fn deletes_cookie(self) -> Self {
        self.with(SET_COOKIE, DELETED)
    }

    pub(crate) fn gives_token(self) -> Self {
        self.with(SESSION_TOKEN, GIVEN)
    }

    pub(crate) fn takes_token(self) -> Self {
        self.with(SESSION_TOKEN, "?0")
    }

    pub(crate) fn user(self, user: &str) -> Self {
        self.with(USER, user)
    }

    /// The session came by `carrier`.
    pub(crate) fn by(self, carrier: &str) -> Self {
        self.with(CARRIER, carrier)
    }

    pub(crate) fn nobody(self) -> Self {
        self.user(NOBODY)
    }

    pub(crate) fn heard(self, signals: &str) -> Self {
        self.with(SIGNALS, signals)
    }

    pub(crate) fn error(self, sentence: &str) -> Self {
        self.with(ERROR, sentence)
    }

    pub(crate) fn challenge(self, challenge: &str) -> Self {
        self.with(CHALLENGE, challenge)
    }

    /// A session is needed, and there is none.
    pub(crate) fn needs_session(self) -> Self {
        self.challenge(ANONYMOUS).error("a session is needed; log in first")
    }

    pub(crate) fn location(self, location: &str) -> Self {
        self.with(LOCATION, location)
    }

    pub(crate) fn cache_control(self, directives: &str) -> Self {
        self.with(CACHE_CONTROL, directives)
    }

    pub(crate) fn with(mut self, what: &'static str, value: impl ToString) -> Self {
        self.0.insert(what, value.to_string());
        self
    }
}

/// A session of ada, who is shown as the session's user in nearly all rows.
pub(crate) fn ada_by(carrier: &str) -> Face {
    Face::shown(200).user("ada").by(carrier)
}

/// No session, which is fine.
pub(crate) fn nobody() -> Face {
    Face::shown(200).nobody()
}

/// A token that is refused: the same for every reason.
pub(crate) fn refused() -> Face {
    Face::read(401).challenge(INVALID_TOKEN).error("invalid session token")
}

/// No token can be told from `Authorization`.
pub(crate) fn malformed() -> Face {
    Face::read(400).challenge(INVALID_REQUEST).error("the Authorization field does not hold one bearer token")
}

/// A session is needed, and there is none.
pub(crate) fn needed() -> Face {
    Face::read(401).needs_session()
}

/// An authentic token that this server cannot judge now.
pub(crate) fn unavailable() -> Face {
    let sentence = "this session cannot be read right now; keep it and try again";
    Face::read(503).with(RETRY_AFTER, 5).error(sentence)
}

/// A page that is being loaded, from a server that may set it no cookie.
pub(crate) fn undeliverable_to_page() -> Face {
    Face::read(409).error(
        "this site sets no cookie, since your browser asks not to be tracked or since it never does, and a page that is \
         being loaded cannot take a session otherwise",
    )
}

/// A change of a session whose cookie may not be set again.
pub(crate) fn read_only() -> Face {
    Face::read(409).error(
        "your browser asks not to be tracked, so this site writes no cookie, and this request cannot take the \
         session otherwise",
    )
}

/// A cookie that would have to cross the network in the clear.
pub(crate) fn off_the_network() -> Face {
    let sentence =
        "this server keeps cookies off the network: without HTTPS it sets them for the machine it runs on only";
    Face::read(409).error(sentence)
}

/// A path that leads nowhere.
pub(crate) fn no_path() -> Face {
    Face::untouched(404).error("there is nothing here; the page is at /")
}

/// A request that another site may have caused.
pub(crate) fn cross_site() -> Face {
    Face::read(403).error("this request comes from another site")
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|(what, value)| format!("{what}: {value}")).collect();
        f.write_str(&words.join(" | "))
    }
}

pub(crate) const STATUS: &str = "Status";
pub(crate) const SET_COOKIE: &str = "Set-Cookie";
pub(crate) const SESSION_TOKEN: &str = "Session-Token";
pub(crate) const CACHE_CONTROL: &str = "Cache-Control";
pub(crate) const VARY: &str = "Vary";
pub(crate) const CHALLENGE: &str = "WWW-Authenticate";
pub(crate) const RETRY_AFTER: &str = "Retry-After";
pub(crate) const LOCATION: &str = "Location";
pub(crate) const ERROR: &str = "error";
pub(crate) const USER: &str = "user";
pub(crate) const CARRIER: &str = "carrier";
pub(crate) const SIGNALS: &str = "signals";

/// Values of `WWW-Authenticate`.
pub(crate) const ANONYMOUS: &str = r#"Bearer realm="session""#;
pub(crate) const INVALID_REQUEST: &str = r#"Bearer realm="session", error="invalid_request""#;
pub(crate) const INVALID_TOKEN: &str = r#"Bearer realm="session", error="invalid_token""#;

/// Kinds of `Set-Cookie` and `Session-Token`.
pub(crate) const SET: &str = "set";
pub(crate) const DELETED: &str = "deleted";
pub(crate) const GIVEN: &str = "given";

pub(crate) const NOBODY: &str = "nobody";
