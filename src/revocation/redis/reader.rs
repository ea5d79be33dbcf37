//! Reads on in the stream, batch after batch, and takes in what the fleet wrote.

use std::sync::Arc;

use super::RedisError;
use super::follower::Turn;
use super::record::{RecordError, StreamId, open};
use super::server::Server;
use crate::revocation::directory::WriterId;
use crate::revocation::entry::{Act, Entry};
use crate::revocation::secrets::Macs;
use crate::time::Timestamp;

/// How far this process has read.
#[derive(Default)]
pub(crate) struct Reader {
    cursor: StreamId,
    /// The last of this process's own entries that was read.
    read_back: u64,
    /// An entry that only a newer version understands.
    newer: Option<(u8, StreamId)>,
    /// Entries that revoke nothing because nobody who holds the ring wrote them.
    refused: u64,
    /// The secrets under which they were refused.
    macs: Vec<Arc<Macs>>,
}

impl Reader {
    /// Reads all that is new as of the start of the pass, and gives every entry that lives to `note`. Whether everything that this process wrote was there:
    /// whoever does not find what they wrote has lost it, whatever the server says.
    ///
    /// # Errors
    /// The server cannot be read to the end; what came before is taken in.
    pub(crate) fn read(
        &mut self,
        server: &mut Server,
        turn: &Turn<'_>,
        note: &mut dyn FnMut(&Entry),
    ) -> Result<bool, RedisError> {
        let (refused, mut news, mut whole) = (self.refused, vec![], true);
        let mut take = |entry: Entry, news: &mut Vec<Entry>| {
            // A cut-off that a clock ahead has made outlives what took it back.
            if entry.at >= turn.pass.dead || matches!(entry.act, Act::Retract(_)) {
                note(&entry);
                news.push(entry);
            }
        };
        let read = loop {
            if self.cursor >= turn.until {
                break Ok(vec![]);
            }
            let batch = match server.read(self.cursor) {
                Ok(batch) if !batch.is_empty() => batch,
                end => break end,
            };
            for (at, bytes) in batch {
                whole &= self.one(at, &bytes, turn, &mut |entry| take(entry, &mut news));
            }
            if news.len() >= FLUSH_AT {
                turn.pass.known.add_all(&news, turn.pass.now);
                news.clear();
            }
        };
        turn.pass.known.add_all(&news, turn.pass.now);
        if self.refused > refused {
            let entries = self.refused - refused;
            tracing::error!(
                entries,
                "entries of the stream are none of this ring's and revoke nothing; who else writes to it?"
            );
        }
        read?;
        let (own, last) = turn.own;
        Ok(self.comes_next(own, last + 1, turn) && whole)
    }

    fn one(&mut self, at: StreamId, bytes: &[u8], turn: &Turn<'_>, take: &mut dyn FnMut(Entry)) -> bool {
        self.cursor = at;
        match open(bytes, turn.pass.secrets) {
            Ok(record) => {
                take(record.entry);
                return self.comes_next(record.writer, record.seq, turn);
            }
            Err(RecordError::Newer { kind }) => self.newer = Some((kind, at)),
            Err(RecordError::Forged | RecordError::Malformed) => self.refused += 1,
        }
        true
    }

    /// Whether none of this process's own entries is missing before this one.
    fn comes_next(&mut self, writer: WriterId, seq: u64, turn: &Turn<'_>) -> bool {
        let next = writer != turn.own.0 || seq <= self.read_back + 1;
        if writer == turn.own.0 {
            self.read_back = self.read_back.max(seq.min(turn.own.1));
        }
        next
    }

    /// Reads from the start the next time.
    pub(crate) fn start_over(&mut self) {
        (self.cursor, self.refused, self.newer) = (StreamId::default(), 0, None);
    }

    /// Under other secrets, what was refused may be true.
    pub(crate) fn renew(&mut self, macs: &[Arc<Macs>]) {
        let same = self.macs.len() == macs.len() && self.macs.iter().zip(macs).all(|(one, other)| one.same(other));
        if self.refused > 0 && !same {
            self.start_over();
        }
        self.macs = macs.to_vec();
    }

    /// Where it has come to.
    pub(crate) fn cursor(&self) -> StreamId {
        self.cursor
    }

    /// The kind of an entry that only a newer version understands, until it concerns no session that lives.
    pub(crate) fn newer(&self, dead: Timestamp) -> Option<u8> {
        self.newer.filter(|(_, at)| at.seconds() >= dead.as_unix()).map(|(kind, _)| kind)
    }

    /// Entries so far that are none of this ring's.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

/// Entries that are taken in at once.
const FLUSH_AT: usize = 65_536;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::super::record::Pen;
    use super::super::view::View;
    use super::*;
    use crate::KeyRing;
    use crate::id::SessionId;
    use crate::revocation::directory::Pass;
    use crate::revocation::entry::{CutOff, CutOffId, Note, Scope};
    use crate::revocation::known::Known;
    use crate::revocation::secrets::Secrets;

