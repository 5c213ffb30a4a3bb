//! Rows of every kind, the same each time.

use serde_json::{Value, json};

/// Text that some reader or other takes wrongly.
const TEXTS: &[&str] = &[
    "",
    " ",
    "plain",
    "Grüße, Ωmega, 中文, עברית, 🕷️ e\u{301}",
    "a \"quoted\" cell, with 'both' kinds",
    "line\nfeed, carriage\r\nreturn\rand tab\t.",
    "\u{0}nul, \u{1}one, \u{1b}[31mescape, \u{7f}delete, \u{85}next",
    "=HYPERLINK(\"http://a.test/\",\"x\")",
    "+1",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1",
    "\r=1",
    "  =cmd|' /C calc'!A0",
    "'=1",
    "\"=1",
    "＝1+1",
    "\u{feff}=1",
    "\u{a0}＠x",
    "null",
    "NULL",
    "NaN",
    "\\N",
    "\\",
    "\\\"",
    ",",
    "true",
    "0123",
    "1e5",
    "2026-11-23",
    "{\"json\":[1,2]}",
    "\u{fffd}\u{10ffff}\u{2028}",
];

fn text(number: usize) -> &'static str {
    TEXTS[number % TEXTS.len()]
}

fn maybe(number: usize, of: usize) -> Value {
    if number.is_multiple_of(of) {
        Value::Null
    } else {
        text(number / of).into()
    }
}

fn outlinks(number: usize) -> Vec<Value> {
    let count = match number {
        7 => 10_000,
        _ if number.is_multiple_of(3) => 0,
        _ => number % 20,
    };
    let link = |at: usize| {
        json!({
            "url": format!("http://a.test/{number}/{at}?q=\u{e9}"),
            "text": text(number + at),
            "rel": if at.is_multiple_of(4) { "nofollow ugc" } else { "" },
            "kind": if at.is_multiple_of(5) { "area" } else { "anchor" },
        })
    };
    (0..count).map(link).collect()
}

/// The row of this number.
pub(crate) fn row(number: usize) -> Value {
    let times = number as f64;
    let mut row = json!({
        "version": 1,
        "url": format!("http://host{}.test/page/{number}", number % 40),
        "host": format!("host{}.test", number % 40),
        "kind": if number.is_multiple_of(9) { "robots" } else { "page" },
        "outcome": if number.is_multiple_of(11) { "timed_out" } else { "fetched" },
        "status": if number.is_multiple_of(11) { Value::Null } else { json!(200 + number % 400) },
        "http_version": if number.is_multiple_of(11) { Value::Null } else { json!("HTTP/1.1") },
        "content_type": maybe(number, 5),
        "charset": if number.is_multiple_of(6) { Value::Null } else { json!("UTF-8") },
        "wire_bytes": number as u64 * 3_000_000_000,
        "body_bytes": if number == 3 { i64::MAX } else { number as i64 },
        "redirect_target": maybe(number, 2),
        "canonical": Value::Null,
        "title": maybe(number, 1 + number % 4),
        "description": maybe(number, 3),
        "language": if number.is_multiple_of(4) { Value::Null } else { json!("de-CH") },
        "robots": maybe(number, 7),
        "digest": format!("blake3:{number:064x}"),
        "outlinks": outlinks(number),
        "warnings": (0..number % 4).map(text).collect::<Vec<_>>(),
        "hops": number % 65_536,
        "referrer": maybe(number, 8),
        "fetched_at": format!("20{:02}-02-28T23:59:{:02}.{:03}Z", number % 100, number % 60, number % 1000),
        "times": {
            "queue": times / 7.0, "dns": 0.0, "connect": 0.001, "tls": times * 1e-3,
            "first_byte": times * 1e9, "body": 1, "parse": times / 1_000.0,
        },
        "attempts": number % 256,
        "address": "[2001:db8::1]:443",
        "error": maybe(number, 13),
    });
    let fields = row.as_object_mut().unwrap();
    // Fields that a row may be without.
    if number.is_multiple_of(2) {
        fields.insert("text".into(), text(number).repeat(number % 300).into());
        fields.insert("simhash".into(), format!("{:016x}", number * 977).into());
    }
    if number.is_multiple_of(5) {
        fields.insert("body".into(), maybe(number / 5, 3));
        fields.insert("duplicate_of".into(), maybe(number / 5, 2));
    }
    if number == 11 {
        fields.insert("text".into(), "long, \"långer\"\n".repeat(300_000).into());
    }
    row
}

/// That many rows as JSON lines.
pub(crate) fn lines(count: usize) -> Vec<u8> {
    let mut lines = Vec::new();
    for number in 0..count {
        serde_json::to_writer(&mut lines, &row(number)).unwrap();
        lines.push(b'\n');
    }
    lines
}

/// Rows that hold a mebibyte of text each that no compression makes much smaller.
pub(crate) fn heavy_lines(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state >> 58) as u8)
    };
    let mut lines = Vec::new();
    for number in 0..count {
        let mut row = row(number);
        row["text"] = (0..1 << 20).map(|_| next()).collect::<String>().into();
        serde_json::to_writer(&mut lines, &row).unwrap();
        lines.push(b'\n');
    }
    lines
}
