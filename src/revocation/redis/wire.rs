//! One connection to the server: kept while all is well, and made anew once anything was not.

use std::time::Duration;

use ::redis::{Client, Cmd, Connection, RedisResult, ServerError, Value};

use super::RedisError;

/// A way to a server, connected or not.
pub(crate) struct Wire {
    client: Client,
    connection: Option<Connection>,
    /// Whether anything was written over this connection: what a replica confirms concerns only that.
    pub(crate) wrote: bool,
}

/// What a server says to one command.
pub(crate) type Answer = Result<Value, ServerError>;

impl Wire {
    /// A way to the server at `url`. Nothing is connected yet.
    ///
    /// # Errors
    /// The URL is not one of a server.
    pub(crate) fn to(url: &str) -> Result<Self, RedisError> {
        let client = || {
            let client = Client::open(url)?;
            let known = client.get_connection_info();
            // Nobody needs to know which library this is, and not every user may say.
            let settings = known.redis_settings().clone().set_skip_set_lib_name();
            Client::open(known.clone().set_redis_settings(settings))
        };
        let client =
            client().map_err(|error: ::redis::RedisError| RedisError::Url { why: error.category().to_owned() })?;
        Ok(Self { client, connection: None, wrote: false })
    }

    /// Sends commands, all at once, and returns the answer to each.
    ///
    /// # Errors
    /// The server cannot be reached, or does not answer in time.
    pub(crate) fn ask(&mut self, doing: &'static str, commands: &[Cmd]) -> Result<Vec<Answer>, RedisError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.wrote = false;
                self.connect().map_err(|error| self.told("connect to", &unspoken(&error)))?
            }
        };
        let answers = talk(&mut connection, commands).map_err(|error| self.told(doing, &error.to_string()))?;
        // Only now: where an answer is missing, nobody knows which question the next one is to.
        self.connection = Some(connection);
        Ok(answers)
    }

    /// As [`ask`](Self::ask), if every command must succeed.
    ///
    /// # Errors
    /// One did not.
    pub(crate) fn demand(&mut self, doing: &'static str, commands: &[Cmd]) -> Result<Vec<Value>, RedisError> {
        let answers = self.ask(doing, commands)?;
        answers.into_iter().map(|answer| answer.map_err(|error| self.told(doing, &error.to_string()))).collect()
    }

    /// What went wrong, without the password, though it is not expected there.
    pub(crate) fn told(&self, doing: &'static str, why: &str) -> RedisError {
        let password = self.client.get_connection_info().redis_settings().password();
        let why = match password.filter(|password| !password.is_empty()) {
            Some(password) => why.replace(password, "[redacted]"),
            None => why.to_owned(),
        };
        RedisError::Server { doing, why }
    }

    /// Whether the connection over which the last answer came is still there.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(TIMEOUT)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        Ok(connection)
    }
}

/// Why there is no connection, in no words of the server's: one that does not know HELLO repeats the beginning of what it was told.
fn unspoken(error: &::redis::RedisError) -> String {
    if error.is_io_error() { error.to_string() } else { error.category().to_owned() }
}

/// Not by a pipeline of the client library: that waits for every answer though the first has not come in time.
fn talk(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<Vec<Answer>> {
    let packed: Vec<_> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    connection.send_packed_command(&packed)?;
    let mut answers = Vec::with_capacity(commands.len());
    while answers.len() < commands.len() {
        match connection.recv_response()? {
            Value::Push { .. } => {}
            Value::ServerError(error) => answers.push(Err(error)),
            value => answers.push(Ok(value)),
        }
    }
    Ok(answers)
}

/// The longest that a step may take: connecting, an answer, a write.
const TIMEOUT: Duration = Duration::from_secs(2);
