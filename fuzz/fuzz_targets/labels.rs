//! Fuzzes `waxseal::fuzzing::labels`: any name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::labels(bytes));
