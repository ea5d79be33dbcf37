//! A server of its own for each drill, and an address that can lead to another one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use redis::{Client, FromRedisValue, cmd};

/// A `redis-server` in a directory of its own, killed on drop.
pub(super) struct RedisServer {
    pub(super) port: u16,
    directory: tempfile::TempDir,
    settings: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// A server that writes nothing to disk.
    pub(super) fn new() -> Self {
        Self::with(&["--save", ""])
    }

    pub(super) fn with(settings: &[&str]) -> Self {
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let directory = tempfile::tempdir().unwrap();
        let mut server = Self { port: free_port(), directory, settings, child: None };
        server.start();
        server
    }

    pub(super) fn start(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--dir"]).arg(self.directory.path());
        command.args(["--repl-diskless-sync-delay", "0"]).args(&self.settings);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("redis-server is installed"));
        for _ in 0..1_000 {
            // Not while it still loads what it has on disk.
            let ready = |mut connection| cmd("PING").query::<String>(&mut connection).is_ok();
            if Client::open(self.url()).unwrap().get_connection().is_ok_and(ready) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    /// Has the process stand still, with all its connections, or go on.
    pub(super) fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &child]).status().unwrap().success());
    }

    /// As if it had crashed.
    pub(super) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What the server answers to a command.
    pub(super) fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = Client::open(self.url()).unwrap().get_connection().unwrap();
        let mut asked = cmd(command[0]);
        command[1..].iter().for_each(|argument| {
            asked.arg(argument);
        });
        asked.query(&mut connection).unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An address that leads to one server, and later to another.
pub(super) struct Front {
    pub(super) url: String,
    target: Arc<AtomicU16>,
}

impl Front {
    pub(super) fn of(server: &RedisServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let target = Arc::new(AtomicU16::new(server.port));
        let leads_to = Arc::clone(&target);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", leads_to.load(Ordering::Relaxed))) {
                    join(client.try_clone().unwrap(), server.try_clone().unwrap());
                    join(server, client);
                }
            }
        });
        Self { url, target }
    }

    pub(super) fn lead_to(&self, server: &RedisServer) {
        self.target.store(server.port, Ordering::Relaxed);
    }
}

fn join(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

/// Below those that the system gives to clients, so that a server that was stopped finds its port again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 1_000) as u16 * 20;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