    /// A server that answers once, with one entry, and hangs up on whatever is asked next.
    fn hangs_up_after(bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 4096]).unwrap();
            let head = "*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$15\r\n1786000000000-0\r\n*2\r\n$1\r\nr\r\n";
            client.write_all(format!("{head}${}\r\n", bytes.len()).as_bytes()).unwrap();
            client.write_all(&[&bytes[..], b"\r\n"].concat()).unwrap();
            let _ = client.read(&mut [0; 4096]).unwrap();
        });
        url
    }

    /// What becomes of one entry of the stream.
    fn read(bytes: Vec<u8>, secrets: &Secrets, known: &Known, reader: &mut Reader) {
        let broken = read_until(u64::MAX, Timestamp::default(), bytes, secrets, known, reader);
        assert!(matches!(broken, Err(RedisError::Server { .. })));
    }

    fn read_until(
        seconds: u64,
        dead: Timestamp,
        bytes: Vec<u8>,
        secrets: &Secrets,
        known: &Known,
        reader: &mut Reader,
    ) -> Result<bool, RedisError> {
        let mut server = Server::at(&hangs_up_after(bytes), &[0; 16]).unwrap();
        let pass = Pass { known, secrets, now: NOW, dead };
        let own = (WriterId::from_bytes([0; 8]), 0);
        let (view, until) = (View::default(), StreamId::at(seconds));
        let turn = Turn { pass: &pass, view: &view, until, own, loaded: true, observes: false };
        reader.read(&mut server, &turn, &mut |_| {})
    }

    fn secrets() -> Secrets {
        Secrets::of(&KeyRing::generate().unwrap().snapshot())
    }

    fn sealed(secrets: &Secrets) -> (SessionId, Vec<u8>) {
        let id = SessionId::new(1_786_000_000, [7; 12]);
        let entry = Entry { at: NOW, act: Act::Session(id), note: Note::default() };
        (id, Pen::new().unwrap().seal(&entry, secrets))
    }

    #[test]
    fn what_came_before_the_connection_broke_is_taken_in() {
        let secrets = secrets();
        let (known, mut reader) = (Known::new(secrets.names.clone(), 60), Reader::default());
        let (id, bytes) = sealed(&secrets);
        read(bytes, &secrets, &known, &mut reader);
        assert!(known.is_session_revoked(id, NOW));
        assert_eq!(Some(reader.cursor()), StreamId::parse("1786000000000-0"));
    }

    #[test]
    fn a_pass_ends_where_the_stream_did_when_it_began() {
        let secrets = secrets();
        let (known, mut reader) = (Known::new(secrets.names.clone(), 60), Reader::default());
        let (id, bytes) = sealed(&secrets);
        assert!(read_until(NOW.as_unix(), Timestamp::default(), bytes, &secrets, &known, &mut reader).unwrap());
        assert!(known.is_session_revoked(id, NOW));
    }

    #[test]
    fn a_retraction_counts_though_its_cut_off_outlives_it() {
        let secrets = secrets();
        let (known, mut reader) = (Known::new(secrets.names.clone(), 60), Reader::default());
        let id = SessionId::new(1_786_000_000, [7; 12]);
        let cut = CutOff { id: CutOffId([1; 8]), scope: Scope::Everyone, until: u32::MAX, except: None };
        let entry = |at, act| Entry { at, act, note: Note::default() };
        known.add(&entry(NOW.plus(100), Act::CutOff(cut)), NOW);
        let bytes = Pen::new().unwrap().seal(&entry(NOW, Act::Retract(cut.id)), &secrets);
        read_until(NOW.as_unix(), NOW.plus(50), bytes, &secrets, &known, &mut reader).unwrap();
        known.forget(NOW.plus(50));
        assert!(!known.is_session_revoked(id, NOW));
    }

    #[test]
    fn what_only_a_newer_version_understands_is_not_passed_over() {
        let secrets = secrets();
        let (known, mut reader) = (Known::new(secrets.names.clone(), 60), Reader::default());
        let mut bytes = [&[7; 8][..], &1_u64.to_be_bytes(), &[99, 0, 0, 0, 0, 0, 0]].concat();
        let tag: [u8; 32] = secrets.macs[0].journal.tag(&[b"waxrevs1", &secrets.ring_id, &bytes]);
        bytes.extend_from_slice(&tag);
        read(bytes, &secrets, &known, &mut reader);
        assert_eq!((reader.newer(NOW), reader.newer(NOW.plus(1)), reader.refused()), (Some(99), None, 0));
    }

    #[test]
    fn an_entry_under_a_secret_that_is_not_here_yet_counts_once_it_is() {
        let (mut ours, theirs) = (secrets(), secrets());
        let (known, mut reader) = (Known::new(ours.names.clone(), 60), Reader::default());
        let (id, bytes) = sealed(&Secrets { ring_id: ours.ring_id, ..theirs.clone() });
        reader.renew(&ours.macs);
        read(bytes.clone(), &ours, &known, &mut reader);
        assert_eq!(reader.refused(), 1);
        let cursor = reader.cursor();
        reader.renew(&ours.macs);
        assert_eq!(reader.cursor(), cursor);
        ours.macs.extend(theirs.macs);
        reader.renew(&ours.macs);
        assert_eq!((reader.cursor(), reader.refused()), (StreamId::default(), 0));
        read(bytes, &ours, &known, &mut reader);
        assert!(known.is_session_revoked(id, NOW));
    }

    const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);
}
