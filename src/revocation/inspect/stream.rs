//! A Redis server as a tool sees it: every entry of the stream, and whether servers can rely on it.

use serde::{Serialize, Serializer};

use super::{EntryReport, first_entry, merged, reports, tools};
use crate::keys::KeyRing;
use crate::revocation::entry::CutOffId;
use crate::revocation::error::RevocationsError;
use crate::revocation::list::Revocations;
use crate::revocation::redis::{Look, Redis, RedisError};
use crate::revocation::revoke::Revoke;
use crate::revocation::secrets::Secrets;
use crate::time::Timestamp;

/// Everything that a Redis server holds of a ring's revocations. Times are Unix seconds in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamInspection {
    /// The instant this speaks of.
    pub now: Timestamp,
    /// Drawn when the server was set up, and whenever the stream was complete again; `None` if it was emptied, or never set up.
    pub epoch: Option<String>,
    /// What the server does when its memory is full.
    pub maxmemory_policy: String,
    /// `master`, or what it is instead.
    pub role: String,
    /// For how long an entry is remembered, in seconds.
    pub retention: u64,
    /// Seconds that a cut-off may lie ahead of a clock; beyond it, it counts as of its arrival.
    pub skew: u64,
    /// The ring's own cut-off for everyone.
    pub not_before: Option<Timestamp>,
    /// Why a server that starts now could not load the list. [`RedisError::Cut`] holds it up only for a while.
    #[serde(serialize_with = "shown")]
    pub problems: Vec<RedisError>,
    /// Entries in the stream; `None` if there is none.
    pub length: Option<u64>,
    /// Entries that are none of this ring's and revoke nothing.
    pub refused: usize,
    /// Entries that are forgotten, and still stand in the stream.
    pub forgotten: usize,
    /// Every entry that is not forgotten, newest first.
    pub entries: Vec<EntryReport>,
}

impl Revocations {
    /// Reads everything in the stream of the Redis server at `url`, for people and tools. Writes nothing.
    ///
    /// # Errors
    /// It cannot be read, or was replaced meanwhile. What else is wrong with it is in the answer.
    pub fn inspect_redis(ring: &KeyRing, url: &str) -> Result<StreamInspection, RevocationsError> {
        let now = ring.clock().now();
        let (secrets, _, retention) = tools(ring);
        let look = Redis::look(url, &secrets)?;
        let snapshot = ring.snapshot();
        let not_before = Some(snapshot.ring.not_before).filter(|at| at.as_unix() > 0);
        Ok(StreamInspection::of(look, now, retention, snapshot.ring.policy.skew, not_before))
    }

    /// Has servers load what the Redis server at `url` holds, though some of it is lost and no server knows it any more. With
    /// [`Revoke::everyone`], every session that has started by now ends, so that none of those that were revoked lives again; with
    /// nothing, they do. The id of the cut-off if `revoke` is one.
    ///
    /// # Errors
    /// It cannot be reached, is no master, or would evict revocations.
    pub fn reset_redis(
        ring: &KeyRing,
        url: &str,
        revoke: Option<&Revoke>,
    ) -> Result<Option<CutOffId>, RevocationsError> {
        let secrets = Secrets::of(&ring.snapshot());
        let (entry, id) = first_entry(revoke, &secrets, ring.clock().now())?;
        Redis::reset(url, &secrets, entry.as_ref())?;
        Ok(id)
    }
}

impl StreamInspection {
    fn of(look: Look, now: Timestamp, retention: u64, skew: u64, not_before: Option<Timestamp>) -> Self {
        let dead = Timestamp::from_unix(now.as_unix().saturating_sub(retention));
        let (problems, refused) = (look.problems(dead), look.refused());
        let written = look.records.into_iter().filter_map(|(_, record)| record.ok());
        let (entries, forgotten) = merged(written.map(|record| (record.entry, record.writer.to_string())), dead);
        Self {
            now,
            length: look.view.has_stream.then_some(look.view.length),
            epoch: look.view.place.epoch,
            maxmemory_policy: look.view.policy,
            role: look.view.role,
            retention,
            skew,
            not_before,
            problems,
            refused,
            forgotten,
            entries: reports(entries, now, retention, skew),
        }
    }
}

fn shown<S: Serializer>(problems: &[RedisError], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(problems.iter().map(ToString::to_string))
}
