//! Opening, step by step. FORMAT.md, "Roles" and "Opening".

use serde::de::DeserializeOwned;

use super::forge::Forge;
use super::key::Key;
use super::reader::Reader;
use super::ring::{Object, Ring};
use super::state::{Empty, Example, Two};
use super::vector::Opened;
use super::{decode, encode, hex, unhex};

/// What the format says a reader answers. `keys` are all that the ring may hold.
pub(crate) fn judge(reader: &Reader, ring: &Ring, keys: &[Key], now: u64, text: &[u8]) -> Result<Opened, &'static str> {
    let text = match &reader.prefix {
        Some(prefix) => text.strip_prefix(prefix.as_bytes()).ok_or("prefix")?,
        None => text,
    };
    if text.len() < 52 || text.len() > 4000 {
        return Err("length");
    }
    let text = std::str::from_utf8(text).map_err(|_| "text")?;
    let token = decode(text).filter(|token| encode(token) == text).ok_or("text")?;
    if token[0] != if reader.mode == "sealed" { 0x11 } else { 0x12 } {
        return Err("mode");
    }
    let key_id = hex(&token[1..4]);
    let id = format!("\"{key_id}\"");
    let entry = ring.keys.iter().find(|entry| entry.get("id") == id).ok_or("unknown_key")?;
    if entry.get("status") == "\"revoked\"" {
        return Err("revoked_key");
    }
    let (skew, late) = (ring.policy_number("skew"), ring.policy_number("late"));
    let superseded = superseded_at(ring, entry);
    let lifetime = entry.number("max_token_lifetime").unwrap();
    if superseded.is_some_and(|at| now >= at + lifetime + late + 2 * skew) {
        return Err("expired_key");
    }
    let key = *keys.iter().find(|key| key.id()[..] == token[1..4]).unwrap();
    let plaintext = verifier(reader, key).read(&token).ok_or("forged")?;
    if entry.get("status") == "\"disabled\"" {
        return Err("disabled_key");
    }
    let claims = Claims::read(&plaintext, reader.mode == "sealed").ok_or("claims")?;
    let iat = u64::from(u32::from_be_bytes(token[4..8].try_into().unwrap()));
    let start = if claims.origin == 0 { Some(iat) } else { iat.checked_sub(claims.origin - 1) };
    let start = start.ok_or("claims")?;
    if iat > now + 2 * skew {
        return Err("not_yet_valid");
    }
    if superseded.is_some_and(|at| iat > at + late + skew) {
        return Err("retired_key");
    }
    let expires_at = (iat + claims.ttl).min(iat + reader.idle_limit).min(start + reader.absolute_limit);
    if now >= expires_at {
        return Err("expired");
    }
    // The ring is taken at `now`: a cut-off from a clock far ahead counts as of then.
    let cut_off = if ring.not_before() > now + skew { now } else { ring.not_before() };
    if cut_off != 0 && start <= cut_off {
        return Err("revoked");
    }
    check_state(reader, claims.schema, &claims.body)?;
    let first_rnd = claims.first_rnd.unwrap_or(token[8..20].to_vec());
    let session_id = format!("s1.{start:08x}{}", hex(&first_rnd));
    Ok(Opened { session_id, issued_at: iat, expires_at, key_id, schema: claims.schema, body: hex(&claims.body) })
}

fn verifier(reader: &Reader, key: Key) -> Forge {
    Forge {
        signed: reader.mode == "signed",
        purpose: reader.purpose.clone(),
        carrier: reader.carrier.clone(),
        context: unhex(&reader.context),
        ..Forge::new("", key)
    }
}

fn superseded_at(ring: &Ring, entry: &Object) -> Option<u64> {
    let place = |entry: &Object| Some((entry.number("activate_at")?, entry.get("id").to_owned()));
    let mut after: Vec<_> =
        ring.keys.iter().filter_map(place).filter(|other| place(entry).is_some_and(|own| *other > own)).collect();
    after.sort();
    let next = after.first().map(|(at, _)| *at);
    [entry.number("superseded_at"), next].into_iter().flatten().min()
}

fn check_state(reader: &Reader, schema: u16, body: &[u8]) -> Result<(), &'static str> {
    if schema > reader.known_schema {
        return Err("newer_schema");
    }
    if !reader.schemas.contains(&schema) {
        return Err("unknown_schema");
    }
    match schema {
        0 => check_body::<Empty>(body),
        1 => check_body::<Example>(body),
        _ => check_body::<Two>(body),
    }
}

fn check_body<T: DeserializeOwned>(body: &[u8]) -> Result<(), &'static str> {
    match postcard::take_from_bytes::<T>(body) {
        Ok((_, [])) => Ok(()),
        _ => Err("body"),
    }
}

/// P taken apart.
struct Claims {
    schema: u16,
    ttl: u64,
    origin: u64,
    first_rnd: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Claims {
    fn read(plaintext: &[u8], sealed: bool) -> Option<Self> {
        let (head, rest) = varint(plaintext, 131_071)?;
        let (ttl, rest) = varint(rest, u32::MAX.into())?;
        let (origin, rest) = varint(rest, 1 << 32)?;
        if ttl == 0 {
            return None;
        }
        let (first_rnd, rest) = match origin {
            0 => (None, rest),
            _ => (Some(rest.get(..12)?.to_vec()), &rest[12..]),
        };
        let body = match (head & 1, sealed) {
            (0, _) => rest,
            (_, true) => unpad(plaintext.len(), rest)?,
            (_, false) => return None,
        };
        Some(Self { schema: u16::try_from(head >> 1).ok()?, ttl, origin, first_rnd, body: body.to_vec() })
    }
}

fn varint(bytes: &[u8], greatest: u64) -> Option<(u64, &[u8])> {
    let len = 1 + bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at(len);
    let minimal = len == 1 || number[len - 1] != 0;
    let value = (len <= 5 && minimal).then(|| super::forge::value(number))?;
    (value <= greatest).then_some((value, rest))
}

fn unpad(len: usize, rest: &[u8]) -> Option<&[u8]> {
    let zeros = rest.iter().rev().take_while(|&&byte| byte == 0).count();
    let (&last, body) = rest[..rest.len() - zeros].split_last()?;
    (len.is_multiple_of(16) && last == 0x80 && zeros < 64).then_some(body)
}
