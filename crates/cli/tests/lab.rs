//! `nephila lab classify` as a person runs it. What it finds out is tested in `crates/lab`; the whole lab is
//! run by the commands of docs/lab.md.
#![expect(clippy::unwrap_used, reason = "what a test does not find, it fails on")]

use std::process::{Command, Output};

use serde_json::Value;

fn classify(arguments: &[&str]) -> Output {
    let built = std::env::var_os("NEPHILA_BIN");
    Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_nephila").into()))
        .args(["lab", "classify"])
        .args(arguments)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_program_keeps_its_output_and_its_code() {
    let output = classify(&["--", "sh", "-c", "echo out; exit 7"]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"out\n");
    let told = told(&output);
    assert!(told.contains("(ended with 7)"), "{told}");
}

#[test]
fn a_signal_and_a_program_that_is_not_there_have_the_codes_of_a_shell() {
    let killed = classify(&["sh", "-c", "kill -9 $$"]);
    assert_eq!(killed.status.code(), Some(137));
    let missing = classify(&["no-such-program-at-all"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(told(&missing).starts_with("error: cannot start no-such-program-at-all"));
}

#[test]
fn the_verdict_is_told_as_json_too() {
    let output = classify(&["--json", "sh", "-c", "echo problem >&2"]);
    let told = told(&output);
    let (programs, json) = told.split_once('\n').unwrap();
    assert_eq!(programs, "problem");
    let found: Value = serde_json::from_str(json).unwrap();
    assert_eq!(found["exit_code"], 0);
    assert_eq!(found["command"][0], "sh");
    assert!(found["kind"].is_string() && found["advice"].is_array());
}
