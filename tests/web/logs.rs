//! The log: the exact reason of everything that is refused or overruled, and never a token.

use http::{Request, Response};
use tower_layer::Layer;
use waxseal::revocation::Level;
use waxseal::{CurrentSession, Revocations, Revoke, SessionError, SessionLayer, Stale};

use super::{Act, handled, of_this_site, with_bearer, with_cookie};
use crate::httpkit::log::log_of;
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::{Handler, send};
use crate::testkit::forge::Forge;
use crate::testkit::key::Key;
use crate::testkit::ring::role;

/// What the log says of a request whose handler does this.
fn log(
    layer: &SessionLayer<Shop>,
    request: Request<()>,
    handler: impl Fn(CurrentSession<Shop>) -> Result<(), SessionError>,
) -> Vec<String> {
    let secrets: Vec<_> = ["cookie", "authorization"]
        .iter()
        .flat_map(|name| request.headers().get_all(*name).iter())
        .flat_map(|value| value.to_str().unwrap().split(['=', ' ', ';']).map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| part.len() > 20)
        .collect();
    let (lines, response) = log_of(|| handled(layer, request, handler));
    let out: Vec<_> = ["set-cookie", "session-token"]
        .iter()
        .filter_map(|name| response.headers().get(*name))
        .map(|value| value.to_str().unwrap().trim_start_matches("__Host-Http-id=").to_owned())
        .filter(|value| value.len() > 20)
        .collect();
    for line in &lines {
        let shown = secrets.iter().chain(&out).find(|secret| line.contains(&secret[..12]));
        assert_eq!(shown, None, "{line}");
        assert!(!line.contains("gift for eve"), "{line}");
    }
    lines
}

fn read(session: CurrentSession<Shop>) -> Result<(), SessionError> {
    session.get().map(drop)
}

#[test]
fn what_goes_well_is_not_worth_a_line() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let acts: [Act; 5] = [
        read,
        |session| session.start(shop("bob")).map(drop),
        |session| session.update(|shop| shop.note = "gift for eve".into()),
        |session| session.renew(),
        |session| session.end(),
    ];
    for act in acts {
        assert_eq!(log(&layer, with_cookie(&servers, "POST", "ada"), act), [""; 0]);
        assert_eq!(log(&layer, with_bearer(&servers, "POST", "ada"), act), [""; 0]);
    }
    assert_eq!(log(&layer, of_this_site("GET", &[]), read), [""; 0], "nobody is there");
}

#[test]
fn a_refusal_is_logged_once_with_its_reason_and_carrier() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    type Edit = fn(&mut Forge);
    let forge = |carrier: &str, edit: Edit| {
        let mut forge = Forge { carrier: carrier.into(), context: vec![], ..Forge::new("", role::active()) };
        edit(&mut forge);
        forge.text()
    };
    let cases: [(&str, Edit, &str); 5] = [
        ("unknown_key", |forge| forge.key = Key::test(99), "the ring has no key"),
        ("revoked_key", |forge| forge.key = role::revoked(), "was revoked"),
        ("forged", |forge| forge.tag = Some(vec![0; 16]), "the tag does not verify"),
        ("expired", |forge| forge.iat -= LIFE as u32, "expired 0 s ago by its token lifetime"),
        ("not_yet_valid", |forge| forge.iat += 121, "issued 121 s ahead"),
    ];
    let thrice = |session: CurrentSession<Shop>| {
        for _ in 0..3 {
            let _ = session.get();
        }
        Ok(())
    };
    for (code, edit, reason) in cases {
        let cookie = format!("{COOKIE}={}", forge(&format!("cookie:{COOKIE}"), edit));
        let bearer = format!("Bearer {}", forge("header", edit));
        for (field, carrier) in [(("cookie", &*cookie), "cookie"), (("authorization", &*bearer), "header")] {
            let lines = log(&layer, of_this_site("GET", &[field]), thrice);
            let [line] = &lines[..] else { panic!("{lines:?}") };
            assert!(line.starts_with("INFO session token refused"), "{line}");
            assert!(line.contains(&format!("code=\"{code}\"")) && line.contains(reason), "{line}");
            assert!(line.contains(&format!("carrier=\"{carrier}\"")), "{line}");
        }
    }
}

#[test]
fn what_is_overruled_is_logged() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let one = |lines: Vec<String>, level: &str, text: &str| {
        let [line] = &lines[..] else { panic!("{lines:?} about {text}") };
        assert!(line.starts_with(level) && line.contains(text), "{line} about {text}");
    };
    let a = servers.cookie(COOKIE).start(&shop("ada")).unwrap().into_string();
    let two = of_this_site("GET", &[("cookie", &format!("{COOKIE}={a}; {COOKIE}=x"))]);
    one(log(&layer, two, read), "WARN", "two different session cookies");
    let much = of_this_site("GET", &[("cookie", &format!("{COOKIE}={a}; x={}", "y".repeat(17_000)))]);
    one(log(&layer, much, read), "WARN", "too long to be searched");
    let mut foreign = with_cookie(&servers, "POST", "ada");
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    one(log(&layer, foreign, read), "INFO", "another site");
    let large = |session: CurrentSession<Shop>| session.update(|shop| shop.note = "gift for eve".repeat(200));
    one(log(&layer, with_cookie(&servers, "POST", "ada"), large), "WARN", "getting large");
    let lines = log(&layer.clone().warn_above(4_000), with_cookie(&servers, "POST", "ada"), large);
    assert_eq!(lines, [""; 0]);
    // A signal that nobody listens to, a session that nobody reads.
    assert_eq!(log(&layer, of_this_site("POST", &[("cookie", "x=y"), ("dnt", "1")]), |_| Ok(())), [""; 0]);
}

