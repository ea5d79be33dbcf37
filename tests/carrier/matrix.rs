//! The whole matrix: every setting, kind of request, way of arrival and act, from tables/matrix.json.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::answer::{Answer, Sent, answers, same};
use super::settings::{Act, Settings};
use super::{run, table};
use crate::httpkit::shop::{LIFE, Servers};
use crate::httpkit::{Handler, request, send};
use crate::testkit::NOW;
use tower_layer::Layer;
use waxseal::Token;
use waxseal::time::Timestamp;

type Fields = Vec<(String, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    #[serde(rename = "comment")]
    _comment: String,
    /// In a group every setting gets the same answers.
    settings: Vec<Setting>,
    /// An origin that every setting trusts.
    trusted: String,
    /// The fields by which a request shows its kind.
    requests: BTreeMap<String, Fields>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    group: String,
    name: String,
    layer: Settings,
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    group: String,
    request: String,
    arrived: Arrived,
    start: String,
    change: String,
    read: String,
    renew: String,
    end: String,
}

/// What a request carries. `Both` is ada's token in the header beside a cookie of eve's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Arrived {
    Both,
    Cookie,
    Header,
    None,
}

/// One case: a row under one setting and one act.
struct Case<'m> {
    matrix: &'m Matrix,
    setting: &'m Setting,
    servers: &'m Servers,
    fields: &'m Fields,
    arrived: Arrived,
    act: Act,
    /// The token is in the second half of its life.
    due: bool,
    answer: &'m Answer,
}

#[test]
fn every_token_goes_where_the_matrix_says() {
    let (matrix, answers, servers): (Matrix, _, _) = (table("matrix"), answers(), Servers::new());
    let mut cases = vec![];
    for row in &matrix.rows {
        for setting in matrix.settings.iter().filter(|setting| setting.group == row.group) {
            for (word, act, due, answer) in row.columns() {
                let name = format!("{}, {}, {:?}, {word}", setting.name, row.request, row.arrived);
                let answer = answers.get(&answer).unwrap_or_else(|| panic!("{name}: no answer is called {answer}"));
                let fields = &matrix.requests[&row.request];
                cases.push((
                    name,
                    Case {
                        matrix: &matrix,
                        setting,
                        servers: &servers,
                        fields,
                        arrived: row.arrived,
                        act,
                        due,
                        answer,
                    },
                ));
            }
        }
    }
    run(cases, 2_000, |_, case| case.check());
}

#[test]
fn the_matrix_is_whole() {
    let matrix: Matrix = table("matrix");
    let groups: BTreeSet<_> = matrix.settings.iter().map(|setting| &setting.group).collect();
    let rows: BTreeSet<_> = matrix.rows.iter().map(|row| (&row.group, &row.request, row.arrived)).collect();
    assert_eq!(rows.len(), matrix.rows.len(), "a row is there twice");
    for group in &groups {
        for kind in matrix.requests.keys() {
            for arrived in [Arrived::Both, Arrived::Cookie, Arrived::Header, Arrived::None] {
                assert!(rows.contains(&(*group, kind, arrived)), "no row for {group}, {kind}, {arrived:?}");
            }
        }
    }
    assert_eq!(rows.len(), groups.len() * matrix.requests.len() * 4, "a row for no setting or no request");
}

impl Row {
    /// Each act with its answer. To ask for a token goes the way of a change, and a hand-off that of a start, but
    /// where no carrier can take the token the page does.
    fn columns(&self) -> [(&'static str, Act, bool, String); 7] {
        let in_page = match (&*self.start, self.arrived) {
            ("409", Arrived::None) => "page",
            ("409" | "409, delete", Arrived::Cookie) => "page, delete",
            (other, _) => other,
        };
        let column = |word, act, due, answer: &str| (word, act, due, answer.to_owned());
        [
            column("start", Act::Start, false, &self.start),
            column("hand off", Act::HandOff, false, in_page),
            column("change", Act::Change, false, &self.change),
            column("ask", Act::Ask, false, &self.change),
            column("read", Act::Read, false, &self.read),
            column("renew", Act::Read, true, &self.renew),
            column("end", Act::End, false, &self.end),
        ]
    }
}

impl Case<'_> {
    fn check(&self) -> Result<(), String> {
        let Self { servers, setting: Setting { layer: settings, .. }, .. } = self;
        servers.clock.set(Timestamp::from_unix(NOW));
        let ada = settings.shop("ada");
        let cookies = servers.cookie(settings.cookie().0);
        let (own, cookie, header) = match self.arrived {
            Arrived::Both => {
                let own = servers.sealer.start(&ada).unwrap();
                (Some(own.clone()), Some(cookies.start(&settings.shop("eve")).unwrap()), Some(own))
            }
            Arrived::Cookie => {
                let own = cookies.start(&ada).unwrap();
                (Some(own.clone()), Some(own), None)
            }
            Arrived::Header => {
                let own = servers.sealer.start(&ada).unwrap();
                (Some(own.clone()), None, Some(own))
            }
            Arrived::None => (None, None, None),
        };
        if self.due {
            servers.clock.advance(LIFE / 2);
        }
        let cookie = cookie.map(|token| format!("a=1; {}={}; z=\\xff", settings.cookie().0, token.as_str()));
        let header = header.map(|token| format!("Bearer {}", token.as_str()));
        let method = if self.act == Act::Read { "GET" } else { "POST" };
        let own_fields = self.fields.iter().chain(&self.setting.fields).map(|(name, value)| (&**name, &**value));
        let tokens = [("cookie", &cookie), ("authorization", &header)];
        let tokens = tokens.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let request = request(method, "/", own_fields.chain(tokens));
        let layer = settings.layer(servers).trusted_origin(&self.matrix.trusted).unwrap();
        let response = send(layer.layer(Handler(settings.handler(self.act))), request);
        match self.answer.check(settings, servers, &response)? {
            Some(sent) => self.follows(&sent, own.as_ref()),
            None => Ok(()),
        }
    }

    /// The session that goes out is the one that the act made of the one that came.
    fn follows(&self, sent: &Sent, own: Option<&Token>) -> Result<(), String> {
        let session = &sent.session;
        let begins = matches!(self.act, Act::Start | Act::HandOff);
        let (user, count) = match self.act {
            Act::Change => ("ada", 2),
            _ if begins => ("bob", 1),
            _ => ("ada", 1),
        };
        same("state", (&*session.state().user, session.state().count), (user, count))?;
        same("keeps its id", own.is_some_and(|own| own.id() == session.id()), !begins)?;
        let issued = NOW + if self.due { LIFE / 2 } else { 0 };
        same("issued at", session.issued_at().as_unix(), issued)
    }
}
