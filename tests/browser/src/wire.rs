//! What really went over the wire, as nginx wrote it down.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::wait::until;

/// One request and its response.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange {
    pub host: String,
    pub protocol: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    request: BTreeMap<String, String>,
    response: BTreeMap<String, String>,
}

impl Exchange {
    /// What the request said in a field, or `None` without the field.
    pub fn asked(&self, field: &str) -> Option<&str> {
        present(&self.request, field)
    }

    /// What the response said in a field, or `None` without the field.
    pub fn said(&self, field: &str) -> Option<&str> {
        present(&self.response, field)
    }
}

fn present<'a>(fields: &'a BTreeMap<String, String>, field: &str) -> Option<&'a str> {
    let value = fields.get(field).unwrap_or_else(|| panic!("{field} is not written down; see nginx.conf"));
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// The log of all exchanges, read from the beginning or from a mark.
pub struct Wire {
    log: PathBuf,
}

impl Wire {
    pub fn of(log: PathBuf) -> Self {
        Self { log }
    }

    /// How many exchanges there are by now.
    pub fn mark(&self) -> usize {
        self.all().len()
    }

    /// Waits for the first exchange after `mark` with this method and path.
    ///
    /// nginx writes an exchange down when it is over, which may be after the browser has the answer.
    pub async fn after(&self, mark: usize, method: &str, path: &str) -> Exchange {
        self.find(mark, &format!("{method} {path}"), |seen| seen.method == method && seen.path == path).await
    }

    /// Waits for the first exchange after `mark` that is as wished.
    pub async fn find(&self, mark: usize, wish: &str, wished: impl Fn(&Exchange) -> bool) -> Exchange {
        until(wish, async || self.all().into_iter().skip(mark).find(|seen| wished(seen))).await
    }

    /// All exchanges so far. What a script did not wait for may be missing.
    pub fn all(&self) -> Vec<Exchange> {
        let text = fs::read(&self.log).unwrap_or_default();
        // The last line may be half written; foreign cookies need not be UTF-8.
        let whole = text.rsplitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default();
        let lines = String::from_utf8_lossy(whole);
        lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}
