//! Splits Rust source into its code and its comments, so that a rule about one does not read the
//! other. Line numbers stay: what is left out is blanked.

/// The same text twice, each with the other's characters blanked. String and character literals
/// are blank in both.
#[derive(Debug, Default)]
pub(crate) struct Views {
    pub(crate) code: String,
    pub(crate) comments: String,
}

/// What a stretch of source is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Splits the text. Never fails: what is open at the end reaches to the end.
pub(crate) fn split(text: &str) -> Views {
    let mut views = Views::default();
    let mut rest = text;
    let mut after_word = false;
    while !rest.is_empty() {
        let (kind, length) = next(rest, after_word);
        let (stretch, remaining) = rest.split_at(length);
        views.push(stretch, kind);
        after_word = kind == Kind::Code && stretch.chars().next_back().is_some_and(in_word);
        rest = remaining;
    }
    views
}

impl Views {
    fn push(&mut self, stretch: &str, kind: Kind) {
        for character in stretch.chars() {
            let kept = |wanted| character == '\n' || kind == wanted;
            self.code
                .push(if kept(Kind::Code) { character } else { ' ' });
            self.comments
                .push(if kept(Kind::Comment) { character } else { ' ' });
        }
    }
}

/// What begins here and how many bytes it has; never zero for a text that is not empty.
fn next(rest: &str, after_word: bool) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if let Some(length) = raw_string(rest).filter(|_| !after_word) {
        return (Kind::Literal, length);
    }
    if rest.starts_with('"') {
        return (Kind::Literal, string(rest));
    }
    if let Some(length) = character_literal(rest) {
        return (Kind::Literal, length);
    }
    (Kind::Code, rest.chars().next().map_or(1, char::len_utf8))
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `r"..."`, `br#"..."#`, `cr"..."`: the length of the whole, or nothing when it is none.
fn raw_string(rest: &str) -> Option<usize> {
    let start = rest
        .strip_prefix(['b', 'c'])
        .unwrap_or(rest)
        .strip_prefix('r')?;
    let body = start.trim_start_matches('#');
    let hashes = start.len() - body.len();
    let body = body.strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |at| at + close.len());
    Some(rest.len() - body.len() + end)
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'a'`, `'\n'`, `'\u{1F}'`; nothing for a lifetime.
fn character_literal(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let mut characters = inside.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters
            .find(|(_, c)| *c == '\'')
            .map(|(index, _)| index + 2);
    }
    let (index, second) = characters.next()?;
    (second == '\'').then_some(index + 2)
}

/// Whether the character can stand in an identifier.
pub(crate) fn in_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether `wanted` stands in the line and does not continue an identifier before it.
pub(crate) fn has_word(line: &str, wanted: &str) -> bool {
    line.match_indices(wanted)
        .any(|(at, _)| !line.get(..at).unwrap_or_default().ends_with(in_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_told_from_code() {
        let views = split("let a = \"// no\"; // yes\nlet b = 1; /* x /* y */ z */ let c;\n");
        assert!(!views.code.contains("no") && !views.code.contains("yes"));
        assert!(views.comments.contains("// yes") && views.comments.contains("z */"));
        assert!(views.code.contains("let b = 1;") && views.code.contains("let c;"));
        assert_eq!(views.code.lines().count(), 2);
    }

    #[test]
    fn raw_strings_and_escapes_end_where_they_end() {
        let views = split(r####"f(r#"a " b"#, "\"", b"x", br"\", r"y"); g(); for_r"z""####);
        assert_eq!(views.code.replace(' ', ""), "f(,,b,,);g();for_r");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        let views = split("fn f<'a>(x: &'a str) { let q = '\"'; let s = '\\''; let u = 'é'; h() }");
        assert!(views.code.contains("<'a>") && views.code.contains("&'a str"));
        assert!(views.code.contains("h()") && !views.code.contains('é'));
    }

    #[test]
    fn an_open_literal_reaches_the_end_without_a_panic() {
        for text in ["\"abc", "r#\"abc", "/* abc", "'", "'\\", "br", "\"\\"] {
            let views = split(text);
            assert_eq!(views.code.chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn words_begin_where_an_identifier_begins() {
        assert!(has_word("  todo!()", "todo!"));
        assert!(!has_word("my_todo!()", "todo!"));
        assert!(has_word("x.sleep(1); sleep(2)", "sleep("));
    }
}
