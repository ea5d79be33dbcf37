//! The ring file's bytes: JSON with every field, closed by a digest.
//!
//! The file ends `"digest":"sha256:` 64 hexadecimal digits `"}` and a newline; the digest is over
//! every byte before those digits. FORMAT.md, "Ring file".

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::policy::{PolicyError, RingPolicy};
use super::ring::{Key, KeyStatus, MacSecret, RevocationSecrets, Ring};
use super::secret::{Secret, SecretError, key_id};
use crate::crypto::{DIGEST_LEN, sha256};
use crate::id::KeyId;
use crate::text::{hex, unhex};
use crate::time::Timestamp;

/// Largest ring file, in bytes. Sixteen keys and 256 tombstones fit in half of it.
pub(crate) const MAX_FILE_LEN: usize = 262_144;

impl Ring {
    /// The ring as the bytes of its file, wiped on drop.
    pub(crate) fn to_file(&self) -> Zeroizing<Vec<u8>> {
        // All the room at once, since a vector that grows leaves copies of secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN));
        let texts: Vec<_> = self.keys.iter().map(|key| key.secret.as_ref().map(Secret::to_text)).collect();
        let scope = self.revocation.scope.to_text();
        let macs: Vec<_> = self.revocation.mac.iter().map(|mac| mac.secret.to_text()).collect();
        let file = FileOut {
            format: FORMAT,
            ring_id: hex(&self.id),
            generation: self.generation,
            policy: PolicyJson::from(&self.policy),
            not_before: self.not_before.as_unix(),
            stale_ok_until: self.stale_ok_until.as_unix(),
            keys: self
                .keys
                .iter()
                .zip(&texts)
                .map(|(key, text)| KeyJson::of(key, text.as_ref().map(|t| t.as_str())))
                .collect(),
            revocation_secrets: RevocationJson {
                scope: &scope,
                mac: self.revocation.mac.iter().zip(&macs).map(|(mac, text)| MacJson::of(mac, text)).collect(),
            },
        };
        serde_json::to_writer(&mut *bytes, &file).expect("strings and numbers always serialize");
        bytes.pop();
        bytes.extend_from_slice(b",");
        bytes.extend_from_slice(DIGEST_OPEN);
        let digest = hex(&sha256(&bytes));
        bytes.extend_from_slice(digest.as_bytes());
        bytes.extend_from_slice(DIGEST_CLOSE);
        bytes
    }

    /// The digest that the ring's file ends with.
    pub(crate) fn digest(&self) -> [u8; DIGEST_LEN] {
        let bytes = self.to_file();
        sha256(&bytes[..bytes.len() - DIGEST_CLOSE.len() - 2 * DIGEST_LEN])
    }

