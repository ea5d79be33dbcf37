//! The JSON API: log in, look at the session, fill the cart, renew, log out.
//!
//! The layer around the routes carries the session: as a cookie, or as a token that the page's script holds. The server
//! itself remembers nothing between two requests but which sessions are over.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use waxseal::keys::RingStatus;
use waxseal::revocation::RevocationStatus;
use waxseal::time::Timestamp;
use waxseal::web::{Arrived, Signals};
use waxseal::{CurrentSession, KeyId, KeyRing, OpenSession, Revocations, Session, SessionError, SessionLayer};

use crate::refusal::Refusal;
use crate::shop::{CartLine, Shop};
use crate::{ABSOLUTE_LIMIT, forms, page};

/// All routes, the page included. Only the routes inside of the layer have a session.
pub(crate) fn router(ring: KeyRing, revocations: Revocations, sessions: SessionLayer<Shop>) -> Router {
    Router::new()
        .route("/login", post(log_in))
        .route("/session", get(show))
        .route("/whoami", get(who))
        .route("/cart", post(add).delete(clear))
        .route("/renew", post(renew))
        .route("/logout", post(log_out))
        .route("/logout/everywhere", post(log_out_everywhere))
        .route("/logout/others", post(log_out_others))
        .merge(forms::routes())
        .layer(sessions)
        .route("/keys", get(keys))
        .route("/revocations", get(list))
        .route("/ready", get(ready))
        .merge(page::routes())
        .fallback(no_such_path)
        .with_state(Operated { ring, revocations })
}

#[derive(Deserialize)]
struct Login {
    user: String,
}

