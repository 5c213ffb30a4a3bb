//! libFuzzer's program for the target `robots`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::robots(data));
