//! Where a new token goes: into a cookie, into a header, or nowhere; a pure function of the situation.
//!
//! | policy, signal | login | session came by cookie | session came by header |
//! |---|---|---|---|
//! | respect, off | cookie; header if no browser asks and it holds tokens | cookie | header |
//! | respect, on | header; a page being loaded cannot take it | header for a script of this origin that holds tokens, and the cookie goes; else read only | header, and a stray cookie goes |
//! | always | as respect, off | cookie | header |
//! | never | header; a page being loaded cannot take it | not read, and the cookie goes | header |
//!
//! A token that scripts can read is given for a session that came by a cookie only if two fields say so that no
//! script can set, a signal and `Sec-Fetch-Site`. So whoever injects a script on a user without the signal
//! cannot turn that user's HttpOnly cookie into a token to carry off.

use super::signal::Signals;

/// Whether an application uses cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookiePolicy {
    /// Cookies, whatever the browser asks. For a first-party login cookie that ends with the session this is usually lawful, and
    /// safer against injected scripts than a token that they can read.
    Always,
    /// No cookies: an API whose clients all hold their token.
    Never,
    /// Cookies, unless the browser sends a signal that is listened to.
    RespectSignals {
        /// Do Not Track counts.
        dnt: bool,
        /// Global Privacy Control counts.
        gpc: bool,
    },
}

impl Default for CookiePolicy {
    fn default() -> Self {
        Self::RespectSignals { dnt: true, gpc: true }
    }
}

impl CookiePolicy {
    /// Whether a signal is on that this policy listens to.
    pub fn signal(self, signals: Signals) -> bool {
        match self {
            Self::Always | Self::Never => false,
            Self::RespectSignals { dnt, gpc } => (dnt && signals.dnt == Some(true)) || (gpc && signals.gpc),
        }
    }
}

/// How a request's session arrived, once its token was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrived {
    /// In the cookie.
    Cookie,
    /// In `Authorization`.
    Header,
    /// There was none, or none that opens.
    #[default]
    Nothing,
}

/// What happened to the session while the request was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its state changed.
    Change,
    /// It was ended.
    End,
    /// It was read, and its token is good for a while.
    Read,
    /// It was read, and its token is due for renewal.
    Renew,
    /// It began.
    Start,
}

/// All that decides where a token goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The application's policy.
    pub policy: CookiePolicy,
    /// The browser's signals.
    pub signals: Signals,
    /// A page is being loaded.
    pub navigation: bool,
    /// A browser sent the request.
    pub browser: bool,
    /// The client says that it can hold a token.
    pub holds_tokens: bool,
    /// The browser says that a page of this origin sent the request.
    pub same_origin: bool,
    /// Our cookie is in the request, whatever it is worth.
    pub has_cookie: bool,
    /// Whether a cookie would travel at all. Over plain HTTP only to and from this machine.
    pub takes_cookies: bool,
    /// The user chose the cookie for this site, which beats a general signal.
    pub allowed: bool,
    /// How the session arrived.
    pub arrived: Arrived,
}

/// Where a new token goes, and what becomes of the cookie that the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where a new token goes.
    pub route: Route,
    /// Whether the client's cookie is deleted.
    pub deletes_cookie: bool,
}

/// Where a new token goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Into `Set-Cookie`.
    Cookie,
    /// Into `Session-Token`.
    Header,
    /// Nowhere, and none is needed: the client's token stays good.
    Stay,
    /// Nowhere, and what happened cannot reach the client.
    Undeliverable(Undeliverable),
}

/// Why a token cannot reach the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// Cookies over plain HTTP are for this machine only, and the request was sent to another host.
    PlainHttp,
    /// No cookie may be set, and a page being loaded cannot take a header.
    Page,
    /// The session came by cookie and none may be set, and the client did not say that it can hold tokens.
    ReadOnly,
}

/// Decides where a token goes. The table is in the module's docs.
pub fn deliver(situation: &Situation, act: Act) -> Delivery {
    let route = match act {
        Act::End => Route::Stay,
        Act::Start => situation.start(),
        Act::Change | Act::Read | Act::Renew => match situation.arrived {
            Arrived::Nothing => Route::Stay,
            Arrived::Header if act == Act::Read => Route::Stay,
            Arrived::Header => Route::Header,
            Arrived::Cookie => situation.after_cookie(act),
        },
    };
    let route = match route {
        Route::Cookie if !situation.takes_cookies => Route::Undeliverable(Undeliverable::PlainHttp),
        route => route,
    };
    Delivery { route, deletes_cookie: situation.has_cookie && situation.deletes_cookie(act, route) }
}

impl Situation {
    fn refuses_cookies(&self) -> bool {
        self.policy == CookiePolicy::Never || self.signal()
    }

    /// A user's explicit choice beats a general signal, as both specifications say.
    fn signal(&self) -> bool {
        self.policy.signal(self.signals) && !self.allowed
    }

    fn start(&self) -> Route {
        if self.arrived == Arrived::Header {
            Route::Header
        } else if self.refuses_cookies() {
            if self.navigation { Route::Undeliverable(Undeliverable::Page) } else { Route::Header }
        } else if self.holds_tokens && !self.browser {
            Route::Header
        } else {
            Route::Cookie
        }
    }

    fn after_cookie(&self, act: Act) -> Route {
        let moves = self.holds_tokens && self.same_origin && !self.navigation;
        match (self.refuses_cookies(), act) {
            (false, Act::Read) => Route::Stay,
            (false, _) => Route::Cookie,
            (true, _) if moves => Route::Header,
            (true, Act::Change) => Route::Undeliverable(Undeliverable::ReadOnly),
            (true, _) => Route::Stay,
        }
    }

    fn deletes_cookie(&self, act: Act, route: Route) -> bool {
        match (act, self.arrived) {
            _ if self.policy == CookiePolicy::Never => true,
            (Act::End, _) => true,
            (_, Arrived::Cookie) => route == Route::Header,
            (_, Arrived::Header) => self.signal(),
            (_, Arrived::Nothing) => route == Route::Header && self.signal(),
        }
    }
}
