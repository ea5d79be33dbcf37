//! nginx on free ports of this machine, with a certificate of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::programs::{self, Process, run};
use crate::wait::until;

/// A running nginx, killed when dropped.
pub struct Nginx {
    _process: Process,
    /// Where all hosts are.
    pub port: u16,
    /// Where TLS is taken off and nothing else is done.
    pub through: u16,
}

impl Nginx {
    /// Starts nginx in `directory` on the first two ports, in front of the server and the gate on the others.
    ///
    /// Returns what it complained of if it does not start: a free port may be taken before nginx has it.
    pub async fn start(directory: &Path, [port, through]: [u16; 2], server: u16, gate: u16) -> Result<Self, String> {
        certify(directory);
        let filled = [
            ("STREAM_MODULE", programs::nginx_stream_module().display().to_string()),
            ("DIRECTORY", directory.display().to_string()),
            ("LAB", Path::new(env!("CARGO_MANIFEST_DIR")).join("lab").display().to_string()),
            ("THROUGH", through.to_string()),
            ("SERVER", server.to_string()),
            ("GATE", gate.to_string()),
            ("PORT", port.to_string()),
            ("PLANTED", "0".repeat(60)),
        ];
        let configuration =
            filled.iter().fold(CONFIGURATION.to_owned(), |text, (word, value)| text.replace(word, value));
        let path = directory.join("nginx.conf");
        fs::write(&path, configuration).unwrap();
        let mut command = Command::new(programs::nginx());
        command.arg("-p").arg(directory).arg("-c").arg(&path).arg("-e").arg(directory.join("nginx.log"));
        let mut process = Process(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let up = until("nginx listens or ends", async || {
            if process.0.try_wait().unwrap().is_some() {
                return Some(false);
            }
            // nginx writes this once it has its ports; a connection would not tell whose they are.
            directory.join("nginx.pid").exists().then_some(true)
        });
        if up.await {
            return Ok(Self { _process: process, port, through });
        }
        Err(fs::read_to_string(directory.join("nginx.log")).unwrap_or_default())
    }
}

/// A certificate that only a browser told to ignore such things takes.
fn certify(directory: &Path) {
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let (key, certificate) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let names = ["-subj", "/CN=site.test", "-addext", "subjectAltName=DNS:site.test,DNS:*.site.test,DNS:*.test"];
    run("openssl", &[&kind[..], &names, &["-keyout", key, "-out", certificate]].concat());
}

/// Ports that are free now, from below those that the system hands out: else the next connection of anything could get one.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    // Where a process begins depends on it, so that two at once hardly meet.
    let mut ports = std::iter::from_fn(|| {
        let step = std::process::id().wrapping_mul(97).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        Some(LOWEST_PORT + (step % 12_000) as u16)
    });
    [(); N].map(|()| ports.find(|&port| is_free(port)).expect("there are many"))
}

const LOWEST_PORT: u16 = 20_000;

const CONFIGURATION: &str = include_str!("nginx.conf");
