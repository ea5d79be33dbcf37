//! Names: of a key, of a session, of what a token is for and how it travels. No secrets.

mod key;
mod label;
mod session;

pub use key::KeyId;
pub use label::{Carrier, CookieName, LabelError, Mode, Purpose};
pub(crate) use label::{Label, Use, is_token_character};
pub use session::{ParseSessionIdError, SessionId};

/// Bytes of `rnd`, the part of a token that is unique to it.
pub(crate) const RND_LEN: usize = 12;
