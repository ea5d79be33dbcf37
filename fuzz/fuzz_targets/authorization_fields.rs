//! Fuzzes `waxseal::fuzzing::authorization_fields`: any `Authorization` fields.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::authorization_fields(bytes));
