//! From axum-extra's `PrivateCookieJar`: a session is imported when its browser comes by, and its old cookie deleted.

use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
use waxseal::carrier::cookie::{self, Found};
use waxseal::carrier::{Undeliverable, response::SESSION_TRANSPORT};
use waxseal::{CookiePolicy, CurrentSession, OpenSession, Sealer, SessionError, SessionLayer};

use crate::Shop;

/// What is needed for as long as there are old sessions.
#[derive(Clone)]
pub struct Old {
    /// The key of the jar.
    pub key: Key,
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
    State(old): State<Old>,
    session: CurrentSession<Shop>,
    mut request: Request,
    next: Next,
) -> Result<Response, SessionError> {
    let Some(shop) = old.read(request.headers()) else { return Ok(next.run(request).await) };
    let is_spent = match session.get() {
        Ok(Some(_)) => true, // the client shows that it has the new session
        Ok(None) => match old.start(&shop, &session, request.headers()) {
            Ok(is_spent) => is_spent,
            Err(error) if old.import && !request.method().is_safe() => return Err(error),
            Err(_) => {
                request.extensions_mut().insert(OldShop(shop));
                false
            }
        },
        Err(_) => false, // whoever asks for the session is told why there is none
    };
    let jar = PrivateCookieJar::from_headers(request.headers(), old.key);
    let response = next.run(request).await;
    // What a handler began that failed is not sent, so the old session must stay.
    Ok(if is_spent && !response.status().is_server_error() {
        (forget(jar), response).into_response()
    } else {
        response
    })
}

impl Old {
    /// Starts the new session, and says whether the old cookie goes at once. A script that holds a token sends no
    /// cookies any more, so there is no later; any other client shows first that the new session reached it.
    fn start(&self, shop: &Shop, session: &CurrentSession<Shop>, headers: &HeaderMap) -> Result<bool, SessionError> {
        let by_script = self.policy == CookiePolicy::Never || self.policy.signal(session.signals());
        let keeps_tokens = headers.get(SESSION_TRANSPORT).is_some_and(|way| way == "header");
        if !self.import || by_script && !keeps_tokens {
            return Err(SessionError::Undeliverable(Undeliverable::ReadOnly));
        }
        session.start(shop.clone())?;
        Ok(by_script)
    }

    /// Byte by byte: a jar would take a cookie `%73hop` for `shop`, and of two cookies `shop` the one that came last.
    fn read(&self, headers: &HeaderMap) -> Option<Shop> {
        let fields = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let Found::Value(value) = cookie::find(fields, OLD_COOKIE) else { return None };
        let sealed = Cookie::parse_encoded(format!("{OLD_COOKIE}={}", str::from_utf8(value).ok()?)).ok()?;
        let opened = PrivateCookieJar::new(self.key.clone()).decrypt(sealed)?;
        serde_json::from_str(opened.value()).ok()
    }
}

/// With the path that it was set with, or browsers keep it; with the domain too, if it had one.
fn forget(jar: PrivateCookieJar) -> PrivateCookieJar {
    jar.remove(Cookie::build(OLD_COOKIE).path("/"))
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
    old: Option<Extension<OldShop>>,
    jar: PrivateCookieJar,
    Json(sku): Json<u32>,
) -> Result<PrivateCookieJar, SessionError> {
    match (shop, old) {
        (Some(mut shop), _) => shop.update(|shop| shop.cart.push(sku)).map(|()| jar),
        (None, Some(Extension(OldShop(mut shop)))) => {
            shop.cart.push(sku);
            Ok(jar.add(Cookie::build((OLD_COOKIE, serde_json::json!(shop).to_string())).path("/")))
        }
        (None, None) => Err(SessionError::Anonymous),
    }
}

/// Nothing is left of an old session, which may be somebody else's. Checking the password is up to you.
async fn login(
    session: CurrentSession<Shop>,
    jar: PrivateCookieJar,
    Json(user): Json<String>,
) -> Result<PrivateCookieJar, SessionError> {
    session.start(Shop { user, cart: vec![] })?;
    Ok(forget(jar))
}

/// Ends both, for as long as there are old ones.
async fn logout(
    session: CurrentSession<Shop>,
    jar: PrivateCookieJar,
) -> Result<(PrivateCookieJar, Redirect), SessionError> {
    session.end()?;
    Ok((forget(jar), Redirect::to("/")))
}

/// The import is not around login and logout, which must work for whoever cannot be imported.
pub fn app(sealer: &Sealer<Shop>, old: Old) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/cart", post(add))
        .layer(from_fn_with_state(old.clone(), import))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(SessionLayer::new(sealer).policy(old.policy))
        .with_state(old)
}

impl FromRef<Old> for Key {
    fn from_ref(old: &Old) -> Self {
        old.key.clone()
    }
}

const OLD_COOKIE: &str = "shop";
