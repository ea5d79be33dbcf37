//! What a state is, and the chain of its schemas: one step down or up at a time, until a number fits.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{BodyError, decode_exact, encode};

/// What a session holds: who they are, their cart, their roles.
///
/// `impl SessionState for Shop {}` is enough to begin with. See the [module docs](super) for a change
/// of schema.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session's state",
    note = "write `impl SessionState for {Self} {{}}`; it needs serde's `Serialize` and `Deserialize`"
)]
pub trait SessionState: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The number of this layout. Raise it whenever a field is added, removed, moved or changes type.
    const SCHEMA: u16 = 1;

    /// Who the session belongs to. Must not change under [`upgrade`](Self::upgrade) or [`downgrade`](Self::downgrade).
    fn subject(&self) -> Option<&str> {
        None
    }

    /// Which tenant the session belongs to. Must not change under upgrade or downgrade.
    fn tenant(&self) -> Option<&str> {
        None
    }

    /// Makes this state from the bytes of an older schema.
    ///
    /// # Errors
    /// - the schema is not in the chain
    /// - its bytes do not decode
    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.unknown()
    }

    /// Writes this state in an older schema, for servers that do not know this one yet.
    ///
    /// # Errors
    /// - the schema is not in the chain
    fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
        to.unknown()
    }
}

/// Decodes a state of `schema`, walking the upgrade chain if it is older than `T`.
///
/// "Newer than known" is judged here, once, against the outermost type; a number that falls between
/// two steps is unknown.
///
/// # Errors
/// See [`SchemaError`].
pub(crate) fn decode<T: SessionState>(schema: u16, body: &[u8]) -> Result<T, SchemaError> {
    if schema > T::SCHEMA {
        return Err(SchemaError::Newer { found: schema, known: T::SCHEMA });
    }
    step(Older { schema, body })
}

/// Appends `state` in `schema`, which is its own or an older one.
///
/// # Errors
/// - the chain cannot write that schema
/// - writing it would change the subject or the tenant
pub(crate) fn encode_as<T: SessionState>(state: &T, schema: u16, out: &mut Vec<u8>) -> Result<(), SchemaError> {
    if schema == T::SCHEMA {
        return Ok(encode(state, out)?);
    }
    let body = state.downgrade(Target { schema })?;
    let again: T = decode(schema, &body)?;
    if again.subject() != state.subject() || again.tenant() != state.tenant() {
        return Err(SchemaError::Identity { schema });
    }
    out.extend_from_slice(&body);
    Ok(())
}

fn step<T: SessionState>(old: Older<'_>) -> Result<T, SchemaError> {
    if old.schema == T::SCHEMA {
        Ok(decode_exact(old.body)?)
    } else if old.schema > T::SCHEMA {
        old.unknown()
    } else {
        T::upgrade(old)
    }
}

/// The bytes of a state in an older schema.
#[derive(Clone, Copy)]
pub struct Older<'a> {
    schema: u16,
    body: &'a [u8],
}

impl Older<'_> {
    /// The schema the bytes are in.
    pub fn schema(&self) -> u16 {
        self.schema
    }

    /// Reads the bytes as `P`, or as something older that `P` upgrades, and turns that into a `T`.
    ///
    /// `P::SCHEMA` must be below `T::SCHEMA`; checked at compile time.
    ///
    /// # Errors
    /// - no step of the chain has this schema
    /// - the bytes do not decode
    /// - `P` names another subject or tenant than the `T` made of it
    pub fn from<P: SessionState, T: SessionState>(self, upgrade: impl FnOnce(P) -> T) -> Result<T, SchemaError> {
        const { assert!(P::SCHEMA < T::SCHEMA, "SCHEMA must be greater than that of the type it upgrades from") }
        let schema = self.schema;
        let previous: P = step(self)?;
        let subject = previous.subject().map(str::to_owned);
        let tenant = previous.tenant().map(str::to_owned);
        let state = upgrade(previous);
        let changed = |before: Option<String>, after: Option<&str>| before.is_some() && before.as_deref() != after;
        if changed(subject, state.subject()) || changed(tenant, state.tenant()) {
            return Err(SchemaError::Identity { schema });
        }
        Ok(state)
    }

    /// Refuses the schema as unknown: the end of every chain.
    ///
    /// # Errors
    /// Always.
    pub fn unknown<T>(self) -> Result<T, SchemaError> {
        Err(SchemaError::Unknown { schema: self.schema })
    }
}

impl fmt::Debug for Older<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Older").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// The older schema that a state is to be written in.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    schema: u16,
}

impl Target {
    /// The schema that is wanted.
    pub fn schema(&self) -> u16 {
        self.schema
    }

