use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, encode};
use waxseal::{CookiePolicy, Sealer, SessionLayer};
use waxseal_recipes::from_jwt::{Account, Claims, Old, app, import};

use crate::browser::{Answer, OURS, send};
use crate::sealer;

const SECRET: &[u8] = b"the secret of the old version";
const NEW_CLIENT: (&str, &str) = ("session-transport", "header");
const PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

struct Site {
    sealer: Sealer<Account>,
    old: Old,
    app: Router,
}

impl Site {
    fn new() -> Self {
        let (key, validation) = (DecodingKey::from_secret(SECRET), Validation::new(Algorithm::HS256));
        let (sealer, old) = (sealer(), Old { key, validation, spent: Default::default() });
        Self { app: app(&sealer, CookiePolicy::default(), old.clone()), sealer, old }
    }

    async fn ask(&self, method: &str, path: &str, bearer: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "shop.example");
        if !bearer.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(&self.app, request.body(Body::empty()).unwrap()).await
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn jwt_of(user: &str) -> String {
    jwt(&Claims { sub: user.into(), exp: now() + 600, jti: format!("of {user}") }, SECRET)
}

fn jwt(claims: &Claims, secret: &[u8]) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn token(answer: &Answer) -> String {
    answer.headers["session-token"].to_str().unwrap().to_owned()
}

/// The cookie as the browser sends it back.
fn cookie(answer: &Answer) -> String {
    answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn leaves_nothing(answer: &Answer) -> bool {
    !answer.headers.contains_key(header::SET_COOKIE) && !answer.headers.contains_key("session-token")
}

#[tokio::test]
async fn a_new_client_is_given_a_token_and_stays_out_after_the_logout() {
    let site = Site::new();
    let jwt = jwt_of("ada");
    let answer = site.ask("GET", "/me", &jwt, &[NEW_CLIENT]).await;
    assert_eq!(answer.body, "ada");
    let token = token(&answer);
    assert_eq!(site.ask("POST", "/me", &token, &[NEW_CLIENT]).await.body, "ada");

    let answer = site.ask("POST", "/logout", &token, &[NEW_CLIENT]).await;
    assert_eq!(answer.headers["session-token"], "?0");
    for fields in [&[NEW_CLIENT][..], &[], &[NEW_CLIENT, PAGE]] {
        let answer = site.ask("GET", "/me", &jwt, fields).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "what was logged out is not imported again");
        assert!(leaves_nothing(&answer));
    }
}

#[tokio::test]
async fn a_page_is_given_a_cookie_or_under_a_signal_a_token() {
    let site = Site::new();
    let jwt = jwt_of("ada");
    let answer = site.ask("GET", "/me", &jwt, &[NEW_CLIENT, PAGE]).await;
    let cookie = cookie(&answer);
    assert!(cookie.starts_with(OURS));
    assert_eq!(site.ask("GET", "/me", "", &[PAGE, ("cookie", &cookie)]).await.body, "ada");
    site.ask("POST", "/logout", "", &[PAGE, ("cookie", &cookie)]).await;
    assert_eq!(site.ask("GET", "/me", &jwt, &[NEW_CLIENT, PAGE]).await.status, StatusCode::UNAUTHORIZED);

    let answer = site.ask("GET", "/me", &jwt_of("bob"), &[NEW_CLIENT, PAGE, ("dnt", "1")]).await;
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
    assert_eq!(site.ask("GET", "/me", &token(&answer), &[PAGE, ("dnt", "1")]).await.body, "bob");
}

#[tokio::test]
async fn an_old_client_goes_on_with_its_jwt_and_is_given_nothing() {
    let site = Site::new();
    for method in ["GET", "POST"] {
        for fields in [&[][..], &[PAGE], &[PAGE, ("dnt", "1")]] {
            let answer = site.ask(method, "/me", &jwt_of("ada"), fields).await;
            assert_eq!(answer.body, "ada");
            assert!(leaves_nothing(&answer));
        }
    }
}

#[tokio::test]
async fn a_jwt_counts_more_than_a_cookie_of_somebody_else() {
    let site = Site::new();
    let ada = cookie(&site.ask("GET", "/me", &jwt_of("ada"), &[NEW_CLIENT, PAGE]).await);
    assert_eq!(site.ask("GET", "/me", &jwt_of("bob"), &[PAGE, ("cookie", &ada)]).await.body, "bob");
    let answer = site.ask("GET", "/me", &jwt_of("bob"), &[NEW_CLIENT, PAGE, ("cookie", &ada)]).await;
    assert_eq!(answer.body, "bob");
    let bob = cookie(&answer);
    assert_eq!(site.ask("GET", "/me", "", &[PAGE, ("cookie", &bob)]).await.body, "bob");
    // Nobody begins a second session of one's own.
    assert!(leaves_nothing(&site.ask("GET", "/me", &jwt_of("bob"), &[NEW_CLIENT, PAGE, ("cookie", &bob)]).await));
}

#[tokio::test]
async fn what_is_no_good_jwt_is_nobody() {
    let site = Site::new();
    let claims = |exp| Claims { sub: "ada".into(), exp, jti: "1".into() };
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk5OTk5OTk5OTksImp0aSI6IjEifQ.";
    for bad in [jwt(&claims(now() - 3600), SECRET), jwt(&claims(now() + 600), b"another"), unsigned.into(), "x".into()]
    {
        let answer = site.ask("GET", "/me", &bad, &[NEW_CLIENT]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bad}");
        assert!(leaves_nothing(&answer));
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_log_its_own_user_in() {
    let site = Site::new();
    let fields = [NEW_CLIENT, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let answer = site.ask("POST", "/me", &jwt_of("eve"), &fields).await;
    assert_eq!(answer.body, "eve", "it is what the page says by itself");
    assert!(leaves_nothing(&answer), "and stays a matter of that page");
}

#[tokio::test]
async fn a_page_of_another_origin_goes_on_with_its_jwt_unless_it_is_trusted() {
    let site = Site::new();
    let ada = cookie(&site.ask("GET", "/me", &jwt_of("ada"), &[NEW_CLIENT, PAGE]).await);
    let fields = [NEW_CLIENT, ("sec-fetch-site", "same-site"), ("origin", "https://app.example"), ("cookie", &ada)];
    let answer = site.ask("POST", "/me", &jwt_of("bob"), &fields).await;
    assert_eq!(answer.body, "bob");
    assert!(leaves_nothing(&answer));
}

#[tokio::test]
async fn requests_at_once_may_all_import_and_a_failed_one_imports_nothing() {
    let site = Site::new();
    let jwt = jwt_of("ada");
    let (one, other) = (token(&site.ask("GET", "/me", &jwt, &[NEW_CLIENT]).await), &jwt);
    let other = token(&site.ask("GET", "/me", other, &[NEW_CLIENT]).await);
    for token in [&one, &other] {
        assert_eq!(site.ask("GET", "/me", token, &[]).await.body, "ada");
    }

    let broken = Router::new()
        .route("/", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(from_fn_with_state(site.old.clone(), import))
        .layer(SessionLayer::new(&site.sealer));
    let answer = Site { app: broken, ..Site::new() }.ask("GET", "/", &jwt, &[NEW_CLIENT]).await;
    assert!(answer.status.is_server_error() && leaves_nothing(&answer));
}

#[tokio::test]
async fn a_logout_with_a_jwt_alone_spends_it() {
    let site = Site::new();
    let jwt = jwt_of("ada");
    assert_eq!(site.ask("POST", "/logout", &jwt, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.ask("GET", "/me", &jwt, &[]).await.status, StatusCode::UNAUTHORIZED);
    site.ask("POST", "/logout", &jwt_of("bob"), &[]).await;
    assert_eq!(site.ask("GET", "/me", &jwt, &[]).await.status, StatusCode::UNAUTHORIZED, "it is remembered");
}
