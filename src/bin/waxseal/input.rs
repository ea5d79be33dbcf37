//! What comes in: durations, hexadecimal, and standard input in bounded amounts.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use waxseal::time::{Clock, SystemClock, Timestamp};
use waxseal::{KeyId, MAX_TEXT_LEN};

use crate::error::{CliError, Exit};

/// Reads `90`, `90s`, `15m`, `24h` or `30d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let (Some(unit), true) = (unit, digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty()) else {
        return Err("a duration is whole seconds, or a number with s, m, h or d, such as 90, 15m, 24h or 30d".into());
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| "a duration of more seconds than 64 bits can count".into())
}

/// Reads Unix seconds or RFC 3339.
pub(crate) fn date(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    seconds.map(Timestamp::from_unix).or_else(|| Timestamp::from_rfc3339(text)).ok_or_else(|| {
        "an instant is Unix seconds or a date with its time and zone, such as 1786000000 or 2026-08-06T07:06:40Z".into()
    })
}

/// An instant until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Now,
}

/// Reads an instant or `now`.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" { Ok(Moment::Now) } else { date(text).map(Moment::At).map_err(|error| format!("{error}, or now")) }
}

/// Reads the id of a key.
pub(crate) fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::from_hex(text)
        .ok_or_else(|| "a key id is six digits 0-9 a-f in lower case, as `waxseal keys list` shows it".into())
}

/// The instant asked for, or the machine's.
pub(crate) fn instant(asked: Option<u64>) -> Timestamp {
    asked.map_or_else(|| SystemClock::new(Duration::from_secs(1)).now(), Timestamp::from_unix)
}

/// The bytes of the hexadecimal given to `flag`. The text itself may be secret and is not repeated.
pub(crate) fn hex(flag: &str, text: &[u8]) -> Result<Vec<u8>, CliError> {
    let wrong =
        |what: String| CliError::new(Exit::Usage, "usage", what).advise("give two digits 0-9 a-f for each byte");
    if let Some(at) = text.iter().position(|digit| !digit.is_ascii_hexdigit()) {
        return Err(wrong(format!("{flag} is not hexadecimal: character {} is no digit", at + 1)));
    }
    if text.len() % 2 == 1 {
        return Err(wrong(format!("{flag} is not hexadecimal: it has an odd number of digits, {}", text.len())));
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    Ok(text.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect())
}

/// The state: hexadecimal from the flag, or from standard input with any white space in it.
pub(crate) fn body(flag: &str) -> Result<Vec<u8>, CliError> {
    if flag != "-" {
        return hex("--body", flag.as_bytes());
    }
    let Some(mut text) = read_input()? else {
        let what = format!("standard input has more than {MAX_INPUT} bytes, and the state of a token at most 2961");
        return Err(CliError::new(Exit::Failed, "too_long", what).advise("make the state smaller"));
    };
    if text.is_empty() {
        return Err(CliError::new(Exit::Usage, "usage", "standard input is empty".into())
            .advise("pipe the state's hex in, or give `--body ''` for a state of no bytes"));
    }
    text.retain(|byte| !byte.is_ascii_whitespace());
    hex("the state on standard input", &text)
}

/// The token: the argument, or standard input without one newline at its end.
pub(crate) fn token(argument: Option<&OsStr>) -> Result<Vec<u8>, CliError> {
    if let Some(argument) = argument.filter(|&argument| argument != "-") {
        return Ok(argument.as_encoded_bytes().to_vec());
    }
    let refused = |what: String| CliError::new(Exit::Refused, "length", what);
    let Some(mut text) = read_input()? else {
        let what = format!("standard input has more than {MAX_INPUT} bytes, and a token at most {MAX_TEXT_LEN}");
        return Err(refused(what).advise("pass one token and nothing else"));
    };
    if text.is_empty() {
        return Err(refused("there is no token: standard input is empty".into())
            .advise("pipe the token in, or give it as the last argument"));
    }
    text.pop_if(|last| *last == b'\n');
    Ok(text)
}

/// Standard input; `None` if it is longer than anything that could be meant.
fn read_input() -> Result<Option<Vec<u8>>, CliError> {
    standard(MAX_INPUT)
}

/// At most `most` bytes of standard input; `None` if there are more.
pub(crate) fn standard(most: u64) -> Result<Option<Vec<u8>>, CliError> {
    let input = io::stdin();
    if input.is_terminal() {
        crate::show::note("waxseal: reading from the terminal; end with Enter and Ctrl-D");
    }
    let mut bytes = Vec::new();
    input.lock().take(most + 1).read_to_end(&mut bytes).map_err(|error| {
        CliError::new(Exit::Failed, "input", format!("cannot read standard input: {error}"))
            .advise("pipe in what is to be read")
    })?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
}

/// Most bytes read from standard input; a token has at most 4000 and a state 5922 digits.
const MAX_INPUT: u64 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_to_the_second() {
        for (text, seconds) in
            [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000), ("007", 7)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in [
            "",
            "s",
            "d",
            "-1",
            "+1",
            "1.5h",
            "1h30m",
            "1 h",
            " 1",
            "1\n",
            "1w",
            "1D",
            "1ms",
            "1hh",
            "٣",
            "1٣",
            "18446744073709551616",
            "18446744073709551615d",
        ] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn instants_are_read_in_two_ways() {
        let at = Timestamp::from_unix(1_786_000_000);
        for text in ["1786000000", "2026-08-06T07:06:40Z"] {
            assert_eq!((date(text), moment(text)), (Ok(at), Ok(Moment::At(at))), "{text}");
        }
        assert_eq!(moment("now"), Ok(Moment::Now));
        for bad in ["", "now ", "+1786000000", "-1", "2026-08-06", "99999999999999999999"] {
            assert!(date(bad).is_err() && moment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_id_is_six_digits() {
        assert!(key_id("72c05b").is_ok());
        for bad in ["", "72c05", "72c05b0", "72C05B", "72c05g", "0x72c0"] {
            assert!(key_id(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hexadecimal_is_whole_bytes() {
        assert_eq!(hex("--x", b"00aAfF").unwrap(), [0, 0xaa, 0xff]);
        assert!(hex("--x", b"").unwrap().is_empty());
        for bad in [&b"0"[..], b"0g", b"0x00", b"00 00", b"\xff\xff"] {
            assert!(hex("--x", bad).is_err(), "{bad:?}");
        }
    }
}
