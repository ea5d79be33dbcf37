//! A state's type changes while servers run.

use serde::{Deserialize, Serialize};
use waxseal::session::{Buffer, Reason, SealError};
use waxseal::{Older, SchemaError, Sealer, SessionState, Target};

use super::ring;
use super::testkit::ring::Ring;
use super::testkit::state::{EXAMPLE, Example, ThreeTwoOne, Two, TwoOne};

fn new_state() -> TwoOne {
    TwoOne { user: 1_234_567_890, shop: 54_321, count: 513, note: "new".into(), choice: Some(true) }
}

#[test]
fn a_newer_server_reads_what_older_ones_wrote() {
    let (ring, _clock) = ring(&Ring::example());
    let old: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let new: Sealer<TwoOne> = Sealer::new(&ring, "session").unwrap();
    let newest: Sealer<ThreeTwoOne> = Sealer::new(&ring, "session").unwrap();
    let token = old.start(&EXAMPLE).unwrap();
    let session = new.open(&token).unwrap();
    assert_eq!((session.schema(), session.id()), (1, token.id()));
    assert_eq!((session.state().user, &*session.state().note), (EXAMPLE.user, ""));
    // Two steps at once.
    assert_eq!(newest.open(&token).unwrap().state().count, EXAMPLE.count);
    // A renewal writes the new schema.
    let renewed = new.renew(&session).unwrap();
    assert_eq!((renewed.id(), new.open(&renewed).unwrap().schema()), (token.id(), 2));
}

#[test]
fn an_older_server_keeps_a_newer_token_alive() {
    let (ring, _clock) = ring(&Ring::example());
    let old: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let new: Sealer<TwoOne> = Sealer::new(&ring, "session").unwrap();
    let token = new.start(&new_state()).unwrap();
    let error = old.open(&token).unwrap_err();
    assert_eq!(error.reason(), Reason::NewerSchema { found: 2, known: 1 });
    assert_eq!((error.status(), error.keep_token()), (503, true));
    assert_eq!(error.to_string(), "invalid session token");
    let raw = old.open_raw(&token, &mut Buffer::new()).map(drop).unwrap_err();
    assert_eq!(raw.reason(), error.reason());
    // A gap is a mistake in this server's chain, and 401; but the next version may mend it, so the token is kept.
    let gap: Sealer<Two> = Sealer::new(&ring, "session").unwrap();
    let error = gap.open(old.start(&EXAMPLE).unwrap()).unwrap_err();
    assert_eq!(error.reason(), Reason::UnknownSchema { schema: 1 });
    assert_eq!((error.status(), error.keep_token()), (401, true));
}

/// "Read new, write old": while old servers run, new ones write what those can read.
#[test]
fn a_rolling_deploy_and_its_back_out_lose_no_session() {
    let (ring, _clock) = ring(&Ring::example());
    let old: Sealer<Example> = Sealer::new(&ring, "session").unwrap();
    let rolling: Sealer<TwoOne> = Sealer::builder(&ring, "session").write_schema(1).build().unwrap();
    let done: Sealer<TwoOne> = Sealer::new(&ring, "session").unwrap();
    // A session goes back and forth between old and new servers.
    let mut token = old.start(&EXAMPLE).unwrap();
    let id = token.id();
    for _ in 0..3 {
        let mut session = rolling.open(&token).unwrap();
        session.state_mut().count += 1;
        token = rolling.renew(&session).unwrap();
        let mut session = old.open(&token).unwrap();
        assert_eq!(session.schema(), 1);
        session.state_mut().count += 1;
        token = old.renew(&session).unwrap();
    }
    assert_eq!((token.id(), old.open(&token).unwrap().state().count), (id, EXAMPLE.count + 6));
    // A login on a new server is good on an old one.
    assert!(old.open(rolling.start(&new_state()).unwrap()).is_ok());
    // The switch, and the back-out after it: a rolling server reads both.
    let new = done.start(&new_state()).unwrap();
    assert!(old.open(&new).is_err());
    let session = rolling.open(&new).unwrap();
    assert_eq!((session.schema(), session.state()), (2, &new_state()));
    let back = rolling.renew(&session).unwrap();
    assert_eq!((old.open(&back).unwrap().id(), back.id()), (session.id(), new.id()));
}

