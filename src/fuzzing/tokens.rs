//! Token texts as they come in: judged alike typed and untyped, opened in one spelling only.

use super::fixture::{
    ABSOLUTE, CONTEXT, DAY, Desk, ENTRIES, IDLE, LATE, NOT_BEFORE, NOW, SKEW, Shop, Side, forge, spelled,
};
use crate::crypto::TAG_LEN;
use crate::id::RND_LEN;
use crate::seal;
use crate::session::{Buffer, Reason, SealError, Sealed, Session, SessionInfo, Signed};
use crate::text::{MAX_TOKEN_LEN, MIN_TEXT_LEN, decode_token};
use crate::time::Timestamp;
use crate::token::{Claims, HEADER_LEN, Header};

/// Any text as a sealed token.
pub fn open_text(text: &[u8]) {
    any_text::<Sealed>(text);
}

/// Any text as a signed token.
pub fn verify_text(text: &[u8]) {
    any_text::<Signed>(text);
}

/// Any plaintext as the claims of an authentic token: one byte for mode and key, four for the issue
/// time, the plaintext.
pub fn claims(bytes: &[u8]) {
    let Some((&[choice, a, b, c, d], plaintext)) = bytes.split_first_chunk() else { return };
    let issued_at = u32::from_be_bytes([a, b, c, d]);
    let plaintext = &plaintext[..plaintext.len().min(MAX_TOKEN_LEN - HEADER_LEN - TAG_LEN)];
    let key = usize::from(choice >> 1) % ENTRIES.len();
    if choice & 1 == 0 {
        hostile_plaintext::<Sealed>(key, issued_at, plaintext);
    } else {
        hostile_plaintext::<Signed>(key, issued_at, plaintext);
    }
}

fn any_text<M: Side>(text: &[u8]) {
    if judge::<M>(text).is_ok() {
        one_spelling::<M>(text);
        nothing_near_opens(M::desk(), text);
    }
}

/// An opened text is the one text of the one token with this header and plaintext.
fn one_spelling<M: Side>(text: &[u8]) {
    let mut token = vec![0; MAX_TOKEN_LEN];
    let len = decode_token(text, &mut token).expect("an opened text decodes");
    token.truncate(len);
    assert_eq!(spelled(&token).as_bytes(), text);
    let header = Header::of(&token).expect("an opened token has a header");
    let (_, subkeys) = M::desk().keys.iter().find(|(id, _)| *id == header.key_id).expect("an opened token has a key");
    let mut opened = token.clone();
    seal::open(subkeys, CONTEXT, &mut opened).expect("an opened token is authentic");
    let again = forge(subkeys, header, &opened[HEADER_LEN..len - TAG_LEN]);
    assert_eq!(again, token);
}

/// No neighbour of an opened text opens, and nobody else opens it.
fn nothing_near_opens<M>(desk: &Desk<M>, text: &[u8]) {
    let refused = |text: &[u8]| desk.raw.open(text, CONTEXT, &mut Buffer::new()).is_err();
    assert!(refused(&text[..text.len() - 1]), "one character less");
    for extra in [b"A", b"=", b"\n"] {
        assert!(refused(&[text, extra].concat()), "one character more");
    }
    for at in (0..text.len()).step_by(text.len() / 16) {
        let mut changed = text.to_vec();
        changed[at] = if text[at] == b'A' { b'B' } else { b'A' };
        assert!(refused(&changed), "another character at {at}");
    }
    let (&last, rest) = text.split_last().expect("an opened text is not empty");
    for other in (b'0'..=b'z').filter(|&other| other != last) {
        assert!(refused(&[rest, &[other]].concat()), "another last character");
    }
    assert!(desk.raw.open(text, b"tenant-8", &mut Buffer::new()).is_err(), "another context");
    for stranger in &desk.strangers {
        assert!(stranger.open(text, CONTEXT, &mut Buffer::new()).is_err(), "{stranger:?}");
    }
}

/// Opens `text` untyped and typed, which must agree, and checks what holds for every answer.
fn judge<M: Side>(text: &[u8]) -> Result<(SessionInfo, Vec<u8>), Reason> {
    let desk = M::desk();
    let mut buffer = Buffer::new();
    let typed = M::open(&desk.typed, text).map_err(|error| (error.reason(), error));
    let raw = desk.raw.open(text, CONTEXT, &mut buffer);
    match (raw, typed) {
        (Ok(session), Ok(typed)) => {
            assert_eq!(session.info().id(), typed.id());
            assert_eq!(session.info().expires_at(), typed.expires_at());
            within_its_limits(desk, text, session.info());
            renewed::<M>(&typed);
            Ok((*session.info(), session.body().to_vec()))
        }
        (Ok(session), Err((reason, error))) => {
            let schema = session.info().schema();
            let fits = match reason {
                Reason::NewerSchema { found, known } => found == schema && known == 3 && schema > known,
                Reason::UnknownSchema { schema: unknown } => unknown == schema && matches!(schema, 0 | 2),
                Reason::Body(_) => matches!(schema, 1 | 3),
                _ => false,
            };
            assert!(fits, "schema {schema}: {error:?}");
            within_its_limits(desk, text, session.info());
            Ok((*session.info(), session.body().to_vec()))
        }
        (Err(raw), Err((reason, typed))) => {
            assert_eq!(raw, typed);
            assert_eq!(raw.to_string(), "invalid session token", "a client learns nothing");
            assert!(matches!(raw.status(), 401 | 503));
            assert!(!reason.to_string().contains(char::is_control) && !reason.code().is_empty());
            Err(reason)
        }
        (Err(raw), Ok(_)) => panic!("opened typed, refused untyped: {raw:?}"),
    }
}

