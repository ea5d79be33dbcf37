//! PostgreSQL: one connection and a prepared statement for the latency, four connections with sixteen tasks each for the
//! throughput.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

use crate::programs::{Server, command, find, folder, free_port, quiet};
use crate::sessions::Typical;
use crate::store::{Ids, Store, decode};

pub(crate) struct Postgres {
    client: Client,
    statement: Statement,
    runtime: Runtime,
    ids: Ids,
    memory: u64,
    server: Server,
}

pub(crate) fn start(ids: &Ids, state: &[u8]) -> Result<Box<dyn Store>, Box<dyn Error>> {
    let server = server()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (client, statement, memory) = runtime.block_on(fill(server.port, ids, state))?;
    Ok(Box::new(Postgres { client, statement, runtime, ids: ids.clone(), memory, server }))
}

/// A cluster of its own with the defaults.
fn server() -> Result<Server, Box<dyn Error>> {
    let folder = folder()?;
    let mut init = command(&find("initdb", "postgresql")?, &folder)?;
    let data = folder.path().join("data");
    let made = quiet(init.args(["-U", "bench", "-A", "trust", "--no-sync", "-D"]).arg(&data)).status()?;
    if !made.success() {
        return Err("initdb made no cluster".into());
    }
    let mut command = command(&find("postgres", "postgresql")?, &folder)?;
    let port = free_port()?;
    command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
    Server::start(command, port, folder)
}

async fn fill(port: u16, ids: &Ids, state: &[u8]) -> Result<(Client, Statement, u64), Box<dyn Error>> {
    let client = connect(port).await?;
    client.batch_execute(TABLE).await?;
    for ids in ids.all().chunks(1_000) {
        let states = vec![state; ids.len()];
        client.execute(INSERT, &[&ids, &states]).await?;
    }
    client.batch_execute("VACUUM ANALYZE session").await?;
    let size: i64 = client.query_one("SELECT pg_total_relation_size('session')", &[]).await?.get(0);
    let statement = client.prepare(SELECT).await?;
    Ok((client, statement, size as u64))
}

/// A connection, as soon as the server takes one.
async fn connect(port: u16) -> Result<Client, tokio_postgres::Error> {
    let started = Instant::now();
    loop {
        match tokio_postgres::connect(&format!("host=127.0.0.1 port={port} user=bench dbname=postgres"), NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            Err(error) if started.elapsed() > Duration::from_secs(20) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

impl Store for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn read(&mut self, id: usize) -> Typical {
        self.runtime.block_on(read(&self.client, &self.statement, &self.ids.all()[id]))
    }

    fn rate(&self, ids: &Ids, slice: Duration) -> f64 {
        let reads: u64 = self.runtime.block_on(async {
            let mut tasks = Vec::new();
            for connection in 0..CONNECTIONS {
                let client = Arc::new(connect(self.server.port).await.expect("the server runs"));
                let statement = client.prepare(SELECT).await.expect("the table is there");
                let task = |task| {
                    read_on(Arc::clone(&client), statement.clone(), ids.clone(), connection * TASKS + task, slice)
                };
                tasks.extend((0..TASKS).map(|number| self.runtime.spawn(task(number))));
            }
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

async fn read(client: &Client, statement: &Statement, id: &str) -> Typical {
    let row = client.query_one(statement, &[&id]).await.expect("it was stored");
    decode(row.get(0))
}

async fn read_on(client: Arc<Client>, statement: Statement, ids: Ids, task: usize, slice: Duration) -> u64 {
    let started = Instant::now();
    let mut turn = 0;
    while started.elapsed() < slice {
        std::hint::black_box(read(&client, &statement, &ids.all()[ids.pick(turn * TASKS + task)]).await);
        turn += 1;
    }
    turn as u64
}

const TABLE: &str = "CREATE TABLE session (id text PRIMARY KEY, state bytea NOT NULL, expires timestamptz NOT NULL)";
const INSERT: &str = "INSERT INTO session SELECT id, state, now() + interval '1 day' FROM unnest($1::text[], $2::bytea[]) \
                      AS sessions(id, state)";
const SELECT: &str = "SELECT state FROM session WHERE id = $1 AND expires > now()";

const CONNECTIONS: usize = 4;
const TASKS: usize = 16;
