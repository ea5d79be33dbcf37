//! The verbs that change a Redis server: init, compact, reset.

use serde::Serialize;
use waxseal::Revocations;
use waxseal::revocation::Revoke;
use waxseal::time::Timestamp;

use super::Server;
use crate::answer::Answer;
use crate::error::CliError;
use crate::revocations::args::{Place, Reset};
use crate::revocations::confirm;
use crate::revocations::revoke::now;
use crate::show::{count, facts, span};

/// Sets a server up.
pub(crate) fn init(args: &Place, server: &Server) -> Result<Answer, CliError> {
    let ring = args.load()?;
    Revocations::init_redis(&ring, &server.url)?;
    let made = server.inspect(&ring)?;
    let ring_id = ring.status().ring.ring_id;
    let json = InitJson { redis: &server.shown, ring_id: &ring_id, epoch: made.epoch.as_deref() };
    let rows = [
        ("redis", server.shown.clone()),
        ("ring", ring_id.clone()),
        ("epoch", made.epoch.clone().unwrap_or_default()),
        ("kept", format!("for {} after it was decided", span(made.retention))),
    ];
    let next = "Next: name the server and a spool on each one's own disk in\n\
                Revocations::redis(). Whoever may write there may undo revocations.";
    Ok(Answer::new(format!("{}\n{next}", facts(&rows)), &json))
}

/// Says that there is nothing to do.
pub(crate) fn compact(server: &Server) -> Answer {
    let text = "Nothing to do: a stream needs no compacting. Servers trim what is forgotten once an hour.";
    Answer::new(text.to_owned(), &CompactJson { redis: &server.shown, needed: false })
}

/// Begins anew.
pub(crate) fn reset(args: &Reset, server: &Server) -> Result<Answer, CliError> {
    let ring = args.place.load()?;
    let does = match args.keep_sessions {
        true => "gives up every revocation that neither the server nor one that runs knows",
        false => "ends every session",
    };
    confirm(&ring.status().ring, args.ring_id.as_deref(), does)?;
    let revoke = (!args.keep_sessions).then(|| args.note.on(Revoke::everyone()));
    let id = Revocations::reset_redis(&ring, &server.url, revoke.as_ref())?;
    let now = now();
    let made = server.inspect(&ring)?;
    let rows = [
        ("redis", server.shown.clone()),
        ("epoch", made.epoch.clone().unwrap_or_default()),
        (
            "sessions",
            match id {
                Some(id) => format!("all that started up to {now} are over, by cut-off {id}"),
                None => "go on".to_owned(),
            },
        ),
        ("stream", format!("{}, all kept", count(made.length.unwrap_or_default() as usize, "entry", "entries"))),
    ];
    let then = match args.keep_sessions {
        true => {
            "Given up: every revocation that is not in the stream. Sessions that they ended\n\
             live again, stolen ones too. Servers that run publish what they know at their\n\
             next look."
        }
        false => {
            "Everybody logs in again. Servers that run publish what they know at their next\n\
             look and need no restart."
        }
    };
    let json = ResetJson {
        redis: &server.shown,
        epoch: made.epoch.as_deref(),
        sessions_ended: id.is_some(),
        cut_off: id.map(|id| id.to_string()),
        now,
    };
    Ok(Answer::new(format!("{}\n{then}", facts(&rows)), &json))
}

#[derive(Serialize)]
struct InitJson<'a> {
    redis: &'a str,
    ring_id: &'a str,
    epoch: Option<&'a str>,
}

#[derive(Serialize)]
struct CompactJson<'a> {
    redis: &'a str,
    needed: bool,
}

#[derive(Serialize)]
struct ResetJson<'a> {
    redis: &'a str,
    epoch: Option<&'a str>,
    sessions_ended: bool,
    cut_off: Option<String>,
    now: Timestamp,
}
