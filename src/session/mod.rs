//! Typed sessions: sealed or signed under a ring, opened within a policy.

mod build;
mod opened;
mod policy;
mod raw;
mod refusal;
mod sealer;
mod unverified;

pub use build::{BuildError, RawBuilder, SealerBuilder};
pub use opened::{Form, Sealed, Session, Signed, SignedSession};
pub use policy::{Limit, Policy};
pub use raw::{Buffer, RawScoped, RawSealer, RawSession, SealError, SessionInfo, Token};
pub use refusal::{OpenError, PolicyLimit, Reason};
pub use sealer::{Scoped, Sealer, Signer};
pub use unverified::{Prefix, UnverifiedClaims, UnverifiedToken};
