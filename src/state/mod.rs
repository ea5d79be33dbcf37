//! The session's own type, and how its bytes survive a change of that type.
//!
//! postcard is compact because it does not describe itself: old bytes decoded as a new struct give
//! garbage, not an error. So every token carries a schema number, and a changed struct raises it.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use waxseal::{Older, SchemaError, SessionState, Target};
//!
//! #[derive(Serialize, Deserialize)]
//! struct ShopV1 { user: String }
//! impl SessionState for ShopV1 {}                      // schema 1
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<u32> }
//! impl SessionState for Shop {
//!     const SCHEMA: u16 = 2;
//!     fn subject(&self) -> Option<&str> { Some(&self.user) }
//!     fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
//!         old.from::<ShopV1, _>(|v1| Shop { user: v1.user, cart: vec![] })
//!     }
//!     // Only for the days in which old servers still run: see `write_schema`.
//!     fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
//!         to.write(&ShopV1 { user: self.user.clone() })
//!     }
//! }
//! ```
//!
//! Numbers must fall along the chain, or it does not compile:
//!
//! ```compile_fail
//! # use serde::{Deserialize, Serialize};
//! # use waxseal::{Older, SchemaError, SessionState};
//! # #[derive(Serialize, Deserialize)]
//! # struct ShopV1 { user: String }
//! # impl SessionState for ShopV1 {}
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<u32> }
//! impl SessionState for Shop {                         // forgot to raise SCHEMA
//!     fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
//!         old.from::<ShopV1, _>(|v1| Shop { user: v1.user, cart: vec![] })
//!     }
//! }
//! # let _: fn(Older<'_>) -> Result<Shop, SchemaError> = Shop::upgrade;
//! ```

mod chain;
mod codec;
pub mod testing;

pub use chain::{Older, SchemaError, SessionState, Target};
pub(crate) use chain::{decode, encode_as};
pub use codec::BodyError;
pub(crate) use codec::{decode_exact, encode};
