//! The command line, read by hand: a few options.

use std::ffi::OsString;
use std::path::PathBuf;

use waxseal::carrier::csrf::TrustedOrigins;
use waxseal::web::CookiePolicy;

/// What the command line asks for.
pub(crate) enum Asked {
    Help,
    Run(Settings),
}

/// Where to listen, which keys to hold, and how sessions travel.
pub(crate) struct Settings {
    /// 0 takes a free port.
    pub(crate) port: u16,
    pub(crate) ring: PathBuf,
    /// The directory in which servers tell each other whose sessions are over; beside the ring unless named.
    pub(crate) revocations: Option<PathBuf>,
    pub(crate) policy: CookiePolicy,
    /// Cookies that need no HTTPS.
    pub(crate) plain_http: bool,
    /// Origins other than the server's own whose pages may act with their users' sessions.
    pub(crate) trusted: Vec<String>,
}

/// Reads the arguments after the program's name.
pub(crate) fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut settings = Settings {
        port: 3000,
        ring: "waxseal-dev-ring.json".into(),
        revocations: None,
        policy: CookiePolicy::default(),
        plain_http: false,
        trusted: vec![],
    };
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(Asked::Help),
            Some("--plain-http") => settings.plain_http = true,
            Some("--policy") => settings.policy = policy(&value("--policy", arguments.next())?)?,
            Some("--port") => settings.port = port(&value("--port", arguments.next())?)?,
            Some("--revocations") => {
                settings.revocations = Some(value("--revocations", arguments.next())?.into());
            }
            Some("--ring") => settings.ring = value("--ring", arguments.next())?.into(),
            Some("--trust") => settings.trusted.push(origin(&value("--trust", arguments.next())?)?),
            _ => return Err(format!("`{}` is not an option", argument.display())),
        }
    }
    Ok(Asked::Run(settings))
}

fn value(option: &str, next: Option<OsString>) -> Result<OsString, String> {
    next.filter(|value| !value.is_empty()).ok_or_else(|| format!("{option} needs a value"))
}

fn port(text: &OsString) -> Result<u16, String> {
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("`{}` is not a port from 0 to 65535", text.display()))
}

fn policy(text: &OsString) -> Result<CookiePolicy, String> {
    match text.to_str() {
        Some("always") => Ok(CookiePolicy::Always),
        Some("never") => Ok(CookiePolicy::Never),
        Some("respect") => Ok(CookiePolicy::default()),
        _ => Err(format!("`{}` is none of respect, always, never", text.display())),
    }
}

/// An origin that the layer will take. Judged here, so that no ring is made for a command line with a mistake in it.
fn origin(text: &OsString) -> Result<String, String> {
    let origin = text.display().to_string();
    TrustedOrigins::default().add(&origin).map_err(|error| error.to_string())?;
    Ok(origin)
}

impl Settings {
    /// Where revocations are shared.
    pub(crate) fn revocations(&self) -> PathBuf {
        self.revocations.clone().unwrap_or_else(|| {
            let mut beside = self.ring.clone().into_os_string();
            beside.push(".revocations");
            beside.into()
        })
    }
}

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A shop whose server keeps no session: waxseal's example, on 127.0.0.1 only.

Usage: api_server [--port PORT] [--ring PATH] [--revocations DIR]
                  [--policy POLICY] [--plain-http] [--trust ORIGIN]...

  --port PORT      where to listen; 0 takes a free port [default: 3000]
  --ring PATH      the key ring file; if there is none, a development ring
                   is created there [default: waxseal-dev-ring.json]
  --revocations DIR
                   where servers tell each other whose sessions are over;
                   made if it is not there [default: beside the ring]
  --policy POLICY  respect: cookies, but none for browsers that send Do Not
                   Track or Global Privacy Control; always: cookies;
                   never: no cookies [default: respect]
  --plain-http     a cookie without Secure, for browsers that keep no secure
                   cookie from http://localhost (Safari)
  --trust ORIGIN   pages of this origin, such as https://app.example.com, may
                   act with their users' cookies
  --help           this text

Run two on different ports with one ring: each opens the other's tokens, and
a logout on one holds on the other within about a second.
";
