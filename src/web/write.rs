//! Writes what became of a session into a response's head.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};

use super::departure::Departure;
use super::desk::{Desk, Way};
use crate::carrier::CookiePolicy;
use crate::carrier::response::{self, DROP_TOKEN, VARY_READ, VARY_SIGNALS, VARY_WRITE};
use crate::session::Token;
use crate::state::SessionState;

/// Writes `departure` into `headers`, and that the response depends on the signals if the handler asked for them.
pub(super) fn write<T: SessionState>(
    desk: &Desk<T>,
    departure: &Departure,
    asked_signals: bool,
    headers: &mut HeaderMap,
) {
    match departure {
        Departure::Untouched if asked_signals => return vary(headers, VARY_SIGNALS),
        Departure::Untouched => return,
        Departure::Read => return read_only(asked_signals, headers),
        Departure::Ended { deletes_cookie } => {
            set_token(HeaderValue::from_static(DROP_TOKEN), headers);
            delete_cookie(desk, *deletes_cookie, headers);
        }
        Departure::Failed(error) => error.add_headers(headers),
        Departure::HandedOff { deletes_cookie } => delete_cookie(desk, *deletes_cookie, headers),
        Departure::Sent { token, deletes_cookie } => {
            if let Some((way, token)) = token {
                send(desk, *way, token, headers);
            }
            delete_cookie(desk, *deletes_cookie, headers);
        }
    }
    forbid_store(headers);
    let respects = matches!(desk.rules.policy, CookiePolicy::RespectSignals { .. });
    vary(headers, if respects || asked_signals { VARY_WRITE } else { VARY_READ });
}

fn send<T: SessionState>(desk: &Desk<T>, way: Way, token: &Token, headers: &mut HeaderMap) {
    match way {
        Way::Cookie => set_cookie(desk, &desk.set_cookie(token), headers),
        Way::Header => set_token(secret(token.as_str()), headers),
    }
}

/// There is one such field for all layers: what an inner one said is lost.
fn set_token(value: HeaderValue, headers: &mut HeaderMap) {
    if headers.insert(SESSION_TOKEN, value).is_some() {
        tracing::error!(
            "two session layers hand a token out in one response; only one by the header can reach the client"
        );
    }
}

fn delete_cookie<T>(desk: &Desk<T>, really: bool, headers: &mut HeaderMap) {
    if really {
        set_cookie(desk, &desk.cookie.delete(), headers);
    }
}

/// Replaces every cookie of our name, since browsers would keep the last of two. RFC 6265bis, section 4.1.1.
fn set_cookie<T>(desk: &Desk<T>, field: &str, headers: &mut HeaderMap) {
    let ours = |value: &HeaderValue| desk.cookie.is_set_by(value.as_bytes());
    if headers.get_all(SET_COOKIE).iter().any(ours) {
        let others: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(|value| !ours(value)).cloned().collect();
        headers.remove(SET_COOKIE);
        others.into_iter().for_each(|value| {
            headers.append(SET_COOKIE, value);
        });
        tracing::warn!("the handler set the session's cookie itself; that is replaced");
    }
    headers.append(SET_COOKIE, secret(field));
}

/// Neither kept in the tables of HPACK nor shown by `Debug`.
fn secret(text: &str) -> HeaderValue {
    // A token is base64url, a prefix letters and `_`, and a cookie's name RFC 6265 token characters.
    let mut value = HeaderValue::from_str(text).expect("tokens and cookies are visible ASCII");
    value.set_sensitive(true);
    value
}

/// A token in a shared cache would be everybody's. `Vary` alone is no guard, since some caches ignore it.
fn forbid_store(headers: &mut HeaderMap) {
    let is_public = |value: &HeaderValue| PUBLIC.iter().any(|directive| response::says(value.as_bytes(), directive));
    let for_some: Vec<_> = headers.keys().filter(|name| response::is_for_some_caches(name.as_str())).cloned().collect();
    if !for_some.is_empty() || headers.get_all(CACHE_CONTROL).iter().any(is_public) {
        tracing::warn!("a response that was to be cached carries a session token; it is marked no-store instead");
    }
    for name in for_some {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn read_only(asked_signals: bool, headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    vary(headers, if asked_signals { VARY_WRITE } else { VARY_READ });
}

fn vary(headers: &mut HeaderMap, names: &'static str) {
    let present = headers.get_all(VARY).iter().map(HeaderValue::as_bytes);
    let value = match response::vary(present, names) {
        None => return,
        Some(Cow::Borrowed(names)) => HeaderValue::from_static(names),
        Some(Cow::Owned(names)) => HeaderValue::from_str(&names).expect("names of fields are visible ASCII"),
    };
    headers.append(VARY, value);
}

/// What a handler says of a response that caches may keep.
const PUBLIC: [&str; 3] = ["public", "max-age", "s-maxage"];

const SESSION_TOKEN: HeaderName = HeaderName::from_static(response::SESSION_TOKEN);
