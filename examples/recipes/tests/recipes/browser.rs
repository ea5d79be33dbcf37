//! A browser: keeps cookies, marks its requests as browsers do, and has a script that holds a token.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt;

#[derive(Clone)]
pub struct Browser {
    pub app: Router,
    /// Sends Do Not Track.
    pub signal: bool,
    pub cookies: BTreeMap<String, String>,
    /// What the script holds, as examples/web/session.js would.
    pub token: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(app: Router) -> Self {
        Self { app, signal: false, cookies: BTreeMap::new(), token: None }
    }

    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.into(), value.into());
        self
    }

    pub fn has_cookie(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }

    /// Loads a page.
    pub async fn load(&mut self, path: &str) -> Answer {
        self.navigate("GET", path, "").await
    }

    /// Sends a form.
    pub async fn submit(&mut self, path: &str, form: &str) -> Answer {
        self.navigate("POST", path, form).await
    }

    /// Loads a page that nobody may ever look at.
    pub async fn load_ahead(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).header("sec-fetch-mode", "navigate").header("sec-purpose", "prefetch");
        self.send(request, "", true).await
    }

    async fn navigate(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin");
        self.send(request, form, true).await
    }

    /// A page's script that knows of no tokens.
    pub async fn plain_fetch(&mut self, method: &str, path: &str, json: &str) -> Answer {
        let request = self.request(method, path).header("sec-fetch-mode", "cors");
        let request = request.header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, "application/json");
        self.send(request, json, true).await
    }

    /// A page's script that uses examples/web/session.js.
    pub async fn fetch(&mut self, method: &str, path: &str, json: &str) -> Answer {
        let mut request = self.request(method, path).header("sec-fetch-mode", "cors");
        request = request.header("sec-fetch-site", "same-origin").header("session-transport", "header");
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = self.send(request, json, self.token.is_none()).await;
        match answer.headers.get("session-token").map(|token| token.to_str().unwrap()) {
            Some("?0") => self.token = None,
            Some(token) => self.token = Some(token.to_owned()),
            None => {}
        }
        answer
    }

    /// A form of another site, with the cookies that have no `SameSite`.
    pub async fn forged(&mut self, path: &str) -> Answer {
        self.forged_form(path, "").await
    }

    pub async fn forged_form(&mut self, path: &str, form: &str) -> Answer {
        let request = self.request("POST", path).header("sec-fetch-mode", "navigate");
        let request = request.header("sec-fetch-site", "cross-site").header(header::ORIGIN, "https://evil.example");
        self.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), form, true).await
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "shop.example");
        if self.signal { request.header("dnt", "1") } else { request }
    }

    async fn send(&mut self, request: Builder, body: &str, credentials: bool) -> Answer {
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        if credentials && !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = send(&self.app, request).await;
        if credentials {
            answer.headers.get_all(header::SET_COOKIE).iter().for_each(|field| self.keep(field.to_str().unwrap()));
        }
        answer
    }

    fn keep(&mut self, field: &str) {
        let (cookie, attributes) = field.split_once("; ").unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        assert!(attributes.contains("Path=/"), "{field}");
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.into(), value.into());
        }
    }
}

/// One request, as it is.
pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = String::from_utf8(to_bytes(body, 100_000).await.unwrap().into()).unwrap();
    Answer { status: head.status, headers: head.headers, body }
}

/// The name of the layer's cookie.
pub const OURS: &str = "__Host-Http-id";