    /// Writes `previous`, or asks it to go further down.
    ///
    /// # Errors
    /// - no step of the chain has this schema
    /// - `previous` cannot be serialized
    pub fn write<P: SessionState>(self, previous: &P) -> Result<Vec<u8>, SchemaError> {
        if self.schema == P::SCHEMA {
            let mut body = Vec::new();
            encode(previous, &mut body)?;
            Ok(body)
        } else if self.schema > P::SCHEMA {
            self.unknown()
        } else {
            previous.downgrade(self)
        }
    }

    /// Refuses the schema as unknown: the end of every chain.
    ///
    /// # Errors
    /// Always.
    pub fn unknown(self) -> Result<Vec<u8>, SchemaError> {
        Err(SchemaError::Unknown { schema: self.schema })
    }
}

/// Why a state could not be read or written in a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// The bytes and the type do not fit together.
    Body(BodyError),
    /// Going through this schema would change the subject or the tenant.
    Identity {
        /// The schema.
        schema: u16,
    },
    /// A newer server wrote this; this one must be updated, and the token kept.
    Newer {
        /// The schema of the token.
        found: u16,
        /// The newest schema this server knows.
        known: u16,
    },
    /// No step of the chain has this schema.
    Unknown {
        /// The schema.
        schema: u16,
    },
}

impl From<BodyError> for SchemaError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Identity { schema } => {
                write!(f, "subject or tenant would change on the way through schema {schema}")
            }
            Self::Newer { found, known } => write!(f, "schema {found} is newer than {known}, the newest known here"),
            Self::Unknown { schema } => write!(f, "no step of the chain has schema {schema}"),
        }
    }
}

impl std::error::Error for SchemaError {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct V1(u8);
    impl SessionState for V1 {}

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct V3(u8, String);
    impl SessionState for V3 {
        const SCHEMA: u16 = 3;
        fn subject(&self) -> Option<&str> {
            Some(&self.1)
        }
        fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
            old.from::<V1, _>(|v1| V3(v1.0, "u".into()))
        }
        fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
            to.write(&V1(self.0))
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct V4(String);
    impl SessionState for V4 {
        const SCHEMA: u16 = 4;
        fn subject(&self) -> Option<&str> {
            Some(&self.0)
        }
        fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
            old.from::<V3, _>(|v3| V4(if v3.0 == 99 { "mallory".into() } else { v3.1 }))
        }
        fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
            to.write(&V3(7, self.0.clone()))
        }
    }

    #[test]
    fn the_chain_is_walked_down_to_the_first() {
        assert_eq!(decode::<V4>(1, &[7]), Ok(V4("u".into())));
        assert_eq!(decode::<V4>(3, &[7, 1, b'u']), Ok(V4("u".into())));
        assert_eq!(decode::<V4>(4, &[1, b'u']), Ok(V4("u".into())));
    }

    #[test]
    fn newer_is_its_own_error_and_a_gap_is_unknown() {
        assert_eq!(decode::<V4>(5, &[]), Err(SchemaError::Newer { found: 5, known: 4 }));
        assert_eq!(decode::<V4>(2, &[7]), Err(SchemaError::Unknown { schema: 2 }));
        assert_eq!(decode::<V4>(0, &[7]), Err(SchemaError::Unknown { schema: 0 }));
    }

    #[test]
    fn bytes_are_used_exactly() {
        assert_eq!(decode::<V1>(1, &[7, 0]), Err(SchemaError::Body(BodyError::LeftOver { bytes: 1 })));
        assert_eq!(decode::<V1>(1, &[]), Err(SchemaError::Body(BodyError::Decode)));
    }

    #[test]
    fn an_older_schema_can_be_written() {
        let write = |state: &V4, schema| {
            let mut out = vec![];
            encode_as(state, schema, &mut out).map(|()| out)
        };
        assert_eq!(write(&V4("u".into()), 4), Ok(vec![1, b'u']));
        assert_eq!(write(&V4("u".into()), 3), Ok(vec![7, 1, b'u']));
        assert_eq!(write(&V4("u".into()), 1), Ok(vec![7]));
        assert_eq!(write(&V4("u".into()), 2), Err(SchemaError::Unknown { schema: 2 }));
    }

    #[test]
    fn the_subject_survives_or_the_change_is_refused() {
        let mut out = vec![];
        assert_eq!(encode_as(&V4("bob".into()), 1, &mut out), Err(SchemaError::Identity { schema: 1 }));
        assert!(out.is_empty());
        assert_eq!(decode::<V4>(3, &[99, 1, b'u']), Err(SchemaError::Identity { schema: 3 }));
    }
}
