//! Any request, to any handler, behind any layer: what is tried on the carriers, and what came of it.

use core::fmt;
use std::cell::RefCell;
use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tower_layer::Layer;
use waxseal::web::CookiePolicy;
use waxseal::{CurrentSession, SessionError, SessionId, SessionLayer};

use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::{Handler, send};

/// A layer, a request and a handler.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) policy: CookiePolicy,
    /// The layer listens to a choice that the state keeps.
    pub(crate) hears: bool,
    pub(crate) plain_http: bool,
    pub(crate) budget: usize,
    pub(crate) method: &'static str,
    pub(crate) fields: Vec<(&'static str, Vec<u8>)>,
    pub(crate) acts: Vec<Act>,
    pub(crate) status: u16,
    /// The handler's own fields.
    pub(crate) own: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Allow,
    Arrived,
    /// Counts up, or by nothing.
    Change(u32),
    End,
    Get,
    Grow,
    HandOff,
    Renew,
    Start(bool),
}

/// What a handler found and was told.
pub(crate) struct Told {
    /// The session at first, and at last if it can be read.
    pub(crate) came: Option<SessionId>,
    pub(crate) left: Option<(SessionId, Shop)>,
    pub(crate) results: Vec<(Act, Result<(), SessionError>)>,
    /// Tokens for the page.
    pub(crate) pages: Vec<String>,
    pub(crate) response: Response<()>,
}

/// Servers whose clock nobody moves.
pub(crate) fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(Servers::new)
}

/// As one would write it down.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, hears, plain_http, budget, method, fields, acts, status, own } = self;
        writeln!(f, "{policy:?}, hears {hears}, plain {plain_http}, budget {budget}")?;
        writeln!(f, "{method} /")?;
        fields.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {}", value.escape_ascii()))?;
        writeln!(f, "{acts:?}")?;
        write!(f, "{status} {own:?}")
    }
}

impl Visit {
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.plain_http { "id" } else { COOKIE }
    }

    pub(crate) fn listens(&self) -> bool {
        matches!(self.policy, CookiePolicy::RespectSignals { .. })
    }

    /// Whether the handler asks for the session at all.
    pub(crate) fn asks(&self) -> bool {
        self.acts.iter().any(|act| *act != Act::Allow)
    }

    fn layer(&self) -> SessionLayer<Shop> {
        let layer = SessionLayer::new(&servers().sealer).policy(self.policy).budget(self.budget);
        let layer = if self.hears { layer.allow_cookie_if(|shop| shop.remember) } else { layer };
        if self.plain_http { layer.dangerous_plain_http() } else { layer }
    }

    pub(crate) fn request(&self) -> Request<()> {
        let mut request = Request::builder().method(self.method).uri("/").body(()).unwrap();
        for (name, value) in &self.fields {
            let name = HeaderName::from_static(name);
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        request
    }

    pub(crate) fn own_fields(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.own {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    pub(crate) fn make(&self) -> Told {
        let told = RefCell::new((None, None, vec![], vec![]));
        let handler = Handler(|request: Request<()>| {
            let (came, left, results, pages) = &mut *told.borrow_mut();
            let session = CurrentSession::<Shop>::of(&request).unwrap();
            // To look would be to ask, which some handlers never do.
            if self.asks() {
                *came = session.get().ok().flatten().map(|session| session.id());
            }
            for act in &self.acts {
                results.push((*act, act.on(&session, pages)));
            }
            if self.asks() {
                *left = session.get().ok().flatten().map(|session| (session.id(), session.state().clone()));
            }
            let mut response = Response::builder().status(self.status).body(()).unwrap();
            *response.headers_mut() = self.own_fields();
            response
        });
        let response = send(self.layer().layer(handler), self.request());
        let (came, left, results, pages) = told.into_inner();
        Told { came, left, results, pages, response }
    }
}

impl Act {
    fn on(self, session: &CurrentSession<Shop>, pages: &mut Vec<String>) -> Result<(), SessionError> {
        match self {
            Self::Allow => session.allow_cookie(),
            Self::Arrived => drop(session.arrived()?),
            Self::Change(by) => session.update(|shop| shop.count += by)?,
            Self::End => session.end()?,
            Self::Get => drop(session.get()?),
            Self::Grow => session.update(|shop| shop.note.push_str(&"x".repeat(700)))?,
            Self::HandOff => pages.extend(session.hand_off(shop("bob"))?.map(|token| token.into_string())),
            Self::Renew => session.renew()?,
            Self::Start(remember) => drop(session.start(Shop { remember, ..shop("bob") })?),
        }
        Ok(())
    }
}
