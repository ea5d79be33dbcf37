//! A shop whose server keeps no session, only which ones are over: a JSON API with a page, on axum.
//!
//! Run it, open the page, and run a second one on another port beside it: both hold the same key
//! ring, so each opens what the other sealed. Rotate the ring and watch both follow.
//!
//!     cargo run --example api_server --features axum
//!     cargo run --example api_server --features axum -- --port 3001

mod args;
mod dev_list;
mod dev_ring;
mod forms;
mod log;
mod page;
mod refusal;
mod routes;
mod shop;

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use waxseal::session::BuildError;
use waxseal::web::CookiePolicy;
use waxseal::{KeyRing, Policy, Revocations, Sealer, SessionLayer};

use crate::args::{Asked, Settings};
use crate::shop::Shop;

#[tokio::main]
async fn main() -> ExitCode {
    log::follow_library();
    let done = match args::read(std::env::args_os().skip(1)) {
        Ok(Asked::Help) => {
            log::say(args::HELP);
            Ok(())
        }
        Ok(Asked::Run(settings)) => serve(&settings).await,
        Err(error) => {
            log::warn(format_args!("api_server: {error}; see --help"));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::warn(format_args!("api_server: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let ring = dev_ring::load_or_create(&settings.ring)?;
    // The ring is followed for as long as this guard lives: to the end of the server.
    let _follow = ring.follow();
    // This machine only: the demo asks for no password.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await.map_err(|error| {
        format!("cannot listen on 127.0.0.1:{}: {error}; choose another port with --port", settings.port)
    })?;
    let revocations = dev_list::load_or_create(&ring, &settings.revocations())?;
    // So is the list of those who logged out.
    let _follow_revocations = revocations.follow();
    let sealer = sealer(&ring, &revocations).map_err(|error| misfit(&settings.ring, &error))?;
    let app = routes::router(ring, revocations, sessions(&sealer, settings)?);
    log::say(format_args!("{}", welcome(&listener.local_addr()?.to_string(), settings)));
    tokio::select! {
        served = axum::serve(listener, app) => Ok(served?),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Tokens live 15 minutes and are renewed while the user is active, for at most 12 hours.
fn sealer(ring: &KeyRing, revocations: &Revocations) -> Result<Sealer<Shop>, BuildError> {
    let policy = Policy::default()
        .token_lifetime(Duration::from_secs(15 * 60))
        .idle_limit(Duration::from_secs(60 * 60))
        .absolute_limit(ABSOLUTE_LIMIT);
    Sealer::builder(ring, "session").policy(policy).revocations(revocations).build()
}

/// How sessions travel between here and the browser.
fn sessions(sealer: &Sealer<Shop>, settings: &Settings) -> Result<SessionLayer<Shop>, Box<dyn Error>> {
    let mut layer = SessionLayer::new(sealer).policy(settings.policy).allow_cookie_if(|shop| shop.chose_cookie);
    if settings.plain_http {
        layer = layer.dangerous_plain_http();
    }
    for origin in &settings.trusted {
        layer = layer.trusted_origin(origin)?;
    }
    Ok(layer)
}

fn misfit(ring: &Path, error: &BuildError) -> String {
    format!("ring {} does not suit this server: {error}; name another ring with --ring", ring.display())
}

/// What to try, for the policy that is in force: under another, half of it would fail.
fn welcome(address: &str, settings: &Settings) -> String {
    let ring = settings.ring.display();
    let revocations = settings.revocations();
    let revocations = revocations.display();
    let with_cookie = format!(
        r#"
  curl -s -c jar --json '{{"user": "ada"}}' http://{address}/login; echo
  curl -s -b jar -c jar --json '{{"sku": 1042, "count": 1}}' http://{address}/cart; echo
  curl -s -b jar http://{address}/session; echo
"#
    );
    let (cookie, says, field) = match settings.policy {
        CookiePolicy::Always => {
            (&*with_cookie, "A program that says it can hold a token gets no cookie:", "Session-Transport: header")
        }
        CookiePolicy::Never => {
            ("", "There are no cookies here; whoever logs in holds the token:", "Session-Transport: header")
        }
        CookiePolicy::RespectSignals { .. } => (
            &*with_cookie,
            "A browser that asks not to be tracked gets no cookie; its script holds the token:",
            "DNT: 1",
        ),
    };
    let with_token = format!(
        r#"
  TOKEN=$(curl -s -o /dev/null -w '%header{{session-token}}' -H '{field}' --json '{{"user": "ada"}}' http://{address}/login)
  curl -s -H "Authorization: Bearer $TOKEN" http://{address}/session; echo
"#
    );
    format!(
        r#"listening on http://{address}
key ring: {ring}

Try the page, or these lines:
{cookie}
{says}
{with_token}
Start a second one with another --port and this --ring: it takes the same tokens,
and whoever logs out on one is logged out on both.
Rotate the keys while it runs, and look at them; no session is lost:

  cargo run --features cli -- keys rotate --ring {ring}
  curl -s http://{address}/keys; echo

End sessions from the shell, and see how the list is doing:

  cargo run --features cli -- revoke subject ada --ring {ring} --revocations {revocations}
  curl -s http://{address}/revocations; echo
"#
    )
}

/// How long a session lives at all, however busy.
const ABSOLUTE_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);
