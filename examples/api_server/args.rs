//! The command line, read by hand: three options.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the command line asks for.
pub(crate) enum Asked {
    Help,
    Run(Settings),
}

/// Where to listen and which keys to hold.
pub(crate) struct Settings {
    /// 0 takes a free port.
    pub(crate) port: u16,
    pub(crate) ring: PathBuf,
}

/// Reads the arguments after the program's name.
pub(crate) fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut settings = Settings { port: 3000, ring: "waxseal-dev-ring.json".into() };
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(Asked::Help),
            Some("--port") => settings.port = port(&value("--port", arguments.next())?)?,
            Some("--ring") => settings.ring = value("--ring", arguments.next())?.into(),
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

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A shop whose server keeps no session: waxseal's example, on 127.0.0.1 only.

Usage: api_server [--port PORT] [--ring PATH]

  --port PORT  where to listen; 0 takes a free port [default: 3000]
  --ring PATH  the key ring file; if there is none, a development ring
               is created there [default: waxseal-dev-ring.json]
  --help       this text

Run two on different ports with one ring: each opens the other's tokens.
";
