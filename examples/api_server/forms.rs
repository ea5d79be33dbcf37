//! Forms without script: logging in and out by loading a page.
//!
//! A page that is being loaded cannot take a session in a header. Under Do Not Track or Global Privacy Control a login by
//! form therefore has three ways: say why it cannot be, take the user's explicit choice for a cookie, or hand the token to a
//! page whose script keeps it.

use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::post;
use serde::Deserialize;
use waxseal::{CurrentSession, SessionError, Token};

use crate::page;
use crate::routes::user_name;
use crate::shop::Shop;

/// The routes of the forms.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/form/login", post(log_in))
        .route("/form/logout", post(log_out))
        .route("/form/logout/everywhere", post(log_out_everywhere))
        .route("/form/logout/others", post(log_out_others))
}

#[derive(Deserialize)]
struct Login {
    user: String,
    /// `cookie`, `page`, or nothing.
    #[serde(default)]
    way: String,
}

async fn log_in(session: CurrentSession<Shop>, form: Result<Form<Login>, FormRejection>) -> Result<Response, Problem> {
    let Form(Login { user, way }) = form.map_err(|error| Problem::Text(error.body_text()))?;
    let Ok(user) = user_name(user) else { return Err(Problem::Text("that is no name".to_owned())) };
    let mut shop = Shop::of(user);
    match way.as_str() {
        "cookie" => {
            shop.chose_cookie = true;
            session.start(shop)?;
        }
        "page" => {
            if let Some(token) = session.hand_off(shop)? {
                return Ok(hand_off(&token));
            }
        }
        _ => {
            session.start(shop)?;
        }
    }
    Ok(Redirect::to("/").into_response())
}

async fn log_out(session: CurrentSession<Shop>) -> Result<Redirect, Problem> {
    session.end()?;
    Ok(Redirect::to("/"))
}

async fn log_out_everywhere(session: CurrentSession<Shop>) -> Result<Redirect, Problem> {
    session.end_everywhere()?;
    Ok(Redirect::to("/"))
}

async fn log_out_others(session: CurrentSession<Shop>) -> Result<Redirect, Problem> {
    session.end_others()?;
    Ok(Redirect::to("/"))
}

/// A page that holds the token for a moment: its script keeps it and goes on, leaving no trace in the history.
fn hand_off(token: &Token) -> Response {
    // A token is base64url, so nothing in it can end the attribute.
    let body = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="session-token" content="{}">
<title>Logging in</title>
<script type="module" src="/handoff.js"></script>
<p>Logging in … <noscript>this needs JavaScript, since your browser asks for no cookies.</noscript></p>
</html>
"#,
        token.as_str()
    );
    (page::SECURITY_HEADERS, Html(body)).into_response()
}

/// A form's problem, as a page.
enum Problem {
    Session(SessionError),
    Text(String),
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Text(problem) => (StatusCode::UNPROCESSABLE_ENTITY, page(&problem, "")).into_response(),
            Self::Session(error) => {
                let way_out = match error {
                    SessionError::Undeliverable(_) => {
                        "Go back and choose: a cookie from this site although your browser asks for none, or a page \
                         that hands the session to a script."
                    }
                    _ => "",
                };
                let mut response = (error.status(), page(&error.to_string(), way_out)).into_response();
                error.add_headers(response.headers_mut());
                response
            }
        }
    }
}

fn page(problem: &str, way_out: &str) -> impl IntoResponse {
    let problem = problem.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not logged in</title>
<link rel="stylesheet" href="/page.css">
<h1>Not logged in</h1>
<p id="problem">{problem}</p>
<p>{way_out} <a href="/">Back</a></p>
</html>
"#
    );
    (page::SECURITY_HEADERS, Html(body))
}
