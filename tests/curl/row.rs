//! One case: a name, what is sent, and what must come back over each protocol.

use crate::ask::Ask;
use crate::face::Face;
use crate::run::Protocol;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ask: Ask,
    /// Any of these, over HTTP/1.1. Nearly always one.
    http1: Vec<Outcome>,
    /// Any of these, over HTTP/2.
    http2: Vec<Outcome>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answer(Face),
    /// The server ended the connection or the stream instead.
    HungUp,
}

/// A case with the same answer over both protocols.
pub(crate) fn row(name: impl Into<String>, ask: Ask, face: Face) -> Row {
    let outcome = vec![Outcome::Answer(face)];
    Row { name: name.into(), ask, http1: outcome.clone(), http2: outcome }
}

impl Row {
    /// Over HTTP/1.1 this may come back as well.
    pub(crate) fn or_over_http1(mut self, face: Face) -> Self {
        self.http1.push(Outcome::Answer(face));
        self
    }

    /// Over HTTP/2 this must come back instead.
    pub(crate) fn over_http2(mut self, outcome: impl Into<Outcome>) -> Self {
        self.http2 = vec![outcome.into()];
        self
    }

    /// Not to be sent over HTTP/2.
    pub(crate) fn http1_only(mut self) -> Self {
        self.http2.clear();
        self
    }

    /// Not to be sent over HTTP/1.1.
    pub(crate) fn http2_only(mut self) -> Self {
        self.http1.clear();
        self
    }

    /// What may come back; nothing if the protocol is not for this row.
    pub(crate) fn expected(&self, protocol: Protocol) -> &[Outcome] {
        match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        }
    }
}

impl From<Face> for Outcome {
    fn from(face: Face) -> Self {
        Self::Answer(face)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer(face) => face.fmt(f),
            Self::HungUp => f.write_str("hung up"),
        }
    }
}
