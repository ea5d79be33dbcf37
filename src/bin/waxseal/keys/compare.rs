//! `keys compare`: which servers have the newest ring, from what they say of themselves.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use super::args::Compare;
use crate::answer::Answer;
use crate::error::{CliError, Exit};
use crate::input;
use crate::ring::usage;
use crate::show::{table, tame};

/// Compares what servers say.
pub(crate) fn compare(args: &Compare) -> Result<Answer, CliError> {
    if args.ring_id.as_ref().is_some_and(|id| id.is_empty() || !id.bytes().all(is_hex)) {
        return Err(usage("--ring-id is not the begin of a ring's id".into()).advise("give digits 0-9 a-f"));
    }
    let mut servers = Vec::new();
    for path in &args.files {
        servers.extend(read(path)?);
    }
    let verdict = Verdict::on(servers, args);
    Ok(Answer::new(verdict.text(), &verdict).but(verdict.problem()))
}

/// Every status in a file; one that cannot be read is a server that does not answer.
fn read(path: &Path) -> Result<Vec<Server>, CliError> {
    let name = tame(&path.display().to_string());
    let bytes = if path == Path::new("-") { input::standard(MAX_STATUSES)? } else { file(path, &name)? };
    let Some(bytes) = bytes else {
        return Err(usage(format!("{name} has more than {MAX_STATUSES} bytes")).advise("name the servers' JSON alone"));
    };
    let mut found: Vec<_> = serde_json::Deserializer::from_slice(&bytes).into_iter().collect();
    if found.is_empty() {
        return Ok(vec![Server::silent(name, "it is empty".into())]);
    }
    let numbered = found.len() > 1;
    let servers = found.drain(..).zip(1..).map(|(status, number): (Result<Status, serde_json::Error>, u32)| {
        let name = if numbered { format!("{name}#{number}") } else { name.clone() };
        match status.map_err(|error| error.to_string()).and_then(Status::checked) {
            Ok(status) => Server { name, status: Some(status), stand: Stand::Agrees, error: None },
            Err(error) => Server::silent(name, tame(&error)),
        }
    });
    Ok(servers.collect())
}

fn file(path: &Path, name: &str) -> Result<Option<Vec<u8>>, CliError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_STATUSES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| {
        usage(format!("cannot read {name}: {error}")).advise("save there what the server says in KeyRing::status()")
    })?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= MAX_STATUSES))
}

/// As much of a server's status as is compared. Other fields may be there.
#[derive(Deserialize)]
struct Status {
    ring_id: String,
    generation: u64,
    digest: String,
    #[serde(default)]
    last_error: Option<String>,
}

impl Status {
    fn checked(self) -> Result<Self, String> {
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(is_hex);
        if !digits(&self.ring_id, 32) {
            return Err("its ring_id is not 32 digits".into());
        }
        if !self.digest.strip_prefix("sha256:").is_some_and(|digest| digits(digest, 64)) {
            return Err("its digest is not sha256: and 64 digits".into());
        }
        Ok(Self { last_error: self.last_error.as_deref().map(tame), ..self })
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// One server, and where it stands.
#[derive(Serialize)]
struct Server {
    #[serde(rename = "server")]
    name: String,
    stand: Stand,
    #[serde(flatten, serialize_with = "known")]
    status: Option<Status>,
    /// Why nothing could be read of it.
    error: Option<String>,
}

impl Server {
    fn silent(name: String, error: String) -> Self {
        Self { name, status: None, stand: Stand::Silent, error: Some(error) }
    }
}

fn known<S: Serializer>(status: &Option<Status>, to: S) -> Result<S::Ok, S::Error> {
    let pairs = status.iter().flat_map(|status| {
        [
            ("ring_id", serde_json::Value::from(&*status.ring_id)),
            ("generation", status.generation.into()),
            ("digest", status.digest.as_str().into()),
            ("last_error", status.last_error.clone().into()),
        ]
    });
    to.collect_map(pairs)
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stand {
    /// Has the greatest generation, as every other that has it knows it.
    Agrees,
    /// Has an older generation.
    Behind,
    /// Has another ring altogether.
    Foreign,
    /// Shares its generation, and not its digest, with another.
    Fork,
    /// Says nothing that can be read.
    Silent,
}

impl Stand {
    fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Behind => "behind",
            Self::Foreign => "foreign ring",
            Self::Fork => "fork",
            Self::Silent => "no answer",
        }
    }
}

/// Where all of them stand.
#[derive(Serialize)]
struct Verdict {
    converged: bool,
    ring_id: Option<String>,
    /// The generation that is asked of everyone.
    generation: u64,
    servers: Vec<Server>,
}

impl Verdict {
    fn on(mut servers: Vec<Server>, args: &Compare) -> Self {
        let ring_id = home(&servers, args.ring_id.as_deref());
        let ours = |status: &&Status| Some(&status.ring_id) == ring_id.as_ref();
        let generations = servers.iter().filter_map(|server| server.status.as_ref()).filter(ours);
        let mut digests: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for status in generations {
            let known = digests.entry(status.generation).or_default();
            if !known.contains(&status.digest) {
                known.push(status.digest.clone());
            }
        }
        let greatest = digests.keys().next_back().copied().unwrap_or(0).max(args.generation.unwrap_or(0));
        for server in &mut servers {
            server.stand = match &server.status {
                None => Stand::Silent,
                Some(status) if !ours(&status) => Stand::Foreign,
                Some(status) if digests[&status.generation].len() > 1 => Stand::Fork,
                Some(status) if status.generation < greatest => Stand::Behind,
                Some(_) => Stand::Agrees,
            };
        }
        let converged = servers.iter().all(|server| server.stand == Stand::Agrees);
        Self { converged, ring_id, generation: greatest, servers }
    }

