//! Fuzzes `waxseal::fuzzing::carrying`: any head of a request, under any policy.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waxseal::fuzzing::carrying(bytes));
