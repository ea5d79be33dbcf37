//! A message for the next page, shown once.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::{Method, request::Parts};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use waxseal::{CurrentSession, Sealer, SessionError, SessionLayer, SessionState};

/// What is kept for everybody, logged in or not.
#[derive(Default, Serialize, Deserialize)]
pub struct Visitor {
    /// Who it is.
    pub user: Option<String>,
    /// What the next page shows.
    pub flash: Option<String>,
}

impl SessionState for Visitor {
    fn subject(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// Leaves `message` for the next page, in a session of its own if there is none.
pub fn leave(session: &CurrentSession<Visitor>, message: &str) -> Result<(), SessionError> {
    let flash = Some(message.to_owned());
    if session.get()?.is_none() {
        return session.start(Visitor { flash, ..Visitor::default() }).map(drop);
    }
    session.update(|visitor| visitor.flash = flash)
}

/// The message that was left, if there is one. It is taken out of the session; without one nothing is written.
pub struct Flash(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Flash {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let session = CurrentSession::<Visitor>::of_parts(parts)?;
        // Nobody looks at the answer to HEAD, and perhaps nobody at a page that is loaded ahead.
        if parts.method == Method::HEAD || parts.headers.contains_key("sec-purpose") {
            return Ok(Self(None));
        }
        match session.update(|visitor| visitor.flash.take()) {
            Ok(flash) => Ok(Self(flash)),
            // Without a session, or where the message could not be taken out and would be shown on every page.
            Err(SessionError::Anonymous | SessionError::Undeliverable(_)) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

async fn save(session: CurrentSession<Visitor>) -> Result<Redirect, SessionError> {
    leave(&session, "Saved.")?;
    Ok(Redirect::to("/"))
}

async fn page(Flash(flash): Flash) -> Html<String> {
    Html(flash.map_or_else(String::new, |flash| format!("<p role=status>{flash}</p>")))
}

/// Saving leaves a message, and the next page shows it.
pub fn app(sealer: &Sealer<Visitor>) -> Router {
    Router::new().route("/", get(page)).route("/save", post(save)).layer(SessionLayer::new(sealer))
}
