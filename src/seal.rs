//! A token closed and opened: ring, layout and primitives together, bytes in and bytes out.
//!
//! What a session is, and which times are acceptable, is decided above.

use crate::crypto::{Forged, NONCE_LEN, Random, RandomError, TAG_LEN, next_draw};
use crate::id::RND_LEN;
use crate::keys::Subkeys;
use crate::token::{HEADER_LEN, Header, Parts};

/// Longest context, in bytes.
pub const MAX_CONTEXT_LEN: usize = 1024;

/// Closes `token`, which holds [`HEADER_LEN`] bytes of room and then the plaintext: draws `rnd`, writes
/// the header, encrypts if the mode is sealed, appends the tag. Returns the `rnd` drawn.
///
/// `context` is at most [`MAX_CONTEXT_LEN`] bytes.
///
/// # Errors
/// The operating system gave no random bytes; then there is no token.
pub(crate) fn close(
    subkeys: &Subkeys,
    header: Header,
    context: &[u8],
    token: &mut Vec<u8>,
    random: &dyn Random,
) -> Result<[u8; RND_LEN], RandomError> {
    let mut drawn = [0; DRAWN_LEN];
    random.fill(&mut drawn)?;
    Ok(close_drawn(subkeys, header, context, token, &drawn, next_draw()))
}

/// [`close`] with what was drawn: apart for the vectors' sake. FORMAT.md, "Sealed", "Signed", "rnd".
fn close_drawn(
    subkeys: &Subkeys,
    mut header: Header,
    context: &[u8],
    token: &mut Vec<u8>,
    drawn: &[u8; DRAWN_LEN],
    draw: u64,
) -> [u8; RND_LEN] {
    let context_len = (context.len() as u64).to_le_bytes();
    let (Subkeys::Sealed { rnd, .. } | Subkeys::Signed { rnd, .. }) = subkeys;
    header.rnd = rnd.tag(&[drawn, &draw.to_le_bytes(), &header.fixed(), &context_len, context, &token[HEADER_LEN..]]);
    let bytes = header.to_bytes();
    token[..HEADER_LEN].copy_from_slice(&bytes);
    let body = &mut token[HEADER_LEN..];
    let tag: [u8; TAG_LEN] = match subkeys {
        Subkeys::Sealed { key, .. } => {
            with_associated_data(&bytes, context, |associated_data| key.seal(&nonce(&bytes), associated_data, body))
        }
        Subkeys::Signed { key, .. } => key.tag(&[&bytes, &context_len, context, body]),
    };
    token.extend_from_slice(&tag);
    header.rnd
}

/// Verifies the tag of a token, and decrypts its body in place if the mode is sealed.
///
/// # Errors
/// The tag does not verify, or there is no room for one; nothing was decrypted.
pub(crate) fn open(subkeys: &Subkeys, context: &[u8], token: &mut [u8]) -> Result<(), Forged> {
    let Parts { header, body, tag } = Parts::split(token).ok_or(Forged)?;
    match subkeys {
        Subkeys::Sealed { key, .. } => with_associated_data(header, context, |associated_data| {
            key.open(&nonce(header), associated_data, body, tag)
        }),
        Subkeys::Signed { key, .. } => {
            let context_len = (context.len() as u64).to_le_bytes();
            let verified = key.verify(&[header, &context_len, context, body], tag);
            if verified { Ok(()) } else { Err(Forged) }
        }
    }
}

/// The header and four zero bytes: unique because the header is.
fn nonce(header: &[u8; HEADER_LEN]) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..HEADER_LEN].copy_from_slice(header);
    nonce
}

/// Calls `then` with the header and the context in one piece, without an allocation.
fn with_associated_data<R>(header: &[u8; HEADER_LEN], context: &[u8], then: impl FnOnce(&[u8]) -> R) -> R {
    if context.is_empty() {
        return then(header);
    }
    let mut joined = [0; HEADER_LEN + MAX_CONTEXT_LEN];
    joined[..HEADER_LEN].copy_from_slice(header);
    joined[HEADER_LEN..HEADER_LEN + context.len()].copy_from_slice(context);
    then(&joined[..HEADER_LEN + context.len()])
}

