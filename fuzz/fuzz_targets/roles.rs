//! Fuzzes `waxseal::fuzzing::roles`: any dates and statuses of keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::roles(bytes));
