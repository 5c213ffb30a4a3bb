//! Text from the web inside of HTML.

use std::fmt::Write as _;

/// Longest text that is shown of a URL or a title, in characters.
const MOST_CHARACTERS: usize = 300;

/// Appends text so that no character of it is markup, in content and in quoted attributes: and none
/// changes the direction of writing, or cannot be seen. Cut after 300 characters.
pub(super) fn push_text(text: &str, out: &mut String) {
    for (place, character) in text.chars().enumerate() {
        if place == MOST_CHARACTERS {
            out.push('…');
            return;
        }
        push_character(character, out);
    }
}

/// Appends a link to what is an http or https URL, and the text alone of everything else.
pub(super) fn push_link(url: &str, out: &mut String) {
    let is_web = ["http://", "https://"]
        .iter()
        .any(|start| url.starts_with(start));
    if !is_web {
        return push_text(url, out);
    }
    out.push_str("<a rel=\"noopener nofollow noreferrer\" href=\"");
    url.chars().for_each(|character| match character {
        '&' | '<' | '>' | '"' | '\'' => push_character(character, out),
        _ if is_unseen(character) => out.push_str("%EF%BF%BD"),
        _ => out.push(character),
    });
    out.push_str("\">");
    push_text(url, out);
    out.push_str("</a>");
}

fn push_character(character: char, out: &mut String) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        _ if is_unseen(character) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        }
        _ => out.push(character),
    }
}

/// Control characters, and those that steer how others are shown.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}