    fn text(&self) -> String {
        let header = ["SERVER", "STANDS", "GENERATION", "DIGEST", "RING"].map(str::to_owned);
        let rows = self.servers.iter().map(|server| {
            let of = |cell: fn(&Status) -> String| server.status.as_ref().map_or_else(|| "-".to_owned(), cell);
            [
                server.name.clone(),
                server.stand.as_str().to_owned(),
                of(|status| status.generation.to_string()),
                of(|status| status.digest[7..19].to_owned()),
                of(|status| status.ring_id[..8].to_owned()),
            ]
        });
        let rows: Vec<_> = [header].into_iter().chain(rows).collect();
        let troubles: String = self.servers.iter().filter_map(trouble).collect();
        let all = match self.converged {
            true => format!("\nAll {} agree on generation {}.\n", self.servers.len(), self.generation),
            false => String::new(),
        };
        format!("{}{}{troubles}{all}", table(&rows), if troubles.is_empty() { "" } else { "\n" })
    }

    /// Who does not agree, and what to do.
    fn problem(&self) -> Option<CliError> {
        let count = |stand: Stand| self.servers.iter().filter(|server| server.stand == stand).count();
        let found = [Stand::Foreign, Stand::Fork, Stand::Behind, Stand::Silent].map(|stand| (stand, count(stand)));
        let (worst, _) = *found.iter().find(|(_, count)| *count > 0)?;
        let counts = found.iter().filter(|(_, count)| *count > 0);
        let counts: Vec<_> = counts.map(|(stand, count)| format!("{count} {}", stand.as_str())).collect();
        let what = format!(
            "the fleet has not converged on generation {}: {} of {} agree, {}",
            self.generation,
            count(Stand::Agrees),
            self.servers.len(),
            counts.join(", ")
        );
        let advice = match worst {
            Stand::Foreign => "find out who made another ring, and copy the fleet's one over it",
            Stand::Fork => "the ring was changed in two places: copy one file over the other and change it once more",
            Stand::Behind => "see that the file arrives there, and what their last_error says; then compare again",
            _ => "ask those servers again; one that does not answer may have any ring",
        };
        Some(CliError::new(Exit::Refused, "not_converged", what).advise(advice))
    }
}

/// The ring that is asked for, or the one of most servers; of several, the one with the newest generation.
fn home(servers: &[Server], asked: Option<&str>) -> Option<String> {
    let mut rings: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for status in servers.iter().filter_map(|server| server.status.as_ref()) {
        let (count, newest) = rings.entry(&status.ring_id).or_default();
        (*count, *newest) = (*count + 1, status.generation.max(*newest));
    }
    let meant = rings.into_iter().filter(|(id, _)| asked.is_none_or(|asked| id.starts_with(asked)));
    meant.max_by_key(|&(_, rank)| rank).map(|(id, _)| id.to_owned())
}

/// What a server says is wrong with it, or what is wrong with what it says.
fn trouble(server: &Server) -> Option<String> {
    let of_status = server.status.as_ref().and_then(|status| status.last_error.as_deref());
    match (&server.error, of_status) {
        (Some(error), _) => Some(format!("{}: {error}\n", server.name)),
        (None, Some(error)) => Some(format!("{} cannot use its file: {error}\n", server.name)),
        (None, None) => None,
    }
}

/// Most bytes of statuses in one file: a status has about 4,000.
const MAX_STATUSES: u64 = 16 << 20;
