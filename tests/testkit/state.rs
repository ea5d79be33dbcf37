//! The states of the vectors: what a schema number means there, and the chains that readers know.

use serde::{Deserialize, Serialize};
use waxseal::{Older, SchemaError, SessionState, Target};

/// Schema 0 of the vectors: no bytes at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Empty {}

impl SessionState for Empty {
    const SCHEMA: u16 = 0;
}

/// Schema 1 of the vectors, and the state of FORMAT.md's examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Example {
    pub(crate) user: u64,
    pub(crate) shop: u32,
    pub(crate) count: u16,
}

impl SessionState for Example {}

/// The values of FORMAT.md's examples.
pub(crate) const EXAMPLE: Example = Example { user: 1_234_567_890, shop: 54_321, count: 513 };

/// Every other schema of the vectors is laid out like this.
macro_rules! wide {
    ($name:ident, $schema:literal) => {
        #[doc = concat!("Schema ", $schema, ": that of 1, and a text and a choice.")]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) struct $name {
            pub(crate) user: u64,
            pub(crate) shop: u32,
            pub(crate) count: u16,
            pub(crate) note: String,
            pub(crate) choice: Option<bool>,
        }
    };
    ($name:ident, $schema:literal, alone) => {
        wide!($name, $schema);
        impl SessionState for $name {
            const SCHEMA: u16 = $schema;
        }
    };
    ($name:ident, $schema:literal, $previous:ident, |$old:ident| $note:expr, $choice:expr) => {
        wide!($name, $schema);
        impl SessionState for $name {
            const SCHEMA: u16 = $schema;
            fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
                old.from::<$previous, _>(|$old| {
                    let (user, shop, count) = ($old.user, $old.shop, $old.count);
                    $name { user, shop, count, note: $note, choice: $choice }
                })
            }
            fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
                to.write(&$previous::from(self.clone()))
            }
        }
    };
}

wide!(Two, 2, alone);
wide!(TwoOne, 2, Example, |_old| String::new(), None);
wide!(ThreeOne, 3, Example, |_old| String::new(), None);
wide!(ThreeTwoOne, 3, TwoOne, |old| old.note, old.choice);
wide!(Last, 65535, Example, |_old| String::new(), None);

macro_rules! into_example {
    ($($name:ident)*) => {$(
        impl From<$name> for Example {
            fn from(state: $name) -> Self {
                Self { user: state.user, shop: state.shop, count: state.count }
            }
        }
    )*};
}

into_example!(TwoOne ThreeOne Last);

impl From<ThreeTwoOne> for TwoOne {
    fn from(state: ThreeTwoOne) -> Self {
        let ThreeTwoOne { user, shop, count, note, choice } = state;
        Self { user, shop, count, note, choice }
    }
}
