//! The example's own page, used as a person uses it.

use serde_json::{Value, json};
use thirtyfour::By;

use crate::browser::Browser;
use crate::wait::until;

impl Browser {
    /// Logs in by the page's form, and waits until it shows the session.
    pub async fn log_in(&self, user: &str) {
        self.shows_nobody().await;
        let field = self.find(By::Css("#login input[name=user]")).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(user).await.unwrap();
        self.press("#login button").await;
        self.shows(user).await;
    }

    /// Logs out by the page's button, and waits until it shows the form again.
    pub async fn log_out(&self) {
        self.press("#logout").await;
        self.shows_nobody().await;
    }

    /// Logs in by the page's form for browsers without script, which leaves the page; `way` is the button's value.
    pub async fn log_in_by_form(&self, user: &str, way: &str) {
        let field = self.find(By::Css("#form-login input[name=user]")).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(user).await.unwrap();
        let button = if way.is_empty() { "button:not([name])".to_owned() } else { format!("button[value={way}]") };
        self.leaving(async || self.press(&format!("#form-login {button}")).await).await;
    }

    /// Logs out by the page's form, which leaves the page too.
    pub async fn log_out_by_form(&self) {
        self.leaving(async || self.press("#form-logout button").await).await;
    }

    /// Puts an article into the cart and waits until it is there.
    pub async fn add(&self, sku: u32) {
        let field = self.find(By::Css("#add input[name=sku]")).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(sku.to_string()).await.unwrap();
        self.press("#add button").await;
        until(&format!("{sku} is in the cart"), async || {
            let cart = self.run("return document.getElementById('cart').innerText;", &[]).await;
            cart.as_str().unwrap().contains(&sku.to_string()).then_some(())
        })
        .await;
    }

    /// Presses a button of the page.
    pub async fn press(&self, selector: &str) {
        self.find(By::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Waits until the page shows the session of a user.
    pub async fn shows(&self, user: &str) {
        let user = json!(user);
        until(&format!("the page shows the session of {user}"), async || (self.shown().await == user).then_some(()))
            .await;
    }

    /// Waits until the page shows that nobody is logged in.
    pub async fn shows_nobody(&self) {
        until("the page asks to log in", async || (self.shown().await == json!(false)).then_some(())).await;
    }

    /// The user whose session the page shows; false if it asks to log in; null if it shows neither yet.
    async fn shown(&self) -> Value {
        let look = "
            const visible = (id) => document.getElementById(id)?.checkVisibility();
            if (document.readyState !== 'complete') return null;
            if (visible('logged-in')) return document.getElementById('user').textContent;
            return visible('logged-out') ? false : null;";
        // Between two pages there is none to ask.
        let script = format!("return (() => {{ {look} }})();");
        self.execute(script, vec![]).await.map_or(Value::Null, |shown| shown.json().clone())
    }

    /// The JSON that the browser shows after it went to an address.
    pub async fn shown_json(&self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }
}
