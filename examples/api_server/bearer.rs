//! How tokens travel: `Authorization: Bearer` in, `Session-Token` out.
//!
//! Written by hand for now; a web layer of the library will take its place.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use waxseal::session::SealError;
use waxseal::{OpenError, Token};

use crate::log;

/// The one token of a request.
///
/// The scheme counts in any case. What follows it is left to the sealer, which refuses everything
/// that is not exactly one token.
pub(crate) fn token(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next().ok_or(Refusal::NoToken)?.as_bytes();
    if fields.next().is_some() {
        return Err(Refusal::SeveralTokens);
    }
    let end = field.iter().position(|&byte| byte == b' ').unwrap_or(field.len());
    let (scheme, token) = field.split_at(end);
    if scheme.eq_ignore_ascii_case(b"bearer") { Ok(token.trim_ascii_start()) } else { Err(Refusal::NoToken) }
}

/// An answer that hands out `token`, and so must not be stored on the way.
pub(crate) fn hand_out(token: Token, answer: impl IntoResponse) -> Response {
    let headers = [(SESSION_TOKEN, token.into_string()), (header::CACHE_CONTROL, "no-store".to_owned())];
    (headers, answer).into_response()
}

/// Why a request is not answered as it wishes.
pub(crate) enum Refusal {
    /// The request itself is wrong; the client may know how.
    Bad(StatusCode, String),
    /// There is no token in the `Authorization` field.
    NoToken,
    /// The token does not open.
    Open(OpenError),
    /// No token could be minted.
    Seal(SealError),
    /// There are several `Authorization` fields, and no rule which one counts.
    SeveralTokens,
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        match error {
            // Nothing was lost: the client's token still opens, with the state of before.
            SealError::TooLong { excess } => Self::Bad(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the cart is full: the session would be {excess} bytes too large for a token"),
            ),
            // The token ended while the request was on its way.
            SealError::Session(reason) => Self::Open(reason.into()),
            error => Self::Seal(error),
        }
    }
}

/// The client learns that its token was refused, and the log why.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let invalid = |status| refuse(status, Some(r#"Bearer error="invalid_token""#), "invalid session token");
        match self {
            Self::Bad(status, problem) => refuse(status, None, &problem),
            Self::NoToken => refuse(StatusCode::UNAUTHORIZED, Some("Bearer"), "a session token is needed"),
            Self::Open(error) => {
                let reason = error.reason();
                log::warn(format_args!("token refused: {}: {reason}", reason.code()));
                invalid(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED))
            }
            Self::Seal(error) => {
                log::warn(format_args!("no token was sealed: {error}"));
                refuse(StatusCode::SERVICE_UNAVAILABLE, None, "no session token can be given now")
            }
            Self::SeveralTokens => {
                log::warn("token refused: several Authorization fields");
                invalid(StatusCode::UNAUTHORIZED)
            }
        }
    }
}

fn refuse(status: StatusCode, challenge: Option<&'static str>, problem: &str) -> Response {
    let body = Json(json!({ "error": problem }));
    // A challenge belongs to a 401 and to nothing else.
    match challenge.filter(|_| status == StatusCode::UNAUTHORIZED) {
        Some(challenge) => (status, [(header::WWW_AUTHENTICATE, challenge)], body).into_response(),
        None => (status, body).into_response(),
    }
}

/// The response field for a new token. Clients replace the one they have.
const SESSION_TOKEN: HeaderName = HeaderName::from_static("session-token");
