//! Rules about the Markdown pages: their length, their links, their commands.

use super::Finding;
use super::tree::{File, Tree};
use crate::markdown::{self, Page};
use crate::verbs::commands;

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const LONGEST_ARCHITECTURE: usize = 200;

/// ARCHITECTURE.md is there, is short, and names the directory of every crate.
pub(crate) fn architecture(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.find(ARCHITECTURE) else {
        return vec![Finding::new(ARCHITECTURE, 0, "is missing")];
    };
    let mut findings = Vec::new();
    let lines = page.text.lines().count();
    if lines > LONGEST_ARCHITECTURE {
        let message = format!("{lines} lines, at most {LONGEST_ARCHITECTURE}");
        findings.push(Finding::new(ARCHITECTURE, 0, message));
    }
    for member in &tree.crates {
        let directory = member.manifest.trim_end_matches("/Cargo.toml");
        let short = directory.trim_start_matches("crates/");
        if !names(&page.text, directory, short) {
            findings.push(Finding::new(
                ARCHITECTURE,
                0,
                format!("does not name `{directory}`"),
            ));
        }
    }
    findings
}

/// The whole path anywhere, or a word that is the directory's name with a slash behind it, as in
/// a drawing.
fn names(text: &str, directory: &str, short: &str) -> bool {
    let drawn = format!("{short}/");
    let path = |word: &str| {
        let word = word.trim_matches(|c: char| "`().,:;[]*|".contains(c));
        word == directory || word == drawn || word.starts_with(&format!("{directory}/"))
    };
    text.split(|c: char| c.is_whitespace() || "`()[]|".contains(c))
        .any(path)
}

/// Every relative link leads to a file or a directory of the repository, and to an anchor in it.
pub(crate) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let page = markdown::split(&file.text);
        for (line, target) in markdown::links(&page) {
            if let Some(message) = broken(tree, file, &page, &target) {
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

/// What is wrong with the target, if anything. Targets with a scheme are not looked at.
fn broken(tree: &Tree, file: &File, page: &Page, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.is_empty() {
        let missing = !anchor.is_empty() && !markdown::anchors(page).iter().any(|a| a == anchor);
        return missing.then(|| format!("no heading `#{anchor}` on this page"));
    }
    let Some(resolved) = resolve(&file.path, path) else {
        return Some(format!("`{target}` leads out of the repository"));
    };
    if let Some(found) = tree.find(&resolved) {
        let lost = found.path.ends_with(".md")
            && !anchor.is_empty()
            && !markdown::anchors(&markdown::split(&found.text))
                .iter()
                .any(|a| a == anchor);
        return lost.then(|| format!("`{resolved}` has no heading `#{anchor}`"));
    }
    let inside = format!("{resolved}/");
    let directory = resolved.is_empty() || tree.files.iter().any(|f| f.path.starts_with(&inside));
    (!directory).then(|| format!("`{target}` leads nowhere: there is no `{resolved}`"))
}

/// The path from the root of the repository, or nothing when it leads out of it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The blocks of README.md and docs/ are `text`, or `sh` that the tests can run.
pub(crate) fn fences(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| commands::is_page(&file.path))
    {
        for block in markdown::split(&file.text).blocks {
            if let Err(message) = commands::judge(&block) {
                findings.push(Finding::new(&file.path, block.line, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::Crate;
    use super::*;

    fn messages(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect()
    }

    fn with_architecture(text: &str) -> Tree {
        let robots = Crate {
            name: "nephila-robots".into(),
            manifest: "crates/robots/Cargo.toml".into(),
            ..Crate::default()
        };
        Tree::new(vec![(ARCHITECTURE.into(), text.into())], vec![robots])
    }

    #[test]
    fn the_architecture_page_names_every_crate() {
        for text in [
            "see `crates/robots`",
            "    robots/   leaf",
            "[r](crates/robots/src/lib.rs)",
        ] {
            assert_eq!(architecture(&with_architecture(text)), [], "{text}");
        }
        let found = architecture(&with_architecture("about robots and my-robots/ in general"));
        assert_eq!(messages(&found), ["does not name `crates/robots`"]);
    }

    #[test]
    fn a_missing_or_long_architecture_page_is_found() {
        assert_eq!(messages(&architecture(&Tree::planted(&[]))), ["is missing"]);
        let found = architecture(&with_architecture(&"crates/robots\n".repeat(201)));
        assert_eq!(messages(&found), ["201 lines, at most 200"]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let page = "[a](gone.md) [b](../b.md#one) [c](../b.md#two) [d](#here) [e](#gone)\n\
                    [f](../../out.md) [g](https://e.org/x) [h](../crates) [i](/b.md)\n\n## Here\n";
        let files = [
            ("docs/a.md", page),
            ("b.md", "# One\n"),
            ("crates/x/src/lib.rs", ""),
        ];
        let found = links(&Tree::planted(&files));
        assert_eq!(
            messages(&found),
            [
                "`gone.md` leads nowhere: there is no `docs/gone.md`",
                "`b.md` has no heading `#two`",
                "no heading `#gone` on this page",
                "`../../out.md` leads out of the repository",
            ]
        );
    }

    #[test]
    fn a_block_that_cannot_be_run_is_found() {
        let text =
            "```sh\nnephila demo\n```\n```bash\nls\n```\n```sh\ncurl https://example.org\n```\n";
        let found = fences(&Tree::planted(&[
            ("README.md", text),
            ("notes/other.md", text),
        ]));
        let lines: Vec<_> = found
            .iter()
            .map(|finding| (finding.path.as_str(), finding.line))
            .collect();
        assert_eq!(lines, [("README.md", 4), ("README.md", 7)]);
    }
}
