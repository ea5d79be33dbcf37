//! The worked example of FORMAT.md, "Lists of revocations": every byte of it is made here.

use std::fmt::Write;
use std::fs;

use super::header::Fleet;
use super::journal::{Beginning, Journal};
use super::line::{Line, Place};
use super::writer_id::WriterId;
use crate::crypto::{DIGEST_LEN, Prk, sha256};
use crate::id::SessionId;
use crate::revocation::entry::{Act, CutOff, CutOffId, Entry, Note, Scope};
use crate::revocation::secrets::Secrets;
use crate::text::hex;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix(1_786_000_000);
const RING_ID: [u8; 16] =
    [0x6b, 0x1f, 0x0c, 0x9d, 0x2e, 0x8a, 0x44, 0x75, 0xb3, 0xd0, 0x91, 0x7c, 0x5a, 0xe8, 0xf2, 0x64];

/// The bytes that count up from `first`, as the secrets of Example 11 do.
fn prk(first: u8) -> Prk {
    let secret: [u8; 32] = core::array::from_fn(|index| first + index as u8);
    Prk::extract(b"waxseal/v1", &secret)
}

fn fleet() -> Fleet {
    Fleet { ring_id: RING_ID, id: core::array::from_fn(|index| 0xa0 + index as u8), epoch: 1 }
}

fn entries(secrets: &Secrets) -> [(&'static str, Entry); 3] {
    let session: SessionId = "s1.6a7432801560fcb22fd075b357e9c94a".parse().unwrap();
    let cut = CutOff {
        id: CutOffId([0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7]),
        scope: Scope::Subject(secrets.names.subject("ada")),
        until: 1_786_000_060,
        except: Some(session),
    };
    let note = |actor: &str, reason: &str| Note { actor: actor.into(), reason: reason.into() };
    [
        ("session", Entry { at: NOW.plus(30), act: Act::Session(session), note: note("", "") }),
        ("cut-off", Entry { at: NOW.plus(60), act: Act::CutOff(cut), note: note("bob", "phone lost") }),
        ("retract", Entry { at: NOW.plus(90), act: Act::Retract(cut.id), note: note("bob", "") }),
    ]
}

fn example() -> String {
    let (scope, macs) = (prk(0x40), [prk(0x60), prk(0x80)]);
    let secrets = Secrets::example(RING_ID, &scope, &macs);
    let mut text = String::new();
    let mut say = |name: &str, bytes: &[u8]| writeln!(text, "{name:16}  {}", hex(bytes)).unwrap();
    say("scope key", &scope.expand(b"waxseal/v1/rev/id")[..16]);
    say("fingerprint key", &scope.expand(b"waxseal/v1/rev/fingerprint")[..16]);
    say("journal key", &macs[0].expand(b"waxseal/v1/rev/journal")[..]);
    say("snapshot key", &macs[0].expand(b"waxseal/v1/rev/snapshot")[..]);
    say("subject `ada`", &secrets.names.subject("ada"));
    say("tenant `acme`", &secrets.names.tenant("acme"));
    let entries = entries(&secrets);
    for (name, entry) in &entries {
        let mut bytes = vec![];
        entry.write(&mut bytes);
        say(name, &bytes);
    }
    let [(_, session), (_, cut_off), (_, retract)] = entries;
    let marker = fleet().marker(NOW, &secrets.macs[0]);
    say("marker", &marker);
    let directory = tempfile::tempdir().unwrap();
    let writer = WriterId::from_bytes([0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7]);
    let other = Place { writer: WriterId::from_bytes([0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7]), seq: 9 };
    let beginning = Beginning { fleet: fleet(), writer, generation: 2, base_seq: 4, written_at: NOW.plus(40) };
    let base = [Line::Entry(session), Line::Carried { at: NOW.plus(40), of: other }];
    let mut journal = Journal::create(directory.path(), &beginning, &base, &secrets.macs[0]).unwrap();
    let beat = Line::Beat { at: NOW.plus(100), read: Some(other) };
    journal.append(&[Line::Entry(cut_off), Line::Entry(retract), beat, Line::Closed], true).unwrap();
    let bytes = fs::read(directory.path().join(writer.file_name())).unwrap();
    let mut rest = &bytes[..];
    let mut part = |name: &str, len: usize| {
        let (bytes, behind) = rest.split_at(len);
        rest = behind;
        say(name, bytes);
    };
    part("header", 116);
    part("base", 2 + 23 + 2 + 21);
    part("tag of the base", 32);
    for (name, body) in [("line 5", 65), ("line 6", 18), ("line 7", 21), ("line 8", 1)] {
        part(name, 2 + 8 + body + 32);
    }
    assert!(rest.is_empty(), "{rest:?}");
    let digest: [u8; DIGEST_LEN] = sha256(&bytes);
    writeln!(text, "SHA-256 of the {} bytes: {}", bytes.len(), hex(&digest)).unwrap();
    text
}

#[test]
fn the_format_shows_what_is_written() {
    let format = include_str!("../../../docs/FORMAT.md");
    let example = example();
    assert!(format.contains(&format!("```text\n{example}```\n")), "FORMAT.md should say:\n{example}");
}
