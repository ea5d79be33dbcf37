//! From tower-sessions: a session is imported when its client comes by, and its record deleted from the store.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::COOKIE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use tower_sessions::{Session as OldSession, SessionManagerLayer, SessionStore};
use waxseal::carrier::cookie::{self, Found};
use waxseal::carrier::{Undeliverable, response::SESSION_TRANSPORT};
use waxseal::{CookiePolicy, CurrentSession, OpenSession, Sealer, SessionError, SessionLayer};

use crate::Shop;

/// How sessions are moved.
#[derive(Clone, Copy)]
pub struct Moving {
    /// The policy of the layer.
    pub policy: CookiePolicy,
    /// Whether sessions are imported. Not before every server runs this version.
    pub import: bool,
}

/// An old session that was not imported, to be read.
#[derive(Clone)]
pub struct OldShop(pub Shop);

/// Starts a session for whoever has only an old one.
pub async fn import(
    State(moving): State<Moving>,
    old: OldSession,
    session: CurrentSession<Shop>,
    mut request: Request,
    next: Next,
) -> Result<Response, SessionError> {
    let Some(shop) = read(&old, request.headers()).await else { return Ok(next.run(request).await) };
    let is_spent = match session.get() {
        Ok(Some(_)) => true, // the client shows that it has the new session
        Ok(None) => match moving.start(&shop, &session, request.headers()) {
            Ok(is_spent) => is_spent,
            Err(error) if moving.import && !request.method().is_safe() => return Err(error),
            Err(_) => {
                request.extensions_mut().insert(OldShop(shop));
                false
            }
        },
        Err(_) => false, // whoever asks for the session is told why there is none
    };
    let response = next.run(request).await;
    // What a handler began that failed is not sent, so the old session must stay.
    if is_spent && !response.status().is_server_error() {
        // If the store fails, tower-sessions saves the record without what was in it, or answers 500.
        let _ = old.flush().await;
    }
    Ok(response)
}

impl Moving {
    /// Starts the new session, and says whether the old one goes at once. A script that holds a token sends no cookies
    /// any more, so there is no later; any other client shows first that the new session reached it.
    fn start(self, shop: &Shop, session: &CurrentSession<Shop>, headers: &HeaderMap) -> Result<bool, SessionError> {
        let by_script = self.policy == CookiePolicy::Never || self.policy.signal(session.signals());
        let keeps_tokens = headers.get(SESSION_TRANSPORT).is_some_and(|way| way == "header");
        if !self.import || by_script && !keeps_tokens {
            return Err(SessionError::Undeliverable(Undeliverable::ReadOnly));
        }
        session.start(shop.clone())?;
        Ok(by_script)
    }
}

/// Two cookies of one name are not what a browser sends that nobody tampered with. Without a cookie the store is not asked.
async fn read(old: &OldSession, headers: &HeaderMap) -> Option<Shop> {
    let fields = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let Found::Value(_) = cookie::find(fields, OLD_COOKIE) else { return None };
    old.get("shop").await.ok()?
}

async fn show(shop: Option<OpenSession<Shop>>, old: Option<Extension<OldShop>>) -> String {
    match (&shop, &old) {
        (Some(shop), _) => format!("{} {:?}", shop.user, shop.cart),
        (None, Some(Extension(OldShop(shop)))) => format!("{} {:?}, to be read", shop.user, shop.cart),
        (None, None) => "who are you?".into(),
    }
}

/// Changes the session, or before the import is switched on an old one, as ever.
async fn add(
    shop: Option<OpenSession<Shop>>,
    old_shop: Option<Extension<OldShop>>,
    old: OldSession,
    Json(sku): Json<u32>,
) -> Result<(), Response> {
    match (shop, old_shop) {
        (Some(mut shop), _) => shop.update(|shop| shop.cart.push(sku)).map_err(IntoResponse::into_response),
        (None, Some(Extension(OldShop(mut shop)))) => {
            shop.cart.push(sku);
            old.insert("shop", shop).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        (None, None) => Err(SessionError::Anonymous.into_response()),
    }
}

/// Nothing is left of an old session, which may be somebody else's. Checking the password is up to you.
async fn login(session: CurrentSession<Shop>, old: OldSession, Json(user): Json<String>) -> Result<(), Response> {
    session.start(Shop { user, cart: vec![] }).map_err(IntoResponse::into_response)?;
    old.flush().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// Ends both, for as long as there are old ones.
async fn logout(session: CurrentSession<Shop>, old: OldSession) -> Result<Redirect, Response> {
    session.end().map_err(IntoResponse::into_response)?;
    old.flush().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())?;
    Ok(Redirect::to("/"))
}

/// The import is not around login and logout, which must work for whoever cannot be imported.
pub fn app(sealer: &Sealer<Shop>, store: impl SessionStore + Clone, moving: Moving) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/cart", post(add))
        .layer(from_fn_with_state(moving, import))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(SessionLayer::new(sealer).policy(moving.policy))
        .layer(SessionManagerLayer::new(store).with_name(OLD_COOKIE))
}

const OLD_COOKIE: &str = "old_id";
