//! Fuzzes `waxseal::fuzzing::ring_file`: any ring file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::ring_file(bytes));
