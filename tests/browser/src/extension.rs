//! A browser extension that says what a browser or another extension would: `Sec-GPC: 1`, or any field.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

/// An unpacked extension in a directory of its own.
pub struct Extension {
    directory: TempDir,
}

impl Extension {
    /// Sets these fields on every request, and `navigator.globalPrivacyControl` if `Sec-GPC: 1` is among them.
    pub fn setting(fields: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("manifest.json", &manifest(fields).to_string());
        write("rules.json", &rules(fields).to_string());
        write("gpc.js", NAVIGATOR);
        // From here a case can reach what only extensions may, as to duplicate a tab.
        write("page.html", "<!DOCTYPE html><title>extension</title>");
        Self { directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What to call from `chrome://extensions` to hear where `page.html` is.
    pub const FIND_PAGE: &'static str = "
        const all = await chrome.developerPrivate.getExtensionsInfo();
        return `chrome-extension://${all.find((one) => one.name === 'signals').id}/page.html`;";
}

fn manifest(fields: &[(&str, &str)]) -> Value {
    let script = json!({ "matches": ["<all_urls>"], "js": ["gpc.js"], "world": "MAIN", "run_at": "document_start" });
    let scripts = if fields.contains(&("Sec-GPC", "1")) { vec![script] } else { vec![] };
    json!({
        "manifest_version": 3, "name": "signals", "version": "1",
        "permissions": ["declarativeNetRequest"], "host_permissions": ["<all_urls>"],
        "declarative_net_request": { "rule_resources": [{ "id": "rules", "enabled": true, "path": "rules.json" }] },
        "content_scripts": scripts,
    })
}

fn rules(fields: &[(&str, &str)]) -> Value {
    let set = |(name, value): &(&str, &str)| json!({ "header": name, "operation": "set", "value": value });
    let fields: Vec<_> = fields.iter().map(set).collect();
    if fields.is_empty() {
        return json!([]);
    }
    // Without this list a rule leaves out the pages themselves.
    let kinds = ["main_frame", "sub_frame", "stylesheet", "script", "image", "font", "xmlhttprequest", "ping", "other"];
    json!([{
        "id": 1, "action": { "type": "modifyHeaders", "requestHeaders": fields },
        "condition": { "urlFilter": "*", "resourceTypes": kinds },
    }])
}

const NAVIGATOR: &str = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });";
