//! The example's server as a process, and a client for it that is no browser.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use reqwest::Method;
use serde_json::Value;

use crate::programs::{self, Process, run};
use crate::wait::{PATIENCE, until};

/// `--policy`: who gets a cookie.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    Always,
    Never,
    #[default]
    Respect,
}

/// A running server, killed when dropped.
pub struct Server {
    _process: Process,
    /// Kept open, so that the server can go on writing.
    _stdout: BufReader<ChildStdout>,
    log: PathBuf,
    ring: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server on a free port, with a ring and a log of its own in `directory`.
    pub fn start(directory: &Path, policy: Policy, more: &[&str]) -> Self {
        let (ring, log) = (directory.join("ring.json"), directory.join("server.log"));
        let mut child = Command::new(programs::api_server())
            .args(["--port", "0", "--policy", policy.name(), "--ring"])
            .arg(&ring)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let process = Process(child);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let port = line.trim_end().strip_prefix("listening on http://127.0.0.1:").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("it did not start: {line}{}", fs::read_to_string(&log).unwrap()));
        Self { _process: process, _stdout: stdout, log, ring, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server wrote on standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a request past nginx and without any browser.
    pub async fn direct(&self, method: &str, path: &str, fields: &[(&str, &str)], body: Option<Value>) -> Direct {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let fields = response.headers().iter();
        let fields =
            fields.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Direct { status: response.status().as_u16(), fields: fields.collect(), text: response.text().await.unwrap() }
    }

    /// Logs in as a client that asks for a token in the response field.
    pub async fn token_of(&self, user: &str) -> String {
        let answer = self.log_in(user, &[("Session-Transport", "header")]).await;
        answer.field("session-token").unwrap_or_else(|| panic!("no token: {answer:?}")).to_owned()
    }

    /// Logs in as a client that takes cookies; returns the value of the session's cookie.
    pub async fn cookie_of(&self, user: &str) -> String {
        let answer = self.log_in(user, &[]).await;
        let pair = answer.field("set-cookie").and_then(|field| field.split(';').next());
        pair.and_then(|pair| pair.split_once('=')).unwrap_or_else(|| panic!("no cookie: {answer:?}")).1.to_owned()
    }

    async fn log_in(&self, user: &str, fields: &[(&str, &str)]) -> Direct {
        self.direct("POST", "/login", fields, Some(serde_json::json!({ "user": user }))).await
    }

    /// Makes the ring's next key seal now, and waits until the server does so: every session is then due for renewal.
    pub async fn turn_the_key(&self) {
        let ring = self.ring.to_str().unwrap();
        let before = self.active_key().await;
        let listed = run(programs::waxseal(), &["keys", "list", "--json", "--ring", ring]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let keys = listed["keys"].as_array().unwrap().iter();
        let next =
            keys.clone().find(|key| key["role"] == "staged").unwrap_or_else(|| panic!("no staged key: {listed}"));
        run(
            programs::waxseal(),
            &["keys", "promote", "--now", "--force", "--ring", ring, next["id"].as_str().unwrap()],
        );
        until("the server seals under the next key", async || (self.active_key().await != before).then_some(())).await;
    }

    async fn active_key(&self) -> Value {
        let ring: Value = serde_json::from_str(&self.direct("GET", "/keys", &[], None).await.text).unwrap();
        ring["keys"].as_array().unwrap().iter().find(|key| key["role"] == "active").map(|key| key["id"].clone()).into()
    }
}

/// What the server answered a client that is no browser.
#[derive(Debug)]
pub struct Direct {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub text: String,
}

impl Direct {
    /// The only field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().filter(|(field, _)| field == name);
        let first = fields.next();
        assert!(fields.next().is_none(), "several {name}: {:?}", self.fields);
        first.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Respect => "respect",
        }
    }
}
