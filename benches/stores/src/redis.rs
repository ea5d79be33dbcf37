//! Redis: one connection for the latency, one multiplexed connection and many tasks for the throughput.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use redis::{AsyncCommands, Client, Commands, Connection};
use tokio::runtime::Runtime;

use crate::programs::{Server, command, find, folder, free_port};
use crate::sessions::Typical;
use crate::store::{Ids, Store, decode};

pub(crate) struct Redis {
    client: Client,
    connection: RefCell<Connection>,
    runtime: Runtime,
    ids: Ids,
    memory: u64,
    /// Last, so that it outlives its clients.
    _server: Server,
}

pub(crate) fn start(ids: &Ids, state: &[u8]) -> Result<Box<dyn Store>, Box<dyn Error>> {
    let folder = folder()?;
    let mut command = command(&find("redis-server", "redis-server")?, &folder)?;
    let port = free_port()?;
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    let server = Server::start(command, port, folder)?;
    let client = Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut connection = client.get_connection()?;
    let before = server.resident();
    for ids in ids.all().chunks(500) {
        let mut pipe = redis::pipe();
        ids.iter().for_each(|id| {
            pipe.set_ex(key(id), state, 86_400).ignore();
        });
        pipe.query::<()>(&mut connection)?;
    }
    let memory = server.resident().saturating_sub(before);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let connection = RefCell::new(connection);
    Ok(Box::new(Redis { client, connection, runtime, ids: ids.clone(), memory, _server: server }))
}

impl Store for Redis {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn read(&mut self, id: usize) -> Typical {
        let state: Vec<u8> = self.connection.get_mut().get(key(&self.ids.all()[id])).expect("it was stored");
        decode(&state)
    }

    fn rate(&self, ids: &Ids, slice: Duration) -> f64 {
        let reads: u64 = self.runtime.block_on(async {
            let connection = self.client.get_multiplexed_async_connection().await.expect("the server runs");
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| self.runtime.spawn(read_on(connection.clone(), ids.clone(), task, slice)))
                .collect();
            let mut reads = 0;
            for task in tasks {
                reads += task.await.expect("it reads");
            }
            reads
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

async fn read_on(mut connection: redis::aio::MultiplexedConnection, ids: Ids, task: usize, slice: Duration) -> u64 {
    let started = std::time::Instant::now();
    let mut turn = 0;
    while started.elapsed() < slice {
        let state: Vec<u8> =
            connection.get(key(&ids.all()[ids.pick(turn * TASKS + task)])).await.expect("it was stored");
        std::hint::black_box(decode(&state));
        turn += 1;
    }
    turn as u64
}

fn key(id: &str) -> String {
    format!("session:{id}")
}

const TASKS: usize = 64;
