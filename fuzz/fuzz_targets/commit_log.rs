//! libFuzzer's program for the target `commit_log`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nephila_fuzz_targets::commit_log(data));
