//! The floors: the same token composed by hand from the library's own primitives, and nothing around it.
//!
//! The same bytes on the wire, the same random call, the same hedge, the same claims and one clock reading; one key, no
//! ring, no labels, no limits but the token's own, no schema chain, and errors that are panics. Nobody should ship this.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::NO_PAD;
use chacha20::R20;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag, UnboundKey};
use sha2::Sha256;

use super::{Contender, KEY, Kind, Profile};
use crate::claims::{LIFETIME, now};
use crate::sessions::Sample;

const COMPOSED_WITH_RING: &str = "floor: HChaCha20 + ring";
const COMPOSED_AS_IT_COMES: &str = "floor: chacha20poly1305 as it comes";
const SIGNED_FLOOR: &str = "floor: HMAC-SHA256";

/// The floor of this build: the one with the library's own backend.
pub(crate) const OWN_FLOOR: &str = if cfg!(feature = "ring") { COMPOSED_WITH_RING } else { COMPOSED_AS_IT_COMES };

pub(super) struct Floor<P> {
    protection: P,
    hedge: Hmac<Sha256>,
    draws: AtomicU64,
}

/// What makes the tag, and the ciphertext if there is one.
pub(super) trait Protection {
    const NAME: &'static str;
    const KIND: Kind;

    fn close(&self, header: &[u8; HEADER_LEN], body: &mut [u8]) -> [u8; TAG_LEN];

    fn open(&self, header: &[u8; HEADER_LEN], body: &mut [u8], tag: &[u8; TAG_LEN]) -> bool;
}

impl Floor<WithRing> {
    pub(super) fn with_ring() -> Self {
        Self::new(WithRing(KEY))
    }
}

impl Floor<AsItComes> {
    pub(super) fn as_it_comes() -> Self {
        Self::new(AsItComes(XChaCha20Poly1305::new(&KEY.into())))
    }
}

impl Floor<Signature> {
    pub(super) fn signed() -> Self {
        Self::new(Signature(hmac(&KEY)))
    }
}

impl<P> Floor<P> {
    fn new(protection: P) -> Self {
        Self { protection, hedge: hmac(b"another key of thirty-two bytes."), draws: AtomicU64::new(0) }
    }

    /// FORMAT.md, "rnd".
    fn rnd(&self, fixed: &[u8], plaintext: &[u8]) -> [u8; 12] {
        let mut drawn = [0; 16];
        getrandom::fill(&mut drawn).expect("the operating system gives random bytes");
        let draw = self.draws.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        let mut mac = self.hedge.clone();
        [&drawn[..], &draw, fixed, &[0; 8], plaintext].iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()[..12].try_into().expect("a hash is longer")
    }

    fn open_in<S: Sample>(&self, token: &str, buffer: &mut [u8]) -> S
    where
        P: Protection,
    {
        let len = BASE64URL.decode_slice(token, buffer).expect("our own base64url");
        let (header, rest) = buffer[..len].split_first_chunk_mut().expect("our own token");
        let (body, tag) = rest.split_last_chunk_mut().expect("our own token");
        assert_eq!(header[0], VERSION);
        assert!(self.protection.open(header, body, tag));
        let issued_at = u32::from_be_bytes(header[4..8].try_into().expect("four bytes"));
        let (head, mut claims) = body.split_first().expect("our own claims");
        assert_eq!(*head, SCHEMA_1);
        let ends = u64::from(issued_at) + number(&mut claims);
        assert_eq!(number(&mut claims), 0, "a session's first token");
        assert!(now() < ends);
        let (state, rest) = postcard::take_from_bytes(claims).expect("our own postcard");
        assert!(rest.is_empty());
        state
    }
}

impl<S: Sample, P: Protection> Contender<S> for Floor<P> {
    fn profile(&self) -> Profile {
        Profile { name: P::NAME, kind: P::KIND, carries: "as waxseal" }
    }