/// Bytes asked of the operating system for each token.
const DRAWN_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Prk;
    use crate::id::{Carrier, KeyId, Label, Mode};
    use crate::text;
    use proptest::prelude::*;

    fn subkeys(mode: Mode, carrier: &str) -> Subkeys {
        let key: [u8; 32] = core::array::from_fn(|index| index as u8);
        let label = Label { mode, purpose: "session".parse().unwrap(), carrier: carrier.parse::<Carrier>().unwrap() };
        Subkeys::derive(&Prk::extract(b"waxseal/v1", &key), &label)
    }

    fn closed(mode: Mode, carrier: &str, issued_at: u32, context: &[u8], plaintext: &[u8], draw: u64) -> Vec<u8> {
        let header = Header::new(mode, KeyId::from_hex("0fa8a5").unwrap(), issued_at);
        let mut token = [&[0; HEADER_LEN][..], plaintext].concat();
        close_drawn(&subkeys(mode, carrier), header, context, &mut token, &[0xa5; 16], draw);
        token
    }

    fn opened(mode: Mode, carrier: &str, context: &[u8], token: &[u8]) -> Option<Vec<u8>> {
        let mut token = token.to_vec();
        open(&subkeys(mode, carrier), context, &mut token).ok()?;
        Some(token[HEADER_LEN..token.len() - TAG_LEN].to_vec())
    }

    /// The reference run of FORMAT.md, Examples 1 to 4.
    #[test]
    fn the_reference_run() {
        let plaintext = [0x02, 0x90, 0x1c, 0x00, 0xd2, 0x85, 0xd8, 0xcc, 0x04, 0xb1, 0xa8, 0x03, 0x81, 0x04];
        let renewed = [
            &[0x02, 0x90, 0x1c, 0xd9, 0x04],
            &plaintext[..0],
            &[0x15, 0x60, 0xfc, 0xb2, 0x2f, 0xd0, 0x75, 0xb3, 0x57, 0xe9, 0xc9, 0x4a],
            &plaintext[4..],
        ]
        .concat();
        let run = |mode, carrier, issued_at, plaintext: &[u8], draw| {
            let mut text = String::new();
            text::encode(&closed(mode, carrier, issued_at, b"tenant-7", plaintext, draw), &mut text);
            text
        };
        let at = 1_786_000_000;
        assert_eq!(
            run(Mode::Sealed, "header", at, &plaintext, 7),
            "EQ-opWp0MoAVYPyyL9B1s1fpyUo2YhWBHz6uIYF99kR0E1VH_YOSH1sNgy-whgjf3M0"
        );
        assert_eq!(
            run(Mode::Sealed, "cookie:__Host-Http-id", at, &plaintext, 7),
            "EQ-opWp0MoDvIop2goIajTnPM1dSjAcUxfp1aq8RorZexQDDXndy-9OMmAkf6ne6nCw"
        );
        assert_eq!(
            run(Mode::Signed, "header", at, &plaintext, 7),
            "Eg-opWp0MoB04GGP1J047VqGqNUCkBwA0oXYzASxqAOBBGy9KaBFnHzZ559qLa3wvlY"
        );
        assert_eq!(
            run(Mode::Sealed, "header", at + 600, &renewed, 8),
            "EQ-opWp0NNgS5ZVC-vFKT-RsQKHYYaq8c6UAuvqEpVsLR-yrx5WQKxX6LmAUcDQTdBLP8CNaGgrHeMm9p0SZ"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        for mode in [Mode::Sealed, Mode::Signed] {
            let token = closed(mode, "header", 1_786_000_000, b"context", b"who they are", 1);
            assert_eq!(opened(mode, "header", b"context", &token).unwrap(), b"who they are");
            for bit in 0..8 * token.len() {
                let mut changed = token.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(opened(mode, "header", b"context", &changed), None, "bit {bit}");
            }
            for end in 0..token.len() {
                assert_eq!(opened(mode, "header", b"context", &token[..end]), None, "cut to {end}");
            }
            for extra in 1..=64 {
                assert_eq!(opened(mode, "header", b"context", &[&token[..], &vec![0; extra]].concat()), None);
            }
        }
    }

    #[test]
    fn mode_carrier_and_context_are_bound() {
        let token = closed(Mode::Sealed, "header", 1, b"tenant-7", b"who they are", 1);
        assert_eq!(opened(Mode::Signed, "header", b"tenant-7", &token), None);
        assert_eq!(opened(Mode::Sealed, "cookie:id", b"tenant-7", &token), None);
        for other in [&b""[..], b"tenant-", b"tenant-77", b"tenant-8"] {
            assert_eq!(opened(Mode::Sealed, "header", other, &token), None);
        }
        let signed = closed(Mode::Signed, "header", 1, b"ab", b"cdef", 1);
        let moved = [&signed[..HEADER_LEN], b"bcdef", &signed[HEADER_LEN + 4..]].concat();
        assert_eq!(opened(Mode::Signed, "header", b"a", &moved), None, "a byte moved from context to body");
    }

    fn rnd(mode: Mode, header: [u8; 8], context: &[u8], plaintext: &[u8], draw: u64) -> [u8; RND_LEN] {
        let [_, a, b, c, d, e, f, g] = header;
        let header = Header::new(mode, KeyId::from_bytes([a, b, c]), u32::from_be_bytes([d, e, f, g]));
        let mut token = [&[0; HEADER_LEN][..], plaintext].concat();
        close_drawn(&subkeys(mode, "header"), header, context, &mut token, &[0; 16], draw)
    }

    type Inputs = ([u8; 8], Vec<u8>, Vec<u8>, u64);

    proptest! {
        /// A stuck generator and counter repeat an `rnd` only for the same token.
        #[test]
        fn with_a_constant_generator_rnd_still_differs_when_anything_does(
            one in any::<Inputs>(), other in any::<Inputs>(), pick in 0_u8..16, signed: bool,
        ) {
            let mode = if signed { Mode::Signed } else { Mode::Sealed };
            // Each part is either shared or not, so that inputs differ in one part only as well.
            let two: Inputs = (
                if pick & 1 == 0 { one.0 } else { other.0 },
                if pick & 2 == 0 { one.1.clone() } else { other.1 },
                if pick & 4 == 0 { one.2.clone() } else { other.2 },
                if pick & 8 == 0 { one.3 } else { other.3 },
            );
            let named = |inputs: &Inputs| ([&inputs.0[1..]].concat(), inputs.1.clone(), inputs.2.clone(), inputs.3);
            let draw = |inputs: &Inputs| rnd(mode, inputs.0, &inputs.1, &inputs.2, inputs.3);
            prop_assert_eq!(named(&one) == named(&two), draw(&one) == draw(&two));
        }

        #[test]
        fn what_is_closed_opens(
            context in prop::collection::vec(any::<u8>(), 0..64),
            plaintext in prop::collection::vec(any::<u8>(), 0..300),
            issued_at: u32,
            signed: bool,
        ) {
            let mode = if signed { Mode::Signed } else { Mode::Sealed };
            let token = closed(mode, "header", issued_at, &context, &plaintext, 1);
            prop_assert_eq!(token.len(), HEADER_LEN + plaintext.len() + TAG_LEN);
            prop_assert_eq!(opened(mode, "header", &context, &token), Some(plaintext));
        }
    }
}
