//! Writes the `use` statements of a file out as full paths, so that a ban on `std::fs` also sees
//! `use std::{fs, io};`.

/// Every path that the `use` statements name, with the line its statement begins on, from 1.
///
/// `code` has its comments and literals blanked. `use a::{b, c::{d}};` gives `a::b` and `a::c::d`.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code.get(..at).unwrap_or_default();
        if !starts_statement(before) {
            continue;
        }
        let line = before.matches('\n').count() + 1;
        let after = code.get(at + "use ".len()..).unwrap_or_default();
        let statement: String = after.chars().take_while(|c| *c != ';').collect();
        let flat: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        found.extend(expand(&flat).into_iter().map(|path| (line, path)));
    }
    found
}

/// A `use` follows the start of the file, a bracket, a semicolon or a visibility.
fn starts_statement(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty() || before.ends_with([';', '{', '}', ']', ')']) || before.ends_with("pub")
}

/// Writes out the braces from the outermost in. The depth of what is left shrinks with each round.
fn expand(tree: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![tree.to_string()];
    while let Some(tree) = open.pop() {
        match tree.split_once('{') {
            None => done.extend(leaf(&tree)),
            Some((prefix, rest)) => {
                let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
                open.extend(branches(inside).map(|branch| format!("{prefix}{branch}")));
            }
        }
    }
    done.sort();
    done
}

/// The parts between the commas that stand in no brace.
fn branches(inside: &str) -> impl Iterator<Item = String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_string())
        .filter(|part| !part.is_empty())
}

/// A path without its `as` name.
fn leaf(path: &str) -> Option<String> {
    let path = path
        .split(" as ")
        .next()
        .unwrap_or_default()
        .replace(' ', "");
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn braces_are_written_out() {
        let code = "use std::{\n    fs as files,\n    io::{self, Read},\n};\npub use a::b;\n";
        assert_eq!(
            found(code),
            ["std::fs", "std::io::Read", "std::io::self", "a::b"]
        );
        assert_eq!(paths(code)[0].0, 1);
        assert_eq!(paths(code)[3].0, 5);
    }

    #[test]
    fn a_word_that_ends_in_use_is_no_statement() {
        assert_eq!(found("let x = reuse (y); refuse z;"), Vec::<String>::new());
        assert_eq!(found("fn f() { use a::{b"), ["a::b"]);
    }
}
