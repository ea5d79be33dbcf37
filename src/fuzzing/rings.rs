//! Ring files as they come in, and the roles that their dates give.

use serde_json::Value;

use super::fixture::{DAY, ENTRIES, Entry, HOUR, NOW, file_of, with_digest};
use crate::id::{Carrier, KeyId, Label, Mode};
use crate::keys::{Lookup, Refusal, Ring, Role, Snapshot};
use crate::time::Timestamp;

/// Any bytes as a ring file: as they are, and with a good digest, so that the parser behind it is reached.
pub fn ring_file(bytes: &[u8]) {
    read(bytes);
    let closed = with_digest(bytes);
    if closed != bytes {
        read(&closed);
    }
}

/// Any dates and statuses, three bytes a key: a ring file that must be accepted, whatever roles they give.
pub fn roles(bytes: &[u8]) {
    let entries: Vec<_> = bytes.chunks_exact(3).zip(ENTRIES).map(|(bytes, entry)| dated(bytes, entry)).collect();
    let accepted = read(&file_of(&entries));
    assert_eq!(accepted, !entries.is_empty(), "dates alone refuse no ring");
}

fn dated(bytes: &[u8], entry: Entry) -> Entry {
    let date = |hours: u8| NOW.saturating_add_signed(i64::from(hours as i8) * HOUR as i64);
    let activate_at = (bytes[0] & 1 == 0).then(|| date(bytes[1]));
    Entry {
        status: ["enabled", "disabled", "revoked", "enabled"][usize::from(bytes[0] >> 1 & 3)],
        activate_at,
        superseded_at: activate_at.filter(|_| bytes[0] & 8 != 0).map(|_| date(bytes[2])),
        lifetime: if bytes[0] & 16 == 0 { DAY } else { HOUR },
        ..entry
    }
}

/// Reads a ring file and checks all that holds for it; whether it was accepted.
fn read(bytes: &[u8]) -> bool {
    let (ring, digest) = match Ring::from_file(bytes) {
        Ok(accepted) => accepted,
        Err(error) => {
            refused_quietly(&error.to_string());
            return false;
        }
    };
    let written = ring.to_file();
    assert_eq!(contents(bytes), contents(&written), "nothing is lost, added or moved");
    assert!(text_of(&digest, bytes), "the digest is the file's own");
    nothing_near_is_read(bytes);
    let (again, digest) = Ring::from_file(&written).expect("what a ring writes is a ring");
    assert_eq!(again.digest(), digest, "what is written again is the same to the byte");
    roles_agree(&ring, Snapshot::new(again, digest, &[label()], Timestamp::from_unix(NOW)));
    true
}

/// An error is one short line that repeats no secret: nothing of 43 characters of base64url.
fn refused_quietly(error: &str) {
    assert!(error.len() < 400 && !error.contains(char::is_control), "{error:?} is one short line");
    let secret = |part: &str| part.len() >= 40;
    let other = |byte: char| !byte.is_ascii_alphanumeric() && byte != '-' && byte != '_';
    assert!(!error.split(other).any(secret), "{error:?} repeats what may be a secret");
}

/// The JSON of a ring file, without the digest.
fn contents(bytes: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(bytes).expect("a ring file is JSON");
    value.as_object_mut().expect("a ring file is an object").remove("digest").expect("a ring file has a digest");
    value
}

/// A file that was cut, grew or lost a bit on its way is no ring.
fn nothing_near_is_read(bytes: &[u8]) {
    let refused = |bytes: &[u8]| Ring::from_file(bytes).is_err();
    assert!(refused(&bytes[..bytes.len() - 1]) && refused(&bytes[1..]), "cut");
    for extra in [b"\n", b" ", b"}", b"\0"] {
        assert!(refused(&[bytes, extra].concat()) && refused(&[extra, bytes].concat()), "grown");
    }
    for at in (0..bytes.len()).step_by(bytes.len().div_ceil(8)) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(refused(&changed), "another byte at {at}");
    }
}

