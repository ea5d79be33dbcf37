//! The example server as its users meet it: real processes that share a key ring and nothing else.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests too")]

#[path = "api_server/server.rs"]
mod server;
#[path = "../examples/api_server/shop.rs"]
mod shop;

use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use waxseal::keys::{Ring, RingFile, RingPolicy, Rotation};
use waxseal::state::testing::assert_layout;
use waxseal::time::{Clock, SystemClock, Timestamp};
use waxseal::{KeyRing, Sealer};

use server::{Answer, Server, program, wait_until};
use shop::{CartLine, Shop, ShopV1, ShopV2};

/// A directory, and the path of a ring in it that is not there yet.
fn scratch() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let ring = directory.path().join("ring.json");
    (directory, ring)
}

/// The same with a ring, two hours old, whose rotations take as little time as they may.
fn scratch_ring() -> (tempfile::TempDir, PathBuf) {
    let (directory, ring) = scratch();
    let mut policy = RingPolicy::default();
    (policy.refresh, policy.distribution, policy.skew, policy.activation_delay) = (1, 0, 2, 7);
    (policy.max_token_lifetime, policy.late, policy.rotate_every) = (3_600, 60, 600);
    RingFile::at(&ring).create(&Ring::create(policy, ago(7_200)).unwrap(), ago(7_200)).unwrap();
    (directory, ring)
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_unix(now().as_unix() - seconds)
}

fn now() -> Timestamp {
    SystemClock::new(Duration::from_secs(2)).now()
}

/// Rotates the ring as `waxseal keys rotate` does, and returns the key that will take over.
fn rotate(ring: &Path) -> String {
    let rotation: Result<_, Box<dyn Error>> =
        RingFile::at(ring).update(now(), "rotate", |ring| Ok((ring.rotate(now())?, true)));
    let Rotation::Scheduled { key, .. } = rotation.unwrap() else { panic!("a key was scheduled already") };
    key.to_string()
}

fn line(sku: u32, count: u16) -> Option<Value> {
    Some(json!({ "sku": sku, "count": count }))
}

/// A sealer such as the servers have, in this process.
fn sealer<T: waxseal::SessionState>(ring: &Path, purpose: &str) -> Sealer<T> {
    Sealer::new(&KeyRing::load(ring).unwrap(), purpose).unwrap()
}

#[test]
fn servers_that_start_at_once_share_the_ring_that_one_of_them_made() {
    let (_directory, ring) = scratch();
    let (a, b) = (Server::spawn(&ring), Server::spawn(&ring));
    let (a, b) = (a.ready(), b.ready());
    let announced = [&a, &b].iter().filter(|server| server.log().contains("DEVELOPMENT RING")).count();
    assert_eq!(announced, 1, "{}{}", a.log(), b.log());

    let first = a.log_in("ada");
    let on_a = a.session(&first).json();
    let on_b = b.session(&first).json();
    assert_eq!(on_a, on_b);
    assert_eq!((&on_b["user"], &on_b["cart"]), (&json!("ada"), &json!([])));

    let second = b.call("POST", "/cart", &first, line(1042, 1)).token();
    let third = b.call("POST", "/cart", &second, line(1042, 2)).token();
    let read = a.session(&third).json();
    assert_eq!(read["cart"], json!([{ "sku": 1042, "count": 3 }]));
    assert_eq!((&read["session"], &read["start"]), (&on_a["session"], &on_a["start"]));

    let renewed = a.call("POST", "/renew", &third, None);
    assert_eq!(renewed.json()["cart"], read["cart"]);
    let emptied = b.call("DELETE", "/cart", &renewed.token(), None);
    assert_eq!(emptied.json()["cart"], json!([]));
    let farewell = a.call("POST", "/logout", &emptied.token(), None);
    assert_eq!(farewell.header("session-token"), Some("?0"));
    for copy in [&first, &third, &emptied.token()] {
        assert_eq!(a.session(copy).status, 401, "a copy is over too");
    }
    wait_until("the other server is told", || b.session(&third).status == 401);

    let fourth = a.call("POST", "/cart", &a.log_in("bob"), line(1042, 3)).token();
    drop(a);
    let again = Server::start(&ring);
    let cart = json!([{ "sku": 1042, "count": 3 }]);
    assert_eq!(again.session(&fourth).json()["cart"], cart, "a restart keeps every session");
    assert!(!again.log().contains("DEVELOPMENT RING"), "{}", again.log());
}

