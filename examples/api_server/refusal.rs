//! Why a request is not answered as it wishes, as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use waxseal::SessionError;

/// Why a request is not answered as it wishes.
pub(crate) enum Refusal {
    /// The request itself is wrong; the client may know how.
    Bad(StatusCode, String),
    /// There is no session, or it cannot change.
    Session(SessionError),
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error {
            // Nothing was lost: the client's token still opens, with the state of before.
            SessionError::TooLarge { bytes, budget } => Self::Bad(
                error.status(),
                format!("the cart is full: the session would need {bytes} bytes of a field, and {budget} are allowed"),
            ),
            error => Self::Session(error),
        }
    }
}

/// The client learns one sentence; what was wrong with a token is in the library's log.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let answer = |status: StatusCode, problem: &str| (status, Json(json!({ "error": problem }))).into_response();
        match self {
            Self::Bad(status, problem) => answer(status, &problem),
            Self::Session(error) => {
                let mut response = answer(error.status(), &error.to_string());
                error.add_headers(response.headers_mut());
                response
            }
        }
    }
}
