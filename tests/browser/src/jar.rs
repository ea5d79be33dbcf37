//! The browser's cookies as the browser itself has them, those hidden from scripts included.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::browser::Browser;

/// A cookie in the jar.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub domain: String,
    pub path: String,
    /// Seconds since 1970, or -1 for a cookie that ends with the browser's session.
    pub expires: f64,
    pub http_only: bool,
    pub secure: bool,
    /// Whether it ends with the browser's session.
    pub session: bool,
    /// `None` if the site did not say it.
    pub same_site: Option<String>,
}

impl Browser {
    /// All cookies, of all sites.
    pub async fn jar(&self) -> Vec<Cookie> {
        let mut answer = self.cdp().send_raw("Storage.getCookies", json!({})).await.unwrap();
        serde_json::from_value(answer["cookies"].take()).unwrap()
    }

    /// The session's cookie, if the browser has it.
    pub async fn session_cookie(&self) -> Option<Cookie> {
        self.jar().await.into_iter().find(|cookie| cookie.name == COOKIE)
    }

    /// Puts a cookie into the jar that no site and no script could, as into a browser of before the prefixes.
    pub async fn force_cookie(&self, cookie: Value) {
        self.cdp().send_raw("Storage.setCookies", json!({ "cookies": [cookie] })).await.unwrap();
    }
}

/// The name of the session's cookie.
pub const COOKIE: &str = "__Host-Http-id";
