//! From a JWT in `Authorization`: clients that know what a session token is are given one, all others go on as before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION, request::Parts};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{RequestPartsExt, Router};
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};
use waxseal::carrier::response::SESSION_TRANSPORT;
use waxseal::{CookiePolicy, CurrentSession, OpenSession, Sealer, SessionError, SessionLayer, SessionState};

/// What a JWT says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose it is.
    pub sub: String,
    /// When it ends, in Unix seconds.
    pub exp: u64,
    /// Its name. If yours have none, take a hash of the whole token.
    pub jti: String,
}

/// Whose session it is, and the JWT that it was imported from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub user: String,
    /// Until when the JWT would be good, and its name.
    pub jwt: Option<(u64, String)>,
}

impl SessionState for Account {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

/// What is needed for as long as there are JWTs.
#[derive(Clone)]
pub struct Old {
    /// The key that verifies them.
    pub key: DecodingKey,
    /// What is asked of them.
    pub validation: Validation,
    /// Those whose session was ended, until they expire. With several servers, keep this where all of them look.
    pub spent: Arc<Mutex<HashMap<String, u64>>>,
}

/// Who is asking: the user of a JWT that was not imported, or else of the session.
#[derive(Clone)]
pub struct User(pub String);

/// Starts a session for a client that sends a JWT and says that it can hold a token.
pub async fn import(
    State(old): State<Old>,
    session: CurrentSession<Account>,
    mut request: Request,
    next: Next,
) -> Result<Response, SessionError> {
    let Some(claims) = old.read(request.headers()) else { return Ok(next.run(request).await) };
    if old.is_spent(&claims.jti) {
        return Err(SessionError::Anonymous);
    }
    let keeps_tokens = request.headers().get(SESSION_TRANSPORT).is_some_and(|way| way == "header");
    let is_there = matches!(session.get(), Ok(Some(session)) if session.state().user == claims.sub);
    let account = Account { user: claims.sub.clone(), jwt: Some((claims.exp, claims.jti)) };
    if !keeps_tokens || !is_there && session.start(account).is_err() {
        // What a client says with every request counts more than a cookie that it may not know of.
        request.extensions_mut().insert(User(claims.sub));
    }
    Ok(next.run(request).await)
}

impl Old {
    fn read(&self, headers: &HeaderMap) -> Option<Claims> {
        let (scheme, jwt) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        decode(jwt, &self.key, &self.validation).ok().map(|jwt| jwt.claims)
    }

    fn is_spent(&self, jti: &str) -> bool {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).contains_key(jti)
    }

    /// Remembers a JWT for as long as it could be used.
    fn spend(&self, exp: u64, jti: String) {
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, exp| *exp + self.validation.leeway >= now);
        spent.insert(jti, exp);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        if let Some(user) = parts.extensions.get::<Self>() {
            return Ok(user.clone());
        }
        let session: OpenSession<Account> = parts.extract().await?;
        Ok(Self(session.user.clone()))
    }
}

async fn me(User(user): User) -> String {
    user
}

/// Whoever has the JWT still, from a backup or in another tab, cannot begin again with it.
async fn logout(
    State(old): State<Old>,
    session: CurrentSession<Account>,
    headers: HeaderMap,
) -> Result<StatusCode, SessionError> {
    let imported = session.get().ok().flatten().and_then(|session| session.state().jwt.clone());
    let presented = old.read(&headers).map(|claims| (claims.exp, claims.jti));
    session.end()?;
    imported.into_iter().chain(presented).for_each(|(exp, jti)| old.spend(exp, jti));
    Ok(StatusCode::NO_CONTENT)
}

/// The import is around all routes but the logout.
pub fn app(sealer: &Sealer<Account>, policy: CookiePolicy, old: Old) -> Router {
    Router::new()
        .route("/me", get(me).post(me))
        .layer(from_fn_with_state(old.clone(), import))
        .route("/logout", post(logout))
        .layer(SessionLayer::new(sealer).policy(policy))
        .with_state(old)
}
