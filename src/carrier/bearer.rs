//! The token in an `Authorization` field: one field, one scheme, one token, or nothing of ours.

use core::fmt;

use crate::id::is_token_character;

/// What the `Authorization` fields of a request hold. Its `Debug` shows no token.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// No such field.
    #[default]
    Absent,
    /// Another scheme, or a bearer token that is not ours.
    Foreign,
    /// The scheme is Bearer, and what follows is not one token of RFC 6750, section 2.1.
    Malformed,
    /// Several fields. The field may stand only once: RFC 9110, section 11.6.2.
    Several,
    /// A bearer token that begins as ours do.
    Token(&'a [u8]),
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Foreign => "Foreign",
            Self::Malformed => "Malformed",
            Self::Several => "Several",
            Self::Token(_) => "Token(..)",
        })
    }
}

/// Reads every `Authorization` field of a request.
///
/// `prefix` is what our tokens begin with, if the sealer has one. Without one, a token is ours if its
/// first byte says so; a JWT, for one, does not.
pub fn read<'a>(fields: impl IntoIterator<Item = &'a [u8]>, prefix: Option<&str>) -> Authorization<'a> {
    fields.into_iter().fold(Authorization::Absent, |seen, field| seen.and(field, prefix))
}

impl<'a> Authorization<'a> {
    /// What is known once `field` was seen as well.
    pub(super) fn and(self, field: &'a [u8], prefix: Option<&str>) -> Self {
        if self == Self::Absent { one(field, prefix) } else { Self::Several }
    }
}

fn one<'a>(field: &'a [u8], prefix: Option<&str>) -> Authorization<'a> {
    let end = field.iter().position(|&byte| !is_token_character(byte)).unwrap_or(field.len());
    let (scheme, rest) = field.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Authorization::Foreign;
    }
    let start = rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len());
    let token = &rest[start..];
    if start == 0 || !is_token68(token) {
        Authorization::Malformed
    } else if is_ours(token, prefix) {
        Authorization::Token(token)
    } else {
        Authorization::Foreign
    }
}

/// RFC 9110, section 11.2; RFC 6750 calls it `b64token`.
fn is_token68(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|&&byte| byte == b'=').count();
    let text = &token[..token.len() - padding];
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
}

/// Whether a token begins as ours do: with the prefix, or with a first byte of 11 or 12.
///
/// These are 000100 01.... and 000100 10.... in base64url: an `E`, and a second character worth 16 to 47.
fn is_ours(token: &[u8], prefix: Option<&str>) -> bool {
    match prefix {
        Some(prefix) => token.starts_with(prefix.as_bytes()),
        None => matches!(token, [b'E', b'Q'..=b'Z' | b'a'..=b'v', ..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn field(field: &str) -> Authorization<'_> {
        read([field.as_bytes()], None)
    }

    #[test]
    fn the_scheme_counts_in_any_case_and_the_token_as_it_is() {
        for text in ["Bearer EQab-_", "bearer EQab-_", "BEARER   EQab-_"] {
            assert_eq!(field(text), Authorization::Token(b"EQab-_"), "{text}");
        }
        assert_eq!(field("Bearer EQ=="), Authorization::Token(b"EQ=="), "malformed for us, but a token");
    }

    #[test]
    fn what_is_not_one_token_is_malformed() {
        for text in [
            "Bearer",
            "Bearer ",
            "Bearer    ",
            "Bearer\tEQab",
            "Bearer \tEQab",
            "Bearer EQab ",
            "Bearer EQab EQab",
            "Bearer EQab,",
            "Bearer EQab, x=y",
            "Bearer realm=\"x\"",
            "Bearer =",
            "Bearer EQ=ab",
            "Bearer EQab\u{e9}",
            "Bearer \"EQab\"",
            "Bearer,EQab",
            "Bearer=EQab",
        ] {
            assert_eq!(field(text), Authorization::Malformed, "{text}");
        }
        assert_eq!(read([&b"Bearer \xff"[..]], None), Authorization::Malformed);
    }

    #[test]
    fn other_schemes_and_other_tokens_are_foreign() {
        for text in [
            "",
            "Basic YWRhOg==",
            "Bearerer EQab",
            "Bearer_x EQab",
            "Bear EQab",
            "EQab",
            "Digest a=\"b\"",
            "Negotiate",
            " Bearer EQab",
        ] {
            assert_eq!(field(text), Authorization::Foreign, "{text}");
        }
        for text in ["Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Bearer ghp_abc", "Bearer E", "Bearer EP", "Bearer Ew"] {
            assert_eq!(field(text), Authorization::Foreign, "{text}");
        }
    }

    #[test]
    fn two_fields_are_one_too_many() {
        for pair in [["Bearer EQab", "Bearer EQab"], ["Basic x", "Bearer EQab"], ["Bearer EQab", ""]] {
            assert_eq!(read(pair.map(str::as_bytes), None), Authorization::Several, "{pair:?}");
        }
    }

    #[test]
    fn with_a_prefix_only_the_prefix_is_ours() {
        let read = |text: &'static str| read([text.as_bytes()], Some("shop_"));
        assert_eq!(read("Bearer shop_EQab"), Authorization::Token(b"shop_EQab"));
        assert_eq!(read("Bearer shop_"), Authorization::Token(b"shop_"));
        assert_eq!(read("Bearer EQab"), Authorization::Foreign);
        assert_eq!(read("Bearer Shop_EQab"), Authorization::Foreign);
    }

    /// All first bytes, in all spellings of their first two characters.
    #[test]
    fn ours_are_the_tokens_that_decode_to_11_or_12() {
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                let mut token = String::new();
                text::encode(&[first, second, 0], &mut token);
                assert_eq!(is_ours(token.as_bytes(), None), matches!(first, 0x11 | 0x12), "{token}");
            }
        }
    }
}
