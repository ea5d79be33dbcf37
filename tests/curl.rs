//! The example server as curl meets it, over HTTP/1.1 and over HTTP/2: tables of what is sent and what must come back.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests too")]

// The machinery, from below.
#[path = "curl/ask.rs"]
mod ask;
#[path = "curl/face.rs"]
mod face;
#[path = "curl/keys.rs"]
mod keys;
#[path = "curl/row.rs"]
mod row;
#[path = "curl/run.rs"]
mod run;
#[path = "api_server/server.rs"]
#[allow(dead_code, reason = "the part that talks without curl is for other tests")]
mod server;
#[path = "../examples/api_server/shop.rs"]
#[allow(dead_code, reason = "what the server does with a cart is its own business")]
mod shop;
#[path = "curl/site.rs"]
mod site;

// The tables.
#[path = "curl/authorization.rs"]
mod authorization;
#[path = "curl/cookies.rs"]
mod cookies;
#[path = "curl/elsewhere.rs"]
mod elsewhere;
#[path = "curl/forgery.rs"]
mod forgery;
#[path = "curl/jar.rs"]
mod jar;
#[path = "curl/limits.rs"]
mod limits;
#[path = "curl/options.rs"]
mod options;
#[path = "curl/signals.rs"]
mod signals;
#[path = "curl/tokens.rs"]
mod tokens;
#[path = "curl/welcome.rs"]
mod welcome;
