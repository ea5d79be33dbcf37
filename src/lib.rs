//! **Client-side sessions.** A server puts a user's session into a small token, seals it with
//! authenticated encryption under a rotating key, and hands it to the client. Any server that holds
//! the key ring opens it again: no sticky load balancer, no store on the request path.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use waxseal::{KeyRing, Sealer, SessionState};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<u32> }
//! impl SessionState for Shop {}
//!
//! let ring = KeyRing::generate()?;                       // a server loads its ring from a file
//! let sealer = Sealer::<Shop>::new(&ring, "session")?;
//!
//! let token = sealer.start(&Shop { user: "ada".into(), cart: vec![] })?;
//! let mut session = sealer.open(&token)?;                // on any server with the same ring
//! session.state_mut().cart.push(1042);
//! let token = sealer.renew(&session)?;                   // same session, new state
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//! - [`Sealer`] seals and opens sessions; [`Signer`] signs sessions that the client may read.
//! - [`SessionState`] is what a session holds, and how its type changes while servers run.
//! - [`KeyRing`] is the fleet's keys: loaded from a file that the `waxseal` command writes, followed
//!   while the server runs.
//! - [`Revocations`] ends sessions before their time, on every server; docs/REVOCATION.md is its guide.
//! - [`Policy`] says how long sessions live; [`OpenError`] why one was refused.
//! - `SessionLayer` and `CurrentSession` in the module `web`, behind the features `tower` and `axum`, carry sessions through
//!   services and handlers; [`carrier`] holds the rules they follow, for any framework.
//!
//! # What it does not do
//! A token is a bearer credential: whoever has it is its user, until it ends. It may be replayed, and
//! an older one brings an older state back, so nothing that must only count up or down belongs in
//! it. SECURITY.md says what is promised and what is not.
//!
//! # Features
//! - `axum`: the session as an argument of axum's handlers; brings `tower`.
//! - `cli`: the `waxseal` command, for key rings and tokens.
//! - `redis`: revocations shared by a Redis or Valkey server.
//! - `ring`, on by default: ChaCha20-Poly1305 from ring, several times faster; without it everything is Rust.
//! - `tower`: a layer that carries sessions in cookies and headers.
//! - `watch`: servers hear of a changed ring file at once, not at the next poll.
//!
//! # The house
//! A room imports only rooms on a lower floor; `scripts/structure` holds it to that.
//!
//! | floor | room |
//! |---|---|
//! | 0 | [`time`], `text`, `crypto` |
//! | 1 | [`id`] |
//! | 2 | `token`, [`state`] |
//! | 3 | [`keys`] |
//! | 4 | [`revocation`], `seal` |
//! | 5 | [`session`], [`carrier`] |
//! | 6 | `web`, behind a feature |
//! | 7 | `fuzzing`, in tests and fuzz targets alone |

// The README's examples are tests as well.
#![cfg_attr(all(doctest, feature = "axum"), doc = include_str!("../README.md"))]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod carrier;
mod crypto;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod id;
pub mod keys;
pub mod revocation;
mod seal;
pub mod session;
pub mod state;
mod text;
pub mod time;
mod token;
#[cfg(feature = "tower")]
pub mod web;

pub use carrier::CookiePolicy;
pub use crypto::RandomError;
pub use id::{Carrier, KeyId, Mode, SessionId};
pub use keys::{Follow, KeyRing};
pub use revocation::{Revocations, Revoke, Stale};
pub use seal::MAX_CONTEXT_LEN;
pub use session::{OpenError, Policy, Sealer, Session, Signer, Token};
pub use state::{Older, SchemaError, SessionState, Target};
pub use text::{MAX_TEXT_LEN, MIN_TEXT_LEN};
pub use token::{ClaimsError, Padding};
#[cfg(feature = "axum")]
pub use web::{Authenticated, OpenSession};
#[cfg(feature = "tower")]
pub use web::{CurrentSession, SessionError, SessionLayer};
