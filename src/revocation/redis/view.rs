//! What a server says of itself, and whether revocations are safe with it.

use ::redis::Value;

use super::RedisError;
use super::record::StreamId;

/// A server at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) place: Place,
    pub(crate) role: String,
    /// What it does when its memory is full.
    pub(crate) policy: String,
    /// Whether there is a stream that was set up, be it an empty one. A stream that was deleted and begun again by the next entry
    /// is not.
    pub(crate) has_stream: bool,
    /// Entries in it.
    pub(crate) length: u64,
    /// The newest entry that there ever was in it.
    pub(crate) last: StreamId,
    /// The oldest that there is.
    pub(crate) first: Option<StreamId>,
    /// How many were removed, if the server keeps count: Redis 7 does.
    pub(crate) removed: u64,
    /// Whether it does.
    pub(crate) counts: bool,
    /// How many of them nobody misses, as the epoch says.
    pub(crate) unmissed: u64,
    /// The newest that was removed by name.
    deleted: StreamId,
}

/// Whose stream it is: in another epoch, or on another server, it may hold less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// `None` if the server was emptied, or never set up. Without its number, which changes.
    pub(crate) epoch: Option<String>,
    /// The process, and the history that it goes on with.
    master: [String; 2],
}

impl View {
    /// Reads the answers to `GET epoch`, `INFO server`, `INFO replication`, `INFO memory` and `XINFO STREAM`.
    ///
    /// # Errors
    /// They are not what a server answers.
    pub(crate) fn of(epoch: &Value, info: &str, stream: Option<&Value>) -> Result<Self, RedisError> {
        let field = |name: &str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(|value| value.trim().to_owned()).ok_or_else(|| RedisError::answer("INFO", name))
        };
        let count = |name| match stream.and_then(|stream| member(stream, name)) {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or_default(),
            _ => 0,
        };
        let epoch = match epoch {
            Value::Nil => None,
            value => Some(text(value).ok_or_else(|| RedisError::answer("GET", "the epoch"))?),
        };
        let (epoch, unmissed) = match epoch.as_deref().and_then(|epoch| epoch.split_once(' ')) {
            Some((epoch, unmissed)) => (Some(epoch.to_owned()), unmissed.parse().unwrap_or_default()),
            None => (epoch, 0),
        };
        Ok(Self {
            place: Place { epoch, master: [field("run_id")?, field("master_replid")?] },
            role: field("role")?,
            policy: field("maxmemory_policy")?,
            has_stream: count("groups") > 0,
            length: count("length"),
            last: stream.and_then(|stream| id(member(stream, "last-generated-id")?)).unwrap_or_default(),
            first: stream.and_then(|stream| id(items(member(stream, "first-entry")?)?.first()?)),
            removed: count("entries-added").saturating_sub(count("length")),
            counts: stream.and_then(|stream| member(stream, "entries-added")).is_some(),
            unmissed,
            deleted: stream.and_then(|stream| id(member(stream, "max-deleted-entry-id")?)).unwrap_or_default(),
        })
    }

    /// Whether entries were removed since `seen` of which some may be needed still: those for which `is_young`.
    pub(crate) fn was_cut_since(&self, seen: &Self, is_young: impl Fn(StreamId) -> bool) -> bool {
        // Whatever went was not older than what was the oldest then.
        let trimmed = self.removed > seen.removed && is_young(seen.first.unwrap_or(self.last));
        trimmed || (self.deleted > seen.deleted && is_young(self.deleted))
    }

    /// Whether somebody has said that the stream is complete, and nothing was removed since that is needed still.
    pub(crate) fn is_complete(&self, is_young: impl Fn(StreamId) -> bool) -> bool {
        // Whoever trims counts on, unless two do at once; even then something that is old is left, but for rare chances, and then
        // those who know say again that it is complete.
        let is_cut = is_young(self.first.unwrap_or(self.last)) || is_young(self.deleted);
        self.place.epoch.is_some() && self.has_stream && (self.removed <= self.unmissed || !is_cut)
    }

    /// Whether it takes what is written, and is the first to know.
    ///
    /// # Errors
    /// It is a replica.
    pub(crate) fn check_role(&self) -> Result<(), RedisError> {
        match self.role.as_str() {
            "master" => Ok(()),
            role => Err(RedisError::Role { role: role.to_owned() }),
        }
    }

    /// Whether it keeps what it was given.
    ///
    /// # Errors
    /// It would throw the stream away to make room.
    pub(crate) fn check_policy(&self) -> Result<(), RedisError> {
        // The others evict only keys that expire, and ours do not.
        match self.policy.starts_with("allkeys") {
            false => Ok(()),
            true => Err(RedisError::Eviction { policy: self.policy.clone() }),
        }
    }
}

