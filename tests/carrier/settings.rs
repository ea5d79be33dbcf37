//! A layer as a table describes it, and the few things that a handler may do to its session.

use http::{Request, Response};
use serde::Deserialize;
use waxseal::web::{Arrived, CookiePolicy};
use waxseal::{CurrentSession, SessionError, SessionLayer};

use crate::httpkit::shop::{COOKIE, Servers, Shop, shop};
use crate::httpkit::sight::ATTRIBUTES;

/// What the application decided. What is not said is as the layer has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    policy: Policy,
    /// Who says that the user chose the cookie.
    allow: Option<Allow>,
    plain_http: bool,
    pub(crate) prefix: Option<String>,
    reject_foreign: bool,
    trusted: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    Always,
    Never,
    #[default]
    Respect,
    RespectDnt,
    RespectGpc,
    RespectNothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Allow {
    /// Each handler, before anything else.
    Handler,
    /// The session's state.
    State,
}

/// What the handler does.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// Asks for a new token though none is due.
    Ask,
    Change,
    End,
    /// Starts a session whose token may go into the page.
    HandOff,
    Read,
    Start,
    Untouched,
}

impl Settings {
    pub(crate) fn layer(&self, servers: &Servers) -> SessionLayer<Shop> {
        let respect = |dnt, gpc| CookiePolicy::RespectSignals { dnt, gpc };
        let policy = match self.policy {
            Policy::Always => CookiePolicy::Always,
            Policy::Never => CookiePolicy::Never,
            Policy::Respect => CookiePolicy::default(),
            Policy::RespectDnt => respect(true, false),
            Policy::RespectGpc => respect(false, true),
            Policy::RespectNothing => respect(false, false),
        };
        let mut layer = SessionLayer::new(&servers.sealer).policy(policy);
        if self.allow == Some(Allow::State) {
            layer = layer.allow_cookie_if(|shop| shop.remember);
        }
        if self.plain_http {
            layer = layer.dangerous_plain_http();
        }
        if self.reject_foreign {
            layer = layer.reject_foreign_bearer();
        }
        self.trusted.iter().fold(layer, |layer, origin| layer.trusted_origin(origin).unwrap())
    }

    /// A session's state that makes the same choice as these settings.
    pub(crate) fn shop(&self, user: &str) -> Shop {
        Shop { remember: self.allow == Some(Allow::State), ..shop(user) }
    }

    /// The cookie's name and attributes.
    pub(crate) fn cookie(&self) -> (&'static str, &'static str) {
        if self.plain_http { ("id", "Path=/; HttpOnly; SameSite=Lax") } else { (COOKIE, ATTRIBUTES) }
    }

    /// The fields that `Vary` names.
    pub(crate) fn vary(&self, vary: &str) -> &'static str {
        let respects = !matches!(self.policy, Policy::Always | Policy::Never);
        match vary {
            "read" => "Cookie, Authorization",
            "write" if respects => "DNT, Sec-GPC, Cookie, Authorization",
            "write" => "Cookie, Authorization",
            other => panic!("{other} is no Vary"),
        }
    }

    /// A handler. Its body says whose session came and how, or is the token of a session that was handed off.
    pub(crate) fn handler(&self, act: Act) -> impl Fn(Request<()>) -> Response<String> + use<> {
        let (allowed, bob) = (self.allow == Some(Allow::Handler), self.shop("bob"));
        move |request| {
            if act == Act::Untouched {
                return Response::new(String::new());
            }
            let handled = CurrentSession::<Shop>::of(&request).and_then(|session| {
                if allowed {
                    session.allow_cookie();
                }
                do_it(act, &session, &bob)
            });
            handled.map_or_else(|error| error.response(), Response::new)
        }
    }
}

fn do_it(act: Act, session: &CurrentSession<Shop>, bob: &Shop) -> Result<String, SessionError> {
    match act {
        Act::Ask => session.renew()?,
        Act::Change => session.update(|shop| shop.count += 1)?,
        Act::End => session.end()?,
        Act::HandOff => {
            let token = session.hand_off(bob.clone())?;
            return Ok(token.map_or_else(String::new, |token| token.into_string()));
        }
        Act::Read => return who(session),
        Act::Start => drop(session.start(bob.clone())?),
        Act::Untouched => {}
    }
    Ok(String::new())
}

fn who(session: &CurrentSession<Shop>) -> Result<String, SessionError> {
    let Some(open) = session.get()? else {
        return Ok("nobody".into());
    };
    let user = &open.state().user;
    Ok(match session.arrived()? {
        Arrived::Cookie => format!("{user} by cookie"),
        Arrived::Header => format!("{user} by header"),
        Arrived::Nothing => format!("{user} by nothing"),
    })
}
