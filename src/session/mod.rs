//! Typed sessions: sealed or signed under a ring, opened within a policy.

mod build;
mod listed;
mod minted;
mod opened;
mod policy;
mod raw;
mod refusal;
mod sealer;
mod unverified;
mod verified;

pub use build::{BuildError, RawBuilder, SealerBuilder};
pub use minted::{SealError, Token};
pub use opened::{Form, Sealed, Session, Signed, SignedSession};
pub use policy::{Limit, Policy};
pub use raw::{RawScoped, RawSealer};
pub use refusal::{OpenError, PolicyLimit, Reason};
pub use sealer::{Scoped, Sealer, Signer};
pub use unverified::{Prefix, UnverifiedClaims, UnverifiedToken};
pub use verified::{Buffer, RawSession, SessionInfo};
