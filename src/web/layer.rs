//! The layer: what an application decides about the sessions of its routes.

use core::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use tower_layer::Layer;

use super::desk::Desk;
use super::service::SessionService;
use crate::carrier::csrf::{OriginError, TrustedOrigins};
use crate::carrier::response::{Cookie, DROP_TOKEN, SESSION_TOKEN, SameSite};
use crate::carrier::{CookiePolicy, Foreign, Rules};
use crate::id::{Carrier, CookieName, LabelError};
use crate::revocation::{Level, Revocations};
use crate::session::{OpenError, SealError, Sealer, Session};
use crate::state::SessionState;

/// Carries sessions of type `T` between the clients and the handlers of a service.
///
/// One layer does all of it: cookies, the `Authorization` and `Session-Token` fields, Do Not Track and Global Privacy
/// Control, cross-site requests, caches. See the [module docs](super) for an example.
#[must_use]
pub struct SessionLayer<T> {
    desk: Arc<Desk<T>>,
}

impl<T: SessionState> SessionLayer<T> {
    /// A layer over `sealer`, whose own carrier does not matter: `__Host-Http-id` as the cookie, `SameSite=Lax`, until the browser is closed, unless the browser
    /// sends Do Not Track or Global Privacy Control.
    pub fn new(sealer: &Sealer<T>) -> Self {
        let name: CookieName = DEFAULT_COOKIE.parse().expect("the default cookie has a cookie's name");
        let desk = Desk {
            cookies: sealer.carrier(Carrier::Cookie(name.clone())),
            headers: sealer.carrier(Carrier::Header),
            rules: Rules::default(),
            cookie: Cookie { name, same_site: SameSite::default(), secure: true },
            persistent: false,
            allows_cookie: |_| false,
            trusted: TrustedOrigins::default(),
            logout_level: Level::Local,
            budget: DEFAULT_BUDGET,
            warn_above: DEFAULT_WARN_ABOVE,
        };
        Self { desk: Arc::new(desk) }
    }

    /// Whether cookies are used. [`CookiePolicy::RespectSignals`] with both signals unless set.
    pub fn policy(self, policy: CookiePolicy) -> Self {
        self.set(|desk| desk.rules.policy = policy)
    }

    /// The cookie's name, `__Host-Http-id` unless set: 1 to 64 RFC 6265 token characters.
    ///
    /// Keep a prefix: `__Host-` and `__Host-Http-` are what keeps a sibling site from planting the cookie. Tokens are bound to the name, so
    /// whoever has a cookie of the old name is logged out by a new one.
    ///
    /// # Errors
    /// It is no cookie's name.
    pub fn cookie_name(self, name: &str) -> Result<Self, LabelError> {
        let name: CookieName = name.parse()?;
        Ok(self.named(name))
    }

    /// To which requests of other sites the cookie is attached. [`SameSite::Lax`] unless set.
    pub fn same_site(self, same_site: SameSite) -> Self {
        self.set(|desk| desk.cookie.same_site = same_site)
    }

    /// Keeps the cookie when the browser is closed, until its token expires.
    pub fn persistent(self) -> Self {
        self.set(|desk| desk.persistent = true)
    }

    /// Sets cookies for sessions of which `chose` says that their user chose the cookie for this site, even if the browser sends
    /// a signal. An explicit choice beats a general signal in both specifications.
    ///
    /// Keep the choice in the state, such as a ticked "remember me with a cookie"; see also
    /// [`CurrentSession::allow_cookie`](super::CurrentSession::allow_cookie).
    pub fn allow_cookie_if(self, chose: fn(&T) -> bool) -> Self {
        self.set(|desk| desk.allows_cookie = chose)
    }

    /// Lets pages of `origin`, such as `https://app.example.com`, act with their users' cookies and log in, spelled as browsers spell it.
    ///
    /// # Errors
    /// No browser spells an origin so.
    pub fn trusted_origin(self, origin: &str) -> Result<Self, OriginError> {
        let mut trusted = self.desk.trusted.clone();
        trusted.add(origin)?;
        Ok(self.set(|desk| desk.trusted = trusted))
    }

    /// How durable a logout must be before it is answered. [`Level::Local`] unless set; of no effect without
    /// [`revocations`](crate::session::SealerBuilder::revocations).
    ///
    /// The response of whoever logs out is held until then, and is answered 503 if it cannot be; the session is over on this server
    /// all the same. With a directory `Local` and `Shared` are the same: both wait for it. With Redis `Local` waits for the spool
    /// alone: other servers hear of the logout only once this one can share it, however long that takes; `Shared` answers 503
    /// instead.
    ///
    /// A level that the sealer's list never reaches, such as `Replicated` in a directory or `Shared` in memory, would make every
    /// logout a 503. So the layer waits for the most that the list can reach, and the log says so at level error, once for each
    /// call of this.
    pub fn logout_level(self, level: Level) -> Self {
        let most = self.desk.headers.revocations().map_or(level, Revocations::most);
        if level > most {
            tracing::error!(asked = %level, %most, "logouts are never as durable as this layer asks; they wait for the most that the list of revocations can reach");
        }
        self.set(|desk| desk.logout_level = level.min(most))
    }

    /// Most bytes of the field that hands a token out, 4,093 unless set: the least that any browser keeps of a cookie.
    ///
    /// Lower it where a proxy takes less. Above 4,093 some browsers drop the cookie without a word.
    pub fn budget(self, bytes: usize) -> Self {
        self.set(|desk| desk.budget = bytes)
    }

