//! The key-encryption key: where it comes from, and the envelope it closes around a ring file.
//!
//! ```text
//! "waxseal-ring-v1\n" (16) | KEK id (4) | nonce (24) | ciphertext of the plain file | tag (16)
//! ```
//!
//! The first 44 bytes are associated data. FORMAT.md, "Envelope".

use core::fmt;
use core::str::FromStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::private::{self, PrivateError};
use super::secret::{Secret, SecretError};
use crate::crypto::{AeadKey, MacKey, NONCE_LEN, Random, RandomError, TAG_LEN};
use crate::text::hex;

/// A key that ring files are encrypted under; wiped on drop.
pub(crate) struct Kek {
    key: AeadKey,
    nonce: MacKey,
    id: KekId,
}

type KekId = [u8; 4];

impl Kek {
    /// Reads `waxseal-kek-1:` and 43 characters of base64url, with or without a newline after them.
    pub(crate) fn from_text(text: &str) -> Result<Self, KekError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let secret = text.strip_prefix(KEK_PREFIX).ok_or(KekError::NotAKek)?;
        Secret::from_text(secret).map(|secret| Self::new(&secret)).map_err(|error| match error {
            SecretError::Published => KekError::Published,
            SecretError::NotASecret => KekError::NotAKek,
        })
    }

    /// `Expand(Extract("waxseal/v1", KEK), "waxseal/v1/ring/" + use, 32)`.
    fn new(secret: &Secret) -> Self {
        let prk = secret.prk();
        let [a, b, c, d, ..] = *prk.expand(b"waxseal/v1/ring/id");
        Self {
            key: AeadKey::new(&prk.expand(b"waxseal/v1/ring/seal")),
            nonce: MacKey::new(&prk.expand(b"waxseal/v1/ring/nonce")),
            id: [a, b, c, d],
        }
    }

    pub(crate) fn id(&self) -> KekId {
        self.id
    }

    /// Closes `file`, the plain bytes of a ring of this generation.
    pub(crate) fn wrap(&self, file: &[u8], generation: u64, random: &dyn Random) -> Result<Vec<u8>, RandomError> {
        let mut drawn = [0; 32];
        random.fill(&mut drawn)?;
        let nonce: [u8; NONCE_LEN] = self.nonce.tag(&[&drawn, &generation.to_le_bytes(), file]);
        let mut envelope = Vec::with_capacity(HEAD_LEN + file.len() + TAG_LEN);
        envelope.extend_from_slice(MAGIC);
        envelope.extend_from_slice(&self.id);
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(file);
        let (head, body) = envelope.split_at_mut(HEAD_LEN);
        let tag = self.key.seal(&nonce, head, body);
        envelope.extend_from_slice(&tag);
        Ok(envelope)
    }

    /// Opens an envelope that names this KEK.
    pub(crate) fn unwrap(&self, envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let (head, rest) = envelope.split_first_chunk::<HEAD_LEN>().ok_or(KekError::Envelope)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(KekError::Envelope)?;
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&head[HEAD_LEN - NONCE_LEN..]);
        let mut file = Zeroizing::new(body.to_vec());
        self.key.open(&nonce, head, &mut file, tag).map_err(|_| KekError::Envelope)?;
        Ok(file)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", hex(&self.id))
    }
}

/// The id of the KEK that an envelope was closed with; `None` for a plain ring file.
pub(crate) fn envelope_id(bytes: &[u8]) -> Option<KekId> {
    bytes.strip_prefix(MAGIC)?.first_chunk().copied()
}

/// A new KEK as text, for the file or the secret store it will live in.
///
/// # Errors
/// The operating system gave no random bytes.
pub fn generate_kek() -> Result<Zeroizing<String>, RandomError> {
    let secret = Secret::generate(&crate::crypto::OsRandom)?;
    let mut text = Zeroizing::new(String::with_capacity(KEK_PREFIX.len() + 43));
    text.push_str(KEK_PREFIX);
    text.push_str(&secret.to_text());
    Ok(text)
}

/// Where a key-encryption key comes from. Never the key itself, so it may stand on a command line.
///
/// Parsed from and displayed as `file:PATH`, `env:NAME`, `fd:NUMBER` or `cmd:COMMAND`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KekSource {
    /// What a command prints, run by `sh -c`, within five seconds: Vault, sops, a KMS.
    Command(String),
    /// An environment variable.
    Env(String),
    /// An open file descriptor, read once: systemd credentials, a parent process.
    Fd(u32),
    /// A file that others cannot read.
    File(PathBuf),
}

