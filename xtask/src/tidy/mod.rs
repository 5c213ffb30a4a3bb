//! The rules of the project that a compiler does not hold, as checks over the text of its files.
//!
//! Each rule has a reason, printed with what it finds, and a test that plants a violation.

mod clock;
mod layering;
mod lines;
mod pages;
mod pure;
mod rust_text;
mod shape;
mod tree;
mod uses;

use anyhow::bail;

use crate::repository;
use tree::Tree;

/// Something a rule found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_string(),
            line,
            message: message.into(),
        }
    }

    fn place(&self) -> String {
        match self.line {
            0 => self.path.clone(),
            line => format!("{}:{line}", self.path),
        }
    }
}

/// A check and why it is there.
struct Rule {
    name: &'static str,
    reason: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "layering",
        reason: "arrows only as DESIGN draws them: what may not import cannot tangle",
        check: layering::arrows,
    },
    Rule {
        name: "pure-dependencies",
        reason: "robots, frontier and parse do no I/O, so that every state of theirs can be tested",
        check: layering::pure_dependencies,
    },
    Rule {
        name: "pure-source",
        reason: "robots, frontier and parse do no I/O, so that every state of theirs can be tested",
        check: pure::sources,
    },
    Rule {
        name: "clock",
        reason: "time is passed in: a test sets it, and one file in a program asks for it",
        check: clock::one_file_asks,
    },
    Rule {
        name: "module-names",
        reason: "a module is named for its job; a drawer for anything has none",
        check: shape::module_names,
    },
    Rule {
        name: "file-length",
        reason: "one job a file: past 600 lines there are two",
        check: shape::file_length,
    },
    Rule {
        name: "function-length",
        reason: "a function fits a screen: clippy counts 70 lines, and nobody is excepted",
        check: shape::function_length,
    },
    Rule {
        name: "expect-not-allow",
        reason: "an expect tells when it is no longer needed, an allow stays for ever",
        check: lines::no_allow,
    },
    Rule {
        name: "no-features",
        reason: "each feature doubles the programs that have to be tested, and one of them is",
        check: lines::no_features,
    },
    Rule {
        name: "bounded-channels",
        reason: "everything has a bound: a queue without one hides a slow reader until memory ends",
        check: lines::no_unbounded_channel,
    },
    Rule {
        name: "no-sleep-in-tests",
        reason: "a test that waits for luck fails on a slow day; `// paced: why` where time is the subject",
        check: lines::no_sleep_in_tests,
    },
    Rule {
        name: "no-ignored-tests",
        reason: "a test that does not run proves nothing",
        check: lines::no_ignored_test,
    },
    Rule {
        name: "no-unfinished-work",
        reason: "what is not built is an issue, not a mark in the code",
        check: lines::no_unfinished_work,
    },
    Rule {
        name: "libraries-do-not-print",
        reason: "the output belongs to the command; text from the web must not reach a terminal raw",
        check: lines::libraries_do_not_print,
    },
    Rule {
        name: "architecture-page",
        reason: "a page of 200 lines is read, and one that leaves a crate out misleads",
        check: pages::architecture,
    },
    Rule {
        name: "links",
        reason: "a link that leads nowhere costs every reader a search",
        check: pages::links,
    },
    Rule {
        name: "page-commands",
        reason: "a command on a page is run by the tests, or it goes stale",
        check: pages::fences,
    },
];

/// Reads the repository and holds every rule against it. Prints what it finds; an error when it did.
pub(crate) fn hold() -> anyhow::Result<()> {
    let tree = Tree::read(
        &repository::root(),
        repository::files()?,
        repository::metadata()?,
    )?;
    let mut count = 0;
    for rule in RULES {
        for finding in (rule.check)(&tree) {
            let place = finding.place();
            println!(
                "{place}: {}: {} ({})",
                rule.name, finding.message, rule.reason
            );
            count += 1;
        }
    }
    if count > 0 {
        bail!("tidy found {count} violation(s), printed above with the reason of each rule");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        if !repository::root().join(".git").exists() {
            eprintln!("skipped: tidy reads what git tracks, and this is no checkout");
            return;
        }
        hold().unwrap();
    }

    #[test]
    fn every_rule_has_a_reason_and_a_name_of_its_own() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        assert!(RULES.iter().all(|rule| rule.reason.len() > 20));
    }
}