#[test]
fn a_server_that_is_killed_right_after_a_logout_still_knows_of_it() {
    let (_directory, ring) = scratch();
    let server = Server::start(&ring);
    let [one, two, bob] = ["ada", "ada", "bob"].map(|user| server.log_in(user));
    assert_eq!(server.call("POST", "/logout", &one, None).status, 200);
    assert_eq!(server.call("POST", "/logout/others", &server.log_in("ada"), None).status, 200);
    // As `kill -9` does: nothing is flushed, nothing is said.
    drop(server);
    let again = Server::start(&ring);
    assert_eq!([&one, &two, &bob].map(|token| again.session(token).status.as_u16()), [401, 401, 200]);
}

#[test]
fn an_administrator_ends_sessions_from_the_shell() {
    let (_directory, ring) = scratch();
    let servers = [Server::start(&ring), Server::start(&ring)];
    let [ada, bob] = ["ada", "bob"].map(|user| servers[0].log_in(user));
    let list = format!("{}.revocations", ring.display());
    let waxseal = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_waxseal"));
        command.args(arguments).arg("--ring").arg(&ring).args(["--revocations", &list]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    waxseal(&["revoke", "subject", "ada"]);
    for server in &servers {
        wait_until("the servers hear of it", || server.session(&ada).status == 401);
        assert_eq!(server.session(&bob).status, 200);
    }
    let id = servers[1].session(&bob).json()["session"].as_str().unwrap().to_owned();
    waxseal(&["revoke", "session", &id]);
    wait_until("a single session too", || servers.iter().all(|server| server.session(&bob).status == 401));
    assert_eq!(servers[0].session(&servers[0].log_in("ada")).status, 200, "a new login goes on");
}

#[test]
fn a_server_that_cannot_find_the_list_is_not_ready_and_logs_nobody_out() {
    let (directory, ring) = scratch();
    let server = Server::start(&ring);
    let ada = server.log_in("ada");
    drop(server);
    // Made by hand, since the example makes one where there is none.
    let list = std::path::PathBuf::from(format!("{}.revocations", ring.display()));
    let journals: Vec<_> = std::fs::read_dir(&list).unwrap().map(|entry| entry.unwrap().path()).collect();
    let journal = journals.iter().find(|path| path.extension().is_some()).unwrap();
    std::fs::write(journal, "<html>502 Bad Gateway</html>").unwrap();
    let server = Server::start(&ring);
    assert_eq!(server.call("GET", "/ready", "", None).status, 503);
    let refused = server.session(&ada);
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("5")));
    let bob = server.log_in("bob");
    assert_eq!(server.call("POST", "/logout", &bob, None).status, 200);
    std::fs::remove_file(journal).unwrap();
    drop(directory);
}

#[test]
fn a_user_logs_out_elsewhere_and_everywhere() {
    let (_directory, ring) = scratch();
    let server = Server::start(&ring);
    let [here, there, bob] = ["ada", "ada", "bob"].map(|user| server.log_in(user));
    let others = server.call("POST", "/logout/others", &here, None);
    assert_eq!((others.status.as_u16(), others.header("session-token")), (200, None));
    assert_eq!([&here, &there, &bob].map(|token| server.session(token).status.as_u16()), [200, 401, 200]);

    let again = server.log_in("ada");
    let everywhere = server.call("POST", "/logout/everywhere", &here, None);
    assert_eq!((everywhere.status.as_u16(), everywhere.header("session-token")), (200, Some("?0")));
    assert_eq!([&here, &again, &bob].map(|token| server.session(token).status.as_u16()), [401, 401, 200]);
    assert_eq!(server.call("POST", "/logout/everywhere", &here, None).status, 401, "nobody is asking");
    assert_eq!(server.session(&server.log_in("ada")).status, 200, "whoever logs in again stays");
}