/// Begins a session. A real service asks for a password or a passkey first; this one believes you.
async fn log_in(
    session: CurrentSession<Shop>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<Json<View>, Refusal> {
    let Login { user } = read(body)?;
    let begun = session.start(Shop::of(user_name(user)?))?;
    Ok(View::of(&session, &begun))
}

/// A session that is needed. As a `Result`, so that a refusal is JSON here like every other answer.
type Opened = Result<OpenSession<Shop>, SessionError>;

/// Shows the session. The layer renews it if that is due.
async fn show(session: Opened) -> Result<Json<View>, Refusal> {
    let session = session?;
    Ok(View::of(session.current(), session.session()))
}

/// Who is asking, if anybody: for pages that are shown to everyone.
async fn who(session: CurrentSession<Shop>) -> Result<Json<Who>, Refusal> {
    let user = session.get()?.map(|open| open.state().user.clone());
    Ok(Json(Who { user, travel: Travel::of(&session) }))
}

#[derive(Deserialize)]
struct Addition {
    sku: u32,
    count: u16,
}

/// Puts articles into the cart. The cart is in the token, so there is a new token.
async fn add(session: Opened, body: Result<Json<Addition>, JsonRejection>) -> Result<Json<View>, Refusal> {
    let mut session = session?;
    let Addition { sku, count } = read(body)?;
    if count == 0 {
        return Err(Refusal::Bad(StatusCode::UNPROCESSABLE_ENTITY, "count must be 1 to 65535".to_owned()));
    }
    session.update(|shop| shop.add(sku, count))?;
    Ok(View::of(session.current(), session.session()))
}

/// Empties the cart.
async fn clear(session: Opened) -> Result<Json<View>, Refusal> {
    let mut session = session?;
    session.update(|shop| shop.cart.clear())?;
    Ok(View::of(session.current(), session.session()))
}

/// Renews the session though nothing changed.
async fn renew(session: Opened) -> Result<Json<View>, Refusal> {
    let session = session?;
    session.current().renew()?;
    Ok(View::of(session.current(), session.session()))
}

/// Ends the session, in every copy of its token. Whoever has none is logged out already.
async fn log_out(session: CurrentSession<Shop>) -> Result<Json<Farewell>, Refusal> {
    let open = session.get().ok().flatten();
    session.end()?;
    Ok(Farewell::of(open.as_deref(), "forget your token: your session is over here, and no copy of the token opens"))
}

/// Ends every session of the user, this one included.
async fn log_out_everywhere(session: Opened) -> Result<Json<Farewell>, Refusal> {
    let current = session?.current().clone();
    let open = current.get()?;
    current.end_everywhere()?;
    Ok(Farewell::of(
        open.as_deref(),
        "forget your token: all your sessions are over, and no token of theirs opens here",
    ))
}

/// Ends every other session of the user.
async fn log_out_others(session: Opened) -> Result<Json<Farewell>, Refusal> {
    let session = session?;
    session.end_others()?;
    Ok(Farewell::of(Some(session.session()), "all your other sessions are over, and this one goes on"))
}

/// The ring without its secrets. A real service shows this to its operators only.
async fn keys(State(operated): State<Operated>) -> Json<RingStatus> {
    Json(operated.ring.status())
}

/// How the list of revocations is doing. For operators as well.
async fn list(State(operated): State<Operated>) -> Json<RevocationStatus> {
    Json(operated.revocations.status())
}

/// For a load balancer: whether this server can judge sessions. It stays ready if the others cannot be reached for a while.
async fn ready(State(operated): State<Operated>) -> StatusCode {
    if operated.revocations.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// What the operators look at.
#[derive(Clone)]
struct Operated {
    ring: KeyRing,
    revocations: Revocations,
}

async fn no_such_path() -> Refusal {
    Refusal::Bad(StatusCode::NOT_FOUND, "there is nothing here; the page is at /".to_owned())
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    match body {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => Err(Refusal::Bad(rejection.status(), rejection.body_text())),
    }
}

/// A user's name, if it can be one.
pub(crate) fn user_name(user: String) -> Result<String, Refusal> {
    if !(1..=MAX_USER_CHARS).contains(&user.chars().count()) || user.chars().any(char::is_control) {
        let problem = format!("user must be 1 to {MAX_USER_CHARS} characters, none of them a control character");
        return Err(Refusal::Bad(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    Ok(user)
}

/// A session as JSON: what it holds, and what the token says that this request came with. Times are Unix seconds.
#[derive(Serialize)]
struct View {
    session: String,
    user: String,
    cart: Vec<CartLine>,
    start: Timestamp,
    issued: Timestamp,
    expires: Timestamp,
    /// The key that sealed the token.
    key: KeyId,
    /// The schema in which the token's state was written.
    schema: u16,
    #[serde(flatten)]
    travel: Travel,
}

impl View {
    fn of(current: &CurrentSession<Shop>, session: &Session<Shop>) -> Json<Self> {
        let state = session.state();
        Json(Self {
            session: session.id().to_string(),
            user: state.user.clone(),
            cart: state.cart.clone(),
            start: session.start(),
            issued: session.issued_at(),
            expires: session.expires_at(),
            key: session.key_id(),
            schema: session.schema(),
            travel: Travel::of(current),
        })
    }
}

/// How the request's session travelled, and what the browser asks of every site.
#[derive(Serialize)]
struct Travel {
    carrier: Option<&'static str>,
    signals: Asked,
}

#[derive(Serialize)]
struct Asked {
    dnt: Option<bool>,
    gpc: bool,
}

impl Travel {
    fn of(current: &CurrentSession<Shop>) -> Self {
        let carrier = match current.arrived() {
            Ok(Arrived::Cookie) => Some("cookie"),
            Ok(Arrived::Header) => Some("header"),
            Ok(Arrived::Nothing) | Err(_) => None,
        };
        let Signals { dnt, gpc } = current.signals();
        Self { carrier, signals: Asked { dnt, gpc } }
    }
}

#[derive(Serialize)]
struct Who {
    user: Option<String>,
    #[serde(flatten)]
    travel: Travel,
}

/// What a client is told when it ends sessions.
#[derive(Serialize)]
struct Farewell {
    logout: &'static str,
    caution: &'static str,
    /// When the token ends.
    expires: Option<Timestamp>,
    /// When the session ends, however often it is renewed.
    end: Option<Timestamp>,
}

impl Farewell {
    fn of(open: Option<&Session<Shop>>, logout: &'static str) -> Json<Self> {
        Json(Self {
            logout,
            caution: "with status 200 the other servers learn of this within about a second; with 503, once it can be written down",
            expires: open.map(Session::expires_at),
            end: open.map(|open| open.start().plus(ABSOLUTE_LIMIT.as_secs())),
        })
    }
}

/// Longest user name, in characters.
const MAX_USER_CHARS: usize = 64;
