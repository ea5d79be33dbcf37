//! Header fields as they come in, read once more as slowly and plainly as it can be written.
//!
//! An input's lines are the fields of one name, since no field holds a line feed.

use crate::carrier::bearer::{self, Authorization};
use crate::carrier::cookie::{self, Found};

/// Any `Cookie` fields, searched for the cookie `id`.
pub fn cookie_fields(bytes: &[u8]) {
    let fields: Vec<_> = lines(bytes).collect();
    let found = cookie::find(fields.iter().copied(), "id");
    assert_eq!(found, slow_cookie(&fields));
    if let Found::Value(value) = found {
        assert!(!value.is_empty() && !value.contains(&b';'));
        let reversed = cookie::find(fields.iter().rev().copied(), "id");
        assert_eq!(reversed, found, "the order of fields does not matter");
        let conflict = if value == b"\x01" { found } else { Found::Conflict };
        for (other, expected) in
            [(&b"ID=x"[..], found), (b"id=", found), (b"=id", found), (b"id =x", found), (b"id=\x01", conflict)]
        {
            let more = [&fields[..], &[other]].concat();
            let expected = if slow_cookie(&more) == Found::TooMuch { Found::TooMuch } else { expected };
            assert_eq!(cookie::find(more, "id"), expected, "beside {}", other.escape_ascii());
        }
    }
}

/// Any `Authorization` fields: without a prefix if the first byte is even, else with `shop_`.
pub fn authorization_fields(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let prefix = (choice & 1 == 1).then_some("shop_");
    let fields: Vec<_> = lines(bytes).collect();
    let read = bearer::read(fields.iter().copied(), prefix);
    assert_eq!(read, slow_authorization(&fields, prefix));
    if let Authorization::Token(token) = read {
        let text = core::str::from_utf8(token).expect("a token is ASCII");
        let again = format!("bearer   {text}");
        assert_eq!(bearer::read([again.as_bytes()], prefix), read, "one token has one meaning");
        assert_eq!(bearer::read([fields[0], b""], prefix), Authorization::Several);
        for spoilt in [format!("Bearer {text} "), format!("Bearer\t{text}"), format!("Bearer {text},x=y")] {
            assert_eq!(bearer::read([spoilt.as_bytes()], prefix), Authorization::Malformed);
        }
    }
}

pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n')
}

/// One byte after the other, and every piece from its start.
pub(super) fn slow_cookie<'a>(fields: &[&'a [u8]]) -> Found<'a> {
    let (mut bytes, mut pieces) = (0, 0);
    let mut values: Vec<&[u8]> = vec![];
    for field in fields {
        bytes += field.len();
        let mut start = 0;
        for at in 0..=field.len() {
            if at < field.len() && field[at] != b';' {
                continue;
            }
            let (mut from, mut to) = (start, at);
            while from < to && (field[from] == b' ' || field[from] == b'\t') {
                from += 1;
            }
            while from < to && (field[to - 1] == b' ' || field[to - 1] == b'\t') {
                to -= 1;
            }
            let piece = &field[from..to];
            if piece.len() > 3 && piece[0] == b'i' && piece[1] == b'd' && piece[2] == b'=' {
                values.push(&piece[3..]);
            }
            pieces += 1;
            start = at + 1;
        }
    }
    let differ = values.iter().any(|value| *value != values[0]);
    match values.first() {
        _ if bytes > 16_384 || pieces > 200 => Found::TooMuch,
        None => Found::Absent,
        Some(_) if differ => Found::Conflict,
        Some(value) => Found::Value(value),
    }
}

pub(super) fn slow_authorization<'a>(fields: &[&'a [u8]], prefix: Option<&str>) -> Authorization<'a> {
    let [field] = fields else {
        return if fields.is_empty() { Authorization::Absent } else { Authorization::Several };
    };
    // Latin-1, so that no byte is lost and each is one character.
    let text: String = field.iter().map(|&byte| char::from(byte)).collect();
    let is_scheme = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    let scheme: String = text.chars().take_while(|&char| is_scheme(char)).collect();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Authorization::Foreign;
    }
    let rest = &text[scheme.len()..];
    let token = rest.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let is_token = |char: char| char.is_ascii_alphanumeric() || "-._~+/".contains(char);
    if token.len() == rest.len() || body.is_empty() || !body.chars().all(is_token) {
        return Authorization::Malformed;
    }
    let is_ours = match prefix {
        Some(prefix) => token.starts_with(prefix),
        None => matches!(first_byte(token), Some(0x11 | 0x12)),
    };
    if is_ours { Authorization::Token(&field[field.len() - token.len()..]) } else { Authorization::Foreign }
}

/// The first byte of base64url, whatever follows it.
fn first_byte(text: &str) -> Option<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut sextets = text.chars().map(|char| alphabet.find(char));
    let (high, low) = (sextets.next()??, sextets.next()??);
    u8::try_from(high << 2 | low >> 4).ok()
}
