//! The few commands that are spoken with the server.

use ::redis::{Cmd, Value, cmd};

use super::RedisError;
use super::record::StreamId;
use super::view::{self, View};
use super::wire::Wire;
use crate::text::hex;

/// A server, and the two keys of a ring on it. Only one of its callers talks at a time.
pub(crate) struct Server {
    wire: Wire,
    epoch: String,
    stream: String,
}

impl Server {
    /// The server at `url`, for the ring of this id. Nothing is connected yet.
    ///
    /// # Errors
    /// The URL is not one of a server.
    pub(crate) fn at(url: &str, ring_id: &[u8; 16]) -> Result<Self, RedisError> {
        // The braces keep both keys on one server where keys are spread over several.
        let ring = hex(ring_id);
        let (epoch, stream) = (format!("waxseal:{{{ring}}}:epoch"), format!("waxseal:{{{ring}}}:revocations"));
        Ok(Self { wire: Wire::to(url)?, epoch, stream })
    }

    /// Asks the server about itself and the stream.
    pub(crate) fn look(&mut self) -> Result<View, RedisError> {
        let info = ["server", "replication", "memory"].map(|section| command("INFO", &[section]));
        let [server, replication, memory] = info;
        let get = command("GET", &[&self.epoch]);
        let stream = command("XINFO", &["STREAM", &self.stream]);
        let mut answers = self.wire.ask("look at", &[get, server, replication, memory, stream])?;
        let stream = match answers.pop() {
            Some(Ok(stream)) => Some(stream),
            Some(Err(error)) if error.details().is_some_and(|why| why.contains("no such key")) => None,
            Some(Err(error)) => return Err(self.wire.told("look at the stream of", &error.to_string())),
            None => return Err(RedisError::answer("XINFO", "the stream")),
        };
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        let answers = answers.map_err(|error| self.wire.told("look at", &error.to_string()))?;
        let (epoch, info) = answers.split_first().ok_or_else(|| RedisError::answer("GET", "the epoch"))?;
        let info: Vec<_> = info.iter().filter_map(view::text).collect();
        View::of(epoch, &info.join("\n"), stream.as_ref())
    }

    /// The entries behind a place, a batch of them; none if there are no more.
    pub(crate) fn read(&mut self, after: StreamId) -> Result<Vec<(StreamId, Vec<u8>)>, RedisError> {
        let (count, after) = (BATCH.to_string(), after.to_string());
        let read = command("XREAD", &["COUNT", &count, "STREAMS", &self.stream, &after]);
        view::entries(&self.one("read revocations from", read)?)
    }

    /// Adds entries to the stream, all that are given. Where the last of them is; the start if there are none.
    ///
    /// # Errors
    /// At least one was not added; the others may have been.
    pub(crate) fn append(&mut self, entries: &[Vec<u8>]) -> Result<StreamId, RedisError> {
        let mut last = StreamId::default();
        for batch in entries.chunks(BATCH) {
            let add = |bytes: &Vec<u8>| command("XADD", &[&self.stream, "*", FIELD]).arg(&bytes[..]).to_owned();
            let adds: Vec<_> = batch.iter().map(add).collect();
            let places = self.wire.demand("write revocations to", &adds)?;
            self.wire.wrote = true;
            last = places.last().and_then(view::id).ok_or_else(|| RedisError::answer("XADD", "a place"))?;
        }
        Ok(last)
    }

    /// Waits until a replica has what was written over this connection.
    ///
    /// # Errors
    /// None has within a second, or the connection that was written over is gone.
    pub(crate) fn confirm(&mut self) -> Result<(), RedisError> {
        let doing = "wait for a replica of";
        // Over a connection that wrote nothing, every replica has everything at once.
        let answer = if self.wire.is_open() && self.wire.wrote {
            self.one(doing, command("WAIT", &["1", CONFIRM_MS]))?
        } else {
            Value::Int(0)
        };
        match answer {
            Value::Int(1..) => Ok(()),
            _ => Err(RedisError::Unconfirmed),
        }
    }

    /// Begins an epoch, unless there is one; whether it did. Of the stream, as it is, nobody misses anything, though `removed`
    /// entries were.
    pub(crate) fn begin(&mut self, epoch: &[u8; 16], removed: u64) -> Result<bool, RedisError> {
        let answer = self.one("set up", command("SET", &[&self.epoch, &said(epoch, removed), "NX"]))?;
        self.set_up_stream()?;
        Ok(answer != Value::Nil)
    }

    /// As [`begin`](Self::begin), in place of the epoch that there is.
    pub(crate) fn begin_anew(&mut self, epoch: &[u8; 16], removed: u64) -> Result<(), RedisError> {
        self.one("set up", command("SET", &[&self.epoch, &said(epoch, removed)]))?;
        self.set_up_stream()
    }

    /// Makes the stream, unless there is one, and a group of readers, which nobody uses: a stream that the next entry begins
    /// after it was deleted has none.
    fn set_up_stream(&mut self) -> Result<(), RedisError> {
        let doing = "make the stream of";
        let make = command("XGROUP", &["CREATE", &self.stream, GROUP, "0", "MKSTREAM"]);
        let made = self.wire.ask(doing, &[make])?;
        match made.into_iter().find_map(Result::err).filter(|error| error.code() != "BUSYGROUP") {
            Some(error) => Err(self.wire.told(doing, &error.to_string())),
            None => Ok(()),
        }
    }

    /// Removes what was written before a place, roughly. How many entries that were.
    pub(crate) fn trim(&mut self, before: StreamId) -> Result<u64, RedisError> {
        let trim = command("XTRIM", &[&self.stream, "MINID", "~", &before.to_string()]);
        match self.one("trim the stream of", trim)? {
            Value::Int(removed) => Ok(u64::try_from(removed).unwrap_or_default()),
            _ => Err(RedisError::answer("XTRIM", "a number")),
        }
    }

    /// Says that of an epoch nobody misses anything, though `removed` entries were.
    pub(crate) fn count_on(&mut self, epoch: &str, removed: u64) -> Result<(), RedisError> {
        let said = format!("{epoch} {removed}");
        self.one("count what was trimmed from", command("SET", &[&self.epoch, &said, "XX"])).map(|_| ())
    }

    fn one(&mut self, doing: &'static str, command: Cmd) -> Result<Value, RedisError> {
        let mut answers = self.wire.demand(doing, &[command])?;
        Ok(answers.pop().unwrap_or_default())
    }
}

/// An epoch as the server holds it.
fn said(epoch: &[u8; 16], removed: u64) -> String {
    format!("{} {removed}", hex(epoch))
}

fn command(name: &str, arguments: &[&str]) -> Cmd {
    let mut command = cmd(name);
    arguments.iter().for_each(|argument| {
        command.arg(argument);
    });
    command
}

/// The one field of an entry of the stream.
pub(crate) const FIELD: &str = "r";

/// The group of readers that a stream has which was set up.
const GROUP: &str = "waxseal";

/// Entries that are read or written at once.
const BATCH: usize = 1_000;

/// How long a replica has to confirm, in milliseconds; shorter than an answer may take.
const CONFIRM_MS: &str = "1000";
