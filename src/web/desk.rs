//! What a layer decided once for all requests: sealers, rules, the cookie, the limits of size.

use crate::carrier::csrf::TrustedOrigins;
use crate::carrier::response::Cookie;
use crate::carrier::{Names, RequestHead, Rules};
use crate::revocation::Level;
use crate::session::{Sealer, Token};
use crate::state::SessionState;

use super::error::SessionError;

/// The settings of a layer, shared by all its requests.
pub(super) struct Desk<T> {
    /// For tokens in the cookie.
    pub(super) cookies: Sealer<T>,
    /// For tokens in `Authorization` and `Session-Token`.
    pub(super) headers: Sealer<T>,
    pub(super) rules: Rules,
    pub(super) cookie: Cookie,
    pub(super) persistent: bool,
    /// Whether a session's user chose the cookie for this site.
    pub(super) allows_cookie: fn(&T) -> bool,
    pub(super) trusted: TrustedOrigins,
    /// How durable a logout must be before it is answered.
    pub(super) logout_level: Level,
    /// Most bytes of the field that hands a token out.
    pub(super) budget: usize,
    /// From how many bytes of it the log warns.
    pub(super) warn_above: usize,
}

/// Which of the two carriers a token leaves by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Cookie,
    Header,
}

impl<T: SessionState> Desk<T> {
    pub(super) fn sealer(&self, way: Way) -> &Sealer<T> {
        match way {
            Way::Cookie => &self.cookies,
            Way::Header => &self.headers,
        }
    }

    pub(super) fn read<'a>(&self, request: impl Into<Request<'a>>) -> RequestHead<'a> {
        let Request { method, uri, headers } = request.into();
        let fields = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let names = Names { cookie: self.cookie.name.as_str(), prefix: self.headers.prefix() };
        RequestHead::read(method.as_str(), uri.authority().map(|authority| authority.as_str()), fields, &names)
    }

    /// The value of the `Set-Cookie` field for `token`.
    pub(super) fn set_cookie(&self, token: &Token) -> String {
        let life = token.expires_at().since(token.issued_at());
        self.cookie.set(token.as_str(), self.persistent.then_some(life))
    }

    /// Refuses a token of `chars` characters if its field would be too large for `way`.
    ///
    /// Measured on the whole field: some browsers count the attributes, most count name and value, and
    /// each drops what is too large without a word.
    pub(super) fn check_size(&self, way: Way, chars: usize) -> Result<(), SessionError> {
        let bytes = match way {
            Way::Header => chars,
            Way::Cookie => chars + self.cookie.set("", self.persistent.then_some(u64::MAX)).len(),
        };
        if bytes > self.budget {
            tracing::warn!(bytes, budget = self.budget, "a session is too large for its carrier and stays as it was");
            return Err(SessionError::TooLarge { bytes, budget: self.budget });
        }
        if bytes > self.warn_above {
            tracing::warn!(bytes, budget = self.budget, "a session is getting large");
        }
        Ok(())
    }
}

impl<T> Clone for Desk<T> {
    fn clone(&self) -> Self {
        Self {
            cookies: self.cookies.clone(),
            headers: self.headers.clone(),
            cookie: self.cookie.clone(),
            trusted: self.trusted.clone(),
            ..*self
        }
    }
}

/// The parts of a request that matter.
pub(super) struct Request<'a> {
    method: &'a http::Method,
    uri: &'a http::Uri,
    headers: &'a http::HeaderMap,
}

impl<'a, B> From<&'a http::Request<B>> for Request<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        Self { method: request.method(), uri: request.uri(), headers: request.headers() }
    }
}

impl<'a> From<&'a http::request::Parts> for Request<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers }
    }
}
