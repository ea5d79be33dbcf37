//! Minting, step by step. FORMAT.md, "Minting", "Renewal", "Carrier change".

use super::forge::{Forge, value, varint};
use super::key::Key;
use super::ring::Ring;
use super::vector::{Mint, Opened, Renews};
use super::{decode, encode, hex, unhex};

/// Mints: fills in what FORMAT.md says follows from the rest. `ring` is the ring of `mint`, and `keys` are those
/// that it may hold.
pub(crate) fn complete(mut mint: Mint, ring: &Ring, keys: &[Key]) -> Mint {
    let forge = forge(&mint, ring, keys);
    mint.ring = ring.text();
    mint.token = forge.text();
    mint.opened = opened(&forge, mint.writer.idle_limit, mint.writer.absolute_limit);
    mint
}

fn forge(mint: &Mint, ring: &Ring, keys: &[Key]) -> Forge {
    let writer = &mint.writer;
    let iat = match &mint.renews {
        Some(renews) => mint.now.max(renews.issued_at),
        None => first_second(mint.now, ring),
    };
    let start = mint.renews.as_ref().map_or(iat, |renews| id_start(&renews.session_id));
    let id = ring.sealing(mint.now).expect("an active key").get("id");
    let key = *keys.iter().find(|key| format!("\"{}\"", key.id_text()) == id).expect("its secret");
    let left = (start + writer.absolute_limit).checked_sub(iat).expect("the session is not over");
    let most = ring.policy_number("max_token_lifetime").min(writer.idle_limit).min(left);
    let mut forge = Forge::new("", key);
    forge.signed = writer.mode == "signed";
    forge.purpose.clone_from(&writer.purpose);
    forge.carrier.clone_from(&writer.carrier);
    forge.context = unhex(&writer.context);
    forge.prefix = writer.prefix.clone().unwrap_or_default();
    forge.r.copy_from_slice(&unhex(&mint.r));
    forge.draw = mint.draw;
    forge.iat = u32::try_from(iat).unwrap();
    forge.head = varint(2 * u64::from(mint.schema) + u64::from(mint.padding.is_some()));
    forge.ttl = varint(mint.lifetime.min(most));
    if let Some(renews) = &mint.renews {
        forge.origin = varint(iat - start + 1);
        forge.first_rnd = unhex(&renews.session_id[3..])[4..].to_vec();
    }
    forge.body = unhex(&mint.body);
    if let Some(block) = mint.padding {
        let head = forge.head.clone();
        forge.pad(block);
        forge.head = head;
    }
    forge
}

/// A login in the second of a cut-off starts one second later.
fn first_second(now: u64, ring: &Ring) -> u64 {
    let not_before = ring.not_before();
    if not_before != 0 && now <= not_before { not_before + 1 } else { now }
}

/// start of a SessionId's text.
fn id_start(id: &str) -> u64 {
    u64::from_str_radix(&id[3..11], 16).unwrap()
}

/// What a good token says, for a reader with these limits.
pub(crate) fn opened(forge: &Forge, idle_limit: u64, absolute_limit: u64) -> Opened {
    let header = forge.header();
    let iat = u64::from(forge.iat);
    let origin = value(&forge.origin);
    let start = if origin == 0 { iat } else { iat - (origin - 1) };
    let first_rnd = if origin == 0 { &header[8..] } else { &forge.first_rnd };
    let session_id = format!("s1.{start:08x}{}", hex(first_rnd));
    Opened {
        session_id,
        issued_at: iat,
        expires_at: (iat + value(&forge.ttl)).min(iat + idle_limit).min(start + absolute_limit),
        key_id: hex(&header[1..4]),
        schema: u16::try_from(value(&forge.head) >> 1).unwrap(),
        body: hex(&forge.body),
    }
}

impl Renews {
    /// The session that the token of `mint` belongs to.
    pub(crate) fn of(mint: &Mint) -> Self {
        Self {
            token: mint.token.clone(),
            carrier: mint.writer.carrier.clone(),
            session_id: mint.opened.session_id.clone(),
            issued_at: mint.opened.issued_at,
        }
    }
}

/// P and the header without rnd of a token with or without a prefix, verified; all that does not depend on luck.
pub(crate) fn certain_parts(text: &str, mint: &Mint, keys: &[Key]) -> (Vec<u8>, Vec<u8>) {
    let text = text.strip_prefix(mint.writer.prefix.as_deref().unwrap_or("")).expect("the prefix");
    let token = decode(text).expect("strict base64url");
    assert_eq!(encode(&token), text);
    let key = *keys.iter().find(|key| key.id()[..] == token[1..4]).expect("the key");
    let mut forge = Forge::new("", key);
    forge.signed = mint.writer.mode == "signed";
    forge.purpose.clone_from(&mint.writer.purpose);
    forge.carrier.clone_from(&mint.writer.carrier);
    forge.context = unhex(&mint.writer.context);
    (token[..8].to_vec(), forge.read(&token).expect("a right tag"))
}