    /// Reads and validates the bytes of a ring file; the digest is the one the file ends with.
    ///
    /// # Errors
    /// See [`FileError`]; nothing of a file that is refused is kept.
    pub(crate) fn from_file(bytes: &[u8]) -> Result<(Self, [u8; DIGEST_LEN]), FileError> {
        let digest = check_digest(bytes)?;
        // Before the members, of which a later format may have others.
        if let Ok(FormatOnly { format }) = serde_json::from_slice(bytes)
            && format != FORMAT
        {
            return Err(FileError::Format { found: format });
        }
        let file: FileIn<'_> = serde_json::from_slice(bytes).map_err(|error| FileError::Json {
            line: error.line(),
            column: error.column(),
            what: describe(&error),
        })?;
        let ring = Self {
            id: unhex(file.ring_id).ok_or(FileError::Field { name: "ring_id" })?,
            generation: file.generation,
            policy: file.policy.into(),
            not_before: Timestamp::from_unix(file.not_before),
            stale_ok_until: Timestamp::from_unix(file.stale_ok_until),
            keys: file.keys.iter().map(KeyJson::read).collect::<Result<_, _>>()?,
            revocation: file.revocation_secrets.read()?,
        };
        ring.validate()?;
        Ok((ring, digest))
    }

    /// The rules that bind several fields.
    fn validate(&self) -> Result<(), FileError> {
        self.policy.check()?;
        if self.generation == 0 {
            return Err(FileError::Field { name: "generation" });
        }
        let secrets = self.keys.iter().filter(|key| key.secret.is_some()).count();
        let tombstones = self.keys.len() - secrets;
        if self.keys.is_empty() || secrets > MAX_SECRETS || tombstones > MAX_TOMBSTONES {
            return Err(FileError::KeyCount { secrets, tombstones });
        }
        for (index, key) in self.keys.iter().enumerate() {
            key.validate()?;
            // The id is derived from the secret, so this covers a secret that stands twice too.
            if self.keys[..index].iter().any(|other| other.id == key.id) {
                return Err(FileError::Key { id: key.id, problem: KeyProblem::Twice });
            }
        }
        if self.has_a_secret_twice() {
            return Err(FileError::Field { name: "revocation_secrets" });
        }
        let current = self.revocation.mac.iter().filter(|mac| mac.current).count();
        if current != 1 || self.revocation.mac.len() > MAX_MAC_SECRETS {
            return Err(FileError::Field { name: "revocation_secrets" });
        }
        Ok(())
    }

    /// Whether a secret of the revocation records is used for anything else as well.
    fn has_a_secret_twice(&self) -> bool {
        let keys = self.keys.iter().filter_map(|key| key.secret.as_ref());
        let macs = self.revocation.mac.iter().map(|mac| &mac.secret);
        let all: Vec<_> = keys.chain(macs).chain([&self.revocation.scope]).collect();
        all.iter().enumerate().any(|(index, secret)| all[..index].iter().any(|other| other.same(secret)))
    }
}

impl Key {
    fn validate(&self) -> Result<(), FileError> {
        let problem = |problem| Err(FileError::Key { id: self.id, problem });
        let revoked = self.status == KeyStatus::Revoked;
        if revoked != self.secret.is_none() || revoked != self.revoked_at.is_some() {
            return problem(KeyProblem::Tombstone);
        }
        if self.secret.as_ref().is_some_and(|secret| key_id(&secret.prk()) != self.id) {
            return problem(KeyProblem::Derived);
        }
        if self.max_token_lifetime == 0 || self.max_token_lifetime > u32::MAX.into() {
            return problem(KeyProblem::Lifetime);
        }
        let wrong = |reason: &String| reason.len() > MAX_REASON_LEN || reason.contains(char::is_control);
        if self.reason.as_ref().is_some_and(wrong) {
            return problem(KeyProblem::Reason);
        }
        Ok(())
    }
}

/// Checks how the file ends, before any of it is parsed.
fn check_digest(bytes: &[u8]) -> Result<[u8; DIGEST_LEN], FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    if bytes.len() > MAX_FILE_LEN {
        return Err(FileError::TooLarge);
    }
    let (signed, digest) = bytes
        .strip_suffix(DIGEST_CLOSE)
        .and_then(|rest| rest.split_last_chunk::<{ 2 * DIGEST_LEN }>())
        .filter(|(signed, _)| signed.ends_with(DIGEST_OPEN))
        .ok_or(FileError::Cut)?;
    let found = sha256(signed);
    if hex(&found).as_bytes() != digest {
        return Err(FileError::Digest);
    }
    Ok(found)
}

/// serde_json's message, with every value it quotes blotted out: a secret in the wrong place is
/// still a secret. The names of fields and variants stay, unless they are as long as a secret.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(&text[..], |end| &text[..end]);
    let text = blot(&blot(text, "\"", "\"", 0), "`", "`, expected", LONGEST_NAME);
    // A name may hold anything, line ends and a terminal's escapes included.
    text.chars().map(|char| if matches!(char, ' '..='~') { char } else { '?' }).collect()
}

/// `text` with what stands between the first `open` and the last `close` replaced, if longer than `most` bytes.
fn blot(text: &str, open: &str, close: &str, most: usize) -> String {
    match (text.find(open).map(|at| at + open.len()), text.rfind(close)) {
        (Some(from), Some(to)) if from < to && to - from > most => format!("{}...{}", &text[..from], &text[to..]),
        _ => text.to_owned(),
    }
}

