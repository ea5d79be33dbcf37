//! WebSockets: the session is read at the handshake, and what becomes of it later must be told to the socket.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, post};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};
use waxseal::carrier::csrf::{self, TrustedOrigins};
use waxseal::carrier::{Names, RequestHead};
use waxseal::session::BuildError;
use waxseal::{
    CurrentSession, KeyRing, OpenSession, Policy, Sealer, SessionError, SessionId, SessionLayer, SessionState,
};

use crate::Shop;

/// Whom a socket belongs to and for how long. As a token, sealed for this purpose and for half a minute, it is the ticket of
/// a page that holds a session token, since browsers let no page put one into a handshake.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ticket {
    user: String,
    session: String,
    ends: u64,
}

impl SessionState for Ticket {}

/// What the sockets share.
#[derive(Clone)]
pub struct Live {
    /// Seals tickets.
    pub tickets: Sealer<Ticket>,
    /// Tells the sockets which sessions have ended.
    pub ended: broadcast::Sender<SessionId>,
    /// Other origins whose pages may open sockets.
    pub trusted: TrustedOrigins,
}

impl Live {
    /// For one server. With several, tell what has ended to all of them, such as by your message broker.
    pub fn new(ring: &KeyRing) -> Result<Self, BuildError> {
        let half_a_minute = Policy::default().idle_limit(Duration::from_secs(30));
        let tickets = Sealer::builder(ring, "socket-ticket").policy(half_a_minute).build()?;
        Ok(Self { tickets, ended: broadcast::channel(64).0, trusted: TrustedOrigins::default() })
    }
}

/// Refuses handshakes of other sites' pages. They are GET requests with the user's cookie, and CORS does not hold them back.
pub async fn own_pages_only(State(live): State<Live>, request: Request, next: Next) -> Result<Response, SessionError> {
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let authority = request.uri().authority().map(|authority| authority.as_str());
    // Judged as a POST, since what comes over a socket may change something.
    let head = RequestHead::read("POST", authority, fields, &Names { cookie: "", prefix: None });
    csrf::check(&head, &live.trusted).map_err(SessionError::CrossSite)?;
    Ok(next.run(request).await)
}

async fn open(State(live): State<Live>, session: Option<OpenSession<Shop>>, upgrade: WebSocketUpgrade) -> Response {
    let ticket = session.as_ref().map(Ticket::of);
    upgrade.on_upgrade(move |socket| talk(socket, live, ticket))
}

/// Echoes, with the user's name, until the session ends.
async fn talk(mut socket: WebSocket, live: Live, ticket: Option<Ticket>) {
    let mut ended = live.ended.subscribe();
    let Some(ticket) = (match ticket {
        Some(ticket) => Some(ticket),
        None => first_message(&mut socket, &live.tickets).await,
    }) else {
        return;
    };
    let end = sleep(left(ticket.ends));
    tokio::pin!(end);
    loop {
        tokio::select! {
            biased; // in this order, so that nothing is done for a session that has ended
            () = &mut end => return,
            session = ended.recv() => match session {
                Ok(session) if session.to_string() != ticket.session => {}
                _ => return, // this one ended; or too many did for this socket to know
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Ok(()) = socket.send(format!("{}: {text}", ticket.user).into()).await else { return };
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
}

/// The ticket as the first message, within ten seconds.
async fn first_message(socket: &mut WebSocket, tickets: &Sealer<Ticket>) -> Option<Ticket> {
    let Ok(Some(Ok(Message::Text(text)))) = timeout(Duration::from_secs(10), socket.recv()).await else { return None };
    tickets.open(text.as_str()).ok().map(|ticket| ticket.into_state())
}

impl Ticket {
    fn of(session: &OpenSession<Shop>) -> Self {
        let (user, session) = (session.user.clone(), session.session());
        Self { user, session: session.id().to_string(), ends: session.expires_at().as_unix() }
    }
}

async fn ticket(State(live): State<Live>, session: OpenSession<Shop>) -> Result<String, SessionError> {
    Ok(live.tickets.start(&Ticket::of(&session))?.into_string())
}

async fn logout(State(live): State<Live>, session: CurrentSession<Shop>) -> Result<StatusCode, SessionError> {
    let id = session.get().ok().flatten().map(|session| session.id());
    session.end()?;
    let _ = id.map(|id| live.ended.send(id)); // an error says that no socket is open
    Ok(StatusCode::NO_CONTENT)
}

/// How long it is until `ends`, in Unix seconds.
fn left(ends: u64) -> Duration {
    Duration::from_secs(ends).saturating_sub(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// A socket, tickets for it, and the logout that it hears of.
pub fn app(layer: SessionLayer<Shop>, live: Live) -> Router {
    Router::new()
        .route("/socket", any(open))
        .layer(from_fn_with_state(live.clone(), own_pages_only))
        .route("/ticket", post(ticket))
        .route("/logout", post(logout))
        .layer(layer)
        .with_state(live)
}
