//! A token for every reason of refusal: what becomes of a cookie, and what a bearer is told, from tables/trouble.json.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use tower_layer::Layer;
use waxseal::session::OpenError;
use waxseal::time::{Clock, ManualClock, Timestamp};
use waxseal::{Revoke, Sealer};

use super::answer::{answers, same};
use super::settings::{Act, Settings};
use super::{run, table};
use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, ShopV1, sealer, shop};
use crate::httpkit::{Handler, request, send};
use crate::testkit::NOW;
use crate::testkit::forge::{Forge, varint};
use crate::testkit::key::Key;
use crate::testkit::reader::load_with;
use crate::testkit::ring::{Ring, entry, role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "comment")]
    _comment: String,
    rows: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    reason: String,
    /// The clock of the servers has doubts about itself.
    #[serde(default)]
    suspect_clock: bool,
    /// It is by a list of revocations that the session is over.
    #[serde(default)]
    listed: bool,
    /// What a handler that reads answers to the cookie.
    cookie: String,
    /// And to the bearer token.
    bearer: String,
    /// What a login and a logout are answered, with the cookie and with the bearer token.
    login: [String; 2],
    logout: [String; 2],
}

#[test]
fn a_refused_token_goes_or_stays_as_its_reason_says() {
    let rows = table::<Table>("trouble").rows;
    let name = |row: &Row| {
        let [suspect, listed] = [(row.suspect_clock, ", the clock is suspect"), (row.listed, ", by a list")]
            .map(|(is, name)| if is { name } else { "" });
        format!("{}{suspect}{listed}", row.reason)
    };
    run(rows.into_iter().map(|row| (name(&row), row)), CODES.len(), |_, row| row.check());
}

#[test]
fn no_reason_is_forgotten() {
    let rows = table::<Table>("trouble").rows;
    let told: BTreeSet<_> = rows.iter().filter(|row| !row.suspect_clock).map(|row| &*row.reason).collect();
    assert_eq!(told, BTreeSet::from(CODES));
}

/// Every code of a refusal but `context`, which no layer gives.
const CODES: [&str; 18] = [
    "body",
    "claims",
    "disabled_key",
    "expired",
    "expired_key",
    "forged",
    "identity",
    "length",
    "mode",
    "newer_schema",
    "not_yet_valid",
    "prefix",
    "retired_key",
    "revoked",
    "revoked_key",
    "text",
    "unknown_key",
    "unknown_schema",
];

impl Row {
    fn check(&self) -> Result<(), String> {
        let cookie = self.token(&format!("cookie:{COOKIE}"));
        let bearer = self.token("header");
        let (cookie, bearer) = (format!("{COOKIE}={cookie}"), format!("Bearer {bearer}"));
        for (act, [on_cookie, on_bearer]) in
            [(Act::Read, [&self.cookie, &self.bearer]), (Act::Start, each(&self.login)), (Act::End, each(&self.logout))]
        {
            self.ask(act, ("cookie", &cookie), on_cookie).map_err(|error| format!("cookie, {act:?}: {error}"))?;
            self.ask(act, ("authorization", &bearer), on_bearer)
                .map_err(|error| format!("bearer, {act:?}: {error}"))?;
        }
        Ok(())
    }

    fn ask(&self, act: Act, field: (&str, &str), answer: &str) -> Result<(), String> {
        let servers = self.servers();
        self.is_the_reason(&servers, field)?;
        let settings = Settings::default();
        let method = if act == Act::Read { "GET" } else { "POST" };
        let request = request(method, "/", [("host", "shop.example"), ("sec-fetch-site", "same-origin"), field]);
        let response = send(settings.layer(&servers).layer(Handler(settings.handler(act))), request);
        let answer = answers().remove(answer).ok_or_else(|| format!("no answer is called {answer}"))?;
        answer.check(&settings, &servers, &response)?;
        if act == Act::Read && response.status() == 200 {
            same("who", &**response.body(), "nobody")?;
        }
        Ok(())
    }