#[derive(Serialize)]
struct FileOut<'a> {
    format: u64,
    ring_id: String,
    generation: u64,
    policy: PolicyJson,
    not_before: u64,
    stale_ok_until: u64,
    keys: Vec<KeyJson<'a>>,
    revocation_secrets: RevocationJson<'a>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn<'a> {
    #[serde(rename = "format")]
    _format: u64,
    ring_id: &'a str,
    generation: u64,
    #[serde(deserialize_with = "object")]
    policy: PolicyJson,
    not_before: u64,
    stale_ok_until: u64,
    #[serde(borrow, deserialize_with = "objects")]
    keys: Vec<KeyJson<'a>>,
    #[serde(borrow, deserialize_with = "object")]
    revocation_secrets: RevocationJson<'a>,
    #[serde(rename = "digest")]
    _digest: &'a str,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyJson {
    max_token_lifetime: u64,
    skew: u64,
    refresh: u64,
    distribution: u64,
    late: u64,
    activation_delay: u64,
    rotate_every: u64,
}

impl From<&RingPolicy> for PolicyJson {
    fn from(policy: &RingPolicy) -> Self {
        let RingPolicy { max_token_lifetime, skew, refresh, distribution, late, activation_delay, rotate_every } =
            *policy;
        Self { max_token_lifetime, skew, refresh, distribution, late, activation_delay, rotate_every }
    }
}

impl From<PolicyJson> for RingPolicy {
    fn from(json: PolicyJson) -> Self {
        let PolicyJson { max_token_lifetime, skew, refresh, distribution, late, activation_delay, rotate_every } = json;
        Self { max_token_lifetime, skew, refresh, distribution, late, activation_delay, rotate_every }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson<'a> {
    id: String,
    #[serde(deserialize_with = "word")]
    status: StatusJson,
    created_at: u64,
    #[serde(deserialize_with = "present")]
    activate_at: Option<u64>,
    #[serde(deserialize_with = "present")]
    superseded_at: Option<u64>,
    max_token_lifetime: u64,
    #[serde(deserialize_with = "present")]
    revoked_at: Option<u64>,
    #[serde(deserialize_with = "present")]
    reason: Option<String>,
    #[serde(borrow, deserialize_with = "present")]
    secret: Option<&'a str>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusJson {
    Disabled,
    Enabled,
    Revoked,
}

impl<'a> KeyJson<'a> {
    fn of(key: &Key, secret: Option<&'a str>) -> Self {
        Self {
            id: key.id.to_string(),
            status: match key.status {
                KeyStatus::Disabled => StatusJson::Disabled,
                KeyStatus::Enabled => StatusJson::Enabled,
                KeyStatus::Revoked => StatusJson::Revoked,
            },
            created_at: key.created_at.as_unix(),
            activate_at: key.activate_at.map(Timestamp::as_unix),
            superseded_at: key.superseded_at.map(Timestamp::as_unix),
            max_token_lifetime: key.max_token_lifetime,
            revoked_at: key.revoked_at.map(Timestamp::as_unix),
            reason: key.reason.clone(),
            secret,
        }
    }

