//! Pages that the server renders: a login form that works whatever the browser asks, under each policy.

use axum::Router;
use axum::extract::Form;
use axum::http::header::VARY;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use waxseal::{CookiePolicy, CurrentSession, OpenSession, Sealer, SessionError, SessionLayer, SessionState, Token};

/// Whose session it is, and whether they chose a cookie for it.
#[derive(Serialize, Deserialize)]
pub struct Account {
    /// Who it is.
    pub user: String,
    /// "Remember me with a cookie" was ticked.
    pub chose_cookie: bool,
}

impl SessionState for Account {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Login {
    user: String,
    cookie: Option<String>,
}

/// Offers the choice to those whom it is for.
async fn form(session: CurrentSession<Account>) -> impl IntoResponse {
    let signals = session.signals();
    let choice = if signals.dnt == Some(true) || signals.gpc { CHOICE } else { "" };
    let form = format!("<form method=post><input name=user>{choice}<button>Log in</button></form>");
    ([(VARY, "DNT, Sec-GPC")], Html(form))
}

/// Logs in, after the password was checked.
async fn login(session: CurrentSession<Account>, Form(login): Form<Login>) -> Result<Response, SessionError> {
    let account = Account { user: login.user, chose_cookie: login.cookie.is_some() };
    Ok(match session.hand_off(account)? {
        None => Redirect::to("/").into_response(),
        Some(token) => hand_off_page(&token).into_response(),
    })
}

/// Holds the token and what takes it over, and nothing else. `/handoff.js` calls `adopt` of examples/web/session.js with the
/// content of the meta element, and then `location.replace("/")`.
fn hand_off_page(token: &Token) -> Html<String> {
    Html(format!(
        "<meta name=session-token content={}><script type=module src=/handoff.js></script>\
         <noscript>Without scripts you are not logged in.</noscript>",
        token.as_str()
    ))
}

async fn home(account: Option<OpenSession<Account>>) -> String {
    account.map_or("who are you?".into(), |account| account.user.clone())
}

/// `allow_cookie_if` hears the choice at the login and in every later request.
pub fn app(sealer: &Sealer<Account>, policy: CookiePolicy) -> Router {
    let layer = SessionLayer::new(sealer).policy(policy).allow_cookie_if(|account| account.chose_cookie);
    Router::new().route("/", get(home)).route("/login", get(form).post(login)).layer(layer)
}

const CHOICE: &str = "<label><input type=checkbox name=cookie> Remember me with a cookie, though my browser asks for \
                      none. Without it, you are logged in in this tab only.</label>";
