//! Fuzzes `waxseal::fuzzing::claims`: any plaintext under a good tag.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::claims(bytes));