#[test]
fn two_rotations_are_followed_and_old_tokens_still_open() {
    let (_directory, ring) = scratch_ring();
    let servers = [Server::start(&ring), Server::start(&ring)];
    let login = servers[0].log_in("ada");
    let session = servers[0].session(&login).json();
    let mut tokens = vec![login];
    for _ in 0..2 {
        let key = rotate(&ring);
        for server in &servers {
            server.wait_for_ring("sealing under the new key", |ring| ring["active"] == json!(key));
        }
        for server in &servers {
            for token in &tokens {
                // The old token opens, and the session moves on to the new key.
                let answer = server.session(token);
                let seen = answer.json();
                assert_eq!((&seen["session"], &seen["start"]), (&session["session"], &session["start"]));
                let opened = sealer::<Shop>(&ring, "session").open(answer.token()).unwrap();
                assert_eq!(opened.key_id().to_string(), key);
            }
            let fresh = server.log_in("bob");
            let answer = server.session(&fresh);
            assert_eq!(answer.json()["key"], json!(key));
            assert_eq!(answer.header("session-token"), None, "under the active key and young: nothing to renew");
        }
        tokens.push(servers[0].session(&tokens[0]).token());
    }
    assert!(servers.iter().all(|server| server.log().contains("key ring reloaded")), "{}", servers[0].log());
}

