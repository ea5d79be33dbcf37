//! postcard, exactly: all bytes are used, and bytes go straight into the token's buffer.

use core::fmt;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// Appends the postcard bytes of `value` to `out`.
///
/// # Errors
/// The value's `Serialize` refuses, or it holds a sequence of unknown length.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BodyError> {
    postcard::serialize_with_flavor(value, Append(out)).map_err(|_| BodyError::Encode)
}

/// Decodes `bytes` as a `T` and nothing more.
///
/// # Errors
/// The bytes are not a `T`, or some are left over, which `postcard::from_bytes` would ignore.
pub(crate) fn decode_exact<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BodyError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(BodyError::LeftOver { bytes: rest.len() }),
        Err(_) => Err(BodyError::Decode),
    }
}

/// Serializes onto the end of a vector, without a copy in between.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
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

/// Why the bytes of a state and its type do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// The bytes are not this type.
    Decode,
    /// The type cannot be serialized.
    Encode,
    /// The bytes hold this type and more.
    LeftOver {
        /// How many bytes are too many.
        bytes: usize,
    },
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode => f.write_str("the bytes are not of this type"),
            Self::Encode => f.write_str("the type refuses to be serialized"),
            Self::LeftOver { bytes } => write!(f, "{bytes} bytes are left over after the type"),
        }
    }
}

impl std::error::Error for BodyError {}
