//! libFuzzer's program for the target `canonical_url`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::canonical_url(data));
