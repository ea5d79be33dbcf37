//! How long the token of a state can become.

use std::any::type_name;

use crate::state::{SchemaError, SessionState, encode};

/// Asserts that no token of `state` is ever longer than `max_chars` characters. See the [module docs](super).
///
/// Give the largest state that your application allows. Counted is what [`longest_token`] counts.
///
/// # Panics
/// - a token of `state` can be longer than `max_chars`
/// - `state` cannot be serialized
#[track_caller]
pub fn assert_budget<T: SessionState>(state: &T, max_chars: usize) {
    if let Err(message) = check(state, max_chars) {
        panic!("{message}");
    }
}

/// Characters of the longest token that `state` can have in its life, in its own schema.
///
/// A renewal adds where the session began, and numbers grow with a longer lifetime; both are counted at their
/// largest. Not counted are padding, which adds at most 64 bytes, and a prefix of the text.
///
/// # Errors
/// `state` cannot be serialized.
///
/// Format: FORMAT.md, "P: claims and state".
pub fn longest_token<T: SessionState>(state: &T) -> Result<usize, SchemaError> {
    Ok(chars(around::<T>() + body_len(state)?))
}

fn check<T: SessionState>(state: &T, max_chars: usize) -> Result<(), String> {
    let name = type_name::<T>();
    let body = body_len(state).map_err(|error| format!("`{name}` cannot be sealed: {error}"))?;
    let longest = chars(around::<T>() + body);
    let excess = (around::<T>() + body).saturating_sub(bytes(max_chars));
    if excess == 0 {
        Ok(())
    } else if excess > body {
        let least = chars(around::<T>());
        Err(format!(
            "a budget of {max_chars} characters is too small for any `{name}`: with an empty body it takes {least}"
        ))
    } else {
        Err(format!(
            "the token of this `{name}` can take {longest} characters, and the budget is {max_chars}: \
             its body has {body} bytes, {excess} too many"
        ))
    }
}

fn body_len<T: SessionState>(state: &T) -> Result<usize, SchemaError> {
    let mut body = Vec::new();
    encode(state, &mut body)?;
    Ok(body.len())
}

/// Bytes of the longest token around the body of a `T`: overhead, head, ttl, origin and the first token's rnd.
fn around<T: SessionState>() -> usize {
    OVERHEAD + varint_len(2 * u32::from(T::SCHEMA)) + MAX_TTL_LEN + MAX_ORIGIN_LEN + RND_LEN
}

/// Bytes of `value` as LEB128, 7 bits a byte.
fn varint_len(value: u32) -> usize {
    (u32::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Characters of `bytes` bytes in unpadded base64url.
fn chars(bytes: usize) -> usize {
    (4 * bytes).div_ceil(3)
}

/// Most bytes that fit in `chars` characters of unpadded base64url.
fn bytes(chars: usize) -> usize {
    chars / 4 * 3 + chars % 4 * 3 / 4
}

// The numbers of format version 1, which do not change. `token` has them too, but it is on our floor.

/// Bytes of the header and the tag.
const OVERHEAD: usize = 36;

/// Bytes of a lifetime of 2^32 - 1 seconds.
const MAX_TTL_LEN: usize = 5;

/// Bytes of an age of 2^32 - 1 seconds, and one.
const MAX_ORIGIN_LEN: usize = 5;

/// Bytes of the first token's rnd.
const RND_LEN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Note(String);
    impl SessionState for Note {}

    fn note(body_len: usize) -> Note {
        Note("x".repeat(body_len - 1))
    }

    #[test]
    fn everything_is_counted_at_its_largest() {
        assert_eq!(longest_token(&note(1)), Ok(80), "36 + 1 + 5 + 5 + 12 + 1 = 60 bytes");
        assert_eq!(longest_token(&note(2)), Ok(82));
        assert_eq!(longest_token(&note(3)), Ok(83));
        assert_eq!(longest_token(&note(4)), Ok(84));
    }

    #[test]
    fn a_greater_schema_takes_more_bytes() {
        let lens = [1, 63, 64, 8191, 8192, u16::MAX].map(|schema| varint_len(2 * u32::from(schema)));
        assert_eq!(lens, [1, 1, 2, 2, 3, 3]);
        assert_eq!(varint_len(0), 1);
    }

    #[test]
    fn bytes_and_chars_are_each_others_inverse() {
        for n in 0..100 {
            assert_eq!(bytes(chars(n)), n);
            assert!(chars(bytes(n)) <= n && n < chars(bytes(n) + 1));
        }
        assert!(bytes(usize::MAX) > usize::MAX / 2, "no overflow");
    }

    #[test]
    fn the_budget_is_met_or_the_excess_is_named() {
        assert_eq!(check(&note(2), 82), Ok(()));
        assert_eq!(
            check(&note(30), 110).unwrap_err().replace(module_path!(), ""),
            "the token of this `::Note` can take 119 characters, and the budget is 110: \
             its body has 30 bytes, 7 too many"
        );
        assert_eq!(check(&note(23), 110), Ok(()), "7 bytes fewer");
        assert!(check(&note(24), 110).is_err(), "6 bytes fewer");
    }

    #[test]
    fn a_budget_below_an_empty_state_is_its_own_message() {
        assert_eq!(
            check(&note(1), 78).unwrap_err().replace(module_path!(), ""),
            "a budget of 78 characters is too small for any `::Note`: with an empty body it takes 79"
        );
    }

    #[test]
    fn a_state_that_refuses_is_named() {
        #[derive(Deserialize)]
        struct Mute;
        impl Serialize for Mute {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        impl SessionState for Mute {}
        let message = check(&Mute, 100).unwrap_err();
        assert!(message.ends_with("Mute` cannot be sealed: the type refuses to be serialized"), "{message}");
    }

    #[test]
    #[should_panic(expected = "can take 82 characters, and the budget is 81")]
    fn the_assertion_panics() {
        #[derive(Serialize, Deserialize)]
        struct Late(u8);
        impl SessionState for Late {
            const SCHEMA: u16 = 64;
        }
        assert_budget(&Late(1), 82);
        assert_budget(&Late(1), 81);
    }
}
