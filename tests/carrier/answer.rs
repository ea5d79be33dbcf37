//! What a response must say, in the words of a table, and whether one says it.

use std::collections::BTreeMap;

use http::Response;
use serde::Deserialize;
use waxseal::Session;

use super::settings::Settings;
use crate::httpkit::shop::{Servers, Shop};
use crate::httpkit::sight::{Sight, Written, sight};

/// The fields of a response; what is not named is not there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    set_cookie: Option<SetCookie>,
    session_token: Option<SessionToken>,
    /// There is a token in the body.
    #[serde(default)]
    in_page: bool,
    cache_control: Option<String>,
    /// `read` or `write`: see [`Settings::vary`].
    vary: Option<String>,
    challenge: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SetCookie {
    Delete,
    Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SessionToken {
    Drop,
    Token,
}

/// All answers by their names.
pub(crate) fn answers() -> BTreeMap<String, Answer> {
    super::table("answers")
}

/// The session of a token that went out.
pub(crate) struct Sent {
    pub(crate) session: Session<Shop>,
}

impl Answer {
    /// Holds a response to this answer. A token that goes out must open where it was handed out, and nowhere else.
    pub(crate) fn check(
        &self,
        settings: &Settings,
        servers: &Servers,
        response: &Response<String>,
    ) -> Result<Option<Sent>, String> {
        let (name, attributes) = settings.cookie();
        let seen = sight(response.headers(), name, attributes);
        same("status", response.status().as_u16(), self.status)?;
        same("Set-Cookie", word(&seen.cookie, SetCookie::Delete, SetCookie::Token), self.set_cookie)?;
        same("Session-Token", word(&seen.token, SessionToken::Drop, SessionToken::Token), self.session_token)?;
        same("Cache-Control", seen.cache_control.as_deref(), self.cache_control.as_deref())?;
        same("Vary", seen.vary.as_deref(), self.vary.as_deref().map(|vary| settings.vary(vary)))?;
        same("WWW-Authenticate", seen.challenge.as_deref(), self.challenge.as_deref())?;
        self.open(name, servers, &seen, response.body())
    }

    fn open(&self, name: &str, servers: &Servers, seen: &Sight, body: &str) -> Result<Option<Sent>, String> {
        let cookies = servers.cookie(name);
        let (own, other, token) = match (seen.cookie.token(), seen.token.token(), self.in_page) {
            (Some(token), None, false) => (&cookies, &servers.sealer, token),
            (None, Some(token), false) => (&servers.sealer, &cookies, token),
            (None, None, true) => (&servers.sealer, &cookies, body),
            (None, None, false) => return Ok(None),
            _ => return Err("two tokens at once".into()),
        };
        let session = own.open(token).map_err(|error| format!("the token does not open: {error:?}"))?;
        match other.open(token) {
            Ok(_) => Err("the token opens on the other carrier too".into()),
            Err(_) => Ok(Some(Sent { session })),
        }
    }
}

fn word<T>(written: &Written, forgotten: T, token: T) -> Option<T> {
    match written {
        Written::Nothing => None,
        Written::Forgotten => Some(forgotten),
        Written::Token(_) => Some(token),
    }
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}
