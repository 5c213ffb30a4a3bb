//! What is printed, and how text from the web is made safe for a terminal.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

/// Writes to standard output.
///
/// # Errors
/// When it is closed, as by `head`.
pub(crate) fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}

/// Writes a line to standard error; a closed one is nobody's loss.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether a person looks at standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Text from the web, with everything that a terminal would obey shown instead: control
/// characters, escape sequences, and characters that change the direction of writing.
pub(crate) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// What a terminal obeys: control characters of both sets, direction, separators of lines and
/// paragraphs, and what is there without being seen. Joiners are not: scripts and emoji need them.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// JSON, with what a terminal would obey written as JSON's own escapes: the value stays the same.
///
/// JSON's writer escapes the first 32 control characters only; the second set, U+0080 to U+009F,
/// holds a control sequence introducer too.
pub(crate) fn safe_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_obeyed(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// [`safe`], cut to `width` characters.
pub(crate) fn safe_cut(text: &str, width: usize) -> String {
    let shown = safe(text);
    if shown.chars().count() <= width {
        return shown;
    }
    let cut: String = shown.chars().take(width.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// [`safe`] for text of several lines: line ends and tabs are kept.
pub(crate) fn safe_lines(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(safe).collect::<Vec<_>>().join("\t");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A number of bytes for a person.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_000.0;
    let mut unit = "kB";
    for next in UNITS.into_iter().skip(1) {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// A count with thousands set apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A time span for a person.
pub(crate) fn span(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=9 => format!("{:.1} s", duration.as_secs_f64()),
        10..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A path for a shell to take back: quoted where it must be.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        let title = "a\u{1b}[31mred\u{7}\r\n\u{202e}x\u{9b}1m é";
        let shown = safe(title);
        assert_eq!(
            shown,
            "a\\u{1b}[31mred\\u{7}\\u{d}\\u{a}\\u{202e}x\\u{9b}1m é"
        );
        assert_eq!(
            safe("a\u{2028}\u{200b}\u{feff}b"),
            "a\\u{2028}\\u{200b}\\u{feff}b"
        );
        assert_eq!(safe_cut("abcdef", 4), "abc…");
        assert_eq!(safe_lines("a\tb\r\n\u{1b}c\rd\n"), "a\tb\n\\u{1b}c\\u{d}d");
    }

    #[test]
    fn json_keeps_its_value_and_steers_no_terminal() {
        let text = "t\u{1b}]8;;http://e.test\u{7}\u{9b}31m\u{202e}\u{7f}\u{e0041}\n\u{1f600}";
        let written = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = safe_json(&written);
        assert!(
            !shown.chars().any(|c| c != '\n' && is_obeyed(c)),
            "{shown:?}"
        );
        let back: Vec<String> = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, [text]);
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500_000), "1.5 MB");
        assert_eq!(shell_word("a b"), "'a b'");
    }
}
