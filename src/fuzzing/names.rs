//! Names as they come in: what parses displays as it was, what does not is refused in one clean line.

use core::fmt::Display;
use core::str::FromStr;

use crate::id::{Carrier, CookieName, KeyId, Label, Mode, Purpose, SessionId, Use};

/// Any bytes as a purpose, cookie name, carrier, mode, key id and session id.
pub fn labels(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let purpose = round_trip(text, Purpose::to_string);
    let cookie = round_trip(text, |name: &CookieName| name.as_str().to_owned());
    let carrier = round_trip(text, Carrier::to_string);
    round_trip(text, Mode::to_string);
    let session = round_trip(text, SessionId::to_string);
    let key = KeyId::from_hex(text);
    assert!(key.is_none_or(|key| key.to_string() == text), "a key id displays as it was");

    assert_eq!(purpose.is_some(), (1..=64).contains(&text.len()) && text.bytes().all(purpose_byte));
    assert_eq!(cookie.is_some(), (1..=64).contains(&text.len()) && text.bytes().all(cookie_byte));
    assert_eq!(carrier, carrier_of(text), "a carrier is `header` or `cookie:` and a cookie's name");
    assert_eq!(session.is_some(), text.strip_prefix("s1.").is_some_and(|digits| lower_hex(digits, 32)));
    assert_eq!(key.is_some(), lower_hex(text, 6));
    if let Some((purpose, carrier)) = purpose.zip(Some(Carrier::Header)) {
        label_is_its_bytes(&Label { mode: Mode::Sealed, purpose, carrier });
    }
    if let Some(carrier) = carrier {
        label_is_its_bytes(&Label { mode: Mode::Signed, purpose: "session".parse().expect("a purpose"), carrier });
    }
}

/// `text` as a `T`, which is then shown as `text`.
fn round_trip<T: FromStr<Err: Display>>(text: &str, show: impl Fn(&T) -> String) -> Option<T> {
    match text.parse::<T>() {
        Ok(value) => {
            assert_eq!(show(&value), text);
            Some(value)
        }
        Err(error) => {
            let line = error.to_string();
            assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?} is one printable line");
            None
        }
    }
}

/// No two labels share their bytes: they can be taken apart again.
fn label_is_its_bytes(label: &Label) {
    for (part, name) in [(Use::Token, ["seal", "sign"]), (Use::Rnd, ["seal-rnd", "sign-rnd"])] {
        let info = String::from_utf8(label.info(part)).expect("labels are text");
        let fields: Vec<_> = info.split('\0').collect();
        let name = name[usize::from(label.mode == Mode::Signed)];
        assert_eq!(fields, [&format!("waxseal/v1/{name}"), label.purpose.as_str(), &label.carrier.to_string()]);
    }
}

fn carrier_of(text: &str) -> Option<Carrier> {
    if text == "header" {
        return Some(Carrier::Header);
    }
    text.strip_prefix("cookie:")?.parse().ok().map(Carrier::Cookie)
}

fn lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn purpose_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'/' | b'-')
}

/// What a cookie's name may not hold, by exclusion: RFC 9110's delimiters, blanks and controls.
fn cookie_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte)
}
