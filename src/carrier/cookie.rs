//! One cookie out of a hostile `Cookie` field, byte by byte.
//!
//! A general parser would decode percent signs, trim Unicode blanks or strip quotes, and each of these
//! turns a name that a sibling site may set into one that it may not: `__%48ost-id` into `__Host-id`.
//! So names are compared as raw bytes, and a value is what stands between `=` and `;`.
//!
//! 1. Every `Cookie` field counts; HTTP/2 sends several.
//! 2. A field is split on `;`. Each piece loses its spaces and tabs at both ends; its name is all before
//!    the first `=`. A piece without `=` is nobody's.
//! 3. The same name twice with the same value is one cookie. With two values it is a conflict: no
//!    conforming browser sends that for a `__Host-` cookie, and neither the first nor the last is right.
//! 4. More than 16 KiB or 200 pieces are not searched.

use core::fmt;

/// What a search for one cookie found. Its `Debug` shows no value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing, or an empty value.
    #[default]
    Absent,
    /// Two different values.
    Conflict,
    /// The fields are too long to be searched.
    TooMuch,
    /// One value.
    Value(&'a [u8]),
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Conflict => "Conflict",
            Self::TooMuch => "TooMuch",
            Self::Value(_) => "Value(..)",
        })
    }
}

/// Searches the `Cookie` fields of a request for the cookie called `name`, case-sensitively.
pub fn find<'a>(fields: impl IntoIterator<Item = &'a [u8]>, name: &str) -> Found<'a> {
    let mut search = Search::default();
    fields.into_iter().for_each(|field| search.see(field, name.as_bytes()));
    search.found
}

/// A search in progress: the fields come one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Search<'a> {
    bytes: usize,
    pieces: usize,
    pub(super) found: Found<'a>,
}

impl<'a> Search<'a> {
    pub(super) fn see(&mut self, field: &'a [u8], name: &[u8]) {
        self.bytes = self.bytes.saturating_add(field.len());
        if self.bytes > MAX_BYTES {
            self.found = Found::TooMuch;
        }
        let mut rest = Some(field);
        while let Some((piece, left)) = rest.map(cut) {
            rest = left;
            if self.found == Found::TooMuch {
                return;
            }
            self.pieces += 1;
            if self.pieces > MAX_PIECES {
                self.found = Found::TooMuch;
            } else if let Some(value) = value_of(piece, name) {
                self.take(value);
            }
        }
    }

    fn take(&mut self, value: &'a [u8]) {
        self.found = match self.found {
            Found::Absent => Found::Value(value),
            Found::Value(known) if known == value => self.found,
            _ => Found::Conflict,
        }
    }
}

/// What stands before the first `;`, and what behind it if there is one.
fn cut(field: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b';', field) {
        Some(at) => (&field[..at], Some(&field[at + 1..])),
        None => (field, None),
    }
}

/// The value in `piece` if its name is `name`; an empty value is none.
fn value_of<'a>(piece: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut piece = piece;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = piece {
        piece = rest;
    }
    match piece.strip_prefix(name)? {
        [b'=', value @ ..] if !value.is_empty() => Some(value),
        _ => None,
    }
}

/// Most bytes of all fields together, 16 KiB: what HTTP/2 servers accept by default for a whole head.
const MAX_BYTES: usize = 16 * 1024;

