//! memcached: one connection for the latency, sixteen threads with one each for the throughput.

use std::error::Error;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use memcache::{Client, ConnectionManager, Url};

use crate::programs::{Server, command, find, folder, free_port};
use crate::sessions::Typical;
use crate::store::{Ids, Store, decode, until};

pub(crate) struct Memcached {
    client: Client,
    ids: Ids,
    memory: u64,
    server: Server,
}

pub(crate) fn start(ids: &Ids, state: &[u8]) -> Result<Box<dyn Store>, Box<dyn Error>> {
    let folder = folder()?;
    let mut command = command(&find("memcached", "memcached")?, &folder)?;
    let port = free_port()?;
    command.args(["-p", &port.to_string(), "-l", "127.0.0.1", "-m", "1024", "-t", "2"]);
    let server = Server::start(command, port, folder)?;
    let client = connect(port)?;
    let before = server.resident();
    for id in ids.all() {
        client.set(id, state, 86_400)?;
    }
    let memory = server.resident().saturating_sub(before);
    Ok(Box::new(Memcached { client, ids: ids.clone(), memory, server }))
}

impl Store for Memcached {
    fn name(&self) -> &'static str {
        "memcached"
    }

    fn read(&mut self, id: usize) -> Typical {
        read(&self.client, &self.ids.all()[id])
    }

    fn rate(&self, ids: &Ids, slice: Duration) -> f64 {
        let work = |thread: usize| {
            let client = connect(self.server.port).expect("the server runs");
            until(slice, |turn| drop(black_box(read(&client, &ids.all()[ids.pick(turn * THREADS + thread)]))))
        };
        let reads: u64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it reads")).sum()
        });
        reads as f64 / slice.as_secs_f64()
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn carried(&self) -> usize {
        self.ids.all()[0].len()
    }
}

/// A client with one connection, which it does not ask for its health before each read: that would be a second round trip.
fn connect(port: u16) -> Result<Client, Box<dyn Error>> {
    let url = Url::parse(&format!("memcache://127.0.0.1:{port}?timeout=10&tcp_nodelay=true"))?;
    let pool = r2d2::Pool::builder().max_size(1).test_on_check_out(false).build(ConnectionManager::new(url))?;
    Ok(Client::with_pool(pool)?)
}

fn read(client: &Client, id: &str) -> Typical {
    let state: Vec<u8> = client.get(id).expect("the server runs").expect("it was stored");
    decode(&state)
}

const THREADS: usize = 16;
