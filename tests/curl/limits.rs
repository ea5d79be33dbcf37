//! Requests that are too large, and what is just small enough.

use crate::ask::{Ask, session, whoami};
use crate::face::{Face, ada_by, needed, nobody, refused};
use crate::row::{Outcome, row};
use crate::site::{COOKIE, Site};

/// A whole `Cookie` field's value of so many bytes, with the token at its end.
fn padded(token: &str, bytes: usize) -> Ask {
    let own = format!("; {COOKIE}={token}");
    whoami().field(format!("Cookie: x={}{own}", "y".repeat(bytes - 2 - own.len())))
}

/// Up to 16 KiB of cookies are searched. A server of HTTP/2 takes no larger head at all; one of HTTP/1.1 takes 408 KiB, and
/// what came with the same packet beside them, at most as much again.
#[test]
#[ignore = "needs curl"]
fn large_cookies() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let too_large = || Face::untouched(431);
    site.check(&[
        row("15 KiB", padded(&token, 15 * 1024), ada_by("cookie")),
        row("16 KiB", padded(&token, 16 * 1024), ada_by("cookie")).over_http2(too_large()),
        row("16 KiB and a byte", padded(&token, 16 * 1024 + 1), nobody()).over_http2(too_large()),
        row(
            "16 KiB in two fields",
            padded(&token, 8 * 1024).field(format!("Cookie: {}", "z".repeat(8 * 1024))),
            ada_by("cookie"),
        )
        .over_http2(too_large()),
        row("17 KiB", padded(&token, 17 * 1024), nobody()).over_http2(too_large()),
        row(
            "17 KiB, and a session is needed",
            session().field(format!("Cookie: {COOKIE}={token}; x={}", "y".repeat(17 * 1024))),
            needed(),
        )
        .over_http2(too_large()),
        row("60 KB", padded(&token, 60_000), nobody()).over_http2(too_large()),
        // curl itself sends no more than 64 KiB over HTTP/2.
        row("500 KB", padded(&token, 500_000), nobody()).or_over_http1(too_large()).over_http2(Outcome::HungUp),
        row("900 KB", padded(&token, 900_000), too_large()).http1_only(),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn many_cookies() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let among = |others: usize| whoami().field(format!("Cookie: {COOKIE}={token}{}", "; x=1".repeat(others)));
    let fields = |others: usize| (0..others).fold(whoami().cookie(&token), |ask, _| ask.field("Cookie: x=1"));
    site.check(&[
        row("200", among(199), ada_by("cookie")),
        row("201", among(200), nobody()),
        row("90 in fields of their own", fields(90), ada_by("cookie")),
        row("201 in fields of their own", fields(200), Face::untouched(431)).over_http2(nobody()),
    ]);
}

/// HTTP/1.1 takes 100 fields; curl adds `Host`, `User-Agent` and `Accept`.
#[test]
#[ignore = "needs curl"]
fn many_fields() {
    let site = Site::start();
    let token = site.keys.cookie("ada");
    let with = |others: usize| (0..others).fold(whoami(), |ask, n| ask.field(format!("X-{n}: 1"))).cookie(&token);
    site.check(&[
        row("100", with(96), ada_by("cookie")),
        row("101", with(97), Face::untouched(431)).over_http2(ada_by("cookie")),
        row("200", with(196), Face::untouched(431)).over_http2(ada_by("cookie")),
    ]);
}

#[test]
#[ignore = "needs curl"]
fn large_bearer_tokens() {
    let site = Site::start();
    let token = site.keys.bearer("ada");
    let long = |chars: usize| format!("{token}{}", "A".repeat(chars - token.len()));
    let too_large = || Face::untouched(431);
    // No request of curl's own is larger than 1 MiB.
    let head = b"GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer ";
    let huge = [&head[..], long(1024 * 1024).as_bytes(), b"\r\n\r\n"].concat();
    site.check(&[
        row("4001 characters", whoami().bearer(long(4_001)), refused()),
        row("15 KiB", whoami().bearer(long(15 * 1024)), refused()),
        row("17 KiB", whoami().bearer(long(17 * 1024)), refused()).over_http2(too_large()),
        row("300 KB", whoami().bearer(long(300_000)), refused()).http1_only(),
        row("1 MiB", whoami().raw(&huge), too_large()).http1_only(),
    ]);
}
