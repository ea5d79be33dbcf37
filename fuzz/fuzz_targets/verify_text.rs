//! Fuzzes `waxseal::fuzzing::verify_text`: any text as a signed token.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::verify_text(bytes));
