//! Text and data inside of HTML.

use std::fmt::Write as _;

use serde::Serialize;

/// Text so that no character of it is markup, in content and in quoted attributes. Characters that
/// steer (controls, direction of writing) are shown as their code points.
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            steers if is_steering(steers) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(steers));
            }
            plain => out.push(plain),
        }
    }
    out
}

pub(crate) fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Data as JSON that can stand in a `<script type="application/json">`: `<`, `>`, `&`, U+2028 and
/// U+2029 are written as JSON's own escapes, so that nothing in it ends the element or begins a
/// comment. The value stays the same. Numbers that are none (NaN, infinity) become null.
pub fn json_block(value: &impl Serialize) -> String {
    // What is written here is made of text and numbers: nothing in it can fail to be JSON.
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\u{2028}\u{2029}&lt;'\"";

    #[test]
    fn text_holds_no_markup() {
        let shown = text(HOSTILE);
        assert!(
            !shown.contains(['<', '>', '"', '\'', '\u{2028}']),
            "{shown}"
        );
        assert!(shown.contains("&amp;lt;&#39;&quot;"));
        assert_eq!(text("a\u{202e}b\u{1b}c\nd"), "a\\u{202e}b\\u{1b}c d");
    }

    #[test]
    fn a_block_of_json_holds_no_markup_and_keeps_its_value() {
        let block = json_block(&[HOSTILE]);
        assert!(
            !block.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
            "{block}"
        );
        let back: Vec<String> = serde_json::from_str(&block).unwrap();
        assert_eq!(back, [HOSTILE]);
        assert_eq!(
            json_block(&[f64::NAN, f64::INFINITY, 1.5]),
            "[null,null,1.5]"
        );
    }
}
