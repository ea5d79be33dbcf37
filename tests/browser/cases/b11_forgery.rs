//! B11: another host makes the browser send requests to the site.

use serde_json::{Value, json};
use waxseal_browser::{Browser, Cookie, Site, until};

use crate::looks::cookie_session;

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b11_another_site_writes_nothing() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let attacker = site.other("/index.html");
    forges_all(&site, &browser, &attacker, "cross-site", None).await;
    cookie_session(&site, &browser, "ada").await;
    let cookie = browser.session_cookie().await;
    forges_all(&site, &browser, &attacker, "cross-site", cookie).await;
}

/// `SameSite` does nothing against a sibling: its requests carry the cookie.
#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b11_a_sibling_writes_nothing() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let attacker = site.sibling("/index.html");
    forges_all(&site, &browser, &attacker, "same-site", None).await;
    cookie_session(&site, &browser, "ada").await;
    let cookie = browser.session_cookie().await;
    forges_all(&site, &browser, &attacker, "same-site", cookie).await;
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and nginx"]
async fn b11_a_link_from_another_site_arrives_logged_in() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    cookie_session(&site, &browser, "ada").await;
    browser.open(site.other("/index.html")).await;
    let link = "
        const link = document.createElement('a');
        Object.assign(link, { id: 'link', href: args[0], textContent: 'to the shop' });
        document.body.append(link);";
    browser.run(link, &[json!(site.url("/whoami"))]).await;
    browser.press("#link").await;
    until("the link is followed", async || (browser.current_url().await.unwrap().path() == "/whoami").then_some(()))
        .await;
    assert_eq!(browser.shown_json().await["user"], "ada");
    let visit = site.wire.after(0, "GET", "/whoami").await;
    assert_eq!(visit.asked("sec-fetch-site"), Some("cross-site"));
}

/// Every way to write that needs no permission of the site; afterwards the cookie and the cart are as before.
async fn forges_all(site: &Site, browser: &Browser, attacker: &str, relation: &str, cookie: Option<Cookie>) {
    let ways: [(&str, &str, Way); 7] = [
        ("/form/login", "user=mallory", Way::Form("application/x-www-form-urlencoded")),
        ("/form/login", "user=mallory", Way::Frame),
        ("/form/logout", "a=b", Way::Form("application/x-www-form-urlencoded")),
        ("/cart", CART, Way::Form("text/plain")),
        ("/cart", CART, Way::Fetch),
        ("/login", r#"{"user":"mallory"}"#, Way::Fetch),
        ("/logout", "{}", Way::Fetch),
    ];
    for (path, body, way) in ways {
        browser.open(attacker).await;
        let mark = site.wire.mark();
        way.send(browser, &site.url(path), body).await;
        let forged = site.wire.after(mark, "POST", path).await;
        assert_eq!(forged.asked("sec-fetch-site"), Some(relation), "{forged:?}");
        let carried = forged.asked("cookie").is_some();
        assert_eq!(carried, cookie.is_some() && relation == "same-site", "{forged:?}");
        assert_eq!(forged.said("set-cookie"), None, "{forged:?}");
        // A logout without a session may say "drop your token", which no one hears here.
        assert!([None, Some("?0")].contains(&forged.said("session-token")), "{forged:?}");
        let expected: &[u16] = match path {
            "/form/login" => &[403],
            // A body that is not called JSON is refused before anything is asked.
            "/login" => &[403, 415],
            _ if carried => &[403],
            "/cart" => &[401],
            // Who has no session is logged out already.
            _ => &[200, 303],
        };
        assert!(expected.contains(&forged.status), "{forged:?}");
        assert_eq!(browser.session_cookie().await, cookie, "after {path}");
    }
    if cookie.is_some() {
        browser.open(site.lab()).await;
        let session = browser.fetch("GET", "/session", None).await.json();
        assert_eq!((&session["user"], &session["cart"]), (&json!("ada"), &json!([])));
    }
}

/// How the attacker's page sends a body.
enum Way {
    Fetch,
    Form(&'static str),
    Frame,
}

impl Way {
    async fn send(&self, browser: &Browser, url: &str, body: &str) {
        let (name, value) = body.split_once('=').unwrap_or((body, ""));
        let fields: Value = json!([url, name, value, body]);
        match self {
            Self::Form(encoding) => browser.submit_as(encoding, url, &[(name, value)]).await,
            Self::Frame => drop(browser.run(FRAME, &[fields]).await),
            Self::Fetch => drop(browser.run(FETCH, &[fields]).await),
        }
    }
}

/// Sends a form into a frame and waits until something has loaded there.
const FRAME: &str = "
    const [url, name, value] = args[0];
    const frame = document.createElement('iframe');
    frame.name = 'frame';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: url, target: 'frame' });
    const input = document.createElement('input');
    Object.assign(input, { name, value });
    form.append(input);
    document.body.append(form);
    const loaded = new Promise((done) => frame.addEventListener('load', done, { once: true }));
    form.submit();
    await loaded;";

/// Sends JSON as `text/plain`, which asks for no permission.
const FETCH: &str = "
    const [url, , , body] = args[0];
    await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body });";

/// JSON that survives a form: what follows it is the form's `=`, inside a string that nobody reads.
const CART: &str = r#"{"sku":1,"count":1,"x":"="}"#;
