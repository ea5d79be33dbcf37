//! Sessions for services of [tower], and with the feature `axum` as arguments of handlers.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Json, Router, routing::{get, post}};
//! use serde::{Deserialize, Serialize};
//! use waxseal::{CurrentSession, KeyRing, OpenSession, Sealer, SessionError, SessionLayer, SessionState};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop { user: String, cart: Vec<u32> }
//! impl SessionState for Shop {
//!     fn subject(&self) -> Option<&str> { Some(&self.user) }   // no update can make it somebody else's
//! }
//!
//! async fn login(session: CurrentSession<Shop>, Json(user): Json<String>) -> Result<(), SessionError> {
//!     session.start(Shop { user, cart: vec![] })?;             // after checking who it is
//!     Ok(())
//! }
//!
//! async fn add(mut shop: OpenSession<Shop>, Json(sku): Json<u32>) -> Result<Json<Vec<u32>>, SessionError> {
//!     shop.update(|shop| shop.cart.push(sku))?;                // sealed once, on the way out
//!     Ok(Json(shop.cart.clone()))
//! }
//!
//! async fn show(shop: Option<OpenSession<Shop>>) -> String {
//!     shop.map_or("who are you?".into(), |shop| shop.user.clone())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sealer = Sealer::<Shop>::new(&KeyRing::generate()?, "session")?;
//! let app: Router = Router::new()
//!     .route("/login", post(login))
//!     .route("/cart", get(show).post(add))
//!     .layer(SessionLayer::new(&sealer));
//! # Ok(())
//! # }
//! # main().unwrap(); }
//! ```
//!
//! # What a handler takes
//! | argument | a request without a session |
//! |---|---|
//! | `OpenSession<T>` | 401 |
//! | `Option<OpenSession<T>>` | `None` |
//! | `Authenticated<T>` | 401; so is a session whose state names no [`subject`](crate::SessionState::subject), a visitor's |
//! | [`CurrentSession<T>`] | goes on: nothing was asked yet. The handle for `start` and `end` |
//!
//! With the first three, a bearer token that is refused is 401, and a cookie session from another site on a method that may
//! change something 403. To answer a refusal yourself, take a `Result<OpenSession<T>, SessionError>`.
//!
//! # What happens to a request
//! 1. The layer puts a slot into the request and reads nothing. If nobody asks for the session, the response gains no field.
//! 2. The first who asks has the token opened: `Authorization: Bearer` before the cookie, and no second try. A bearer token
//!    that is refused is an error; a cookie that is worth nothing is no session, and is deleted.
//! 3. [`start`](CurrentSession::start), [`update`](CurrentSession::update) and [`end`](CurrentSession::end) decide at once whether
//!    what they do can reach the client: size, cross-site requests, signals. What they return is final.
//! 4. On the way out a token is sealed once, if the session changed or its token is due, and goes where
//!    [`carrier`](crate::carrier) says. Such a response is `no-store`.
//!
//! With [`SealerBuilder::revocations`](crate::session::SealerBuilder::revocations) a session that is ended is over on every
//! server, its copies too, and [`end_everywhere`](CurrentSession::end_everywhere) and
//! [`end_others`](CurrentSession::end_others) end those of its user. The response waits until that is durable; see
//! [`SessionLayer::logout_level`].
//!
//! If a handler answers with a server error (5xx), only an end of the session is sent; what else it did to the session is not.
//! Of two responses that change one session at once, the later one wins whole: a session is not a place for counters.
//!
//! A service of plain tower has the handle from [`CurrentSession::of`].
//!
//! [tower]: https://docs.rs/tower

mod current;
mod departure;
mod desk;
mod ending;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod hold;
mod layer;
mod service;
mod visit;
mod write;

pub use current::CurrentSession;
pub use error::SessionError;
#[cfg(feature = "axum")]
pub use extract::{Authenticated, OpenSession};
pub use layer::SessionLayer;
pub use service::{ResponseFuture, SessionService};

pub use crate::carrier::response::SameSite;
pub use crate::carrier::{Arrived, CookiePolicy, Signals};
pub use crate::revocation::Level;