#[test]
fn every_bad_token_is_answered_alike_and_only_the_log_knows_why() {
    let (_directory, ring) = scratch_ring();
    let server = Server::start(&ring);
    let token = server.log_in("ada");
    let state = Shop::of("ada".into());
    let expired = sealer::<Shop>(&ring, "session").with(&[]).at(ago(5_000)).start(&state).unwrap();
    let elsewhere = sealer::<Shop>(&ring, "password-reset").start(&state).unwrap();
    let (head, tail) = token.split_at(30);
    let damaged = format!("{head}{}{}", if tail.starts_with('x') { "y" } else { "x" }, &tail[1..]);
    let bad = [
        ("length", token[..40].to_owned()),
        ("text", format!("{token}.{token}")),
        ("unknown_key", format!("EQAAA{}", &token[5..])),
        ("forged", damaged),
        ("forged", elsewhere.as_str().to_owned()),
        ("expired", expired.as_str().to_owned()),
    ];
    let face = |answer: &Answer| {
        let challenge = answer.header("www-authenticate").map(str::to_owned);
        (answer.status.as_u16(), challenge, answer.text.clone())
    };
    let refusal = |status: u16, error: &str, text: &str| {
        (status, Some(format!(r#"Bearer realm="session"{error}"#)), json!({ "error": text }).to_string())
    };
    let invalid = refusal(401, r#", error="invalid_token""#, "invalid session token");
    for (reason, token) in &bad {
        for (method, path) in [("GET", "/session"), ("POST", "/cart"), ("DELETE", "/cart"), ("POST", "/logout")] {
            let answer = server.call(method, path, token, line(1042, 1).filter(|_| path == "/cart"));
            assert_eq!(face(&answer), invalid, "{reason}");
        }
    }
    let log = server.log();
    let reasons = log.lines().filter_map(|line| line.strip_prefix("waxseal info: session token refused code="));
    let reasons: Vec<_> = reasons.map(|line| line.split(' ').next().unwrap()).step_by(4).collect();
    assert_eq!(reasons, bad.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), "{log}");
    assert!(!log.contains(&token[8..30]), "a token is in the log: {log}");

    let malformed =
        refusal(400, r#", error="invalid_request""#, "the Authorization field does not hold one bearer token");
    let good = format!("Bearer {token}");
    for fields in [&["Bearer"][..], &[&format!("{good}, {token}")], &[&good, &good]] {
        assert_eq!(face(&server.send("GET", "/session", fields, None)), malformed, "{fields:?}");
    }
    let needed = refusal(401, "", "a session is needed; log in first");
    assert_eq!(face(&server.get("/session")), needed);
    for foreign in ["Basic YWRhOg==", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"] {
        assert_eq!(face(&server.send("GET", "/session", &[foreign], None)), needed);
    }
    assert_eq!(server.send("GET", "/session", &[&format!("bEARER {token}")], None).json()["user"], "ada");
}

#[test]
fn a_full_cart_is_refused_and_the_token_of_before_still_opens() {
    let (_directory, ring) = scratch_ring();
    let server = Server::start(&ring);
    let sealer = sealer::<Shop>(&ring, "session");
    let mut state = Shop::of("ada".into());
    let fits = |state: &Shop| sealer.start(state).is_ok();
    while fits(&state) {
        let sku = state.cart.len() as u32;
        state.add(sku, 1);
    }
    state.cart.pop();
    let full = sealer.start(&state).unwrap();
    let sku = state.cart.len() as u32;
    let refused = server.call("POST", "/cart", full.as_str(), line(sku, 60_000));
    assert_eq!(refused.status, 413);
    assert!(refused.text.contains("the cart is full"), "{}", refused.text);
    assert_eq!(server.session(full.as_str()).json()["cart"].as_array().unwrap().len(), state.cart.len());
}

#[test]
fn a_session_of_the_first_version_is_upgraded() {
    let (_directory, ring) = scratch_ring();
    let server = Server::start(&ring);
    let old = sealer::<ShopV1>(&ring, "session").start(&ShopV1 { user: "ada".into(), skus: vec![7, 1042, 7] }).unwrap();
    let read = server.session(old.as_str()).json();
    assert_eq!((&read["schema"], &read["user"]), (&json!(1), &json!("ada")));
    assert_eq!(read["cart"], json!([{ "sku": 7, "count": 2 }, { "sku": 1042, "count": 1 }]));
    let renewed = server.session(&server.call("POST", "/renew", old.as_str(), None).token()).json();
    assert_eq!((&renewed["schema"], &renewed["session"]), (&json!(3), &read["session"]));
}

#[test]
fn the_layouts_are_frozen() {
    let cart = || vec![CartLine { sku: 1042, count: 1 }];
    let shop = Shop { user: "ada".into(), cart: cart(), chose_cookie: true };
    assert_layout(&[shop], "3: {user: str, cart: [{sku: u32, count: u16}], chose_cookie: bool}");
    assert_layout(&[ShopV2 { user: "ada".into(), cart: cart() }], "2: {user: str, cart: [{sku: u32, count: u16}]}");
    assert_layout(&[ShopV1 { user: "ada".into(), skus: vec![1042] }], "1: {user: str, skus: [u32]}");
}

#[test]
fn a_ring_that_goes_bad_changes_nothing_for_who_is_running_and_stops_who_starts() {
    let (_directory, ring) = scratch_ring();
    let server = Server::start(&ring);
    let token = server.log_in("ada");
    let good = fs::read(&ring).unwrap();
    let serves_on = || {
        assert_eq!(server.session(&token).json()["user"], "ada");
        assert_eq!(server.session(&server.log_in("bob")).json()["user"], "bob");
    };
    let complaint = |part: &str| {
        server.wait_for_ring(part, |ring| ring["last_error"].as_str().is_some_and(|error| error.contains(part)));
        serves_on();
        let (code, said) = Server::spawn(&ring).refused();
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(part) && said.contains(&ring.display().to_string()), "{said}");
    };
    fs::write(&ring, &good[..good.len() / 2]).unwrap();
    complaint("cut short");
    assert_eq!(fs::read(&ring).unwrap(), good[..good.len() / 2], "a damaged ring is never replaced");
    fs::write(&ring, "").unwrap();
    complaint("is empty");
    fs::write(&ring, &good).unwrap();
    server.wait_for_ring("mended", |ring| ring["last_error"].is_null());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&ring, fs::Permissions::from_mode(0o644)).unwrap();
        complaint("mode 0644");
        assert_eq!(fs::metadata(&ring).unwrap().permissions().mode() & 0o777, 0o644);
        fs::set_permissions(&ring, fs::Permissions::from_mode(0o600)).unwrap();
        server.wait_for_ring("mended", |ring| ring["last_error"].is_null());
    }
    fs::remove_file(&ring).unwrap();
    server.wait_for_ring("missing", |ring| ring["last_error"].is_string());
    serves_on();
}

#[test]
fn what_cannot_work_is_refused_in_one_clear_line() {
    let (directory, ring) = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ring = ring.to_str().unwrap();
    let nowhere = directory.path().join("no-such-directory/ring.json");
    for (arguments, code, part) in [
        (vec!["--port", "0", "--ring", nowhere.to_str().unwrap()], 1, "does not exist; make it first"),
        (vec!["--port", "0", "--ring", directory.path().to_str().unwrap()], 1, "not a regular file"),
        (vec!["--port", "65536"], 2, "`65536` is not a port from 0 to 65535; see --help"),
        (vec!["--port"], 2, "--port needs a value; see --help"),
        (vec!["--ring", ""], 2, "--ring needs a value; see --help"),
        (vec!["--policy", "sometimes"], 2, "`sometimes` is none of respect, always, never; see --help"),
        (vec!["--trust"], 2, "--trust needs a value; see --help"),
        (vec!["--ring", ring, "--trust", "app.example.com"], 2, "`app.example.com` is no origin as browsers send them"),
        (vec!["--prot", "1"], 2, "`--prot` is not an option; see --help"),
        (vec!["--port", &port, "--ring", ring], 1, "choose another port with --port"),
    ] {
        let done = Command::new(program()).args(&arguments).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        let said: Vec<_> = said.lines().filter(|line| !line.contains("DEVELOPMENT RING")).collect();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {said:?}");
        assert!(said.len() == 1 && said[0].starts_with("api_server: ") && said[0].contains(part), "{said:?}");
        assert!(code == 1 || !fs::exists(ring).unwrap(), "{arguments:?} made a ring");
    }
    let help = Command::new(program()).arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("Usage: api_server"));
}

