//! What holds for every response, whatever was asked, set and done.

use proptest::prelude::*;
use waxseal::carrier::CookiePolicy;
use waxseal::{SessionError, SessionId};

use super::requests::any_visit;
use super::visits::{Act, Told, Visit, servers};
use crate::httpkit::shop::Shop;

/// What a response adds for the session, beyond the handler's own fields.
#[derive(Debug, Default)]
struct Added {
    /// `Set-Cookie` fields of ours, without the handler's own.
    cookies: Vec<String>,
    /// `Session-Token` fields.
    tokens: Vec<String>,
    cache_control: Vec<String>,
    vary: Vec<String>,
}

impl Added {
    fn of(visit: &Visit, told: &Told) -> Self {
        let all = |name: &str| -> Vec<String> {
            told.response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let ours = format!("{}=", visit.cookie_name());
        let mut cookies = all("set-cookie");
        cookies.retain(|field| field.starts_with(&ours) && !field.contains("handmade"));
        let vary = all("vary").join(",");
        let vary = vary.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
        Self { cookies, tokens: all("session-token"), cache_control: all("cache-control"), vary: vary.collect() }
    }

    /// The token in the cookie, if one is set.
    fn cookie_token(&self) -> Option<&str> {
        let value = self.cookies.first()?.split(['=', ';']).nth(1)?;
        (!value.is_empty()).then_some(value)
    }

    fn header_token(&self) -> Option<&str> {
        self.tokens.first().map(String::as_str).filter(|token| *token != "?0")
    }

    fn deletes_cookie(&self) -> bool {
        !self.cookies.is_empty() && self.cookie_token().is_none()
    }

    /// Id and state of the session that goes out; it opens where it was handed out, and there alone.
    fn session(&self, visit: &Visit) -> Option<(SessionId, Shop)> {
        let cookies = servers().cookie(visit.cookie_name());
        let headers = &servers().sealer;
        let (token, own, other) = match (self.cookie_token(), self.header_token()) {
            (Some(token), None) => (token, &cookies, headers),
            (None, Some(token)) => (token, headers, &cookies),
            (None, None) => return None,
            (Some(_), Some(_)) => panic!("two tokens at once"),
        };
        assert!(other.open(token).is_err(), "a token opens on the other carrier");
        let session = own.open(token).unwrap();
        Some((session.id(), session.into_state()))
    }
}

/// The values of a request's fields, blanks at both ends removed.
fn values<'v>(visit: &'v Visit, name: &'v str) -> impl Iterator<Item = &'v [u8]> {
    visit.fields.iter().filter(move |(known, _)| *known == name).map(|(_, value)| {
        let start = value.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(value.len());
        let end = value.iter().rposition(|byte| !b" \t".contains(byte)).map_or(start, |last| last + 1);
        &value[start..end]
    })
}

fn is_listened_to(visit: &Visit) -> bool {
    match visit.policy {
        CookiePolicy::RespectSignals { dnt, gpc } => {
            dnt && values(visit, "dnt").any(|value| value.first() == Some(&b'1'))
                || gpc && values(visit, "sec-gpc").any(|value| value == b"1")
        }
        CookiePolicy::Always | CookiePolicy::Never => false,
    }
}

proptest! {
    #[test]
    fn no_response_says_two_things_at_once(visit in any_visit()) {
        let told = visit.make();
        let added = Added::of(&visit, &told);
        prop_assert!(added.cookies.len() <= 1 && added.tokens.len() <= 1, "{added:?}");
        prop_assert!(added.cookie_token().is_none() || added.tokens.is_empty(), "{added:?}");
        let handmade = format!("{}=handmade", visit.cookie_name());
        let cookies = told.response.headers().get_all("set-cookie");
        let left = cookies.iter().any(|value| value.to_str().unwrap().starts_with(&handmade));
        prop_assert!(added.cookies.is_empty() || !left, "the handler's own cookie is beside ours");
        added.session(&visit);
        for token in &told.pages {
            prop_assert!(servers().sealer.open(token).is_ok() && servers().cookie(visit.cookie_name()).open(token).is_err());
        }
    }

    #[test]
    fn no_cookie_is_set_against_a_signal_or_never(visit in any_visit()) {
        let added = Added::of(&visit, &visit.make());
        if added.cookie_token().is_some() {
            prop_assert!(visit.policy != CookiePolicy::Never);
            let chose = visit.hears && added.session(&visit).is_some_and(|(_, state)| state.remember);
            prop_assert!(!is_listened_to(&visit) || chose || visit.acts.contains(&Act::Allow), "{added:?}");
        }
    }

    #[test]
    fn whatever_is_written_is_stored_nowhere(visit in any_visit()) {
        let told = visit.make();
        let added = Added::of(&visit, &told);
        let written = !added.cookies.is_empty() || !added.tokens.is_empty();
        let names: &[_] = if visit.listens() { &["dnt", "sec-gpc", "cookie", "authorization"] } else { &["cookie", "authorization"] };
        let varies = |name: &&str| added.vary.iter().any(|known| known == name || known == "*");
        if written || !told.pages.is_empty() && told.response.status().as_u16() < 500 {
            prop_assert_eq!(&added.cache_control, &["no-store"]);
            prop_assert!(!told.response.headers().contains_key("cdn-cache-control"));
            prop_assert!(names.iter().all(varies), "{added:?}");
        } else if visit.asks() {
            prop_assert!(!added.cache_control.is_empty() && ["cookie", "authorization"].iter().all(varies), "{added:?}");
        }
        let mut once = added.vary.clone();
        once.sort();
        once.dedup();
        let own = visit.own.iter().filter(|(name, _)| *name == "vary").count();
        prop_assert!(own > 1 || once.len() == added.vary.len(), "{added:?}");
    }

    #[test]
    fn what_nobody_asks_for_adds_nothing(mut visit in any_visit()) {
        visit.acts.retain(|act| *act == Act::Allow);
        let told = visit.make();
        prop_assert_eq!(told.response.headers(), &visit.own_fields());
        prop_assert_eq!(told.response.status().as_u16(), visit.status);
    }

    /// What start, update, renew and end return is final.
    #[test]
    fn what_was_promised_goes_out(visit in any_visit()) {
        let told = visit.make();
        let added = Added::of(&visit, &told);
        let last = told.results.iter().rev().find(|(act, result)| match act {
            Act::Change(0) | Act::Allow | Act::Arrived | Act::Get => false,
            _ => result.is_ok(),
        });
        let failed = visit.status >= 500;
        match last {
            Some((Act::End, _)) => {
                prop_assert_eq!(&added.tokens, &["?0"]);
                prop_assert!(added.cookie_token().is_none());
            }
            Some((Act::HandOff, _)) if !told.pages.is_empty() && added.session(&visit).is_none() => {}
            Some(_) if !failed => prop_assert_eq!(added.session(&visit), told.left),
            _ => {
                let session = added.session(&visit);
                prop_assert!(session.is_none() || !failed && session == told.left, "{added:?}");
            }
        }
    }

    #[test]
    fn a_change_of_nothing_writes_no_more_than_reading(mut visit in any_visit()) {
        visit.acts = vec![Act::Get];
        let read = Added::of(&visit, &visit.make());
        visit.acts = vec![Act::Change(0), Act::Get, Act::Change(0)];
        let changed = Added::of(&visit, &visit.make());
        let shape = |added: &Added| {
            (added.cookie_token().is_some(), added.header_token().is_some(), added.deletes_cookie(), added.cache_control.clone())
        };
        prop_assert_eq!(shape(&read), shape(&changed));
    }

    /// Else whoever injects a script could turn a cookie that it cannot read into a token that it can.
    #[test]
    fn a_cookie_becomes_a_readable_token_only_where_no_script_can_ask_for_it(visit in any_visit()) {
        let told = visit.make();
        let added = Added::of(&visit, &told);
        let bearer = values(&visit, "authorization").any(|value| value.to_ascii_lowercase().starts_with(b"bearer"));
        let session = added.header_token().and_then(|_| added.session(&visit));
        if let Some((id, _)) = session && told.came == Some(id) && !bearer {
            prop_assert!(is_listened_to(&visit));
            let mut sites = values(&visit, "sec-fetch-site").filter(|value| !value.is_empty()).peekable();
            prop_assert!(sites.peek().is_some() && sites.all(|value| value == b"same-origin"));
            prop_assert!(values(&visit, "session-transport").any(|value| value.eq_ignore_ascii_case(b"header")));
            prop_assert!(!values(&visit, "sec-fetch-mode").any(|value| value == b"navigate"));
            prop_assert!(added.deletes_cookie(), "it is one user's one session");
        }
    }

    /// A session came by a cookie, from elsewhere, to change something: nothing is read, changed or begun.
    #[test]
    fn nothing_is_done_for_another_site(mut visit in any_visit()) {
        visit.fields.retain(|(name, _)| !["authorization", "sec-fetch-site", "origin"].contains(name));
        visit.fields.push(("sec-fetch-site", b"cross-site".to_vec()));
        visit.method = "POST";
        let told = visit.make();
        let added = Added::of(&visit, &told);
        prop_assert!(told.came.is_none() && told.left.is_none() && told.pages.is_empty());
        prop_assert!(added.cookie_token().is_none() && added.header_token().is_none(), "{added:?}");
        let refused = |result: &Result<(), SessionError>| {
            matches!(result, Err(SessionError::CrossSite(_) | SessionError::Anonymous))
        };
        for (act, result) in &told.results {
            let may_pass = matches!(act, Act::Allow | Act::Arrived | Act::End | Act::Get);
            prop_assert!(if result.is_ok() { may_pass } else { refused(result) }, "{act:?}: {result:?}");
        }
    }

    /// What another site only embeds logs nobody in, whatever the method.
    #[test]
    fn no_image_logs_anybody_in(mut visit in any_visit()) {
        visit.fields.retain(|(name, _)| !["authorization", "sec-fetch-mode", "origin"].contains(name));
        visit.fields.push(("sec-fetch-site", b"cross-site".to_vec()));
        let told = visit.make();
        let logins = told.results.iter().filter(|(act, _)| matches!(act, Act::Start(_) | Act::HandOff));
        prop_assert!(logins.map(|(_, result)| result).all(|result| matches!(result, Err(SessionError::CrossSite(_)))));
    }

    #[test]
    fn a_server_error_sends_no_token(mut visit in any_visit(), status in 500..600_u16) {
        visit.status = status;
        let added = Added::of(&visit, &visit.make());
        prop_assert!(added.cookie_token().is_none() && added.header_token().is_none(), "{added:?}");
    }

    #[test]
    fn a_cookie_is_deleted_only_if_it_may_be_there(mut visit in any_visit()) {
        let name = format!("{}=", visit.cookie_name());
        let holds = |value: &[u8]| value.windows(name.len()).any(|window| window == name.as_bytes()) || value.len() > 16_000;
        visit.fields.retain(|(field, value)| *field != "cookie" || !holds(value));
        let bytes: usize = visit.fields.iter().filter(|(field, _)| *field == "cookie").map(|(_, value)| value.len()).sum();
        let added = Added::of(&visit, &visit.make());
        prop_assert!(bytes < 16_000 && !added.deletes_cookie(), "{added:?}");
    }
}