/// The texts of a stream's entries as `XREAD` answers them: their places, and the bytes of the field `r`.
///
/// # Errors
/// It is not what a server answers.
pub(crate) fn entries(answer: &Value) -> Result<Vec<(StreamId, Vec<u8>)>, RedisError> {
    let read = || RedisError::answer("XREAD", "entries");
    let stream = match answer {
        Value::Nil => return Ok(vec![]),
        Value::Map(streams) => streams.first().map(|(_, entries)| entries),
        answer => items(answer).and_then(|streams| items(streams.first()?)?.get(1)),
    };
    let entries = items(stream.ok_or_else(read)?).ok_or_else(read)?;
    entries.iter().map(|entry| one(entry).ok_or_else(read)).collect()
}

fn one(entry: &Value) -> Option<(StreamId, Vec<u8>)> {
    let [at, fields] = items(entry)? else { return None };
    // Whoever else writes to the stream may use other fields; they revoke nothing.
    let bytes = member(fields, super::server::FIELD).and_then(bytes).unwrap_or_default();
    Some((id(at)?, bytes.to_vec()))
}

/// The value behind a name, whether the server answers with a map or with a list.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Map(pairs) => pairs.iter().find(|(key, _)| bytes(key) == Some(name.as_bytes())).map(|(_, value)| value),
        value => {
            let pair = items(value)?.chunks_exact(2).find(|pair| bytes(&pair[0]) == Some(name.as_bytes()));
            pair.map(|pair| &pair[1])
        }
    }
}

fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::VerbatimString { text, .. } => Some(text.clone()),
        value => String::from_utf8(bytes(value)?.to_vec()).ok(),
    }
}

pub(crate) fn id(value: &Value) -> Option<StreamId> {
    StreamId::parse(core::str::from_utf8(bytes(value)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nrun_id:aa\r\n# Replication\r\nrole:master\r\nmaster_replid:bb\r\n# Memory\r\n\
                        maxmemory_policy:noeviction\r\n";

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_view_is_read_from_either_protocol() {
        let first = Value::Array(vec![bulk("2-0"), Value::Array(vec![])]);
        let groups = [bulk("groups"), Value::Int(1)];
        let flat = [vec![bulk("last-generated-id"), bulk("3-1"), bulk("first-entry"), first], groups.to_vec()].concat();
        let map = flat.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        for stream in [Value::Array(flat.clone()), Value::Map(map)] {
            let view = View::of(&bulk("cafe"), INFO, Some(&stream)).unwrap();
            assert_eq!((view.place.epoch.as_deref(), view.removed), (Some("cafe"), 0));
            assert_eq!((Some(view.last), view.first), (StreamId::parse("3-1"), StreamId::parse("2-0")));
            view.check_role().and(view.check_policy()).unwrap();
            assert!(view.is_complete(|_| true));
        }
    }

    #[test]
    fn what_was_removed_is_missed_until_an_epoch_knows_of_it() {
        let stream = |groups, added| {
            let count = [("groups", groups), ("length", 1), ("entries-added", added)];
            Value::Array(count.iter().flat_map(|(name, value)| [bulk(name), Value::Int(*value)]).collect())
        };
        let view = |epoch, groups, added| View::of(&epoch, INFO, Some(&stream(groups, added))).unwrap();
        assert!(view(bulk("cafe"), 1, 1).is_complete(|_| true));
        assert!(!view(bulk("cafe"), 1, 3).is_complete(|_| true) && view(bulk("cafe"), 1, 3).is_complete(|_| false));
        assert!(view(bulk("cafe 2"), 1, 3).is_complete(|_| true) && !view(bulk("cafe 2"), 1, 4).is_complete(|_| true));
        assert!(!view(bulk("cafe 2"), 0, 3).is_complete(|_| false), "begun again by an entry");
        assert!(!view(Value::Nil, 1, 1).is_complete(|_| false));
    }

    #[test]
    fn a_replica_and_a_server_that_evicts_are_refused() {
        let of = |info: &str| View::of(&Value::Nil, info, None).unwrap();
        assert!(matches!(of(&INFO.replace("master\r", "slave\r")).check_role(), Err(RedisError::Role { .. })));
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            let error = of(&INFO.replace("noeviction", policy)).check_policy().unwrap_err().to_string();
            assert!(error.contains(policy) && error.contains("noeviction"), "{error}");
        }
        of(&INFO.replace("noeviction", "volatile-lru")).check_policy().unwrap();
        assert!(View::of(&Value::Nil, "role:master", None).is_err());
    }

    #[test]
    fn entries_of_other_fields_are_empty() {
        let entry = |field: &str| Value::Array(vec![bulk("5-0"), Value::Array(vec![bulk(field), bulk("x")])]);
        let read = |list| entries(&Value::Array(vec![Value::Array(vec![bulk("key"), Value::Array(list)])]));
        let at = StreamId::parse("5-0").unwrap();
        assert_eq!(read(vec![entry("r"), entry("q")]).unwrap(), [(at, b"x".to_vec()), (at, vec![])]);
        assert!(entries(&Value::Nil).unwrap().is_empty());
        assert!(read(vec![Value::Nil]).is_err() && entries(&Value::Okay).is_err());
    }
}
