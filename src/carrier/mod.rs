//! How tokens travel: which of a request's fields holds one, and which of a response's fields takes
//! one back. Pure functions on the bytes of header fields, for whatever framework reads them.
//!
//! ```text
//! request fields ─► RequestHead ─► Rules::take ─► Presented    which token counts, if any
//! Situation + Act ─────────────────► deliver ───► Delivery     where a new token goes
//! Delivery ────────────────────────► response ──► Set-Cookie | Session-Token, Vary, Cache-Control
//! ```
//!
//! 1. An explicit token beats an ambient one: `Authorization: Bearer` is tried before the cookie, and
//!    if it fails there is no second try.
//! 2. With Do Not Track or Global Privacy Control on, a policy of [`CookiePolicy::RespectSignals`] sets
//!    no cookie. The token goes into the `Session-Token` field instead, for the client's script to keep.
//! 3. A session stays on the carrier it came by. It moves from cookie to header only under a signal, for
//!    a script of the same origin that said it can hold tokens.
//! 4. A cookie session on an unsafe method, and every login, is checked against cross-site forgery.
//!
//! ```
//! use waxseal::carrier::{CookiePolicy, Names, Presented, RequestHead, Rules};
//!
//! let fields = [("cookie", &b"theme=dark; __Host-Http-id=EQ..."[..]), ("dnt", b"1")];
//! let head = RequestHead::read("GET", None, fields, &Names { cookie: "__Host-Http-id", prefix: None });
//! assert_eq!(Rules::default().take(&head), Presented::Cookie(b"EQ..."));
//! assert!(CookiePolicy::default().signal(head.signals));
//! ```
//!
//! The layer of the feature `tower` does all this for tower and axum.

pub mod bearer;
pub mod cookie;
pub mod csrf;
mod delivery;
mod precedence;
mod request;
pub mod response;
mod signal;

pub use delivery::{Act, Arrived, CookiePolicy, Delivery, Route, Situation, Undeliverable, deliver};
pub use precedence::{Foreign, Malformed, Presented, Rules};
pub use request::{Names, RequestHead, Site};
pub use signal::Signals;
