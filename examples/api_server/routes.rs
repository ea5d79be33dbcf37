//! The JSON API: log in, look at the session, fill the cart, renew, log out.
//!
//! Every answer about a session hands out a new token if the old one should be replaced; the server
//! itself remembers nothing between two requests.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use waxseal::keys::RingStatus;
use waxseal::time::Timestamp;
use waxseal::{KeyId, KeyRing, Sealer, Session, Token};

use crate::bearer::{Refusal, hand_out, token};
use crate::shop::{CartLine, Shop};
use crate::{ABSOLUTE_LIMIT, log, page};

/// What every request needs: two handles, cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) ring: KeyRing,
    pub(crate) sealer: Sealer<Shop>,
}

/// All routes, the page included.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/login", post(log_in))
        .route("/session", get(show))
        .route("/cart", post(add).delete(clear))
        .route("/renew", post(renew))
        .route("/logout", post(log_out))
        .route("/keys", get(keys))
        .merge(page::routes())
        .fallback(no_such_path)
        .with_state(app)
}

#[derive(Deserialize)]
struct Login {
    user: String,
}

/// Begins a session. A real service asks for a password or a passkey first; this one believes you.
async fn log_in(State(app): State<App>, body: Result<Json<Login>, JsonRejection>) -> Result<Response, Refusal> {
    let Login { user } = read(body)?;
    let chars = user.chars().count();
    if !(1..=MAX_USER_CHARS).contains(&chars) || user.chars().any(char::is_control) {
        let problem = format!("user must be 1 to {MAX_USER_CHARS} characters, none of them a control character");
        return Err(Refusal::Bad(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    app.answer(app.sealer.start(&Shop { user, cart: vec![] })?)
}

/// Shows the session, and renews it if that is due.
async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let session = app.open(&headers)?;
    match app.wants_renewal(&session).then(|| app.sealer.renew(&session)) {
        Some(Ok(token)) => app.answer(token),
        // The client did not ask for a new token, and the one it has still opens.
        Some(Err(error)) => {
            log::warn(format_args!("a session was due and not renewed: {error}"));
            Ok(Json(View::of(&session)).into_response())
        }
        None => Ok(Json(View::of(&session)).into_response()),
    }
}

#[derive(Deserialize)]
struct Addition {
    sku: u32,
    count: u16,
}

/// Puts articles into the cart. The cart is in the token, so there is a new token.
async fn add(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<Addition>, JsonRejection>,
) -> Result<Response, Refusal> {
    let mut session = app.open(&headers)?;
    let Addition { sku, count } = read(body)?;
    if count == 0 {
        return Err(Refusal::Bad(StatusCode::UNPROCESSABLE_ENTITY, "count must be 1 to 65535".to_owned()));
    }
    session.state_mut().add(sku, count);
    app.answer(app.sealer.renew(&session)?)
}

/// Empties the cart.
async fn clear(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let mut session = app.open(&headers)?;
    session.state_mut().cart.clear();
    app.answer(app.sealer.renew(&session)?)
}

/// Renews the session though nothing changed.
async fn renew(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let session = app.open(&headers)?;
    app.answer(app.sealer.renew(&session)?)
}

/// Ends the session as far as a server without revocation can: by saying what the client must do.
async fn log_out(State(app): State<App>, headers: HeaderMap) -> Result<Json<Farewell>, Refusal> {
    let session = app.open(&headers)?;
    Ok(Json(Farewell {
        logout: "forget your token: this server keeps no session, so there is nothing for it to delete",
        caution: "nothing was revoked: whoever copied the token can use it until it expires, and renew it until the end",
        expires: session.expires_at(),
        end: session.start().plus(ABSOLUTE_LIMIT.as_secs()),
    }))
}

/// The ring without its secrets. A real service shows this to its operators only.
async fn keys(State(app): State<App>) -> Json<RingStatus> {
    Json(app.ring.status())
}

async fn no_such_path() -> Refusal {
    Refusal::Bad(StatusCode::NOT_FOUND, "there is nothing here; the page is at /".to_owned())
}

impl App {
    fn open(&self, headers: &HeaderMap) -> Result<Session<Shop>, Refusal> {
        Ok(self.sealer.open(token(headers)?)?)
    }

    /// Whether a session should get a new token though nothing changed: its token is half through
    /// its life, or its key no longer seals, so that retired keys soon have no tokens left.
    fn wants_renewal(&self, session: &Session<Shop>) -> bool {
        let active = self.ring.status().ring.active;
        self.sealer.is_due(session) || active.is_some_and(|key| key != session.key_id())
    }

    /// Hands out a new token, and shows its session as the next request will find it.
    fn answer(&self, token: Token) -> Result<Response, Refusal> {
        let session = self.sealer.open(&token)?;
        Ok(hand_out(token, Json(View::of(&session))))
    }
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    match body {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => Err(Refusal::Bad(rejection.status(), rejection.body_text())),
    }
}

/// A session as JSON: what its token says, and what it holds. Times are Unix seconds.
#[derive(Serialize)]
struct View<'a> {
    session: String,
    user: &'a str,
    cart: &'a [CartLine],
    start: Timestamp,
    issued: Timestamp,
    expires: Timestamp,
    /// The key that sealed the token.
    key: KeyId,
    /// The schema in which the token's state was written.
    schema: u16,
}

impl<'a> View<'a> {
    fn of(session: &'a Session<Shop>) -> Self {
        Self {
            session: session.id().to_string(),
            user: &session.state().user,
            cart: &session.state().cart,
            start: session.start(),
            issued: session.issued_at(),
            expires: session.expires_at(),
            key: session.key_id(),
            schema: session.schema(),
        }
    }
}

/// What a client is told when it logs out.
#[derive(Serialize)]
struct Farewell {
    logout: &'static str,
    caution: &'static str,
    /// When the token ends.
    expires: Timestamp,
    /// When the session ends, however often it is renewed.
    end: Timestamp,
}

/// Longest user name, in characters.
const MAX_USER_CHARS: usize = 64;
