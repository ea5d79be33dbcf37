//! Fuzzes `waxseal::fuzzing::open_text`: any text as a sealed token.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::open_text(bytes));
