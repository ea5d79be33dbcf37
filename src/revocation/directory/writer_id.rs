//! The name of a process that writes, and of its journal.

use core::fmt;

use crate::crypto::{Random, RandomError};
use crate::text;

/// Eight random bytes, drawn by each process for itself. Written as 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterId([u8; 8]);

impl WriterId {
    pub(crate) fn draw(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The name of the journal.
    pub(crate) fn file_name(self) -> String {
        format!("{self}{EXTENSION}")
    }

    /// Whose journal a file is by its name, if it is one.
    pub(crate) fn of_file_name(name: &str) -> Option<Self> {
        text::unhex(name.strip_suffix(EXTENSION)?).map(Self)
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::hex(&self.0))
    }
}

impl fmt::Debug for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriterId({self})")
    }
}

const EXTENSION: &str = ".journal";
