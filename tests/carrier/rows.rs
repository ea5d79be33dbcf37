//! What counts among several tokens and what half-tokens are worth: one row a case, from the other tables.

use serde::Deserialize;
use tower_layer::Layer;

use super::answer::{Sent, answers, same};
use super::settings::{Act, Settings};
use super::{run, table};
use crate::httpkit::shop::Servers;
use crate::httpkit::{Handler, request, send};
use crate::testkit::ring::Ring;

/// The tables of rows.
pub(crate) const TABLES: [&str; 5] = ["bearers", "cookies", "plain_http", "precedence", "signals"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "comment")]
    _comment: String,
    rows: Vec<Row>,
}

/// A request and what its response must say.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    name: String,
    #[serde(default)]
    layer: Settings,
    #[serde(default = "get")]
    method: String,
    #[serde(default = "root")]
    uri: String,
    #[serde(default)]
    fields: Vec<(String, String)>,
    #[serde(default = "read")]
    act: Act,
    answer: String,
    /// Whose session was read, and how it came.
    who: Option<String>,
}

fn get() -> String {
    "GET".into()
}

fn root() -> String {
    "/".into()
}

fn read() -> Act {
    Act::Read
}

#[test]
fn every_row_gets_its_answer() {
    let cases = TABLES.iter().flat_map(|name| {
        let rows = table::<Table>(name).rows;
        assert!(rows.len() >= 5, "{name} has {} rows", rows.len());
        rows.into_iter().map(move |row| (format!("{name}: {}", row.name), row))
    });
    run(cases, 150, |_, row| row.check());
}

impl Row {
    fn check(&self) -> Result<(), String> {
        let servers = Servers::with(&Ring::example(), self.layer.prefix.as_deref());
        let fields: Vec<_> =
            self.fields.iter().map(|(name, value)| (&**name, self.filled_in(value, &servers))).collect();
        let uri = self.filled_in(&self.uri, &servers);
        let request = request(&self.method, &uri, fields.iter().map(|(name, value)| (*name, &**value)));
        let response = send(self.layer.layer(&servers).layer(Handler(self.layer.handler(self.act))), request);
        let answers = answers();
        let answer = answers.get(&self.answer).ok_or_else(|| format!("no answer is called {}", self.answer))?;
        let sent = answer.check(&self.layer, &servers, &response)?;
        if self.act == Act::Read && answer.status == 200 {
            same("who", Some(&**response.body()), self.who.as_deref())?;
        } else {
            same("who", None, self.who.as_deref())?;
        }
        match sent {
            Some(Sent { session }) if self.act == Act::Start => same("user", &*session.state().user, "bob"),
            _ => Ok(()),
        }
    }

    /// With ada's and eve's tokens in the places of their names, and with as many characters as a number asks for.
    fn filled_in(&self, text: &str, servers: &Servers) -> String {
        let cookies = servers.cookie(self.layer.cookie().0);
        let mut text = text.replace("{name}", self.layer.cookie().0);
        for user in ["ada", "eve"] {
            for (carrier, sealer) in [("cookie", &cookies), ("header", &servers.sealer)] {
                let place = format!("{{{user}.{carrier}}}");
                if text.contains(&place) {
                    let token = sealer.start(&self.layer.shop(user)).unwrap();
                    text = text.replace(&place, token.as_str());
                }
            }
        }
        while let Some((before, rest)) = text.split_once("{times ") {
            let (times, after) = rest.split_once('}').unwrap();
            let (count, unit) = times.split_once(' ').unwrap();
            text = format!("{before}{}{after}", unit.repeat(count.parse().unwrap()));
        }
        assert!(!text.contains('{'), "{text} is not filled in");
        text
    }
}
