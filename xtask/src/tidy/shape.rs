//! The shape of the source: names of modules, length of files and functions.

use std::path::Path;

use super::Finding;
use super::rust_text::in_word;
use super::tree::Tree;

/// Names that say what kind of thing is inside and not what it is for.
const DRAWERS: &[&str] = &[
    "utils", "util", "types", "common", "helpers", "helper", "manager", "misc",
];

const LONGEST_FILE: usize = 600;

/// The line of clippy.toml that makes clippy count.
const THRESHOLD: &str = "too-many-lines-threshold = 70";

pub(crate) fn module_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let path = Path::new(&file.path);
        let source = path
            .extension()
            .is_some_and(|end| end == "rs" || end == "py");
        let stems = path
            .iter()
            .map(|part| Path::new(part).file_stem().unwrap_or(part));
        let drawer = stems
            .into_iter()
            .find(|stem| DRAWERS.iter().any(|drawer| stem == drawer));
        if let Some(name) = drawer.filter(|_| source) {
            let message = format!("named `{}`: name it for its job", name.to_string_lossy());
            findings.push(Finding::new(&file.path, 0, message));
        }
    }
    findings.extend(inline_modules(tree));
    findings
}

/// `mod utils { ... }` inside a file.
fn inline_modules(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for (line, code, _) in rust.lines() {
            let after = code.trim().split("mod ").nth(1);
            let declared = after.and_then(|rest| rest.split(|c: char| !in_word(c)).next());
            if let Some(name) = declared.filter(|name| DRAWERS.contains(name)) {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("module `{name}`: name it for its job"),
                ));
            }
        }
    }
    findings
}

pub(crate) fn file_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            let message = format!("{lines} lines, at most {LONGEST_FILE}: split it by its jobs");
            findings.push(Finding::new(&file.path, 0, message));
        }
    }
    findings
}

pub(crate) fn function_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let clippy = tree.find("clippy.toml");
    if !clippy.is_some_and(|file| file.text.lines().any(|line| line.trim() == THRESHOLD)) {
        findings.push(Finding::new(
            "clippy.toml",
            0,
            format!("does not say `{THRESHOLD}`"),
        ));
    }
    for (file, rust) in tree.rust() {
        for (line, code, _) in rust
            .lines()
            .filter(|(_, code, _)| code.contains("clippy::too_many_lines"))
        {
            let message = format!("`{}`: split the function instead", code.trim());
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIPPY: (&str, &str) = ("clippy.toml", "a = 1\ntoo-many-lines-threshold = 70\n");

    #[test]
    fn a_drawer_is_found_as_a_file_a_directory_and_a_module() {
        let tree = Tree::planted(&[
            ("crates/x/src/utils.rs", ""),
            ("crates/x/src/common/a.rs", ""),
            (
                "crates/x/src/commonly.rs",
                "mod misc {\n}\npub(crate) mod types;\nmod typestate;\n",
            ),
        ]);
        assert_eq!(module_names(&tree).len(), 4);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "// line\n".repeat(601);
        assert_eq!(
            file_length(&Tree::planted(&[("a.rs", &text), ("b.md", &text)])).len(),
            1
        );
        let text = "// line\n".repeat(600);
        assert_eq!(file_length(&Tree::planted(&[("a.rs", &text)])), []);
    }

    #[test]
    fn the_threshold_and_its_exceptions_are_found() {
        assert_eq!(function_length(&Tree::planted(&[CLIPPY])), []);
        assert_eq!(
            function_length(&Tree::planted(&[(
                "clippy.toml",
                "too-many-lines-threshold = 700\n"
            )]))
            .len(),
            1
        );
        let excepted = (
            "a.rs",
            "#[expect(clippy::too_many_lines, reason = \"long\")]\nfn f() {}\n",
        );
        assert_eq!(
            function_length(&Tree::planted(&[CLIPPY, excepted])).len(),
            1
        );
    }
}
