//! How a ring lies on disk: plain because that was asked for, or in an envelope; never by accident the other way.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::kek::{Kek, KekError, KekSource, envelope_id};
use super::ring::Ring;
use crate::crypto::{OsRandom, RandomError};
use crate::text::hex;

/// The sources of key-encryption keys, the one in use first; none for a plain file.
#[derive(Debug, Default)]
pub(crate) struct AtRest {
    sources: Vec<KekSource>,
    /// What was fetched, by place of its source.
    fetched: Mutex<Vec<Option<Arc<Kek>>>>,
}

impl AtRest {
    pub(crate) fn new(sources: Vec<KekSource>) -> Self {
        let fetched = Mutex::new(vec![None; sources.len()]);
        Self { sources, fetched }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.sources.is_empty()
    }

    pub(crate) fn sources(&self) -> &[KekSource] {
        &self.sources
    }

    /// The plain bytes of a ring file.
    ///
    /// # Errors
    /// - the file is plain though KEKs are configured, or the reverse
    /// - no source gives the KEK that the file names, or the envelope is damaged
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, AtRestError> {
        match (envelope_id(bytes), self.is_plain()) {
            (None, true) => Ok(Zeroizing::new(bytes.to_vec())),
            (None, false) if bytes.is_empty() => Ok(Zeroizing::new(Vec::new())),
            (None, false) => Err(AtRestError::Plain),
            (Some(_), true) => Err(AtRestError::Wrapped),
            (Some(id), false) => self.find(id)?.unwrap(bytes).map_err(|error| AtRestError::Kek { source: None, error }),
        }
    }

    /// The bytes of the file for `ring`.
    ///
    /// # Errors
    /// The first source gives no KEK, or the operating system no random bytes.
    pub(crate) fn close(&self, ring: &Ring) -> Result<Zeroizing<Vec<u8>>, AtRestError> {
        let plain = ring.to_file();
        if self.is_plain() {
            return Ok(plain);
        }
        let kek = self.fetch(0, false)?;
        Ok(Zeroizing::new(kek.wrap(&plain, ring.generation, &OsRandom)?))
    }

    /// The KEK with this id: one that is known, or else whatever the sources give now, so that a KEK
    /// that was replaced is found without a restart.
    fn find(&self, id: [u8; 4]) -> Result<Arc<Kek>, AtRestError> {
        let mut failed = None;
        for again in [false, true] {
            for place in 0..self.sources.len() {
                match self.fetch(place, again) {
                    Ok(kek) if kek.id() == id => return Ok(kek),
                    Ok(_) => {}
                    Err(error) => failed = Some(error),
                }
            }
        }
        Err(failed.unwrap_or(AtRestError::UnknownKek { id }))
    }

    fn fetch(&self, place: usize, again: bool) -> Result<Arc<Kek>, AtRestError> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let source = &self.sources[place];
        if let Some(kek) = fetched[place].as_ref().filter(|_| !again || !source.repeatable()) {
            return Ok(Arc::clone(kek));
        }
        let kek = source.fetch().map_err(|error| AtRestError::Kek { source: Some(source.clone()), error })?;
        let kek = Arc::new(kek);
        fetched[place] = Some(Arc::clone(&kek));
        Ok(kek)
    }
}

/// Why a ring file could not be opened or closed.
#[derive(Debug)]
#[non_exhaustive]
pub enum AtRestError {
    /// A source gave no KEK, or the envelope is damaged.
    Kek {
        /// The source, unless the envelope is at fault.
        source: Option<KekSource>,
        /// Why.
        error: KekError,
    },
    /// The file is plain though a KEK is configured.
    Plain,
    /// The operating system gave no random bytes.
    Random(RandomError),
    /// No configured KEK is the one that the file names.
    UnknownKek {
        /// The id that the file names.
        id: [u8; 4],
    },
    /// The file is encrypted and no KEK is configured.
    Wrapped,
}

impl AtRestError {
    /// What to do next.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Kek { source: None, .. } => "copy the ring again from where it was written",
            Self::Kek { .. } => "mend the source of the KEK; the ring itself is untouched",
            Self::Plain => "encrypt it with `waxseal keys rewrap`, or leave the KEK out",
            Self::Random(_) => "try again",
            Self::UnknownKek { .. } => "name the KEK it was written with as a second one, until it is rewrapped",
            Self::Wrapped => "name its KEK, as with `--kek file:PATH`",
        }
    }
}

impl From<RandomError> for AtRestError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for AtRestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kek { source: None, error } => error.fmt(f),
            Self::Kek { source: Some(source), error } => write!(f, "no key-encryption key from {source}: {error}"),
            Self::Plain => f.write_str("it is not encrypted, and a key-encryption key is configured"),
            Self::Random(error) => error.fmt(f),
            Self::UnknownKek { id } => write!(f, "it is encrypted under KEK {}, which no source gives", hex(id)),
            Self::Wrapped => f.write_str("it is encrypted, and no key-encryption key is configured"),
        }
    }
}

impl std::error::Error for AtRestError {}