    /// From how many bytes of that field on the log warns, 2,048 unless set.
    pub fn warn_above(self, bytes: usize) -> Self {
        self.set(|desk| desk.warn_above = bytes)
    }

    /// Refuses requests whose `Authorization` field is not ours, such as a JWT, instead of ignoring the field.
    pub fn reject_foreign_bearer(self) -> Self {
        self.set(|desk| desk.rules.foreign = Foreign::Reject)
    }

    /// Uses a cookie called `id` without `Secure`, for development without HTTPS, and only where the request was sent to this machine: `localhost`,
    /// `127.0.0.0/8` or `[::1]`. To any other host no cookie is set, and none is read.
    ///
    /// Not needed for most browsers, which treat `http://localhost` as secure; Safari does not. Another
    /// [`cookie_name`](Self::cookie_name) must be set after this, and is needed beside other middleware whose cookie is `id`.
    ///
    /// # Security
    /// Whoever can read the connection has the session.
    pub fn dangerous_plain_http(self) -> Self {
        let name: CookieName = PLAIN_COOKIE.parse().expect("the plain cookie has a cookie's name");
        self.named(name).set(|desk| {
            desk.rules.plain_http = true;
            desk.cookie.secure = false;
        })
    }

    /// The fields that a request of a client with a new session in `state` carries, for tests of your own handlers: the
    /// cookie and `Sec-Fetch-Site` as a page of the same origin would send them, or the bearer token under
    /// [`CookiePolicy::Never`]. With [`dangerous_plain_http`](Self::dangerous_plain_http) also `Host: localhost`.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use waxseal::{KeyRing, Sealer, SessionLayer, SessionState};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Shop { user: String }
    /// # impl SessionState for Shop {}
    /// let layer = SessionLayer::new(&Sealer::new(&KeyRing::generate()?, "session")?);
    /// let mut request = http::Request::post("/cart").body(String::new())?;
    /// request.headers_mut().extend(layer.request_headers(&Shop { user: "ada".into() })?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn request_headers(&self, state: &T) -> Result<HeaderMap, SealError> {
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: String| {
            let mut value = HeaderValue::from_str(&value).expect("tokens and cookies are visible ASCII");
            value.set_sensitive(true);
            headers.insert(name, value);
        };
        if self.desk.rules.policy == CookiePolicy::Never {
            let token = self.desk.headers.start(state)?;
            add(AUTHORIZATION, format!("Bearer {}", token.as_str()));
        } else {
            let token = self.desk.cookies.start(state)?;
            add(COOKIE, format!("{}={}", self.desk.cookie.name.as_str(), token.as_str()));
            headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        }
        if self.desk.rules.plain_http {
            // The cookie is read from this machine only.
            headers.insert(HOST, HeaderValue::from_static("localhost"));
        }
        Ok(headers)
    }

    /// The session that a response hands out, in whichever field, for tests of your own handlers; `None` if it hands out none.
    ///
    /// # Errors
    /// There is a token that does not open. See [`OpenError`].
    pub fn response_session(&self, headers: &HeaderMap) -> Result<Option<Session<T>>, OpenError> {
        let Desk { cookie, cookies, headers: sealer, .. } = &*self.desk;
        let mut fields = headers.get_all(SET_COOKIE).iter().map(HeaderValue::as_bytes);
        let cookie = fields.find(|field| cookie.is_set_by(field)).and_then(|field| {
            let value = field.split(|&byte| byte == b';').next()?.get(cookie.name.as_str().len() + 1..)?;
            (!value.is_empty()).then_some(value)
        });
        let header =
            headers.get(SESSION_TOKEN).map(HeaderValue::as_bytes).filter(|value| *value != DROP_TOKEN.as_bytes());
        match (cookie, header) {
            (Some(token), _) => cookies.open(token).map(Some),
            (None, Some(token)) => sealer.open(token).map(Some),
            (None, None) => Ok(None),
        }
    }

    #[cfg(test)]
    pub(super) fn desk(&self) -> Arc<Desk<T>> {
        Arc::clone(&self.desk)
    }

    fn named(self, name: CookieName) -> Self {
        self.set(|desk| {
            desk.cookies = desk.headers.carrier(Carrier::Cookie(name.clone()));
            desk.cookie.name = name;
        })
    }

    fn set(mut self, change: impl FnOnce(&mut Desk<T>)) -> Self {
        change(Arc::make_mut(&mut self.desk));
        self
    }
}

impl<S, T> Layer<S> for SessionLayer<T> {
    type Service = SessionService<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, Arc::clone(&self.desk))
    }
}

impl<T> Clone for SessionLayer<T> {
    fn clone(&self) -> Self {
        Self { desk: Arc::clone(&self.desk) }
    }
}

impl<T> fmt::Debug for SessionLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Desk { rules, cookie, .. } = &*self.desk;
        f.debug_struct("SessionLayer").field("rules", rules).field("cookie", cookie).finish_non_exhaustive()
    }
}

/// The strongest name there is: browsers that know `__Host-Http-` let only servers set it; the others know `__Host-`.
const DEFAULT_COOKIE: &str = "__Host-Http-id";

/// The cookie without HTTPS: no browser would take a prefix there.
const PLAIN_COOKIE: &str = "id";

/// Bytes of a whole `Set-Cookie` field that Safari keeps; others count less and keep 4,096 of name and value.
const DEFAULT_BUDGET: usize = 4_093;

/// Every request carries the cookie, and proxies' buffers begin at 4 KiB.
const DEFAULT_WARN_ABOVE: usize = 2_048;
