//! What is bound into a token besides its bytes: purpose, carrier, context. FORMAT.md, "Keys" and "Token".

use super::super::hex;
use super::{Case, Cases};

pub(super) fn cases(cases: &mut Cases) {
    bound(cases);
    for (mode, set) in [("sealed", (|_| {}) as fn(&mut Case)), ("signed", Case::signed)] {
        contexts(cases, mode, set);
    }
}

fn bound(cases: &mut Cases) {
    let cookie = "cookie:__Host-Http-id";
    for (mode, set) in [("sealed", (|_| {}) as fn(&mut Case)), ("signed", Case::signed)] {
        let mut bound = |name: &str, expect: &str, comment: &str, edit: &dyn Fn(&mut Case)| {
            cases.open(&format!("{name}_{mode}"), expect, comment, |case| {
                set(case);
                edit(case);
            });
        };
        bound("carrier_cookie", "open", "A cookie's token given to the reader of that cookie.", &|case| {
            case.forge.carrier = cookie.into();
            case.reader.carrier = cookie.into();
        });
        bound("carrier_cookie_for_header", "forged", "A cookie's token given to the header reader.", &|case| {
            case.forge.carrier = cookie.into();
        });
        bound("carrier_header_for_cookie", "forged", "A header's token given to a cookie's reader.", &|case| {
            case.reader.carrier = cookie.into();
        });
        bound("carrier_cookie_case", "forged", "The case of the cookie's name differs.", &|case| {
            case.forge.carrier = cookie.to_lowercase();
            case.reader.carrier = cookie.into();
        });
        bound("carrier_cookie_prefix", "forged", "The name of the cookie lacks its `__Host-Http-`.", &|case| {
            case.forge.carrier = "cookie:id".into();
            case.reader.carrier = cookie.into();
        });
        bound("purpose_other", "forged", "The reader has another purpose.", &|case| {
            case.reader.purpose = "reset".into();
        });
        bound("purpose_longer", "forged", "The reader's purpose begins with the token's.", &|case| {
            case.reader.purpose = "session2".into();
        });
    }
    cases.open("purpose_64", "open", "The longest purpose.", |case| {
        case.forge.purpose = "abcdefghijklmnopqrstuvwxyz0123456789._/-".repeat(2)[..64].into();
        case.reader.purpose.clone_from(&case.forge.purpose);
    });
    cases.open("carrier_cookie_called_header", "forged", "A cookie called `header` is not the header.", |case| {
        case.forge.carrier = "cookie:header".into();
    });
    cases.open("carrier_cookie_64", "open", "The longest name of a cookie, with every sign it may have.", |case| {
        let name = format!("{}!#$%&'*+-.^_`|~", "aZ09".repeat(13));
        case.forge.carrier = format!("cookie:{}", &name[..64]);
        case.reader.carrier.clone_from(&case.forge.carrier);
    });
}

fn contexts(cases: &mut Cases, mode: &str, set: fn(&mut Case)) {
    let mut context = |name: &str, expect: &str, comment: &str, edit: &dyn Fn(&mut Case)| {
        cases.open(&format!("context_{name}_{mode}"), expect, comment, |case| {
            set(case);
            edit(case);
        });
    };
    context("none", "open", "No context on both sides.", &|case| case.context(b""));
    context("1024", "open", "The longest context.", &|case| case.context(&[0xc7; 1024]));
    context("nul", "open", "A context of one byte 00.", &|case| case.context(&[0]));
    let mut differs = |name: &str, comment: &str, reader: &[u8]| {
        context(name, "forged", comment, &|case| case.reader.context = hex(reader));
    };
    differs("missing", "The token has a context, the reader none.", b"");
    differs("other", "The reader's context differs in one bit.", b"tenant-6");
    differs("shorter", "The reader's context lacks the last byte.", b"tenant-");
    differs("longer", "The reader's context has one byte more.", b"tenant-70");
    differs("nul_behind", "The reader's context has one byte 00 more.", b"tenant-7\0");
    context("unasked", "forged", "The token has no context, the reader has one.", &|case| case.forge.context = vec![]);
    context("empty_is_not_nul", "forged", "No context, and a context of one byte 00.", &|case| {
        case.forge.context = vec![];
        case.reader.context = hex(&[0]);
    });
}
