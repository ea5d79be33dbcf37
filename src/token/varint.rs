//! Minimal unsigned LEB128: one number, one spelling.

/// Appends `value`, 7 bits a byte, lowest first.
pub(super) fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number of at most `max` off the front of `bytes`.
///
/// `None` if the bytes end inside it, if it is above `max`, or if a shorter spelling exists.
/// `max` must be below 2^35, so that five bytes are always enough.
pub(super) fn read(bytes: &mut &[u8], max: u64) -> Option<u64> {
    debug_assert!(max < 1 << (7 * MAX_LEN));
    let mut value = 0;
    for index in 0..MAX_LEN {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let minimal = byte != 0 || index == 0;
            return (minimal && value <= max).then_some(value);
        }
    }
    None
}

/// Most bytes of a number here.
const MAX_LEN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: u64 = (1 << 35) - 1;

    #[test]
    fn other_spellings_are_refused() {
        for bad in
            [&[][..], &[0x80], &[0x80, 0x00], &[0xff, 0x80, 0x00], &[0x80; 5], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]]
        {
            assert_eq!(read(&mut &bad[..], MAX), None, "{bad:02x?}");
        }
        assert_eq!(read(&mut &[0x80, 0x01][..], 127), None, "above the limit");
        assert_eq!(read(&mut &[0x00][..], MAX), Some(0));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0..=MAX, rest: [u8; 2]) {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            bytes.extend(rest);
            let mut left = &bytes[..];
            prop_assert_eq!(read(&mut left, MAX), Some(value));
            prop_assert_eq!(left, rest);
        }

        #[test]
        fn what_is_read_is_written_the_same(bytes in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut left = &bytes[..];
            if let Some(value) = read(&mut left, MAX) {
                let mut again = Vec::new();
                write(value, &mut again);
                prop_assert_eq!(&again[..], &bytes[..bytes.len() - left.len()]);
            }
        }
    }
}