/// Most pieces of all fields together: browsers keep about 180 cookies for a site.
const MAX_PIECES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn search<'a>(fields: &[&'a [u8]]) -> Found<'a> {
        find(fields.iter().copied(), "id")
    }

    #[test]
    fn one_cookie_is_found_among_others() {
        for fields in [
            &[&b"id=A"[..]][..],
            &[b"a=1; id=A; b=2"],
            &[b" \tid=A\t "],
            &[b"id=A;;;"],
            &[b"a=1", b"id=A", b"b=2"],
            &[b"id=A", b"id=A"],
            &[b"id=A; id=A"],
            &[b"id=; id=A"],
            &[b"$Version=1; id=A"],
            &[b"a=\xe9\xff; id=A"],
            &[b"a=\xc3\xa9", b"id=A"],
        ] {
            assert_eq!(search(fields), Found::Value(b"A"), "{}", fields[0].escape_ascii());
        }
        assert_eq!(search(&[b"id=A=B"]), Found::Value(b"A=B"));
    }

    #[test]
    fn what_only_looks_like_it_is_not_it() {
        for field in [
            &b""[..],
            b";;;",
            b"id",
            b"=id",
            b"=A",
            b"id=",
            b"ID=A",
            b"Id=A",
            b"id =A",
            b"id\t=A",
            b"\xc2\xa0id=A",
            b"\xe2\x80\x80id=A",
            b"\xc2\x85id=A",
            b"\x0bid=A",
            b"%69d=A",
            b"xid=A",
            b"x=1,id=A",
            b"x=\"; ide=A\"",
            b"id%3dA",
        ] {
            assert_eq!(search(&[field]), Found::Absent, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn nothing_is_decoded_or_stripped_from_a_value() {
        for value in ["\"A\"", "A%00", " A", "A,B", "A B", "\u{e9}", "A\0"] {
            let field = format!("id={value}");
            assert_eq!(search(&[field.as_bytes()]), Found::Value(value.as_bytes()));
        }
    }

    #[test]
    fn two_values_are_a_conflict_wherever_they_stand() {
        for fields in [
            &[&b"id=A; id=B"[..]][..],
            &[b"id=A", b"id=B"],
            &[b"id=A; id=B; id=A"],
            &[b"id=B; x=1; id=A"],
            &[b"id=A; id=\"A\""],
        ] {
            assert_eq!(search(fields), Found::Conflict);
        }
    }

    #[test]
    fn the_search_ends_at_its_limits() {
        let long = |bytes: usize| [&b"id=A; x="[..], &vec![b'y'; bytes - 8]].concat();
        assert_eq!(search(&[&long(MAX_BYTES)]), Found::Value(b"A"));
        assert_eq!(search(&[&long(MAX_BYTES + 1)]), Found::TooMuch);
        assert_eq!(search(&[&long(MAX_BYTES), b"x"]), Found::TooMuch);
        assert_eq!(search(&[&long(500_000)]), Found::TooMuch);
        let pieces = |count: usize| [&b"id=A"[..], &b";x=1".repeat(count - 1)].concat();
        assert_eq!(search(&[&pieces(MAX_PIECES)]), Found::Value(b"A"));
        assert_eq!(search(&[&pieces(MAX_PIECES + 1)]), Found::TooMuch);
        assert_eq!(search(&[&pieces(MAX_PIECES), b"x"]), Found::TooMuch);
    }

    /// The rules once more, as slowly and plainly as they can be written.
    fn slow(fields: &[Vec<u8>]) -> Option<Vec<u8>> {
        let pieces: Vec<_> = fields.iter().flat_map(|field| field.split(|&byte| byte == b';')).collect();
        if pieces.len() > 200 || fields.iter().map(Vec::len).sum::<usize>() > 16_384 {
            return None;
        }
        let mut values: Vec<Vec<u8>> = vec![];
        for piece in pieces {
            // Latin-1, so that no byte is lost and no byte but the two blanks is trimmed.
            let text: String = piece.iter().map(|&byte| char::from(byte)).collect();
            if let Some((name, value)) = text.trim_matches([' ', '\t']).split_once('=')
                && name == "id"
                && !value.is_empty()
            {
                values.push(value.chars().map(|char| char as u8).collect());
            }
        }
        values.dedup();
        if values.len() == 1 { values.pop() } else { None }
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_the_slow_one(
            fields in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(prop::sample::select(&b"id=; \tAB\"%\xa0,"[..]), 0..24),
                    prop::collection::vec(any::<u8>(), 0..40),
                    "(id=[AB]{1,2}(; ?)?){0,4}".prop_map(String::into_bytes),
                ],
                0..4,
            ),
        ) {
            let found = match find(fields.iter().map(Vec::as_slice), "id") {
                Found::Value(value) => Some(value.to_vec()),
                _ => None,
            };
            prop_assert_eq!(found, slow(&fields));
        }
    }
}
