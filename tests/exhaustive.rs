//! Every flipped bit, every cut and every other character of sample tokens, in both modes: none is accepted.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod testkit;

use testkit::forge::Forge;
use testkit::reader::{Reader, load};
use testkit::ring::{Ring, role};
use testkit::state::Example;
use testkit::{NOW, decode, encode};
use waxseal::{OpenError, Sealer, Signer};

/// A reader of both modes.
struct Door {
    sealer: Sealer<Example>,
    signer: Signer<Example>,
}

impl Door {
    fn new() -> Self {
        let ring = load(&Ring::example().text(), NOW);
        let reader = Reader::example();
        Self { sealer: reader.sealer(&ring), signer: reader.signer(&ring) }
    }

    fn open(&self, signed: bool, text: &[u8]) -> Result<(), OpenError> {
        let context = b"tenant-7";
        if signed {
            self.signer.with(context).verify(text).map(drop)
        } else {
            self.sealer.with(context).open(text).map(drop)
        }
    }

    /// Counts a text that is refused for a reason that a changed token may have; panics on any other.
    fn refuses(&self, signed: bool, text: &[u8], reasons: &[&str]) -> usize {
        match self.open(signed, text) {
            Ok(()) => panic!("accepted {}", String::from_utf8_lossy(text)),
            Err(error) => {
                let code = error.reason().code();
                assert!(reasons.contains(&code), "{} is {code}", String::from_utf8_lossy(text));
                1
            }
        }
    }
}

/// The samples, the shortest first: a login, a renewal, a padded one if sealed; each good.
fn samples(signed: bool) -> Vec<String> {
    let first = Forge { signed, ..Forge::new("sample", role::active()) };
    let mut renewed = first.clone();
    renewed.continue_from(&first.bytes(), 0);
    let mut padded = first.clone();
    padded.pad(32);
    let mut samples = vec![first, renewed];
    if !signed {
        samples.push(padded);
    }
    let door = Door::new();
    let texts: Vec<_> = samples.iter().map(Forge::text).collect();
    texts.iter().for_each(|text| door.open(signed, text.as_bytes()).unwrap());
    assert_eq!(texts[0].len(), 67, "the login that the format is made for");
    texts
}

#[test]
fn every_flipped_bit_is_refused() {
    let door = Door::new();
    for signed in [false, true] {
        for text in samples(signed) {
            let mut token = decode(&text).unwrap();
            let mut refused = 0;
            for bit in 0..8 * token.len() {
                token[bit / 8] ^= 1 << (bit % 8);
                // A bit of the key id leads to no key; none of these leads to another.
                let reason = match bit / 8 {
                    0 => "mode",
                    1..4 => "unknown_key",
                    _ => "forged",
                };
                refused += door.refuses(signed, encode(&token).as_bytes(), &[reason]);
                token[bit / 8] ^= 1 << (bit % 8);
            }
            assert_eq!(refused, 8 * token.len());
        }
    }
}

#[test]
fn every_cut_is_refused() {
    let door = Door::new();
    for signed in [false, true] {
        for text in samples(signed) {
            for end in 0..text.len() {
                door.refuses(signed, &text.as_bytes()[..end], &["length", "text", "forged"]);
            }
            for start in 1..text.len() {
                door.refuses(signed, &text.as_bytes()[start..], &["length", "text", "mode", "unknown_key"]);
            }
            let token = decode(&text).unwrap();
            for end in 0..token.len() {
                door.refuses(signed, encode(&token[..end]).as_bytes(), &["length", "forged"]);
            }
        }
    }
}

#[test]
fn every_appended_character_is_refused() {
    let door = Door::new();
    for signed in [false, true] {
        for text in samples(signed) {
            for byte in 0..=u8::MAX {
                let behind = [text.as_bytes(), &[byte]].concat();
                door.refuses(signed, &behind, &["text", "forged"]);
                let before = [&[byte], text.as_bytes()].concat();
                door.refuses(signed, &before, &["text", "mode", "unknown_key"]);
            }
        }
    }
}

#[test]
fn every_other_character_of_a_sealed_token_is_refused() {
    substitute(false);
}

#[test]
fn every_other_character_of_a_signed_token_is_refused() {
    substitute(true);
}

/// Each position of each sample takes all 255 other values.
fn substitute(signed: bool) {
    let door = Door::new();
    let mut refused = 0;
    for text in samples(signed) {
        let mut text = text.into_bytes();
        for at in 0..text.len() {
            let good = text[at];
            for byte in (0..=u8::MAX).filter(|&byte| byte != good) {
                text[at] = byte;
                refused += door.refuses(signed, &text, &["text", "mode", "unknown_key", "forged"]);
            }
            text[at] = good;
        }
        door.open(signed, &text).unwrap();
    }
    assert!(refused >= 255 * (67 + 83), "{refused}");
}
