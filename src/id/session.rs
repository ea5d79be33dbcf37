//! The public name of a session: when it started and what its first token drew.

use core::fmt;
use core::str::FromStr;

use super::RND_LEN;
use crate::text;
use crate::time::Timestamp;

/// The id of a session: the same in every token of one login, whatever the carrier.
///
/// Sixteen bytes: the start (4, big-endian Unix seconds) and the `rnd` of the first token (12).
/// Written `s1.` and 32 lowercase hexadecimal digits. It names the session in logs, and to
/// whoever ends it; it is public and never a credential. FORMAT.md, "SessionId".
///
/// ```
/// use waxseal::SessionId;
///
/// let id: SessionId = "s1.6a7432801560fcb22fd075b357e9c94a".parse()?;
/// assert_eq!(id.start().as_unix(), 1_786_000_000);
/// assert_eq!(id.to_string(), "s1.6a7432801560fcb22fd075b357e9c94a");
/// # Ok::<(), waxseal::id::ParseSessionIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::LEN]);

impl SessionId {
    /// Bytes of a session id.
    pub const LEN: usize = 16;

    pub(crate) fn new(start: u32, first_rnd: [u8; RND_LEN]) -> Self {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&start.to_be_bytes());
        bytes[4..].copy_from_slice(&first_rnd);
        Self(bytes)
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// When the session started: the issue time of its first token.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_unix(self.start_seconds().into())
    }

    pub(crate) fn start_seconds(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    pub(crate) fn first_rnd(&self) -> [u8; RND_LEN] {
        let mut rnd = [0; RND_LEN];
        rnd.copy_from_slice(&self.0[4..]);
        rnd
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TEXT_PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = ParseSessionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(TEXT_PREFIX).and_then(text::unhex).map(Self).ok_or(ParseSessionIdError)
    }
}

/// A text is not a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSessionIdError;

impl fmt::Display for ParseSessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a session id is `{TEXT_PREFIX}` and 32 lowercase hexadecimal digits, uncut")
    }
}

impl std::error::Error for ParseSessionIdError {}

const TEXT_PREFIX: &str = "s1.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_lowercase_id_is_one() {
        let good = "s1.6a7432801560fcb22fd075b357e9c94a";
        assert_eq!(good.parse::<SessionId>().unwrap().to_string(), good);
        let cut = &good[..good.len() - 1];
        let long = format!("{good}0");
        let upper = good.to_uppercase();
        for bad in ["", "s1.", cut, &long, &upper, &good[3..], "s2.6a7432801560fcb22fd075b357e9c94a"] {
            assert_eq!(bad.parse::<SessionId>(), Err(ParseSessionIdError), "{bad}");
        }
    }
}