    fn read(&self) -> Result<Key, FileError> {
        let id = KeyId::from_hex(&self.id).ok_or(FileError::Field { name: "id" })?;
        let problem = |error| FileError::Key { id, problem: KeyProblem::Secret(error) };
        Ok(Key {
            id,
            status: match self.status {
                StatusJson::Disabled => KeyStatus::Disabled,
                StatusJson::Enabled => KeyStatus::Enabled,
                StatusJson::Revoked => KeyStatus::Revoked,
            },
            created_at: Timestamp::from_unix(self.created_at),
            activate_at: self.activate_at.map(Timestamp::from_unix),
            superseded_at: self.superseded_at.map(Timestamp::from_unix),
            max_token_lifetime: self.max_token_lifetime,
            revoked_at: self.revoked_at.map(Timestamp::from_unix),
            reason: self.reason.clone(),
            secret: self.secret.map(Secret::from_text).transpose().map_err(problem)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationJson<'a> {
    scope: &'a str,
    #[serde(borrow, deserialize_with = "objects")]
    mac: Vec<MacJson<'a>>,
}

impl RevocationJson<'_> {
    fn read(&self) -> Result<RevocationSecrets, FileError> {
        let refused = |_| FileError::Field { name: "revocation_secrets" };
        let mac = |mac: &MacJson<'_>| {
            Ok(MacSecret {
                current: matches!(mac.status, MacStatusJson::Current),
                created_at: Timestamp::from_unix(mac.created_at),
                secret: Secret::from_text(mac.secret).map_err(refused)?,
            })
        };
        Ok(RevocationSecrets {
            scope: Secret::from_text(self.scope).map_err(refused)?,
            mac: self.mac.iter().map(mac).collect::<Result<_, FileError>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MacJson<'a> {
    #[serde(deserialize_with = "word")]
    status: MacStatusJson,
    created_at: u64,
    secret: &'a str,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MacStatusJson {
    Current,
    VerifyOnly,
}

impl<'a> MacJson<'a> {
    fn of(mac: &MacSecret, secret: &'a str) -> Self {
        let status = if mac.current { MacStatusJson::Current } else { MacStatusJson::VerifyOnly };
        Self { status, created_at: mac.created_at.as_unix(), secret }
    }
}

/// Reads a field that may be null but must be there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// Reads a struct from an object; derived code alone would take an array of its values as well.
fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|Object(value)| value)
}

/// Reads a list of structs, each from an object.
fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::deserialize(from)?.into_iter().map(|Object(value)| value).collect())
}

/// Reads an enum from a string; derived code alone would take an object with its name as well.
fn word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(from)?.into_deserializer())
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Why bytes are not a ring file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// It does not end in a digest: cut short, or not a ring file.
    Cut,
    /// The digest does not match: changed by something other than the `waxseal` command, or damaged.
    Digest,
    /// No bytes at all.
    Empty,
    /// A field holds what it cannot.
    Field {
        /// The field.
        name: &'static str,
    },
    /// Written by a version whose format this one does not know.
    Format {
        /// The format's number.
        found: u64,
    },
    /// Not the JSON of a ring.
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// An entry is wrong.
    Key {
        /// Its id.
        id: KeyId,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// No key at all, or too many.
    KeyCount {
        /// Entries with a secret.
        secrets: usize,
        /// Entries without.
        tombstones: usize,
    },
    /// The policy's numbers do not work together.
    Policy(PolicyError),
    /// Too many bytes for a ring.
    TooLarge,
}

/// What is wrong with an entry of a ring file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// The id is not the one derived from the secret.
    Derived,
    /// The lifetime is 0 or above 4,294,967,295 s.
    Lifetime,
    /// The reason is longer than 200 bytes, or holds control characters.
    Reason,
    /// The secret is not one.
    Secret(SecretError),
    /// A revoked entry has a secret or no date, or another entry has none.
    Tombstone,
    /// Another entry has the same id.
    Twice,
}

impl From<PolicyError> for FileError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("it does not end in a ring's digest: it was cut short or is not a ring file"),
            Self::Digest => f.write_str("its digest does not match: it is damaged or was edited by hand"),
            Self::Empty => f.write_str("it is empty"),
            Self::Field { name } => write!(f, "its field `{name}` holds what it cannot"),
            Self::Format { found } => write!(f, "it has format {found}, and this version knows format {FORMAT}"),
            Self::Json { line, column, what } => write!(f, "line {line}, column {column}: {what}"),
            Self::Key { id, problem } => write!(f, "key {id}: {problem}"),
            Self::KeyCount { secrets, tombstones } => write!(
                f,
                "it has {secrets} keys and {tombstones} revoked ones; a ring has at least one entry, \
                 at most {MAX_SECRETS} keys and {MAX_TOMBSTONES} revoked ones"
            ),
            Self::Policy(error) => error.fmt(f),
            Self::TooLarge => write!(f, "it is larger than {MAX_FILE_LEN} bytes"),
        }
    }
}

