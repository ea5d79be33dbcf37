//! What a browser asks of every site: Do Not Track and Global Privacy Control.

/// The two signals, as one request carries them.
///
/// They are read anew on every request and never kept: a user may switch either at any time. Page
/// script can forge neither, since browsers forbid it to set these fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signals {
    /// Do Not Track: on, explicitly off, or not set. W3C Tracking Preference Expression, section 5.2.
    pub dnt: Option<bool>,
    /// Global Privacy Control. W3C Global Privacy Control, `Sec-GPC`.
    pub gpc: bool,
}

impl Signals {
    /// Reads every `DNT` and every `Sec-GPC` field of a request.
    pub fn read<'a>(dnt: impl IntoIterator<Item = &'a [u8]>, gpc: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut signals = Self::default();
        dnt.into_iter().for_each(|field| signals.see_dnt(field));
        gpc.into_iter().for_each(|field| signals.see_gpc(field));
        signals
    }

    /// The first character decides, since what follows it are extensions; a `1` among several fields wins.
    pub(super) fn see_dnt(&mut self, field: &[u8]) {
        match trim(field).first() {
            Some(b'1') => self.dnt = Some(true),
            Some(b'0') if self.dnt.is_none() => self.dnt = Some(false),
            _ => {}
        }
    }

    /// Exactly `1` and nothing else; one such field among several is enough.
    pub(super) fn see_gpc(&mut self, field: &[u8]) {
        self.gpc |= trim(field) == b"1";
    }
}

/// Without the blanks of RFC 9110, OWS, at both ends.
fn trim(field: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &field[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dnt_is_its_first_character() {
        for (fields, expected) in [
            (&[][..], None),
            (&["1"], Some(true)),
            (&["1xyz"], Some(true)),
            (&[" \t1"], Some(true)),
            (&["0"], Some(false)),
            (&["0;1"], Some(false)),
            (&["null"], None),
            (&[""], None),
            (&["2"], None),
            (&["yes"], None),
            (&["\u{a0}1"], None),
            (&["0", "1"], Some(true)),
            (&["1", "0"], Some(true)),
            (&["null", "0"], Some(false)),
        ] {
            let read = Signals::read(fields.iter().map(|field| field.as_bytes()), []);
            assert_eq!(read, Signals { dnt: expected, gpc: false }, "{fields:?}");
        }
    }

    #[test]
    fn gpc_is_exactly_one() {
        for (fields, expected) in [
            (&[][..], false),
            (&["1"], true),
            (&["\t1 "], true),
            (&["0"], false),
            (&["?1"], false),
            (&["true"], false),
            (&["01"], false),
            (&["1, 1"], false),
            (&["1;q=1"], false),
            (&[""], false),
            (&["0", "1"], true),
            (&["1", "0"], true),
        ] {
            let read = Signals::read([], fields.iter().map(|field| field.as_bytes()));
            assert_eq!(read, Signals { dnt: None, gpc: expected }, "{fields:?}");
        }
    }

    #[test]
    fn neither_signal_cancels_the_other() {
        assert_eq!(Signals::read([&b"0"[..]], [&b"1"[..]]), Signals { dnt: Some(false), gpc: true });
    }
}
