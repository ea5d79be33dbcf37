//! A token out of explicit fields, each of which may be wrong. FORMAT.md, "Token" and "P".

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

use super::key::{Key, hmac, sha256};
use super::{NOW, encode, unhex};

/// What a token is made of. `None` stands for what FORMAT.md says; everything else is written as it is.
#[derive(Clone, Debug)]
pub(crate) struct Forge {
    pub(crate) key: Key,
    pub(crate) signed: bool,
    pub(crate) purpose: String,
    pub(crate) carrier: String,
    pub(crate) context: Vec<u8>,
    pub(crate) prefix: String,
    // What the writer draws.
    pub(crate) r: [u8; 16],
    pub(crate) draw: u64,
    // Header.
    pub(crate) first_byte: Option<u8>,
    pub(crate) key_id: Option<[u8; 3]>,
    pub(crate) iat: u32,
    pub(crate) rnd: Option<[u8; 12]>,
    // P.
    pub(crate) head: Vec<u8>,
    pub(crate) ttl: Vec<u8>,
    pub(crate) origin: Vec<u8>,
    pub(crate) first_rnd: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) padding: Vec<u8>,
    // Primitives.
    pub(crate) subkey: Option<[u8; 32]>,
    pub(crate) nonce: Option<[u8; 24]>,
    pub(crate) associated_data: Option<Vec<u8>>,
    /// The message that the HMAC of a signed token is over.
    pub(crate) message: Option<Vec<u8>>,
    pub(crate) tag: Option<Vec<u8>>,
}

impl Forge {
    /// Example 1 of FORMAT.md under another key; `name` decides `r`, so that no two cases share it.
    pub(crate) fn new(name: &str, key: Key) -> Self {
        let mut r = [0; 16];
        r.copy_from_slice(&sha256(name.as_bytes())[..16]);
        Self {
            key,
            signed: false,
            purpose: "session".into(),
            carrier: "header".into(),
            context: b"tenant-7".to_vec(),
            prefix: String::new(),
            r,
            draw: 7,
            first_byte: None,
            key_id: None,
            iat: NOW as u32,
            rnd: None,
            head: varint(2),
            ttl: varint(3600),
            origin: varint(0),
            first_rnd: vec![],
            body: unhex("d285d8cc04 b1a803 8104"),
            padding: vec![],
            subkey: None,
            nonce: None,
            associated_data: None,
            message: None,
            tag: None,
        }
    }

    /// head ‖ ttl ‖ origin ‖ first rnd ‖ body ‖ padding.
    pub(crate) fn plaintext(&self) -> Vec<u8> {
        [&self.head[..], &self.ttl, &self.origin, &self.first_rnd, &self.body, &self.padding].concat()
    }

    /// Sets the flag in a head of schema 1, and pads to a multiple of `block`.
    pub(crate) fn pad(&mut self, block: usize) {
        self.head = varint(3);
        self.padding = vec![0x80];
        self.padding.resize(1 + (block - self.plaintext().len() % block) % block, 0);
    }

    /// Writes the origin of a later token of the session that began with the token `first`.
    pub(crate) fn continue_from(&mut self, first: &[u8], age: u64) {
        self.origin = varint(age + 1);
        self.first_rnd = first[8..20].to_vec();
    }

    pub(crate) fn header(&self) -> [u8; 20] {
        let mut header = [0; 20];
        header[0] = self.first_byte.unwrap_or(if self.signed { 0x12 } else { 0x11 });
        header[1..4].copy_from_slice(&self.key_id.unwrap_or(self.key.id()));
        header[4..8].copy_from_slice(&self.iat.to_be_bytes());
        let usage = if self.signed { "sign-rnd" } else { "seal-rnd" };
        let key = self.key.subkey(usage, &self.purpose, &self.carrier);
        let length = (self.context.len() as u64).to_le_bytes();
        let drawn =
            hmac(&key, &[&self.r, &self.draw.to_le_bytes(), &header[..8], &length, &self.context, &self.plaintext()]);
        header[8..].copy_from_slice(&self.rnd.unwrap_or(drawn[..12].try_into().unwrap()));
        header
    }

    /// header ‖ ciphertext or P ‖ tag.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let header = self.header();
        let (body, tag) = if self.signed { self.sign(&header) } else { self.seal(&header) };
        [&header[..], &body, self.tag.as_deref().unwrap_or(&tag)].concat()
    }

    fn seal(&self, header: &[u8; 20]) -> (Vec<u8>, [u8; 16]) {
        let key = self.subkey.unwrap_or(self.key.subkey("seal", &self.purpose, &self.carrier));
        let mut nonce = [0; 24];
        nonce[..20].copy_from_slice(header);
        let nonce = self.nonce.unwrap_or(nonce);
        let associated_data = self.associated_data.clone().unwrap_or([&header[..], &self.context].concat());
        let mut body = self.plaintext();
        let tag = XChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&nonce.into(), &associated_data, InOutBuf::from(&mut body[..]))
            .unwrap();
        (body, tag.into())
    }

    fn sign(&self, header: &[u8; 20]) -> (Vec<u8>, [u8; 16]) {
        let key = self.subkey.unwrap_or(self.key.subkey("sign", &self.purpose, &self.carrier));
        let body = self.plaintext();
        let length = (self.context.len() as u64).to_le_bytes();
        let message = self.message.clone().unwrap_or([&header[..], &length, &self.context, &body].concat());
        let tag = hmac(&key, &[&message]);
        (body, tag[..16].try_into().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.prefix, encode(&self.bytes()))
    }

    /// P of a token that has this key, purpose, carrier, context and mode; `None` if its tag is wrong.
    pub(crate) fn read(&self, token: &[u8]) -> Option<Vec<u8>> {
        let (header, rest) = token.split_first_chunk::<20>()?;
        let (body, tag) = rest.split_last_chunk::<16>()?;
        if self.signed {
            let key = self.key.subkey("sign", &self.purpose, &self.carrier);
            let length = (self.context.len() as u64).to_le_bytes();
            let right = hmac(&key, &[header, &length, &self.context, body]);
            return (right[..16] == tag[..]).then(|| body.to_vec());
        }
        let key = self.key.subkey("seal", &self.purpose, &self.carrier);
        let mut nonce = [0; 24];
        nonce[..20].copy_from_slice(header);
        let associated_data = [&header[..], &self.context].concat();
        let mut body = body.to_vec();
        XChaCha20Poly1305::new(&key.into())
            .decrypt_inout_detached(&nonce.into(), &associated_data, InOutBuf::from(&mut body[..]), tag.into())
            .ok()?;
        Some(body)
    }
}

/// A minimal LEB128 integer.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The value of a LEB128 integer that is known to be good.
pub(crate) fn value(bytes: &[u8]) -> u64 {
    bytes.iter().enumerate().map(|(index, byte)| u64::from(byte & 0x7f) << (7 * index)).sum()
}
