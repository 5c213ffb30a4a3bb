//! libFuzzer's program for the target `configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::configuration(data));
