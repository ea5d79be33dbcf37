use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use waxseal::{CurrentSession, KeyRing, Policy, Sealer, SessionError, SessionLayer};
use waxseal_recipes::Shop;
use waxseal_recipes::websocket::{Live, app};

use crate::ada;
use crate::browser::send;

/// How long a session lives.
const LIFE: Duration = Duration::from_secs(900);

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

struct Site {
    layer: SessionLayer<Shop>,
    app: Router,
    address: String,
}

impl Site {
    async fn new() -> Self {
        let ring = KeyRing::generate().unwrap();
        let policy = Policy::default().idle_limit(LIFE);
        let layer = SessionLayer::new(&Sealer::builder(&ring, "session").policy(policy).build().unwrap());
        Self::serving(app(layer.clone(), Live::new(&ring).unwrap()), layer).await
    }

    async fn serving(app: Router, layer: SessionLayer<Shop>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = app.clone();
        tokio::spawn(async { axum::serve(listener, service).await });
        Self { layer, app, address }
    }

    /// The fields of a page that is logged in with a cookie.
    fn ada(&self) -> HeaderMap {
        self.layer.request_headers(&ada()).unwrap()
    }

    /// A handshake of a page of `origin`.
    async fn connect(&self, origin: &str, mut fields: HeaderMap) -> Result<WebSocketStream<TcpStream>, StatusCode> {
        fields.remove("sec-fetch-site");
        fields.insert(header::ORIGIN, origin.parse().unwrap());
        let mut request = format!("ws://{}/socket", self.address).into_client_request().unwrap();
        request.headers_mut().extend(fields);
        match client_async(request, TcpStream::connect(&self.address).await.unwrap()).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, text: &str) -> Option<String> {
    socket.send(Message::text(text)).await.ok()?;
    match timeout(PATIENCE, socket.next()).await.expect("an answer or the end") {
        Some(Ok(Message::Text(text))) => Some(text.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn a_socket_knows_its_user_from_the_handshake() {
    let site = Site::new().await;
    let mut socket = site.connect(&site.origin(), site.ada()).await.unwrap();
    assert_eq!(say(&mut socket, "hello").await.unwrap(), "ada: hello");
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() {
    let site = Site::new().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(site.connect(origin, site.ada()).await.unwrap_err(), StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn a_logout_closes_the_sockets_of_its_session_and_no_others() {
    let site = Site::new().await;
    let (fields, others) = (site.ada(), site.ada());
    let mut socket = site.connect(&site.origin(), fields.clone()).await.unwrap();
    let mut other = site.connect(&site.origin(), others).await.unwrap();
    say(&mut socket, "hello").await.unwrap();
    say(&mut other, "hello").await.unwrap();
    let mut request = Request::post("/logout").body(Body::empty()).unwrap();
    request.headers_mut().extend(fields);
    assert_eq!(send(&site.app, request).await.status, StatusCode::NO_CONTENT);
    assert_eq!(say(&mut socket, "still there?").await, None);
    assert_eq!(say(&mut other, "still there?").await.unwrap(), "ada: still there?");
}

#[tokio::test]
async fn a_page_that_holds_a_token_sends_a_ticket_first() {
    let site = Site::new().await;
    let mut request = Request::post("/ticket").body(Body::empty()).unwrap();
    request.headers_mut().extend(site.ada());
    let ticket = send(&site.app, request).await.body;
    let mut socket = site.connect(&site.origin(), HeaderMap::new()).await.unwrap();
    socket.send(Message::text(ticket)).await.unwrap();
    assert_eq!(say(&mut socket, "hello").await.unwrap(), "ada: hello");

    let mut stranger = site.connect(&site.origin(), HeaderMap::new()).await.unwrap();
    assert_eq!(say(&mut stranger, "let me in").await, None);
}

/// Time stands still but for what waits, so the session's end comes at once.
#[tokio::test(start_paused = true)]
async fn a_socket_ends_with_its_session() {
    let site = Site::new().await;
    let began = tokio::time::Instant::now();
    let mut socket = site.connect(&site.origin(), site.ada()).await.unwrap();
    assert!(!matches!(timeout(2 * LIFE, socket.next()).await.unwrap(), Some(Ok(Message::Text(_)))));
    let lasted = began.elapsed().as_secs();
    assert!((890..=900).contains(&lasted), "{lasted}");
}

/// The head of the response is long gone.
#[tokio::test]
async fn nothing_can_be_written_into_the_session_from_a_socket() {
    type Results = mpsc::Sender<Result<(), SessionError>>;
    async fn open(
        State(results): State<Results>,
        session: CurrentSession<Shop>,
        upgrade: WebSocketUpgrade,
    ) -> Response {
        session.get().unwrap();
        upgrade.on_upgrade(move |_: WebSocket| async move {
            results.send(session.update(|shop| shop.cart.push(2))).await.unwrap();
            results.send(session.end()).await.unwrap();
            assert_eq!(session.get().unwrap().unwrap().state(), &ada(), "what was read can be read");
        })
    }
    let layer = SessionLayer::new(&crate::sealer());
    let (results, mut written) = mpsc::channel(2);
    let app = Router::new().route("/socket", any(open)).layer(layer.clone()).with_state(results);
    let site = Site::serving(app, layer).await;
    let _socket = site.connect(&site.origin(), site.ada()).await.unwrap();
    for _ in ["update", "end"] {
        let result = timeout(PATIENCE, written.recv()).await.expect("a result");
        assert_eq!(result.unwrap(), Err(SessionError::TooLate));
    }
}
