//! The cells of CSV, for every writer of it: quoting, and the guard against formulas.

use super::row_values::Text;

/// What is done to text that a spreadsheet would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formulas {
    /// It gets a leading apostrophe, which makes it text (OWASP, "CSV Injection").
    Guarded,
    /// It stays as it is.
    Kept,
}

/// Appends a JSON value as a cell. A string stands as its text, `null` as nothing, an empty string
/// as `""`, anything else as its JSON text. Only a string is guarded: a number is no formula.
/// `is_alone` says that the line has no other cell: it is then never empty, because many readers
/// pass by an empty line.
///
/// # Errors
/// When a string is no JSON string.
pub(crate) fn push_json(
    value: &str,
    formulas: Formulas,
    is_alone: bool,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    match value.as_bytes().first() {
        Some(b'"') => {
            let Text(text) = serde_json::from_str(value)?;
            push_text(&text, formulas, line);
        }
        None | Some(b'n') if is_alone => line.extend_from_slice(b"\"\""),
        None | Some(b'n') => {}
        _ => push_quoted(value, line),
    }
    Ok(())
}

/// Appends text as a cell.
pub(crate) fn push_text(text: &str, formulas: Formulas, line: &mut Vec<u8>) {
    if text.is_empty() {
        line.extend_from_slice(b"\"\"");
    } else if formulas == Formulas::Guarded && is_formula(text) {
        push_quoted(&format!("'{text}"), line);
    } else {
        push_quoted(text, line);
    }
}

/// RFC 4180, 2.5 to 2.7.
fn push_quoted(cell: &str, line: &mut Vec<u8>) {
    if !cell.contains([',', '"', '\n', '\r']) {
        line.extend_from_slice(cell.as_bytes());
        return;
    }
    line.push(b'"');
    line.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

/// Whether a spreadsheet may take the text for a formula: it begins with `=`, `+`, `-` or `@`, plain
/// or full-width, or does so after characters that an import drops (white space, control
/// characters, quotes, marks of no width); or a tab or a line break is among those.
fn is_formula(text: &str) -> bool {
    for character in text.chars() {
        match character {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n' => {
                return true;
            }
            '"' | '\'' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' => {}
            _ if character.is_whitespace() || character.is_control() => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: &str, formulas: Formulas) -> String {
        let mut line = Vec::new();
        push_json(value, formulas, false, &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn text_that_would_run_gets_an_apostrophe() {
        let dangerous = [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\rx",
            "\nx",
            "  =1",
            " \"=1",
            "'=1",
            "＝1",
            "\u{a0}＋1",
            "\u{feff}=1",
            "\u{0}=1",
        ];
        for text in dangerous {
            let json = serde_json::to_string(text).unwrap();
            let guarded = cell(&json, Formulas::Guarded);
            let inner = guarded.trim_start_matches('"').to_owned();
            assert!(inner.starts_with('\''), "{text:?} gives {guarded:?}");
            assert_eq!(
                cell(&json, Formulas::Kept),
                guarded.replacen('\'', "", 1),
                "nothing else changes"
            );
        }
        for harmless in ["a=1", "http://a.test/?q=-1", "é", "'a'", "  a", "1-2", "_"] {
            let json = serde_json::to_string(harmless).unwrap();
            assert_eq!(cell(&json, Formulas::Guarded), harmless);
        }
    }

    #[test]
    fn one_apostrophe_is_taken_off_again_without_doubt() {
        // A cell of an apostrophe and a formula came from the formula alone: text that has one of
        // its own got a second.
        assert_eq!(cell("\"=x\"", Formulas::Guarded), "'=x");
        assert_eq!(cell("\"'=x\"", Formulas::Guarded), "''=x");
    }

    #[test]
    fn numbers_and_json_are_no_formulas() {
        assert_eq!(cell("-1.5", Formulas::Guarded), "-1.5");
        assert_eq!(cell("[\"=1\"]", Formulas::Guarded), "\"[\"\"=1\"\"]\"");
    }

    #[test]
    fn nothing_and_the_empty_string_differ() {
        assert_eq!(cell("null", Formulas::Guarded), "");
        assert_eq!(cell("\"\"", Formulas::Guarded), "\"\"");
        let mut alone = Vec::new();
        push_json("null", Formulas::Guarded, true, &mut alone).unwrap();
        assert_eq!(alone, b"\"\"", "a row is never an empty line");
    }
}
