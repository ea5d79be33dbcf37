//! The token as bytes: the header's layout and the claims. No keys.

mod claims;
mod layout;
mod varint;

pub(crate) use claims::{Claims, Origin, pad};
pub use claims::{ClaimsError, Padding};
pub(crate) use layout::{HEADER_LEN, Header, Parts};
