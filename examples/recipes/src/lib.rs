//! Recipes for waxseal, each a module to copy from. docs/RECIPES.md says when to use which, and what to watch out for.

use serde::{Deserialize, Serialize};
use waxseal::SessionState;

pub mod cors;
pub mod flash;
pub mod form_login;
pub mod from_jwt;
pub mod from_private_jar;
pub mod from_tower_sessions;
pub mod handler_test;
pub mod logout;
pub mod sse;
pub mod visitor;
pub mod websocket;

/// What most of the recipes keep in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    /// Who it is.
    pub user: String,
    /// Numbers of articles.
    pub cart: Vec<u32>,
}

impl SessionState for Shop {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}
