//! Fuzzes `waxseal::fuzzing::cookie_fields`: any `Cookie` fields.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::cookie_fields(bytes));
