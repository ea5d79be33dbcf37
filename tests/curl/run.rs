//! Runs curl, and reads what came back.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::ask::Ask;
use crate::face::{self, Face};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];

    /// How curl is made to speak it. Without TLS a server of HTTP/2 must be known beforehand.
    fn option(self) -> &'static str {
        match self {
            Self::Http1 => "--http1.1",
            Self::Http2 => "--http2-prior-knowledge",
        }
    }

    /// How its answers begin.
    fn version(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1 ",
            Self::Http2 => "HTTP/2 ",
        }
    }
}

/// Sends a request; `None` if the server ended the connection or the stream instead of answering.
pub(crate) fn curl(protocol: Protocol, authority: &str, directory: &Path, ask: &Ask) -> Option<Answer> {
    let mut curl = Command::new("curl");
    // First of all, or the user's own curlrc counts.
    curl.arg("--disable").args(["--silent", "--show-error", "--noproxy", "*", "--max-time", PATIENCE]);
    let output = match &ask.raw {
        Some(request) => feed(curl.arg(format!("telnet://{authority}")), request),
        None => feed(curl.args([protocol.option(), "--include", "--config", "-"]), &ask.config(authority, directory)),
    };
    match output.status.code() {
        Some(0) => Some(Answer::read(protocol, &output.stdout)),
        Some(code) if HUNG_UP.contains(&code) => None,
        _ => panic!("curl failed: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
    }
}

fn feed(curl: &mut Command, input: &[u8]) -> Output {
    let mut child = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // The server may have answered and closed before it has read all of a large request.
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    /// In the order in which they came, their names in lower case.
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn read(protocol: Protocol, output: &[u8]) -> Self {
        let end = find(output, b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {}", output.escape_ascii()));
        let (head, body) = (latin_1(&output[..end]), output[end + 4..].to_vec());
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix(protocol.version());
        let status = status.and_then(|status| status.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("another protocol: {head}"));
        let fields = lines.map(|line| line.split_once(':').unwrap());
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Self { status, fields, body }
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_ascii_lowercase();
        self.fields.iter().filter(move |(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// The tokens that came with it, wherever they stand.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let cookies = self.all(face::SET_COOKIE).filter_map(|field| field.split_once('=')?.1.split(';').next());
        let body = str::from_utf8(&self.body).unwrap_or("");
        let page = body.split_once(IN_PAGE).and_then(|(_, rest)| rest.split('"').next());
        let tokens = self.all(face::SESSION_TOKEN).chain(cookies).chain(page);
        tokens.filter(|token| token.len() > face::DELETED.len()).map(str::to_owned).collect()
    }

    /// All of it but the time of day.
    pub(crate) fn without_date(&self) -> String {
        let fields = self.fields.iter().filter(|(name, _)| name != "date");
        let fields: Vec<_> = fields.map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}\n{}\n\n{}", self.status, fields.join("\n"), latin_1(&self.body))
    }

    /// What of it matters, where the cookie is written as `cookie` says: its name, and its attributes.
    pub(crate) fn face(&self, cookie: (&str, &str)) -> Face {
        let mut face = Face::untouched(self.status);
        for name in [face::CACHE_CONTROL, face::VARY, face::CHALLENGE, face::RETRY_AFTER, face::LOCATION] {
            face = self.show(face, name, |value| value.to_owned());
        }
        face = self.show(face, face::SET_COOKIE, |field| kind_of_cookie(field, cookie));
        face = self.show(face, face::SESSION_TOKEN, kind_of_token);
        match serde_json::from_slice(&self.body) {
            Ok(body) => show_body(face, &body),
            Err(_) => face,
        }
    }

    /// Adds a field, if it came. One that came more than once shows so, for none of these may.
    fn show(&self, face: Face, name: &'static str, kind: impl Fn(&str) -> String) -> Face {
        let values: Vec<_> = self.all(name).map(kind).collect();
        if values.is_empty() { face } else { face.with(name, values.join(" AND ")) }
    }

    /// What must hold for every answer, whatever was asked.
    pub(crate) fn broken_laws(&self) -> Option<&'static str> {
        let writes = self.all(face::SET_COOKIE).next().or(self.all(face::SESSION_TOKEN).next()).is_some();
        let varies = |name| self.all(face::VARY).any(|field| field.split(", ").any(|word| word == name));
        if writes && !self.all(face::CACHE_CONTROL).eq(["no-store"]) {
            Some("a token is written, and caches may keep it")
        } else if writes && !["Cookie", "Authorization"].into_iter().all(varies) {
            Some("a token is written, and Vary does not say that it may differ")
        } else {
            None
        }
    }
}

fn kind_of_cookie(field: &str, (name, attributes): (&str, &str)) -> String {
    let value = field.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    let value = value.and_then(|rest| rest.split_once(';'));
    match value {
        Some((token, rest)) if is_token(token) && rest == attributes => face::SET.to_owned(),
        Some(("", rest)) if rest.strip_prefix(attributes) == Some("; Max-Age=0") => face::DELETED.to_owned(),
        _ => field.to_owned(),
    }
}

fn kind_of_token(field: &str) -> String {
    if is_token(field) { face::GIVEN } else { field }.to_owned()
}

fn is_token(text: &str) -> bool {
    (52..=4000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What JSON says of the session and of the signals.
fn show_body(mut face: Face, body: &Value) -> Face {
    if let Some(error) = body["error"].as_str() {
        face = face.error(error);
    }
    match &body["user"] {
        Value::String(user) => face = face.user(user),
        Value::Null if body.get("user").is_some() => face = face.nobody(),
        _ => {}
    }
    if let Some(carrier) = body["carrier"].as_str() {
        face = face.by(carrier);
    }
    let dnt = match body["signals"]["dnt"].as_bool() {
        Some(true) => "DNT",
        Some(false) => "no DNT",
        None => "",
    };
    let gpc = if body["signals"]["gpc"] == true { "GPC" } else { "" };
    match [dnt, gpc].join(" ").trim() {
        "" => face,
        signals => face.heard(signals),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Fields may hold any byte, and each must be seen.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Where the token stands in the page that hands it over.
const IN_PAGE: &str = r#"name="session-token" content=""#;

/// curl's exit codes for a server that hung up, or reset what it did not like: an error of HTTP/2's framing, an empty
/// reply, a failure to send or to receive, a reset stream.
const HUNG_UP: [i32; 5] = [16, 52, 55, 56, 92];

/// The longest that curl may take for one request, in seconds; none takes nearly so long.
const PATIENCE: &str = "60";