    fn seal(&self, state: &S) -> String {
        let mut token = Vec::with_capacity(512);
        token.extend([VERSION, 1, 2, 3]);
        token.extend((now() as u32).to_be_bytes());
        token.resize(HEADER_LEN, 0);
        token.extend([SCHEMA_1, LIFETIME as u8 | 0x80, (LIFETIME >> 7) as u8 | 0x80, (LIFETIME >> 14) as u8, 0]);
        postcard::serialize_with_flavor(state, Append(&mut token)).expect("the sample is written");
        let rnd = self.rnd(&token[..8], &token[HEADER_LEN..]);
        token[8..HEADER_LEN].copy_from_slice(&rnd);
        let (header, body) = token.split_first_chunk_mut().expect("it was written");
        let tag = self.protection.close(header, body);
        token.extend(tag);
        let mut text = String::with_capacity(token.len().div_ceil(3) * 4);
        BASE64URL.encode_string(&token, &mut text);
        text
    }

    fn open(&self, token: &str) -> S {
        // As the library does: zeroing a large buffer takes time.
        if token.len() <= 512 { self.open_in(token, &mut [0; 512]) } else { self.open_in(token, &mut [0; 3000]) }
    }
}

/// HChaCha20 from the chacha20 crate before ring's ChaCha20-Poly1305.
pub(super) struct WithRing([u8; 32]);

impl WithRing {
    fn message(&self, header: &[u8; HEADER_LEN]) -> (LessSafeKey, Nonce) {
        let [hashed @ .., a, b, c, d] = *header;
        let subkey = chacha20::hchacha::<R20>((&self.0).into(), (&hashed).into());
        let key = UnboundKey::new(&CHACHA20_POLY1305, &subkey).expect("a key is 32 bytes");
        (LessSafeKey::new(key), Nonce::assume_unique_for_key([0, 0, 0, 0, a, b, c, d, 0, 0, 0, 0]))
    }
}

impl Protection for WithRing {
    const NAME: &'static str = COMPOSED_WITH_RING;
    const KIND: Kind = Kind::Encrypted;

    fn close(&self, header: &[u8; HEADER_LEN], body: &mut [u8]) -> [u8; TAG_LEN] {
        let (key, nonce) = self.message(header);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), body).expect("short enough");
        tag.as_ref().try_into().expect("a tag is 16 bytes")
    }

    fn open(&self, header: &[u8; HEADER_LEN], body: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
        let (key, nonce) = self.message(header);
        key.open_in_place_separate_tag(nonce, Aad::from(header), Tag::from(*tag), body, 0..).is_ok()
    }
}

/// XChaCha20-Poly1305 from the chacha20poly1305 crate.
pub(super) struct AsItComes(XChaCha20Poly1305);

impl AsItComes {
    fn nonce(header: &[u8; HEADER_LEN]) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce[..HEADER_LEN].copy_from_slice(header);
        nonce
    }
}

impl Protection for AsItComes {
    const NAME: &'static str = COMPOSED_AS_IT_COMES;
    const KIND: Kind = Kind::Encrypted;

    fn close(&self, header: &[u8; HEADER_LEN], body: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = Self::nonce(header).into();
        self.0.encrypt_inout_detached(&nonce, header, InOutBuf::from(body)).expect("short enough").into()
    }

    fn open(&self, header: &[u8; HEADER_LEN], body: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
        let nonce = Self::nonce(header).into();
        self.0.decrypt_inout_detached(&nonce, header, InOutBuf::from(body), tag.into()).is_ok()
    }
}

/// HMAC-SHA256, half of it, over a body that stays readable.
pub(super) struct Signature(Hmac<Sha256>);

impl Signature {
    fn whole(&self, header: &[u8], body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        [header, &[0; 8], body].iter().for_each(|part| mac.update(part));
        mac
    }
}

impl Protection for Signature {
    const NAME: &'static str = SIGNED_FLOOR;
    const KIND: Kind = Kind::Readable;

    fn close(&self, header: &[u8; HEADER_LEN], body: &mut [u8]) -> [u8; TAG_LEN] {
        self.whole(header, body).finalize().into_bytes()[..TAG_LEN].try_into().expect("a hash is longer")
    }

    fn open(&self, header: &[u8; HEADER_LEN], body: &mut [u8], tag: &[u8; TAG_LEN]) -> bool {
        self.whole(header, body).verify_truncated_left(tag).is_ok()
    }
}

/// Serializes onto the end of a vector, as the library does.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Takes a LEB128 number off the front of `bytes`.
fn number(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first().expect("our own claims");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
static BASE64URL: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

const HEADER_LEN: usize = 20;
const TAG_LEN: usize = 16;
const VERSION: u8 = 0x11;
const SCHEMA_1: u8 = 2;
