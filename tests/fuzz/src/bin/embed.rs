//! Fuzzes [`fuzz_targets::embed`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_targets::embed(bytes));