#[test]
fn requests_are_judged_and_the_page_is_served() {
    let (_directory, ring) = scratch_ring();
    let server = Server::start(&ring);
    let token = server.log_in("ada");
    let log_in = |body: Value| server.send("POST", "/login", &[], Some(body)).status.as_u16();
    let long = "ä".repeat(64);
    assert_eq!(log_in(json!({ "user": long })), 200);
    for (user, status) in [(json!(""), 422), (json!(format!("{long}a")), 422), (json!("a\nb"), 422), (json!(1), 422)] {
        assert_eq!(log_in(json!({ "user": user })), status, "{user}");
    }
    let add = |body| server.call("POST", "/cart", &token, body).status.as_u16();
    assert_eq!((add(line(1, 0)), add(line(1, 1)), add(Some(json!({}))), add(None)), (422, 200, 422, 415));
    assert_eq!(server.get("/nothing").status, 404);

    let page = server.get("/");
    assert!(page.text.contains("<script src=\"/page.js\"") && !page.text.contains("onclick"));
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    assert_eq!(server.get("/page.js").header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(server.get("/page.css").header("content-type"), Some("text/css; charset=utf-8"));

    let file: Value = serde_json::from_slice(&fs::read(&ring).unwrap()).unwrap();
    let shown = server.get("/keys").text;
    let secrets = file["keys"].as_array().unwrap().iter().map(|key| key["secret"].as_str().unwrap());
    assert_eq!(secrets.clone().filter(|secret| secret.len() == 43 && !shown.contains(secret)).count(), 2, "{shown}");
}