impl KekSource {
    /// Fetches the key and says its id, as 8 hexadecimal digits: not secret, and written in every file that is
    /// encrypted under it.
    ///
    /// # Errors
    /// See [`KekError`].
    pub fn id(&self) -> Result<String, KekError> {
        Ok(hex(&self.fetch()?.id()))
    }

    /// Fetches the key.
    pub(crate) fn fetch(&self) -> Result<Kek, KekError> {
        let text = match self {
            Self::Command(command) => run(command)?,
            Self::Env(name) => Zeroizing::new(std::env::var(name).map_err(|_| KekError::Env)?),
            Self::Fd(number) => read_text(std::fs::File::open(format!("/dev/fd/{number}")).map_err(KekError::from)?)?,
            Self::File(path) => read_file(path)?,
        };
        Kek::from_text(&text)
    }

    /// Whether fetching twice gives the key twice.
    pub(crate) fn repeatable(&self) -> bool {
        !matches!(self, Self::Fd(_))
    }
}

impl FromStr for KekSource {
    type Err = KekError;

    fn from_str(text: &str) -> Result<Self, KekError> {
        match text.split_once(':') {
            Some(("cmd", command)) if !command.is_empty() => Ok(Self::Command(command.to_owned())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("fd", number)) => number.parse().map(Self::Fd).map_err(|_| KekError::Source),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(KekError::Source),
        }
    }
}

impl fmt::Display for KekSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "cmd:{command}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, KekError> {
    read_text(private::open(path).map_err(KekError::File)?)
}

fn read_text(from: impl Read) -> Result<Zeroizing<String>, KekError> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_KEK_TEXT));
    from.take(MAX_KEK_TEXT as u64).read_to_string(&mut text)?;
    Ok(text)
}

/// Runs `command` and reads what it prints, for at most [`COMMAND_TIME`].
fn run(command: &str) -> Result<Zeroizing<String>, KekError> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = in_own_group(&mut shell).spawn()?;
    let printed = child.stdout.take();
    let (send, receive) = mpsc::channel();
    // Read from a thread, so that a command that hangs costs five seconds and no more.
    std::thread::spawn(move || send.send(printed.map(read_text)));
    match receive.recv_timeout(COMMAND_TIME) {
        Ok(Some(text)) => {
            let status = child.wait()?;
            if status.success() { text } else { Err(KekError::Command { code: status.code() }) }
        }
        Ok(None) => Err(KekError::Command { code: None }),
        Err(_) => {
            kill_group(&mut child);
            let _ = child.wait();
            Err(KekError::Timeout)
        }
    }
}

/// What the command starts is to end with it.
#[cfg(unix)]
fn in_own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    command.process_group(0)
}

#[cfg(not(unix))]
fn in_own_group(command: &mut Command) -> &mut Command {
    command
}

#[cfg(unix)]
fn kill_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(child: &mut Child) {
    let _ = child.kill();
}

/// Why there is no key-encryption key, or why it does not open the ring. Quotes no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum KekError {
    /// The command failed.
    Command {
        /// Its exit code, unless it was killed.
        code: Option<i32>,
    },
    /// The environment variable is not set, or not text.
    Env,
    /// The envelope was damaged, or closed with another key of the same id.
    Envelope,
    /// The KEK file cannot be used.
    File(PrivateError),
    /// Reading failed.
    Io(std::io::Error),
    /// No `waxseal-kek-1:` and 43 characters of base64url.
    NotAKek,
    /// An all-equal or evenly stepped example.
    Published,
    /// None of `file:PATH`, `env:NAME`, `fd:NUMBER`, `cmd:COMMAND`.
    Source,
    /// The command did not finish in five seconds.
    Timeout,
}

impl From<std::io::Error> for KekError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for KekError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { code: Some(code) } => write!(f, "the command exited with {code}"),
            Self::Command { code: None } => f.write_str("the command was killed"),
            Self::Env => f.write_str("the environment variable is not set"),
            Self::Envelope => f.write_str("the envelope is damaged"),
            Self::File(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::NotAKek => {
                write!(f, "it does not give `{KEK_PREFIX}` and 43 characters; make one with `waxseal keys kek`")
            }
            Self::Published => f.write_str("it gives an all-equal or evenly stepped example, known to everybody"),
            Self::Source => f.write_str("a KEK comes from file:PATH, env:NAME, fd:NUMBER or cmd:COMMAND"),
            Self::Timeout => write!(f, "the command did not finish in {} s", COMMAND_TIME.as_secs()),
        }
    }
}

