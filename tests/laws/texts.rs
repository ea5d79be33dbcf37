//! A text that is not a token's own, to the bit, is refused; and nothing a client can send makes the library panic.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use waxseal::{Padding, Sealer, Signer};

use super::testkit::forge::Forge;
use super::testkit::reader::{Reader, load};
use super::testkit::ring::{Ring, role};
use super::testkit::state::{Example, Two};
use super::testkit::{NOW, decode, encode};
use super::{Anything, any_state};

/// Readers of a ring whose keys the testkit knows.
struct Doors {
    anything: Sealer<Anything>,
    padded: Sealer<Anything>,
    readable: Signer<Anything>,
    example: Sealer<Example>,
    signed: Signer<Example>,
    two: Sealer<Two>,
}

static DOORS: LazyLock<Doors> = LazyLock::new(|| {
    let ring = load(&Ring::example().text(), NOW);
    let reader = Reader::example();
    Doors {
        anything: Sealer::new(&ring, "session").unwrap(),
        padded: Sealer::builder(&ring, "session").padding(Padding::To32).build().unwrap(),
        readable: Signer::new(&ring, "session").unwrap(),
        example: reader.sealer(&ring),
        signed: reader.signer(&ring),
        two: reader.sealer(&ring),
    }
});

/// Tells all readers this text; how many open it.
fn ask_all(text: &[u8]) -> usize {
    let context = b"tenant-7";
    let answers = [
        DOORS.anything.open(text).map(drop),
        DOORS.padded.with(context).open(text).map(drop),
        DOORS.readable.verify(text).map(drop),
        DOORS.example.with(context).open(text).map(drop),
        DOORS.signed.with(context).verify(text).map(drop),
        DOORS.two.with(context).open(text).map(drop),
    ];
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// One change to a text or to bytes.
#[derive(Clone, Debug)]
enum Change {
    Append(Vec<u8>),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
    Set(Index, u8),
    Swap(Index, Index),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Append(more) => bytes.extend(more),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Self::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::Set(at, byte) => *at.get_mut(bytes) = *byte,
            Self::Swap(one, other) => {
                let (one, other) = (one.index(bytes.len()), other.index(bytes.len()));
                bytes.swap(one, other);
            }
        }
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    // Half of the characters are of the alphabet, or nearly every text would fail at its first step.
    let byte = || prop_oneof![any::<u8>(), "[A-Za-z0-9_-]".prop_map(|text| text.as_bytes()[0])];
    prop_oneof![
        prop::collection::vec(byte(), 1..40).prop_map(Change::Append),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Remove),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

proptest! {
    #[test]
    fn a_changed_text_is_refused(
        state in any_state(), kind in 0..3_u8, changes in prop::collection::vec(any_change(), 1..4),
    ) {
        let token = match kind {
            0 => DOORS.anything.start(&state),
            1 => DOORS.padded.start(&state),
            _ => DOORS.readable.sign(&state),
        };
        let good = token.unwrap().into_string().into_bytes();
        let mut changed = good.clone();
        for change in &changes {
            if changed.is_empty() {
                break;
            }
            change.apply(&mut changed);
        }
        prop_assert_eq!(ask_all(&changed) > 0, changed == good);
    }

    #[test]
    fn a_changed_token_is_refused(
        state in any_state(), kind in 0..3_u8, changes in prop::collection::vec(any_change(), 1..3),
    ) {
        let token = match kind {
            0 => DOORS.anything.start(&state),
            1 => DOORS.padded.start(&state),
            _ => DOORS.readable.sign(&state),
        };
        let good = decode(token.unwrap().as_str()).unwrap();
        let mut changed = good.clone();
        for change in &changes {
            if !changed.is_empty() {
                change.apply(&mut changed);
            }
        }
        prop_assert_eq!(ask_all(encode(&changed).as_bytes()) > 0, changed == good);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert_eq!(ask_all(&text), 0);
    }

    #[test]
    fn no_base64url_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 30..200), key in 0..5_u8, signed: bool) {
        let mut bytes = bytes;
        bytes[0] = if signed { 0x12 } else { 0x11 };
        let keys = [role::revoked(), role::retiring(), role::active(), role::staged()];
        if let Some(key) = keys.get(usize::from(key)) {
            bytes[1..4].copy_from_slice(&key.id());
        }
        prop_assert_eq!(ask_all(encode(&bytes).as_bytes()), 0);
    }

    /// Behind the tag: whoever has a key can write any claims and any state.
    #[test]
    fn no_authentic_plaintext_makes_it_panic(
        plaintext in prop_oneof![
            prop::collection::vec(any::<u8>(), 3..80),
            prop::collection::vec(prop::sample::select(vec![0, 1, 2, 3, 4, 0x7f, 0x80, 0xff]), 3..80),
            (prop::sample::select(vec![2_u8, 3, 4, 5]), prop::collection::vec(any::<u8>(), 0..200))
                .prop_map(|(head, rest)| [&[head, 0x90, 0x1c, 0][..], &rest].concat()),
        ],
        signed: bool, iat: u32,
    ) {
        let mut forge = Forge { signed, iat, head: plaintext, ..Forge::new("", role::active()) };
        for part in [&mut forge.ttl, &mut forge.origin, &mut forge.body] {
            part.clear();
        }
        ask_all(forge.text().as_bytes());
        ask_all(Forge { iat: NOW as u32, ..forge }.text().as_bytes());
    }

    /// One token, one text: whatever opens is what base64url would write.
    #[test]
    fn accepted_text_is_the_only_spelling(
        body in prop::collection::vec(any::<u8>(), 0..20), last in any::<u8>(), signed: bool,
    ) {
        let forge = Forge { signed, body: [&Forge::new("", role::active()).body[..], &body].concat(),
            ..Forge::new("", role::active()) };
        let mut text = forge.text().into_bytes();
        // Only the last character has bits to spare.
        *text.last_mut().unwrap() = last;
        let opened = ask_all(&text) > 0;
        let again = std::str::from_utf8(&text).ok().and_then(decode).map(|token| encode(&token).into_bytes());
        if opened {
            prop_assert_eq!(again.as_ref(), Some(&text));
        }
        prop_assert_eq!(opened, body.is_empty() && text == forge.text().into_bytes());
    }
}