#[test]
fn what_a_handler_does_to_its_own_response_is_logged_when_it_is_undone() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let with = |fields: &'static [(&'static str, &'static str)], status: u16| {
        let handler = Handler(move |request: Request<()>| {
            CurrentSession::<Shop>::of(&request).unwrap().update(|shop| shop.count += 1).unwrap();
            let response = Response::builder().status(status);
            let response = fields.iter().fold(response, |response, (name, value)| response.header(*name, *value));
            response.body(()).unwrap()
        });
        log_of(|| send(layer.layer(handler), with_cookie(&servers, "POST", "ada"))).0
    };
    for (fields, status, text) in [
        (&[("set-cookie", "__Host-Http-id=x")][..], 200, "set the session's cookie itself"),
        (&[("cache-control", "public, max-age=5")], 200, "marked no-store instead"),
        (&[], 500, "the handler failed"),
    ] {
        let lines = with(fields, status);
        let [line] = &lines[..] else { panic!("{lines:?} about {text}") };
        assert!(line.starts_with("WARN") && line.contains(text), "{line} about {text}");
    }
    assert_eq!(with(&[("cache-control", "private"), ("set-cookie", "other=1")], 200), [""; 0]);
}

#[test]
fn a_misuse_by_the_handler_is_an_error_in_the_log() {
    use axum::response::IntoResponse;
    for error in
        [SessionError::LayerMissing, SessionError::TooLate, SessionError::Concurrent, SessionError::SubjectChanged]
    {
        let (lines, response) = log_of(|| error.into_response());
        assert_eq!((response.status().as_u16(), lines.len()), (500, 1));
        assert!(lines[0].starts_with("ERROR") && lines[0].contains(&error.to_string()), "{lines:?}");
    }
    for error in [SessionError::Anonymous, SessionError::TooLarge { bytes: 2, budget: 1 }] {
        assert_eq!(log_of(|| error.into_response()).0, [""; 0]);
    }
}

/// An id opens nothing, and whoever is to revoke a session needs it.
#[test]
fn the_id_of_an_authentic_session_that_is_refused_is_in_the_log() {
    let (servers, list) = Servers::new().listed();
    let layer = SessionLayer::new(&servers.sealer);
    let token = servers.cookie(COOKIE).start(&shop("ada")).unwrap();
    list.revoke(Revoke::session(token.id())).wait().unwrap();
    let field = format!("{COOKIE}={}", token.as_str());
    let lines = log(&layer, of_this_site("GET", &[("cookie", &field)]), read);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("session token refused") && line.contains(&format!("session={}", token.id())), "{line}");
    let unknown = format!("{COOKIE}={}", "A".repeat(60));
    let lines = log(&layer, of_this_site("GET", &[("cookie", &unknown)]), read);
    assert!(!lines[0].contains("session="), "{lines:?}");
}

#[test]
fn a_logout_that_can_never_be_as_durable_as_asked_is_an_error_in_the_log_and_no_503() {
    let (servers, _list) = Servers::new().listed();
    let layer = |level| log_of(|| SessionLayer::new(&servers.sealer).logout_level(level));
    assert_eq!(layer(Level::Local).0, [""; 0]);
    for level in [Level::Shared, Level::Replicated] {
        let (lines, layer) = layer(level);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let said = line.starts_with("ERROR") && line.contains(&format!("asked={level}")) && line.contains("most=local");
        assert!(said, "{line}");
        let answer = handled(&layer, with_cookie(&servers, "POST", "ada"), |session| session.end());
        assert_eq!(answer.status(), 200);
    }
    let unlisted = Servers::new();
    assert_eq!(log_of(|| SessionLayer::new(&unlisted.sealer).logout_level(Level::Replicated)).0, [""; 0]);
}

#[test]
fn a_directory_that_is_another_one_is_an_error_in_the_log() {
    let servers = Servers::new();
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for directory in [&one, &other] {
        Revocations::init_directory(&servers.ring, directory.path()).unwrap();
    }
    let stale = Stale::refuse_after(core::time::Duration::from_secs(900));
    let list = Revocations::directory(&servers.ring, one.path(), stale).unwrap();
    let marker = |directory: &tempfile::TempDir| directory.path().join("waxseal-revocations");
    assert_eq!(log_of(|| list.sync().unwrap()).0, [""; 0]);
    std::fs::copy(marker(&other), marker(&one)).unwrap();
    let (lines, _) = log_of(|| list.sync());
    let said = lines.iter().filter(|line| line.starts_with("ERROR") && line.contains("another one")).count();
    assert_eq!(said, 1, "{lines:?}");
    assert!(!log_of(|| list.sync()).0.iter().any(|line| line.contains("another one")), "once");
}
