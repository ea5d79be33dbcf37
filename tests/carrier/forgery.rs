//! The check against cross-site forgery, held against tower-http's: the same answer but for the differences named here.

use http::{Request, Response};
use proptest::prelude::*;
use tower_http::csrf::CsrfLayer;
use tower_layer::Layer;
use waxseal::carrier::csrf::{self, TrustedOrigins};
use waxseal::carrier::{Names, RequestHead};

use crate::httpkit::{Handler, request, send};

/// What decides: method, target, and the fields that count.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    uri: String,
    hosts: Vec<String>,
    sites: Vec<String>,
    origins: Vec<String>,
    trusted: Vec<String>,
    upgrade: Vec<String>,
}

impl Asked {
    fn request(&self) -> Request<()> {
        let fields = |name: &'static str, values: &[String]| -> Vec<(&'static str, String)> {
            values.iter().map(|value| (name, value.clone())).collect()
        };
        let fields = [
            fields("host", &self.hosts),
            fields("sec-fetch-site", &self.sites),
            fields("origin", &self.origins),
            fields("upgrade", &self.upgrade),
        ]
        .concat();
        request(&self.method, &self.uri, fields.iter().map(|(name, value)| (*name, &**value)))
    }

    fn passes_here(&self) -> bool {
        let request = self.request();
        let mut trusted = TrustedOrigins::default();
        self.trusted.iter().for_each(|origin| trusted.add(origin).unwrap());
        let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let names = Names { cookie: "id", prefix: None };
        let authority = request.uri().authority().map(|authority| authority.as_str());
        csrf::check(&RequestHead::read(request.method().as_str(), authority, fields, &names), &trusted).is_ok()
    }

    fn passes_there(&self) -> bool {
        let layer = self.trusted.iter().fold(CsrfLayer::new(), |layer, one| layer.add_trusted_origin(one).unwrap());
        let handler = Handler(|_: Request<()>| Response::new(String::new()));
        send(layer.layer(handler), self.request()).status() == 200
    }
}

fn asked(method: &str, sites: &[&str], origins: &[&str], hosts: &[&str], uri: &str, trusted: &[&str]) -> Asked {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let (sites, origins, hosts, trusted) = (texts(sites), texts(origins), texts(hosts), texts(trusted));
    Asked { method: method.into(), uri: uri.into(), hosts, sites, origins, trusted, upgrade: vec![] }
}

const SHOP: &str = "https://shop.example";
const EVIL: &str = "https://evil.example";
const APP: &str = "https://app.example";
const HOST: &[&str] = &["shop.example"];

#[test]
fn the_two_agree_on_what_browsers_send() {
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "QUERY"];
    let sites: [&[&str]; 8] =
        [&[], &[""], &["same-origin"], &["none"], &["same-site"], &["cross-site"], &["Same-Origin"], &["x"]];
    let origins: [&[&str]; 10] = [
        &[],
        &[""],
        &[SHOP],
        &["http://shop.example"],
        &["https://shop.example:8443"],
        &["https://a.shop.example"],
        &[EVIL],
        &[APP],
        &["null"],
        &["\\xff"],
    ];
    let targets: [(&str, &[&str]); 6] = [
        ("/", HOST),
        ("/", &[]),
        ("/", &["shop.example:8443"]),
        ("https://shop.example/", &[]),
        ("https://shop.example:8443/", HOST),
        ("https://evil.example/", HOST),
    ];
    let mut passed = 0;
    for method in methods {
        for sites in sites {
            for origins in origins {
                for (uri, hosts) in targets {
                    for trusted in [&[][..], &[APP]] {
                        let asked = asked(method, sites, origins, hosts, uri, trusted);
                        assert_eq!(asked.passes_here(), asked.passes_there(), "{asked:?}");
                        passed += usize::from(asked.passes_here());
                    }
                }
            }
        }
    }
    let all = methods.len() * sites.len() * origins.len() * targets.len() * 2;
    assert!(passed > all / 4 && passed < all * 3 / 4, "{passed} of {all} pass");
}