impl std::error::Error for KekError {}

const MAGIC: &[u8] = b"waxseal-ring-v1\n";
const HEAD_LEN: usize = MAGIC.len() + 4 + NONCE_LEN;
const KEK_PREFIX: &str = "waxseal-kek-1:";

/// Most bytes by which an envelope is longer than the file in it.
pub(crate) const ENVELOPE_LEN: usize = HEAD_LEN + TAG_LEN;

/// Longest text that is read of a source, in bytes: enough to see that it is no KEK.
const MAX_KEK_TEXT: usize = 256;

/// How long a command may take.
const COMMAND_TIME: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::OsRandom;

    fn kek() -> Kek {
        Kek::from_text(&generate_kek().unwrap()).unwrap()
    }

    #[test]
    fn what_is_wrapped_unwraps_under_the_same_kek_only() {
        let (kek, other) = (kek(), kek());
        let envelope = kek.wrap(b"a ring", 7, &OsRandom).unwrap();
        assert_eq!(envelope.len(), 6 + ENVELOPE_LEN);
        assert_eq!(envelope_id(&envelope), Some(kek.id()));
        assert_eq!(**kek.unwrap(&envelope).unwrap(), *b"a ring");
        assert!(matches!(other.unwrap(&envelope), Err(KekError::Envelope)));
    }

    struct Constant;

    impl Random for Constant {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            bytes.fill(0xa5);
            Ok(())
        }
    }

    /// The example of FORMAT.md, "Envelope".
    #[test]
    fn the_reference_envelope() {
        let format = include_str!("../../docs/FORMAT.md");
        let example = &format[format.find("### Example 11").unwrap()..];
        let start = example.find("```json\n").unwrap() + 8;
        let ring = &example[start..start + example[start..].find("```").unwrap()];
        let kek = Kek::new(&Secret::unchecked(core::array::from_fn(|index| 0xe0 + index as u8)));
        let envelope = kek.wrap(ring.as_bytes(), 1_785_992_800, &Constant).unwrap();
        assert_eq!(hex(&envelope[16..44]), "2aa6c31d09a70e733c40771fc9b5f10a066954f420276923dba5ac17");
        assert_eq!(
            hex(&crate::crypto::sha256(&envelope)),
            "08a5a7ccb233de44da0ffb84edb43de6485eb765dc244b1d2fd1738b0115a660"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let kek = kek();
        let envelope = kek.wrap(b"a ring", 7, &OsRandom).unwrap();
        for bit in 0..8 * envelope.len() {
            let mut damaged = envelope.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(kek.unwrap(&damaged).is_err(), "bit {bit}");
        }
        for end in 0..envelope.len() {
            assert!(kek.unwrap(&envelope[..end]).is_err(), "cut to {end}");
        }
    }

    #[test]
    fn only_a_kek_is_one() {
        let good = generate_kek().unwrap();
        assert!(Kek::from_text(&format!("{}\n", *good)).is_ok());
        let zeros = format!("{KEK_PREFIX}{}", "A".repeat(43));
        for bad in ["", "password", &good[14..], &good[..50], &format!("{} ", *good), &format!("{}\n\n", *good), &zeros]
        {
            assert!(Kek::from_text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sources_display_as_they_parse() {
        for text in ["file:/etc/kek", "env:KEK", "fd:3", "cmd:vault kv get -field=kek secret/shop"] {
            assert_eq!(text.parse::<KekSource>().unwrap().to_string(), text);
        }
        for bad in ["", "file:", "env:", "fd:x", "cmd:", "/etc/kek", "vault:x"] {
            assert!(matches!(bad.parse::<KekSource>(), Err(KekError::Source)), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn commands_give_a_kek_or_a_reason() {
        let fetch = |command: &str| KekSource::Command(command.to_owned()).fetch();
        let text = generate_kek().unwrap();
        assert!(fetch(&format!("echo '{}'", *text)).is_ok());
        assert!(matches!(fetch("exit 3"), Err(KekError::Command { code: Some(3) })));
        assert!(matches!(fetch("true"), Err(KekError::NotAKek)));
        assert!(matches!(fetch("yes | head -c 100000"), Err(KekError::NotAKek | KekError::Command { .. })));
        assert!(matches!(KekSource::Env("WAXSEAL_NO_SUCH_VARIABLE".into()).fetch(), Err(KekError::Env)));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_given_up() {
        assert!(matches!(KekSource::Command("sleep 600".into()).fetch(), Err(KekError::Timeout)));
    }
}
