//! What a script in a page can do and see: fetch plainly, fetch through the module, and read its storage.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::wait::until;

/// What a script sees of an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    /// `Session-Token`, if the script may read it.
    pub token: Option<String>,
    /// `WWW-Authenticate`, likewise.
    pub challenge: Option<String>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Who the server says the request's session is of.
    pub fn user(&self) -> Value {
        self.json()["user"].clone()
    }

    /// How the server says the request's session arrived.
    pub fn carrier(&self) -> Value {
        self.json()["carrier"].clone()
    }
}

impl Browser {
    /// Fetches as a script that knows nothing of sessions.
    pub async fn fetch(&self, method: &str, url: &str, body: Option<Value>) -> Answer {
        self.fetch_with(method, url, body, json!({})).await
    }

    /// The same with more in `fetch`'s second argument.
    pub async fn fetch_with(&self, method: &str, url: &str, body: Option<Value>, init: Value) -> Answer {
        self.answer("fetch", method, url, body, init).await
    }

    /// Makes the page hold a session by the module, its token in `sessionStorage`, and allow these origins beside its own.
    pub async fn hold_session(&self, origins: &[String]) {
        let make = "
            const { createSession } = await import('/session.js');
            window.session = createSession({ origins: [location.origin, ...args[0]], storage: sessionStorage });
            window.changes = 0;
            session.onchange = () => { window.changes += 1; };";
        self.run(make, &[json!(origins)]).await;
    }

    /// Fetches through the module; [`hold_session`](Self::hold_session) comes first.
    pub async fn wrapped(&self, method: &str, url: &str, body: Option<Value>) -> Answer {
        self.answer("session.fetch", method, url, body, json!({})).await
    }

    async fn answer(&self, fetch: &str, method: &str, url: &str, body: Option<Value>, init: Value) -> Answer {
        let script = format!("{INIT} const response = await {fetch}(args[1], init); {ANSWER}");
        let answer = self.run(&script, &[json!(method), json!(url), json!(body), init]).await;
        serde_json::from_value(answer).unwrap()
    }

    /// Begins a fetch through the module and does not wait for it; `name` is for [`finish`](Self::finish).
    pub async fn begin(&self, name: &str, method: &str, url: &str, body: Option<Value>) {
        let script = format!("{INIT} (window.begun ??= {{}})[args[4]] = session.fetch(args[1], init);");
        self.run(&script, &[json!(method), json!(url), json!(body), json!({}), json!(name)]).await;
    }

    /// Waits for a fetch that was begun.
    pub async fn finish(&self, name: &str) -> Answer {
        let answer = self.run(&format!("const response = await begun[args[0]]; {ANSWER}"), &[json!(name)]).await;
        serde_json::from_value(answer).unwrap()
    }

    /// The token that the module keeps in this tab, with a label behind it that is the module's own affair.
    pub async fn stored(&self) -> Option<String> {
        let item = self.run("return sessionStorage.getItem('session-token');", &[]).await;
        item.as_str().and_then(|item| item.split(' ').next()).map(str::to_owned)
    }

    /// What scripts keep and see: the names in both storages, and `document.cookie`.
    pub async fn in_reach_of_scripts(&self) -> Value {
        self.run("return [Object.keys(sessionStorage), Object.keys(localStorage), document.cookie];", &[]).await
    }

    /// Fills in a form and sends it as a person does, which leaves the page; from the empty page of any host.
    pub async fn submit(&self, action: &str, fields: &[(&str, &str)]) {
        self.submit_as("application/x-www-form-urlencoded", action, fields).await;
    }

    /// The same with another encoding.
    pub async fn submit_as(&self, encoding: &str, action: &str, fields: &[(&str, &str)]) {
        let build = "
            const form = document.createElement('form');
            Object.assign(form, { method: 'POST', action: args[1], enctype: args[0] });
            for (const [name, value] of args[2]) {
                const input = document.createElement('input');
                Object.assign(input, { name, value });
                form.append(input);
            }
            const button = document.createElement('button');
            button.id = 'send';
            button.textContent = 'Send';
            form.append(button);
            document.body.replaceChildren(form);";
        self.run(build, &[json!(encoding), json!(action), json!(fields)]).await;
        self.leaving(async || self.press("#send").await).await;
    }

    /// Does what replaces the page, and waits until the next one is there.
    pub async fn leaving(&self, act: impl AsyncFnOnce()) {
        self.run("window.stays = true;", &[]).await;
        act().await;
        until("the next page is there", async || {
            let there = self.execute("return document.readyState === 'complete' && !window.stays;", vec![]).await;
            there.is_ok_and(|there| there.json() == true).then_some(())
        })
        .await;
    }
}

/// Turns `[method, url, body, more]` into `fetch`'s second argument.
const INIT: &str = "
    const init = { method: args[0], ...args[3], headers: { ...args[3].headers } };
    if (args[2] !== null) {
        init.body = JSON.stringify(args[2]);
        init.headers['Content-Type'] ??= 'application/json';
    }";

/// Turns a response into an [`Answer`].
const ANSWER: &str = "
    return {
        status: response.status,
        text: await response.text(),
        token: response.headers.get('Session-Token'),
        challenge: response.headers.get('WWW-Authenticate'),
    };";
