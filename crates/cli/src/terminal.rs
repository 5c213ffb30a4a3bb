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
        let is_direction = matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}' | '\u{061C}');
        if c.is_control() || is_direction {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
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
        assert_eq!(safe_cut("abcdef", 4), "abc…");
        assert_eq!(safe_lines("a\tb\r\n\u{1b}c\rd\n"), "a\tb\n\\u{1b}c\\u{d}d");
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
