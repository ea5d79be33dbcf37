//! A running `api_server` of the example, and a client for it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Request, StatusCode};

/// A server on a free port, killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Kept open, so that the server can go on writing.
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
    authority: String,
    agent: ureq::Agent,
}

impl Server {
    /// Starts a server; [`ready`](Self::ready) waits for it.
    pub(crate) fn spawn(ring: &Path) -> Self {
        Self::spawn_with(ring, &[])
    }

    /// Starts a server with more options than the two that every one has.
    pub(crate) fn spawn_with(ring: &Path, options: &[&str]) -> Self {
        static LOGS: AtomicUsize = AtomicUsize::new(0);
        let log = ring.parent().unwrap().join(format!("server-{}.log", LOGS.fetch_add(1, Ordering::Relaxed)));
        let mut child = Command::new(program())
            .args(["--port", "0", "--ring"])
            .arg(ring)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
        Self { child, stdout, log, authority: String::new(), agent }
    }

    /// Waits until the server says where it listens.
    pub(crate) fn ready(mut self) -> Self {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let authority = line.trim_end().strip_prefix("listening on http://");
        self.authority = authority.unwrap_or_else(|| panic!("it did not start: {line}{}", self.log())).to_owned();
        self
    }

    /// Waits for a server that does not start: its exit code and what it said.
    pub(crate) fn refused(mut self) -> (Option<i32>, String) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "", "it started");
        let status = self.child.wait().unwrap();
        (status.code(), self.log())
    }

    pub(crate) fn start(ring: &Path) -> Self {
        Self::spawn(ring).ready()
    }

    /// Where it listens: host and port.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// What the server wrote on standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a request with these `Authorization` fields.
    pub(crate) fn send(&self, method: &str, path: &str, fields: &[&str], body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(self.uri(path));
        for field in fields {
            request = request.header("Authorization", *field);
        }
        self.run(request, body)
    }

    fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    fn run(&self, request: Builder, body: Option<Value>) -> Answer {
        let sent = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = sent.unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        Answer { status: response.status(), headers: response.headers().clone(), text }
    }

    /// Sends a request with a token.
    pub(crate) fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(method, path, &[&format!("Bearer {token}")], body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// Reads the session of a token.
    pub(crate) fn session(&self, token: &str) -> Answer {
        self.call("GET", "/session", token, None)
    }

    /// Logs in as a client that holds its token itself.
    pub(crate) fn log_in(&self, user: &str) -> String {
        let holds_tokens = Request::builder().header("Session-Transport", "header");
        self.run(holds_tokens.method("POST").uri(self.uri("/login")), Some(json!({ "user": user }))).token()
    }

    /// Asks for the ring until it is as wished.
    pub(crate) fn wait_for_ring(&self, wish: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ring = self.get("/keys").json();
            if wished(&ring) {
                return ring;
            }
            assert!(Instant::now() < deadline, "still not {wish}: {ring}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body of a request that went well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The token that came with it, which nobody on the way may store.
    pub(crate) fn token(&self) -> String {
        let token = self.header("session-token").unwrap_or_else(|| panic!("no token: {} {}", self.status, self.text));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        token.to_owned()
    }
}

/// Waits until `wished` is true; fails with `wish` after a while.
pub(crate) fn wait_until(wish: &str, wished: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !wished() {
        assert!(Instant::now() < deadline, "{wish}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The example's binary, which lies beside the `waxseal` command. A whole `cargo test` builds it, but
/// `cargo test --test api_server` alone does not.
pub(crate) fn program() -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_waxseal")).parent().unwrap().join("examples");
    let program = directory.join(format!("api_server{}", std::env::consts::EXE_SUFFIX));
    let built = fs::metadata(&program).and_then(|metadata| metadata.modified());
    let fresh = built.is_ok_and(|built| sources(&directory).iter().all(|&changed| changed <= built));
    assert!(
        fresh,
        "{} is missing or older than its sources: run `cargo build --example api_server --all-features`",
        program.display()
    );
    program
}

/// When each source of the example was changed, the library's included: cargo lists them for make.
fn sources(directory: &Path) -> Vec<SystemTime> {
    let list = fs::read_to_string(directory.join("api_server.d")).unwrap().replace("\\ ", "\0");
    let sources = list.split_whitespace().skip(1).map(|path| path.replace('\0', " "));
    let times: Vec<_> = sources.map(|path| fs::metadata(path).unwrap().modified().unwrap()).collect();
    assert!(times.len() > 10, "cargo's list is not as it was: {list}");
    times
}

/// The longest to wait for anything; tests end far sooner.
const PATIENCE: Duration = Duration::from_secs(60);
