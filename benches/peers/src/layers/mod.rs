//! Layers: one request through each, above what the bare handler takes.
//!
//! Every site is an axum router with the same four routes and a session of the same typical state. The request has the
//! head that a browser sends; the cookie is the one that the site's own login set.

mod jar;
mod seshcookie;
mod store;
mod waxseal;
pub(crate) mod web;

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{Method, Request};
use serde::Serialize;
use tower::Service;

use crate::allocator::allocations;
use crate::harness::{Plan, Span, Task, Times, interleave, task};

pub(crate) const WAXSEAL: &str = "waxseal";
pub(crate) const SESHCOOKIE: &str = "seshcookie 0.1";

/// What a handler does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Act {
    Ignore,
    Read,
    Change,
}

/// One layer.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Characters of the cookie's value.
    pub(crate) cookie: usize,
    pub(crate) acts: Vec<Cost>,
}

/// What one request cost above the same request to the bare handler.
#[derive(Serialize)]
pub(crate) struct Cost {
    pub(crate) act: Act,
    pub(crate) ns: Span,
    pub(crate) allocations: i64,
    /// The library's nanoseconds as a share of these, of the middles.
    pub(crate) waxseal_takes: f64,
}

/// A router with sessions, and the cookie of a session.
struct Site {
    name: &'static str,
    app: Router,
    cookie: HeaderValue,
}

pub(crate) fn measure(plan: Plan) -> Vec<Row> {
    let sites = [waxseal::site(), seshcookie::site(), jar::site(), store::site(), idle()];
    let cases: Vec<_> = sites.iter().flat_map(|site| ACTS.map(|act| (site, act))).collect();
    // Each request is held against the bare handler's with the same head.
    let mut tasks: Vec<_> = cases.iter().map(|&(site, act)| request(site, act)).collect();
    tasks.extend(cases.iter().map(|&(site, act)| bare_request(site, act)));
    let times = interleave(plan, &mut tasks);
    let (with, without) = times.split_at(cases.len());
    let costs: Vec<_> = (0..cases.len()).map(|case| cost(cases[case], &with[case], &without[case])).collect();
    let ours: Vec<_> = costs[..ACTS.len()].iter().map(|cost| cost.ns.median).collect();
    let mut costs = costs.into_iter();
    let row = |site: &Site| {
        let shares = costs.by_ref().take(ACTS.len()).zip(&ours);
        let acts = shares.map(|(cost, ours)| Cost { waxseal_takes: ours / cost.ns.median, ..cost }).collect();
        Row { name: site.name, cookie: value_len(&site.cookie), acts }
    };
    sites.iter().map(row).collect()
}

impl Row {
    pub(crate) fn cost(&self, act: Act) -> &Cost {
        self.acts.iter().find(|cost| cost.act == act).expect("every act was measured")
    }
}

impl Site {
    /// A site whose cookie is what its login sets.
    fn new(name: &'static str, mut app: Router) -> Self {
        let login = Request::from_parts(head("/login", Method::POST, None), Body::empty());
        let response = ready(app.call(login)).expect("a router does not fail");
        assert!(response.status().is_success(), "{name}: {}", response.status());
        let cookie = response.headers().get(SET_COOKIE).expect("a login sets a cookie").to_str().expect("ASCII");
        let cookie = HeaderValue::from_str(cookie.split(';').next().expect("a first part")).expect("ASCII");
        let site = Self { name, app, cookie };
        site.check();
        site
    }

    /// Reading and changing really do that: a read answers 200, and a change sets another cookie.
    fn check(&self) {
        for act in ACTS {
            let request = Request::from_parts(self.head(act), Body::empty());
            let response = ready(self.app.clone().call(request)).expect("a router does not fail");
            assert!(response.status().is_success(), "{} {act:?}: {}", self.name, response.status());
            let sets = response.headers().contains_key(SET_COOKIE);
            assert_eq!(sets, act == Act::Change, "{} {act:?} sets a cookie", self.name);
        }
    }

    fn head(&self, act: Act) -> Parts {
        match act {
            Act::Ignore => head("/ignore", Method::GET, Some(&self.cookie)),
            Act::Read => head("/read", Method::GET, Some(&self.cookie)),
            Act::Change => head("/change", Method::POST, Some(&self.cookie)),
        }
    }
}

fn request(site: &Site, act: Act) -> Task<'_> {
    let (mut app, head) = (site.app.clone(), site.head(act));
    task(move || ready(app.call(Request::from_parts(head.clone(), Body::empty()))))
}

fn bare_request(site: &Site, act: Act) -> Task<'_> {
    let (mut app, head) = (bare(), site.head(act));
    task(move || ready(app.call(Request::from_parts(head.clone(), Body::empty()))))
}

fn cost((site, act): (&Site, Act), with: &Times, without: &Times) -> Cost {
    let count =
        |mut app: Router| allocations(|| ready(app.call(Request::from_parts(site.head(act), Body::empty())))) as i64;
    let above = count(site.app.clone()) - count(bare());
    Cost { act, ns: with.above(without), allocations: above, waxseal_takes: 1.0 }
}

/// The handlers without sessions.
fn bare() -> Router {
    async fn nothing() {}
    Router::new().route("/ignore", get(nothing)).route("/read", get(nothing)).route("/change", post(nothing))
}

/// What axum itself takes for a layer, whatever it does.
fn idle() -> Site {
    let cookie = HeaderValue::from_static("session=");
    Site { name: "a layer that does nothing", app: bare().layer(tower::layer::util::Identity::new()), cookie }
}

fn value_len(cookie: &HeaderValue) -> usize {
    let bytes = cookie.as_bytes();
    bytes.len() - bytes.iter().position(|&byte| byte == b'=').map_or(0, |at| at + 1)
}

/// The head of a request from a page of the same origin, as browsers send it.
fn head(path: &str, method: Method, cookie: Option<&HeaderValue>) -> Parts {
    let request = Request::builder().method(method).uri(path).body(()).expect("a request");
    let mut parts = request.into_parts().0;
    let fields = FIELDS.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    parts.headers = HeaderMap::from_iter(fields);
    if let Some(cookie) = cookie {
        parts.headers.insert(COOKIE, cookie.clone());
    }
    parts
}

/// What `future` comes to. Nothing here waits for anything, so there is no runtime.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

const ACTS: [Act; 3] = [Act::Ignore, Act::Read, Act::Change];

const FIELDS: [(&str, &str); 11] = [
    ("host", "shop.example"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "*/*"),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://shop.example/cart"),
    ("origin", "https://shop.example"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
    ("priority", "u=0"),
];
