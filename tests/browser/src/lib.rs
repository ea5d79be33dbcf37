//! What the cases stand on: a real browser, the example's server as a process, and nginx with TLS between them.

pub mod browser;
pub mod extension;
pub mod gate;
pub mod jar;
pub mod nginx;
pub mod page;
pub mod programs;
pub mod server;
pub mod shop;
pub mod site;
pub mod wait;
pub mod wire;

pub use browser::{Browser, Wish};
pub use extension::Extension;
pub use gate::{Gate, Held};
pub use jar::Cookie;
pub use page::Answer;
pub use server::{Direct, Policy, Server};
pub use site::{Site, Stage};
pub use wait::{PATIENCE, until};
pub use wire::Exchange;
