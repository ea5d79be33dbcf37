//! The operations of one session, each with its floors on the same bytes.

use std::hint::black_box;
use std::time::Instant;

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use waxseal::session::Buffer;
use waxseal::{KeyRing, Sealer, Signer};

use crate::harness::{Plan, Row, Task, interleave, median, task};
use crate::primitives::{Aead, BASE64URL, HEADER};
use crate::sessions::Sample;

/// One session, its tokens and the bytes that the floors work on.
pub(crate) struct Bench<T> {
    state: T,
    sealer: Sealer<T>,
    signer: Signer<T>,
    sealed: String,
    signed: String,
    /// postcard of the state.
    body: Vec<u8>,
    /// Claims and body, as they are encrypted.
    plaintext: Vec<u8>,
    aead: Aead,
    ciphertext: Vec<u8>,
    tag: [u8; 16],
    mac: Hmac<Sha256>,
}

impl<T: Sample> Bench<T> {
    pub(crate) fn new() -> Self {
        let ring = KeyRing::generate().expect("the operating system gives random bytes");
        let sealer = Sealer::new(&ring, "session").expect("the purpose is one");
        let signer = Signer::new(&ring, "session").expect("the purpose is one");
        let state = T::sample();
        let body = postcard::to_allocvec(&state).expect("the sample is written");
        // Schema 1, a ttl of three bytes, the origin: five bytes of claims.
        let plaintext = [&[2, 0x80, 0xa3, 5, 0][..], &body].concat();
        let aead = Aead::new([7; 32]);
        let mut ciphertext = plaintext.clone();
        let tag = aead.seal(&mut ciphertext);
        let sealed = sealer.start(&state).expect("the sample fits").into_string();
        let signed = signer.sign(&state).expect("the sample fits").into_string();
        assert_eq!(sealed.len(), (36 + plaintext.len()) * 4 / 3 + usize::from((36 + plaintext.len()) % 3 != 0));
        let mac = Hmac::new_from_slice(&[9; 32]).expect("any length");
        Self { state, sealer, signer, sealed, signed, body, plaintext, aead, ciphertext, tag, mac }
    }

    pub(crate) fn rows(&self, plan: &Plan) -> Vec<Row> {
        let operations: [(&'static str, &[&'static str]); 5] = [
            ("seal", &["clock", "postcard out", "random", "hedge", "aead seal", "base64 out"]),
            ("open", &["clock", "base64 in", "aead open", "postcard in"]),
            ("open_raw", &["clock", "base64 in", "aead open"]),
            ("sign", &["clock", "postcard out", "random", "hedge", "hmac", "base64 out"]),
            ("verify", &["clock", "base64 in", "hmac", "postcard in"]),
        ];
        let mut tasks = self.tasks();
        let names: Vec<_> = tasks.iter().map(|task| task.name).collect();
        let times = interleave(plan, &mut tasks);
        let of = |name| &times[names.iter().position(|&other| other == name).expect("a task of this name")];
        operations
            .map(|(operation, floors)| {
                let ratio =
                    |round: usize| of(operation)[round] / floors.iter().map(|&floor| of(floor)[round]).sum::<f64>();
                Row {
                    session: T::NAME,
                    body: self.body.len(),
                    chars: self.sealed.len(),
                    operation,
                    ns: median(of(operation)),
                    floors: floors.iter().map(|&floor| (floor, median(of(floor)))).collect(),
                    ratio: median(&(0..plan.rounds).map(ratio).collect::<Vec<_>>()),
                }
            })
            .into()
    }

    fn tasks(&self) -> Vec<Task<'_>> {
        let mut buffer = Buffer::new();
        let (mut written, mut decoded) = (vec![0; 3000], vec![0; 3000]);
        let token = BASE64URL.decode(&self.sealed).expect("our own token");
        vec![
            task("seal", || self.sealer.start(&self.state)),
            task("open", || self.sealer.open(black_box(&self.sealed))),
            task("open_raw", move || {
                self.sealer.open_raw(black_box(&self.sealed), &mut buffer).map(|session| session.body().len())
            }),
            task("sign", || self.signer.sign(&self.state)),
            task("verify", || self.signer.verify(black_box(&self.signed))),
            task("clock", Instant::now),
            task("postcard out", move || {
                postcard::to_slice(black_box(&self.state), &mut written).map(|bytes| bytes.len())
            }),
            task("postcard in", || postcard::from_bytes::<T>(black_box(&self.body))),
            task("random", || {
                let mut drawn = [0; 16];
                getrandom::fill(&mut drawn).map(|()| drawn)
            }),
            task("hedge", || self.hmac(&[&[1; 40], &self.plaintext])),
            task("hmac", || self.hmac(&[&HEADER, &[0; 8], &self.plaintext])),
            task("aead seal", self.aead_seal()),
            task("aead open", self.aead_open()),
            task("base64 out", move || BASE64URL.encode(black_box(&token))),
            task("base64 in", move || BASE64URL.decode_slice(black_box(&self.sealed), &mut decoded)),
        ]
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(black_box(part)));
        mac.finalize().into_bytes().into()
    }

    fn aead_seal(&self) -> impl FnMut() -> [u8; 16] + '_ {
        let mut buffer = self.plaintext.clone();
        move || {
            buffer.copy_from_slice(&self.plaintext);
            self.aead.seal(&mut buffer)
        }
    }

    fn aead_open(&self) -> impl FnMut() -> bool + '_ {
        let mut buffer = self.ciphertext.clone();
        move || {
            buffer.copy_from_slice(&self.ciphertext);
            self.aead.open(&mut buffer, &self.tag)
        }
    }
}