#[test]
fn a_chain_writes_each_of_its_schemas_and_no_other() {
    let (ring, _clock) = ring(&Ring::example());
    let state = ThreeTwoOne { user: 1, shop: 2, count: 3, note: "n".into(), choice: None };
    for schema in [1, 2, 3] {
        let sealer: Sealer<ThreeTwoOne> = Sealer::builder(&ring, "session").write_schema(schema).build().unwrap();
        let token = sealer.start(&state).unwrap();
        let session = sealer.open(&token).unwrap();
        assert_eq!((session.schema(), session.state().count), (schema, 3));
    }
    let sealer: Sealer<ThreeTwoOne> = Sealer::builder(&ring, "session").write_schema(0).build().unwrap();
    let refused = SealError::Schema(SchemaError::Unknown { schema: 0 });
    assert_eq!(sealer.start(&state).unwrap_err(), refused);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Guest {
    user: String,
}

impl SessionState for Guest {
    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }
}

/// Its upgrade forgets whose session it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Muddled {
    user: String,
    level: u8,
}

impl SessionState for Muddled {
    const SCHEMA: u16 = 2;

    fn subject(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn upgrade(old: Older<'_>) -> Result<Self, SchemaError> {
        old.from::<Guest, _>(|_| Muddled { user: "admin".into(), level: 9 })
    }

    fn downgrade(&self, to: Target) -> Result<Vec<u8>, SchemaError> {
        to.write(&Guest { user: self.user.clone() })
    }
}

#[test]
fn an_upgrade_may_not_change_whose_session_it_is() {
    let (ring, _clock) = ring(&Ring::example());
    let old: Sealer<Guest> = Sealer::new(&ring, "session").unwrap();
    let new: Sealer<Muddled> = Sealer::builder(&ring, "session").write_schema(1).build().unwrap();
    let token = old.start(&Guest { user: "ada".into() }).unwrap();
    let error = new.open(&token).unwrap_err();
    assert_eq!((error.reason(), error.status()), (Reason::Identity { schema: 1 }, 401));
    let refused = new.start(&Muddled { user: "ada".into(), level: 1 }).unwrap_err();
    assert_eq!(refused, SealError::Schema(SchemaError::Identity { schema: 1 }));
}

#[derive(Debug, PartialEq, Deserialize)]
struct GuestView<'a> {
    user: &'a str,
}

#[test]
fn a_state_is_borrowed_in_its_own_schema_only() {
    let (ring, _clock) = ring(&Ring::example());
    let sealer: Sealer<Guest> = Sealer::new(&ring, "session").unwrap();
    let token = sealer.start(&Guest { user: "ada".into() }).unwrap();
    let mut buffer = Buffer::new();
    let session = sealer.open_raw(&token, &mut buffer).unwrap();
    assert_eq!((session.info().id(), session.body()), (token.id(), &b"\x03ada"[..]));
    assert_eq!(session.borrow::<GuestView<'_>>(), Ok(GuestView { user: "ada" }));
    assert!(matches!(session.borrow::<(u64, u64, u64)>(), Err(SchemaError::Body(_))));
    assert!(matches!(session.borrow::<u8>(), Err(SchemaError::Body(_))), "bytes are left over");
    let newer: Sealer<Muddled> = Sealer::new(&ring, "session").unwrap();
    let session = newer.open_raw(&token, &mut buffer).unwrap();
    assert_eq!(session.borrow::<Muddled>(), Err(SchemaError::Unknown { schema: 1 }));
    assert!(sealer.open_raw("", &mut buffer).is_err(), "the buffer is there for the next token");
    assert!(sealer.open_raw(&token, &mut buffer).is_ok());
}

#[test]
fn a_state_that_is_too_large_is_refused() {
    let (ring, _clock) = ring(&Ring::example());
    let sealer: Sealer<Guest> = Sealer::new(&ring, "session").unwrap();
    // head, ttl (86400) and origin take 5 bytes, the length of the text 2.
    let longest = 2964 - 5 - 2;
    let token = sealer.start(&Guest { user: "x".repeat(longest) }).unwrap();
    assert_eq!(token.as_str().len(), 4000);
    assert_eq!(sealer.open(&token).unwrap().state().user.len(), longest);
    let refused = sealer.start(&Guest { user: "x".repeat(longest + 1) }).unwrap_err();
    assert_eq!(refused, SealError::TooLong { excess: 1 });
    let refused = sealer.start(&Guest { user: "x".repeat(1 << 20) }).unwrap_err();
    assert!(matches!(refused, SealError::TooLong { .. }));
}
