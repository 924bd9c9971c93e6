//! Fuzzes [`fuzz_targets::ingress`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_targets::ingress(bytes));