fn text_of(digest: &[u8], bytes: &[u8]) -> bool {
    bytes.ends_with(format!("{}\"}}\n", crate::text::hex(digest)).as_bytes())
}

/// At every instant at which something changes, and a second around it: at most one key is active,
/// the snapshot agrees with the ring, and no key seals again once another has.
fn roles_agree(ring: &Ring, snapshot: Snapshot) {
    assert!(matches!(snapshot.accepts(ring, Timestamp::from_unix(NOW)), Err(Refusal::Fork { .. })));
    let (mut last, mut done) = (None, vec![]);
    for now in instants(ring) {
        let active: Vec<KeyId> =
            ring.keys.iter().filter(|key| ring.role(key, now) == Role::Active).map(|key| key.id).collect();
        assert!(active.len() <= 1, "{active:?} are active at {now}");
        assert_eq!(active.first().copied(), ring.active(now));
        assert_eq!(snapshot.sealing(0, now).map(|(id, _)| id), ring.active(now));
        for key in &ring.keys {
            let role = ring.role(key, now);
            assert_eq!(role, role_by_date(ring, key.id, now, role == Role::Disabled), "key {} at {now}", key.id);
            let agrees = match snapshot.find(0, key.id, now) {
                Lookup::Found(entry, _) => entry.is_disabled() == (role == Role::Disabled) && role != Role::Expired,
                Lookup::Expired => role == Role::Expired,
                Lookup::Revoked => role == Role::Revoked,
                Lookup::Unknown => false,
            };
            assert!(agrees, "key {} is {role} at {now}", key.id);
        }
        if last != ring.active(now) {
            done.extend(last);
            last = ring.active(now);
        }
        assert!(last.is_none_or(|id| !done.contains(&id)), "{last:?} seals again at {now}");
    }
}

/// FORMAT.md, "Roles", once more, from the dates in the file.
fn role_by_date(ring: &Ring, id: KeyId, now: Timestamp, disabled: bool) -> Role {
    let key = ring.keys.iter().find(|key| key.id == id).expect("a key of this ring");
    let own = key.activate_at.map(|at| (at, key.id));
    let taken_over = ring.keys.iter().filter_map(|other| other.activate_at.map(|at| (at, other.id)));
    let taken_over = taken_over.filter(|other| own.is_some_and(|own| *other > own)).map(|(at, _)| at);
    let over = taken_over.chain(key.superseded_at).min();
    let policy = ring.policy();
    let retention = key.max_token_lifetime + policy.late + 2 * policy.skew;
    let past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if key.secret.is_none() {
        Role::Revoked
    } else if past(over.map(|at| at.plus(retention))) {
        Role::Expired
    } else if disabled {
        Role::Disabled
    } else if past(over) {
        Role::Retiring
    } else {
        match key.activate_at {
            None => Role::Staged,
            Some(at) if at > now => Role::Scheduled,
            Some(_) => Role::Active,
        }
    }
}

/// Where a role may change, sorted; not all of them for a ring so large that this would take long.
fn instants(ring: &Ring) -> Vec<Timestamp> {
    let dates = ring
        .keys
        .iter()
        .flat_map(|key| [key.activate_at, key.superseded_at, ring.opens_until(key), ring.issues_until(key)]);
    let around = |at: Timestamp| {
        let at = at.as_unix();
        [at.saturating_sub(1), at, at.saturating_add(1)]
    };
    let mut all: Vec<_> = dates.flatten().take(64).flat_map(around).chain([0, NOW, u64::MAX]).collect();
    // The last instant of all means "never" in a snapshot.
    all.iter_mut().for_each(|at| *at = (*at).min(u64::MAX - 1));
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(Timestamp::from_unix).collect()
}

fn label() -> Label {
    Label { mode: Mode::Signed, purpose: "session".parse().expect("a purpose"), carrier: Carrier::Header }
}
