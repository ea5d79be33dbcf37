//! Why a handler has no session, or cannot change it: a sentence for the client, the reason for the log.

use core::fmt;

use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::carrier::csrf::CrossSite;
use crate::carrier::response::{CHALLENGE, CHALLENGE_INVALID_REQUEST, CHALLENGE_INVALID_TOKEN};
use crate::carrier::{Malformed, Undeliverable};
use crate::session::{OpenError, SealError};
use crate::text::{self, MAX_TEXT_LEN};

/// Why a handler has no session, or cannot change the one it has.
///
/// Displayed as what the client may be told, and never more: what was wrong with a token is in its field alone. With the
/// feature `axum` it is a response, so `?` works in handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// The request carries no session. 401.
    Anonymous,
    /// The session changed while [`update`](super::CurrentSession::update) was at work on it. 500.
    Concurrent,
    /// The request may come from another site, and the browser attached the session by itself. 403.
    CrossSite(CrossSite),
    /// The request carries an `Authorization` field that is not ours, and the layer refuses these. 401.
    Foreign,
    /// The token in `Authorization` was refused. 401.
    Invalid(OpenError),
    /// No layer for sessions of this type is around the handler. 500.
    LayerMissing,
    /// No token can be told from the request. 400.
    Malformed(Malformed),
    /// The layer's sealer has no list of revocations, so no session ends but by its client forgetting it. 500.
    NoRevocations,
    /// The session's state names no subject, so nobody knows which sessions are its user's. 500.
    NoSubject,
    /// No token can be minted. 503, or 401 if the session ended meanwhile, or 500 if the state cannot be written.
    Seal(SealError),
    /// An update would make the session somebody else's, or another tenant's. 500.
    SubjectChanged,
    /// The session does not fit its carrier. 413.
    TooLarge {
        /// Bytes that the field with the token would have.
        bytes: usize,
        /// The most that it may have.
        budget: usize,
    },
    /// The response's head is already on its way, or nobody waits for it any more. 500.
    TooLate,
    /// An authentic token came that this server cannot judge now; the client keeps it. 503.
    Unavailable(OpenError),
    /// No carrier can take the token to this client. 409.
    Undeliverable(Undeliverable),
}

impl SessionError {
    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Anonymous | Self::Foreign | Self::Invalid(_) => StatusCode::UNAUTHORIZED,
            Self::Seal(SealError::Session(_) | SealError::SessionOver) => StatusCode::UNAUTHORIZED,
            Self::CrossSite(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Seal(error) if is_passing(error) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Undeliverable(_) => StatusCode::CONFLICT,
            Self::Concurrent
            | Self::LayerMissing
            | Self::NoRevocations
            | Self::NoSubject
            | Self::Seal(_)
            | Self::SubjectChanged
            | Self::TooLate => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Adds the fields that the status asks for: `WWW-Authenticate` or `Retry-After`.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        let challenge = match self {
            Self::Anonymous => Some(CHALLENGE),
            Self::Malformed(_) => Some(CHALLENGE_INVALID_REQUEST),
            _ if self.status() == StatusCode::UNAUTHORIZED => Some(CHALLENGE_INVALID_TOKEN),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
    }

    /// A whole response, for services that are not axum's: status, fields, and the sentence as the body.
    pub fn response<B: From<String>>(&self) -> http::Response<B> {
        let mut response = http::Response::new(self.to_string().into());
        *response.status_mut() = self.status();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, text);
        self.add_headers(response.headers_mut());
        response
    }
}

/// Whether the same request may succeed a little later, or on another server.
fn is_passing(error: &SealError) -> bool {
    matches!(error, SealError::CutOffAhead | SealError::EndOfTime | SealError::NoActiveKey | SealError::Random(_))
}

impl From<SealError> for SessionError {
    fn from(error: SealError) -> Self {
        match error {
            // As it would be on opening: whoever is told 401 gives a token up that will be good again.
            SealError::Session(reason) if OpenError::from(reason).status() == 503 => Self::Unavailable(reason.into()),
            SealError::TooLong { excess } => {
                Self::TooLarge { bytes: MAX_TEXT_LEN + text::encoded_len(excess), budget: MAX_TEXT_LEN }
            }
            error => Self::Seal(error),
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "a session is needed; log in first",
            Self::Concurrent => "the session was changed twice at once",
            Self::CrossSite(_) => "this request comes from another site",
            Self::Foreign => "this kind of authorization is not taken here",
            Self::Invalid(_) | Self::Seal(SealError::Session(_) | SealError::SessionOver) => "invalid session token",
            Self::LayerMissing => {
                "no SessionLayer of this session's type is around this handler; add it with `.layer(..)` after the routes \
                 that use the session"
            }
            Self::Malformed(_) => "the Authorization field does not hold one bearer token",
            Self::NoRevocations => {
                "this server has no list of revocations to end other sessions by; give its sealer one with \
                 `SealerBuilder::revocations`"
            }
            Self::NoSubject => {
                "this session names no subject, so no other is known to be of the same user; let `SessionState::subject` \
                 say whose it is"
            }
            Self::Seal(_) => "no session token can be given now",
            Self::SubjectChanged => "an update may not change whose session it is, nor its tenant; `start` begins another",
            Self::TooLarge { .. } => "the session has grown too large for this client to keep",
            Self::TooLate => "the response is already on its way without this change",
            Self::Unavailable(_) => "this session cannot be read right now; keep it and try again",
            Self::Undeliverable(Undeliverable::Page) => {
                "this site sets no cookie, since your browser asks not to be tracked or since it never does, and a page \
                 that is being loaded cannot take a session otherwise"
            }
            Self::Undeliverable(Undeliverable::PlainHttp) => {
                "this server keeps cookies off the network: without HTTPS it sets them for the machine it runs on only"
            }
            Self::Undeliverable(Undeliverable::ReadOnly) => {
                "your browser asks not to be tracked, so this site writes no cookie, and this request cannot take the \
                 session otherwise"
            }
        })
    }
}

impl std::error::Error for SessionError {}

#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for SessionError {
    fn into_response(self) -> axum_core::response::Response {
        if self.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = ?self, "a handler misuses its session: {self}");
        }
        self.response()
    }
}

/// After how many seconds a client may try again.
pub(super) const RETRY_SECONDS: &str = "5";
