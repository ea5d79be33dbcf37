//! A gate between nginx and the server: it holds each answer back until the case lets it go.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::wait::PATIENCE;

/// Everything under `/held/` of the site comes through here.
pub struct Gate {
    pub port: u16,
    held: tokio::sync::Mutex<mpsc::UnboundedReceiver<Held>>,
}

/// An answer that the server has given and the browser does not have.
#[must_use = "the browser waits for it"]
pub struct Held {
    /// The first line of the request.
    pub request: String,
    go: oneshot::Sender<()>,
}

impl Held {
    pub fn release(self) {
        let _ = self.go.send(());
    }
}

impl Gate {
    /// Opens a gate to the server on this port.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, held) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, send.clone()));
            }
        });
        Self { port, held: held.into() }
    }

    /// Waits until the server has answered the next request that goes through the gate.
    pub async fn next(&self) -> Held {
        let mut held = self.held.lock().await;
        let next = tokio::time::timeout(PATIENCE, held.recv()).await;
        next.expect("a request came to the gate").expect("the gate is open")
    }
}

/// One request and its answer. nginx speaks HTTP/1.0 here, so both end with their connection or their length.
async fn pass(mut client: TcpStream, server: u16, held: mpsc::UnboundedSender<Held>) -> std::io::Result<()> {
    let request = read_request(&mut client).await?;
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    upstream.write_all(&request).await?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await?;
    let (go, gone) = oneshot::channel();
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let _ = held.send(Held { request: line, go });
    let _ = gone.await;
    client.write_all(&answer).await?;
    client.shutdown().await
}

async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if client.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    Ok(request)
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    request.len() >= end + 4 + length.map_or(0, |length| length.trim().parse().unwrap())
}