/// Name, request, whether it passes here and there, and why they differ.
#[rustfmt::skip]
fn differences() -> Vec<(&'static str, Asked, bool, bool, &'static str)> {
    vec![
        ("two sites, the second from elsewhere",
            asked("POST", &["same-origin", "cross-site"], &[EVIL], HOST, "/", &[]), false, true,
            "one browser sends one field; where two disagree, somebody added one"),
        ("two sites, the first from elsewhere and the second not",
            asked("POST", &["cross-site", "same-origin"], &[SHOP], HOST, "/", &[]), false, false,
            "no difference: the other one looks at the first alone"),
        ("two sites, the first empty",
            asked("POST", &["", "same-origin"], &[EVIL], HOST, "/", &[]), true, false,
            "an empty field says nothing, so the other one counts; only a browser that is not one sends this"),
        ("two sites, the second from elsewhere and the first empty",
            asked("POST", &["", "cross-site"], &[SHOP], HOST, "/", &[]), false, true,
            "the same, the other way round"),
        ("two origins, the first empty",
            asked("POST", &[], &["", EVIL], HOST, "/", &[]), false, true,
            "an empty field says nothing, so the other one counts"),
        ("two origins, the first trusted",
            asked("POST", &[], &[SHOP, EVIL], HOST, "/", &[]), true, true,
            "no difference: the first counts, since browsers send one"),
        ("an origin that is no URI",
            asked("POST", &[], &["https://shop_example|"], &["shop_example|"], "/", &[]), true, false,
            "the bytes of the host are compared, not parsed; whoever can choose the host needs no forgery"),
        ("an origin without a host",
            asked("POST", &[], &["https://"], &[""], "/", &[]), false, false,
            "no difference: nothing is not the same as nothing"),
        ("an origin in other letters",
            asked("POST", &[], &["HTTPS://shop.example"], HOST, "/", &[]), false, true,
            "browsers write the scheme in lower case, and who does not is none"),
        ("the handshake of a socket from elsewhere",
            Asked { upgrade: vec!["websocket".into()], ..asked("GET", &["cross-site"], &[EVIL], HOST, "/", &[]) }, false, true,
            "what comes over a socket may change something, and CORS does not hold it back"),
        ("an origin with a path",
            asked("POST", &[], &["https://shop.example/x"], HOST, "/", &[]), true, true,
            "no difference: the host alone counts"),
    ]
}

#[test]
fn where_the_two_differ_there_is_a_reason() {
    for (name, asked, here, there, why) in differences() {
        assert_eq!((asked.passes_here(), asked.passes_there()), (here, there), "{name}: {why}");
        assert_eq!(here == there, why.starts_with("no difference"), "{name}");
    }
}

/// Theirs takes what no browser would send, so that a rule of the operator's never matches.
#[test]
fn an_origin_that_no_browser_sends_is_an_error_here() {
    for origin in ["https://A.example", "https://a.example:443", "http://a.example:80", "https://u@a.example"] {
        assert!(TrustedOrigins::default().add(origin).is_err(), "{origin}");
        assert!(CsrfLayer::new().add_trusted_origin(origin).is_ok(), "{origin}");
    }
    for origin in ["", "a.example", "https://a.example/", "https://a.example#x", "null", "https://b\u{fc}cher.example"]
    {
        assert!(TrustedOrigins::default().add(origin).is_err(), "{origin}");
        assert!(CsrfLayer::new().add_trusted_origin(origin).is_err(), "{origin}");
    }
}

fn any_authority() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["shop.example", "evil.example", "app.example", "shop.example:8443", "[::1]:80", ""])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,16}".prop_map(|text| text.replace('\\', "")),
    ]
}

fn any_origin() -> impl Strategy<Value = String> {
    let whole = (prop::sample::select(vec!["https://", "http://", "ftp://", "HTTPS://", ""]), any_authority());
    prop_oneof![
        6 => whole.prop_map(|(scheme, host)| format!("{scheme}{host}")),
        1 => prop::sample::select(vec!["null", "", "https:", "\\xff\\x80", "https://shop.example/", "https://shop.example?x"])
            .prop_map(str::to_owned),
    ]
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let site = prop::sample::select(vec!["same-origin", "none", "same-site", "cross-site", "", "SAME-ORIGIN", "\\xe9"]);
    let trusted = prop::sample::subsequence(vec![SHOP, EVIL, APP, "http://[::1]:8080"], 0..=2);
    (
        prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "POST", "DELETE", "TRACE", "get", "X"]),
        prop::sample::select(vec![
            "/",
            "/",
            "https://shop.example/",
            "http://shop.example:8443/",
            "https://evil.example/",
        ]),
        prop::collection::vec(any_authority(), 0..=2),
        prop::collection::vec(site, 0..=2),
        prop::collection::vec(any_origin(), 0..=2),
        trusted,
    )
        .prop_map(|(method, uri, hosts, sites, origins, trusted)| {
            let texts = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let (sites, trusted) = (texts(sites), texts(trusted));
            Asked { method: method.into(), uri: uri.into(), hosts, sites, origins, trusted, upgrade: vec![] }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Differences are those of the table: fields that stand twice, an origin that only its bytes make equal, and a
    /// scheme in other letters.
    #[test]
    fn the_two_agree_but_for_what_is_named(asked in any_asked()) {
        let (here, there) = (asked.passes_here(), asked.passes_there());
        let twice = asked.sites.len() > 1 || asked.origins.len() > 1 && asked.origins[0].is_empty();
        let no_uri = asked.origins.iter().any(|origin| origin.parse::<http::Uri>().is_err());
        let letters = asked.origins.iter().any(|origin| origin.starts_with("HTTPS"));
        let named = twice || here && no_uri || there && letters;
        prop_assert!(here == there || named, "here {}, there {}", here, there);
    }

    /// Whatever else it says, a browser that names another site is believed.
    #[test]
    fn nothing_but_trust_outweighs_another_site(asked in any_asked()) {
        let elsewhere = asked.sites.iter().any(|site| !["", "none", "same-origin"].contains(&&**site));
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&&*asked.method);
        let trusted = asked.origins.iter().any(|origin| asked.trusted.contains(origin));
        prop_assert!(!elsewhere || safe || trusted || !asked.passes_here());
    }
}
