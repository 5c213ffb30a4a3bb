//! Rules that a single line can break.

use super::Finding;
use super::rust_text::{has_word, in_word};
use super::tree::{File, Tree};

/// Crates whose `src` is a library. The binaries inside them (`main.rs`, `bin/`) may print.
const LIBRARIES: &[&str] = &[
    "crates/robots",
    "crates/frontier",
    "crates/fetch",
    "crates/parse",
    "crates/store",
    "crates/sim",
    "crates/charts",
    "crates/lab",
    "crates/serve",
    "crates/nephila",
];

pub(crate) fn no_allow(tree: &Tree) -> Vec<Finding> {
    let message = "use `#[expect(lint, reason = \"...\")]`";
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for (line, code, test) in rust.lines() {
            let allows = code.contains("#[allow(") || code.contains("#![allow(");
            // What several test programs share is dead in those that use a part of it: an expect
            // would be wrong in one of them.
            let shared = test && code.contains("#![allow(dead_code, reason");
            if allows && !shared {
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

pub(crate) fn no_features(tree: &Tree) -> Vec<Finding> {
    let message = "a cargo feature: make it an option, or always there";
    let declared = tree.crates.iter().filter(|of| of.has_features);
    let mut findings: Vec<Finding> = declared
        .map(|of| Finding::new(&of.manifest, 0, message))
        .collect();
    findings.extend(code_lines(tree, message, |code| {
        ["cfg(", "cfg!(", "cfg_attr("].iter().any(|form| {
            code.split(form)
                .skip(1)
                .any(|inside| has_word(inside, "feature ="))
        })
    }));
    findings
}

pub(crate) fn no_unbounded_channel(tree: &Tree) -> Vec<Finding> {
    code_lines(tree, "give the channel a bound", |code| {
        has_word(code, "unbounded_channel")
            || has_word(code, "unbounded()")
            || has_word(code, "unbounded::<")
            || standard_unbounded(code)
    })
}

/// The standard library's `mpsc::channel()` has no bound; tokio's takes it as an argument.
fn standard_unbounded(code: &str) -> bool {
    code.split("mpsc::channel").skip(1).any(|rest| {
        let arguments = match rest.strip_prefix("::<") {
            Some(generic) => generic.split_once(">(").map_or("", |(_, after)| after),
            None => rest.strip_prefix('(').unwrap_or("-"),
        };
        arguments.starts_with(')')
    })
}

pub(crate) fn no_sleep_in_tests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let comments: Vec<&str> = rust.views.comments.lines().collect();
        for (line, code, test) in rust.lines() {
            let sleeps = has_word(code, "sleep(") || has_word(code, "sleep_until(");
            if test && sleeps && !code.contains("fn sleep") && !is_paced(&comments, line) {
                let message = "a test sleeps: wait for the event itself, or say `// paced: why`";
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

/// `// paced: why` on the line itself or on the one before it, where rustfmt may have put it.
fn is_paced(comments: &[&str], line: usize) -> bool {
    let said = |index: Option<usize>| {
        let comment = index
            .and_then(|index| comments.get(index))
            .copied()
            .unwrap_or_default();
        comment
            .split_once("// paced:")
            .is_some_and(|(_, why)| !why.trim().is_empty())
    };
    said(line.checked_sub(1)) || said(line.checked_sub(2))
}

pub(crate) fn no_ignored_test(tree: &Tree) -> Vec<Finding> {
    code_lines(tree, "mend the test or delete it", |code| {
        code.contains("#[ignore")
    })
}

pub(crate) fn no_unfinished_work(tree: &Tree) -> Vec<Finding> {
    let message = "finish it or open an issue";
    let mut findings = code_lines(tree, message, |code| {
        has_word(code, "todo!") || has_word(code, "unimplemented!")
    });
    for (file, rust) in tree.rust() {
        for (index, comment) in rust.views.comments.lines().enumerate() {
            if whole_word(comment, "FIXME") || whole_word(comment, "XXX") {
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

fn whole_word(line: &str, wanted: &str) -> bool {
    line.split(|character| !in_word(character))
        .any(|word| word == wanted)
}

pub(crate) fn libraries_do_not_print(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| is_library_source(file)) {
        for (line, code) in rust.program() {
            let macros = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
            if let Some(name) = macros.iter().find(|name| has_word(code, name)) {
                let message = format!("`{name}` in a library: give it to the caller as a value");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

fn is_library_source(file: &File) -> bool {
    let package = file.package();
    let inside = file
        .path
        .strip_prefix(package)
        .and_then(|rest| rest.strip_prefix("/src/"));
    LIBRARIES.contains(&package)
        && inside.is_some_and(|rest| rest != "main.rs" && !rest.starts_with("bin/"))
}

fn code_lines(tree: &Tree, message: &str, breaks: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let broken = rust.lines().filter(|(_, code, _)| breaks(code));
        findings.extend(broken.map(|(line, _, _)| Finding::new(&file.path, line, message)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::Crate;
    use super::*;

    type Check = fn(&Tree) -> Vec<Finding>;

    /// The lines that the check finds in a planted library file.
    fn found(check: Check, text: &str) -> Vec<usize> {
        found_in(check, "crates/fetch/src/a.rs", text)
    }

    fn found_in(check: Check, path: &str, text: &str) -> Vec<usize> {
        check(&Tree::planted(&[(path, text)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    const NOTHING: [usize; 0] = [];

    #[test]
    fn an_allow_is_found_and_an_expect_is_not() {
        assert_eq!(
            found(
                no_allow,
                "#![allow(x)]\n#[allow(x)]\n#[expect(x)]\n// #[allow(x)]\n"
            ),
            [1, 2]
        );
    }

    #[test]
    fn what_test_programs_share_may_be_dead_in_one_of_them() {
        let text = "#![allow(dead_code, reason = \"shared\")]\n";
        assert_eq!(
            found_in(no_allow, "crates/parse/tests/oracle/mod.rs", text),
            NOTHING
        );
        assert_eq!(found(no_allow, text), [1]);
    }

    #[test]
    fn features_are_found_in_code_and_in_manifests() {
        let text = "#[cfg(feature = \"x\")]\n#[cfg(all(test, feature = \"x\"))]\n#[cfg(test)]\n";
        assert_eq!(found(no_features, text), [1, 2]);
        let planted = |has_features| {
            let crates = vec![Crate {
                has_features,
                ..Crate::default()
            }];
            no_features(&Tree::new(Vec::new(), crates)).len()
        };
        assert_eq!((planted(true), planted(false)), (1, 0));
    }

    #[test]
    fn channels_without_a_bound_are_found() {
        let text = "mpsc::unbounded_channel();\nunbounded();\nunbounded::<u8>();\nmpsc::channel();\n\
                    mpsc::channel::<(u8, Vec<u8>)>();\n";
        assert_eq!(found(no_unbounded_channel, text), [1, 2, 3, 4, 5]);
        let bounded =
            "mpsc::channel(10);\nmpsc::channel::<u8>(10);\nmpsc::sync_channel(1);\nbounded(1);\n";
        assert_eq!(found(no_unbounded_channel, bounded), NOTHING);
    }

    #[test]
    fn a_sleeping_test_is_found_unless_it_is_paced() {
        let text = "thread::sleep(d);\ntokio::time::sleep(d); // paced: the delay is the subject\n\
                    // paced: so is this\nsleep(d);\nsleep(d); // paced:\n\nsleep_until(t);\n";
        assert_eq!(
            found_in(no_sleep_in_tests, "crates/fetch/tests/a.rs", text),
            [1, 5, 7]
        );
        assert_eq!(found(no_sleep_in_tests, "thread::sleep(d);\n"), NOTHING);
        let inner = "#[cfg(test)]\nmod tests {\n    fn f() { sleep(d); }\n}\n";
        assert_eq!(found(no_sleep_in_tests, inner), [3]);
    }

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(
            found(
                no_ignored_test,
                "#[ignore]\n#[ignore = \"slow\"]\n#[test]\n"
            ),
            [1, 2]
        );
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_in_comments() {
        let text = "todo!();\nunimplemented!(a);\n// FIXME: later\n/* XXX */\nlet a = \"FIXME\";\nXXXL();\n";
        assert_eq!(found(no_unfinished_work, text), [1, 2, 3, 4]);
    }

    #[test]
    fn a_printing_library_is_found_and_a_binary_may_print() {
        let text = "fn f() { println!(); }\nfn g() { eprint!(a); }\n// println!\n";
        assert_eq!(found(libraries_do_not_print, text), [1, 2]);
        assert_eq!(
            found_in(libraries_do_not_print, "crates/sim/src/main.rs", text),
            NOTHING
        );
        assert_eq!(
            found_in(libraries_do_not_print, "crates/sim/src/bin/s.rs", text),
            NOTHING
        );
        assert_eq!(
            found_in(libraries_do_not_print, "crates/cli/src/show.rs", text),
            NOTHING
        );
        assert_eq!(
            found_in(libraries_do_not_print, "crates/fetch/tests/a.rs", text),
            NOTHING
        );
    }
}
