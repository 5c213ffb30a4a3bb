//! libFuzzer's program for the target `decode_body`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::decode_body(data));