/// A session that opens lives now, no longer than its limits, and to its very last second.
fn within_its_limits<M>(desk: &Desk<M>, text: &[u8], info: &SessionInfo) {
    let (start, issued_at, end) =
        (info.id().start().as_unix(), info.issued_at().as_unix(), info.expires_at().as_unix());
    assert!(NOT_BEFORE < start && start <= issued_at && issued_at <= NOW + 2 * SKEW);
    assert_eq!(end, (issued_at + u64::from(info.token_lifetime()).min(IDLE)).min(start + ABSOLUTE));
    assert!(end > NOW);
    let at = |now| desk.raw.with_context(CONTEXT).at(Timestamp::from_unix(now)).open(text, &mut Buffer::new()).err();
    assert_eq!(at(end - 1), None, "its last second");
    assert!(matches!(at(end).map(|error| error.reason()), Some(Reason::Expired { .. })));
}

/// A renewal keeps id, start and state, and never outlives the session's absolute limit.
fn renewed<M: Side>(session: &Session<Shop, M>) {
    let typed = &M::desk().typed;
    let token = match typed.with(CONTEXT).renew(session) {
        Ok(token) => token,
        Err(SealError::SessionOver | SealError::TooLong { .. }) => return,
        Err(error) => panic!("a session that opens can be renewed: {error}"),
    };
    let again = M::open(typed, token.as_str().as_bytes()).expect("a renewal opens");
    assert_eq!((again.id(), again.start(), again.state()), (session.id(), session.start(), session.state()));
    assert!(again.issued_at() >= session.issued_at());
    assert!(again.expires_at() <= session.start().plus(ABSOLUTE));
    assert_eq!((token.id(), token.expires_at()), (again.id(), again.expires_at()));
}

/// An authentic token over any plaintext is answered as FORMAT.md, "Opening", says and never as a forgery.
fn hostile_plaintext<M: Side>(key: usize, issued_at: u32, plaintext: &[u8]) {
    let read = Claims::read(plaintext, M::MODE);
    if let Ok((claims, body)) = &read {
        assert_eq!(written(claims, body, plaintext.len()), plaintext, "claims are what they were read from");
    }
    let (key_id, subkeys) = &M::desk().keys[key];
    let header = Header { mode: M::MODE.byte(), key_id: *key_id, issued_at, rnd: [0x5a; RND_LEN] };
    let text = spelled(&forge(subkeys, header, plaintext));
    let answer = judge::<M>(text.as_bytes());
    let code = answer.as_ref().map_or_else(|reason| reason.code(), |_| "accepted");
    let claims = read.as_ref().map(|(claims, _)| *claims).ok();
    assert_eq!(code, answer_to(key, issued_at, claims, &text), "{answer:?} to {claims:?} issued at {issued_at}");
    if let (Ok((info, body)), Ok((claims, expected))) = (answer, read) {
        assert_eq!((info.schema(), info.key_id(), &body[..]), (claims.schema, *key_id, expected));
        any_text::<M>(text.as_bytes());
    }
}

/// The plaintext of `len` bytes with these claims, body and the padding that `len` leaves.
fn written(claims: &Claims, body: &[u8], len: usize) -> Vec<u8> {
    let mut plaintext = Vec::new();
    claims.write(&mut plaintext);
    plaintext.extend_from_slice(body);
    if claims.padded {
        assert!(len.is_multiple_of(16) && (1..=64).contains(&(len - plaintext.len())));
        plaintext.push(0x80);
        plaintext.resize(len, 0);
    }
    plaintext
}

/// The code that FORMAT.md, "Opening", has for an authentic token, worked out once more.
fn answer_to(key: usize, issued_at: u32, claims: Option<Claims>, text: &str) -> &'static str {
    if text.len() < MIN_TEXT_LEN {
        return "length";
    }
    match ENTRIES[key].name {
        "disabled" => return "disabled_key",
        "expired" => return "expired_key",
        "revoked" => return "revoked_key",
        _ => {}
    }
    let Some(claims) = claims else { return "claims" };
    let Ok(id) = claims.session_id(issued_at, [0; RND_LEN]) else { return "claims" };
    let (start, issued_at) = (id.start().as_unix(), u64::from(issued_at));
    let superseded = ENTRIES.get(key + 1).and_then(|next| next.activate_at);
    let end = (issued_at + u64::from(claims.ttl).min(IDLE)).min(start + ABSOLUTE);
    if issued_at > NOW + 2 * SKEW {
        "not_yet_valid"
    } else if superseded.is_some_and(|at| issued_at > at + LATE + SKEW) {
        "retired_key"
    } else if NOW >= end {
        "expired"
    } else if start <= NOT_BEFORE {
        "revoked"
    } else {
        "accepted"
    }
}

const _: () = assert!(IDLE <= DAY, "the ring's lifetime is no limit here");