    /// The token is refused for the reason that the row is about.
    fn is_the_reason(&self, servers: &Servers, (name, value): (&str, &str)) -> Result<(), String> {
        let refusal =
            |sealer: &Sealer<Shop>, token: &str| sealer.open(token).err().map(|error: OpenError| error.reason().code());
        let found = match name {
            "cookie" => refusal(&servers.cookie(COOKIE), value.split_once('=').unwrap().1),
            _ => refusal(&servers.sealer, value.split_once(' ').unwrap().1),
        };
        same("reason", found, Some(&*self.reason))
    }

    fn servers(&self) -> Servers {
        let mut ring = Ring::example();
        match &*self.reason {
            "disabled_key" => ring.entry(role::retiring()).set("status", "\"disabled\""),
            "expired_key" => ring.keys.push(entry(Key::test(7), "1782000000")),
            "retired_key" => ring.entry(role::retiring()).set("superseded_at", NOW - 100_000),
            "revoked" if !self.listed => ring.top.set("not_before", NOW - 60),
            _ => {}
        }
        let prefix = (self.reason == "prefix").then_some("shop_");
        let servers = Servers::with(&ring, prefix);
        if self.listed {
            let (servers, list) = servers.listed();
            list.revoke(Revoke::subject("ada")).wait().unwrap();
            return servers;
        }
        if !self.suspect_clock {
            return servers;
        }
        let clock = Suspect(Arc::new(ManualClock::at(Timestamp::from_unix(NOW))));
        let ring = load_with(&ring.text(), Arc::clone(&clock.0));
        Servers { sealer: sealer(&ring, clock, prefix), ring, ..servers }
    }

    fn token(&self, carrier: &str) -> String {
        let good = Forge {
            carrier: carrier.into(),
            context: vec![],
            head: varint(6),
            body: postcard::to_stdvec(&shop("ada")).unwrap(),
            ..Forge::new(&self.reason, role::active())
        };
        let with = |edit: &dyn Fn(&mut Forge)| {
            let mut forge = good.clone();
            edit(&mut forge);
            forge.text()
        };
        let v1 = |user: &str| postcard::to_stdvec(&ShopV1 { user: user.into() }).unwrap();
        match &*self.reason {
            "body" => with(&|forge| forge.body = vec![0xff; 9]),
            "claims" => with(&|forge| forge.head = vec![0x86, 0]),
            "disabled_key" => with(&|forge| forge.key = role::retiring()),
            "expired" => with(&|forge| forge.iat -= LIFE as u32),
            "expired_key" => with(&|forge| forge.key = Key::test(7)),
            "forged" => with(&|forge| forge.tag = Some(vec![0; 16])),
            "identity" => with(&|forge| (forge.head, forge.body) = (varint(2), v1("mallory"))),
            "length" => "EQAAAAAA".into(),
            "mode" => with(&|forge| forge.signed = true),
            "newer_schema" => with(&|forge| forge.head = varint(8)),
            "not_yet_valid" => with(&|forge| forge.iat += 121),
            "prefix" => good.text(),
            "retired_key" => with(&|forge| forge.key = role::retiring()),
            "revoked" => with(&|forge| forge.iat -= 60),
            "revoked_key" => with(&|forge| forge.key = role::revoked()),
            "text" => good.text().replacen(|last: char| last.is_ascii_lowercase(), "+", 1),
            "unknown_key" => with(&|forge| forge.key = Key::test(99)),
            "unknown_schema" => with(&|forge| forge.head = varint(4)),
            other => panic!("no token is refused with {other}"),
        }
    }
}

fn each(pair: &[String; 2]) -> [&String; 2] {
    [&pair[0], &pair[1]]
}

/// A clock that was set by more than it believes.
struct Suspect(Arc<ManualClock>);

impl Clock for Suspect {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn is_suspect(&self) -> bool {
        true
    }
}
