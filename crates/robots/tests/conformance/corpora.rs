//! Where the suites are and how they write files.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of a robots suite; `None`, and a line on standard error, where it is missing.
pub(crate) fn folder(suite: &str) -> Option<PathBuf> {
    let corpora = std::env::var_os("NEPHILA_CORPORA").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpora"
            ))
        },
        PathBuf::from,
    );
    let folder = corpora.join("robots").join(suite);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {}", folder.display());
    None
}

/// The cases of a JSON file.
pub(crate) fn cases(path: &Path) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The bytes that stand in JSON under `key` as text, or under `key_b64`.
pub(crate) fn bytes(case: &Value, key: &str) -> Vec<u8> {
    match case[key].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => decode_base64(case[format!("{key}_b64")].as_str().unwrap()),
    }
}

fn decode_base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |octet: u8| alphabet.iter().position(|digit| *digit == octet).unwrap() as u32;
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let digits = four.iter().take_while(|octet| **octet != b'=').count();
        let bits = four[..digits]
            .iter()
            .fold(0, |bits, octet| bits << 6 | value(*octet));
        let bits = bits << (6 * (4 - digits));
        bytes.extend(&bits.to_be_bytes()[1..digits]);
    }
    bytes
}
