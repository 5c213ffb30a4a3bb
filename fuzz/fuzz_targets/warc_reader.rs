//! libFuzzer's program for the target `warc_reader`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::warc_reader(data));
