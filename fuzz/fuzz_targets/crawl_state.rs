//! libFuzzer's program for the target `crawl_state`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::crawl_state(data));