impl std::error::Error for FileError {}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Derived => f.write_str("the id does not belong to the secret"),
            Self::Lifetime => f.write_str("max_token_lifetime is out of range"),
            Self::Reason => write!(f, "the reason is longer than {MAX_REASON_LEN} bytes or holds control characters"),
            Self::Secret(error) => error.fmt(f),
            Self::Tombstone => f.write_str("a revoked key has a date and no secret, every other key the reverse"),
            Self::Twice => f.write_str("it stands in the ring twice"),
        }
    }
}

/// The format written, and the only one read.
const FORMAT: u64 = 1;

const DIGEST_OPEN: &[u8] = b"\"digest\":\"sha256:";
const DIGEST_CLOSE: &[u8] = b"\"}\n";

/// Most entries with a secret.
const MAX_SECRETS: usize = 16;

/// Most revoked entries.
const MAX_TOMBSTONES: usize = 256;

/// Most secrets for revocation records.
const MAX_MAC_SECRETS: usize = 8;

/// Longest name of a field or variant that an error repeats, in bytes; a secret has 43.
const LONGEST_NAME: usize = 32;

/// Longest reason, in bytes.
pub(super) const MAX_REASON_LEN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotate::tests::new;

    /// A ring file with `from` replaced by `to` and a digest that fits again.
    fn edited(from: &str, to: &str) -> Result<Ring, FileError> {
        let text = String::from_utf8(new().to_file().to_vec()).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        Ring::from_file(&redigested(&text.replacen(from, to, 1))).map(|(ring, _)| ring)
    }

    fn redigested(text: &str) -> Vec<u8> {
        let end = text.rfind("sha256:").unwrap() + 7;
        format!("{}{}\"}}\n", &text[..end], hex(&sha256(&text.as_bytes()[..end]))).into_bytes()
    }

    #[test]
    fn a_ring_survives_its_file() {
        let bytes = new().to_file();
        let (ring, _) = Ring::from_file(&bytes).unwrap();
        assert_eq!(*ring.to_file(), *bytes);
        assert!(bytes.capacity() == MAX_FILE_LEN, "the vector never grew");
    }

    #[test]
    fn the_largest_ring_fits() {
        let mut ring = new();
        let tombstone = |index: u32| Key {
            id: KeyId::from_bytes(index.to_be_bytes()[1..].try_into().unwrap()),
            status: KeyStatus::Revoked,
            created_at: Timestamp::from_unix(u64::MAX),
            activate_at: Some(Timestamp::from_unix(u64::MAX)),
            superseded_at: Some(Timestamp::from_unix(u64::MAX)),
            max_token_lifetime: u32::MAX.into(),
            revoked_at: Some(Timestamp::from_unix(u64::MAX)),
            reason: Some("\"".repeat(MAX_REASON_LEN)),
            secret: None,
        };
        ring.keys.extend((0..256).map(tombstone));
        ring.keys.extend(vec![ring.keys[0].clone(); 14]);
        let bytes = ring.to_file();
        assert!(bytes.len() < MAX_FILE_LEN * 3 / 4, "{}", bytes.len());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = new().to_file();
        for end in 0..bytes.len() {
            assert!(Ring::from_file(&bytes[..end]).is_err(), "cut to {end}");
        }
        let mut damaged = bytes.to_vec();
        for bit in 0..8 * damaged.len() {
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Ring::from_file(&damaged).is_err(), "bit {bit}");
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn what_a_hand_can_get_wrong_is_named() {
        let json = |result: Result<Ring, FileError>| match result {
            Err(FileError::Json { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(edited("\"format\":1", "\"format\":2").unwrap_err(), FileError::Format { found: 2 });
        assert_eq!(edited("\"format\":1", "\"format\":2,\"new\":[]").unwrap_err(), FileError::Format { found: 2 });
        assert!(json(edited("\"format\":1", "\"format\":1,\"format\":1")).contains("duplicate field `format`"));
        assert!(json(edited("\"format\":1", "\"format\":1,\"extra\":1")).contains("unknown field `extra`"));
        assert!(json(edited("\"not_before\":0,", "")).contains("missing field `not_before`"));
        assert!(json(edited("\"reason\":null,", "")).contains("missing field `reason`"));
        assert!(json(edited("\"enabled\"", "\"paused\"")).contains("unknown variant `paused`"));
        assert!(json(edited("\"skew\":60", "\"skew\":-60")).contains("expected u64"));
        assert!(json(edited("\"enabled\"", "{\"enabled\":null}")).contains("expected a string"));
        let policy = "{\"max_token_lifetime\":86400,\"skew\":60,\"refresh\":15,\"distribution\":600,\"late\":86400,\
                      \"activation_delay\":3600,\"rotate_every\":2592000}";
        assert!(json(edited(policy, "[86400,60,15,600,86400,3600,2592000]")).contains("expected an object"));
        assert_eq!(
            edited("\"generation\":1786000000", "\"generation\":0").unwrap_err(),
            FileError::Field { name: "generation" }
        );
        assert_eq!(
            edited("\"current\"", "\"verify_only\"").unwrap_err(),
            FileError::Field { name: "revocation_secrets" }
        );
        assert!(matches!(edited("\"skew\":60", "\"skew\":1"), Err(FileError::Policy(PolicyError::Range { .. }))));
        let problem = |result: Result<Ring, FileError>| match result {
            Err(FileError::Key { problem, .. }) => problem,
            other => panic!("{other:?}"),
        };
        assert_eq!(problem(edited("\"enabled\"", "\"revoked\"")), KeyProblem::Tombstone);
        assert_eq!(
            problem(edited("\"max_token_lifetime\":86400,\"revoked_at\"", "\"max_token_lifetime\":0,\"revoked_at\"")),
            KeyProblem::Lifetime
        );
    }

    #[test]
    fn bad_secrets_are_refused_and_not_quoted() {
        let text = String::from_utf8(new().to_file().to_vec()).unwrap();
        let at = text.find("\"secret\":\"").unwrap() + 10;
        let good = &text[at..at + 43];
        let zeros = "A".repeat(43);
        for (bad, expected) in [
            (&zeros[..], KeyProblem::Secret(SecretError::Published)),
            (&good[..42], KeyProblem::Secret(SecretError::NotASecret)),
            (&format!("{good}="), KeyProblem::Secret(SecretError::NotASecret)),
            (&format!("{}{}", if good.starts_with('B') { 'C' } else { 'B' }, &good[1..]), KeyProblem::Derived),
        ] {
            match Ring::from_file(&redigested(&text.replacen(good, bad, 1))) {
                Err(FileError::Key { problem, .. }) => assert_eq!(problem, expected, "{bad}"),
                other => panic!("{other:?}"),
            }
        }
        let number = text.replacen(&format!("\"{good}\""), "7", 1);
        let moved = text.replacen("\"format\":1", &format!("\"format\":\"{good}\""), 1);
        let named = text.replacen("\"enabled\"", &format!("\"{good}\""), 1);
        let escaped = text.replacen(good, &format!("\\u0041{}", &good[1..]), 1);
        for bad in [number, moved, named, escaped] {
            let error = Ring::from_file(&redigested(&bad)).unwrap_err().to_string();
            assert!(!error.contains(&good[1..]), "{error}");
        }
    }

    #[test]
    fn a_name_is_repeated_only_while_it_is_one() {
        let text = String::from_utf8(new().to_file().to_vec()).unwrap();
        let at = text.find("\"secret\":\"").unwrap() + 10;
        let good = &text[at..at + 43];
        for name in [format!("`{good}"), format!("{good}`, expected"), format!("a`b\"{good}"), "\x1b[31m\n".into()] {
            let field = format!("\"format\":1,{}:1", serde_json::to_string(&name).unwrap());
            let bad = text.replacen("\"format\":1", &field, 1);
            let error = Ring::from_file(&redigested(&bad)).unwrap_err().to_string();
            assert!(error.contains("unknown field") && !error.contains(good), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn entries_stand_alone() {
        let mut ring = new();
        ring.keys[1] = ring.keys[0].clone();
        assert!(matches!(
            Ring::from_file(&ring.to_file()).unwrap_err(),
            FileError::Key { problem: KeyProblem::Twice, .. }
        ));
        ring.keys.clear();
        assert_eq!(Ring::from_file(&ring.to_file()).unwrap_err(), FileError::KeyCount { secrets: 0, tombstones: 0 });
    }
}
