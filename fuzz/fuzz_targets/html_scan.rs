//! libFuzzer's program for the target `html_scan`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::html_scan(data));
