//! Who asks what time it is: one file of the crawler, one of the test web, one of the lab.

use super::Finding;
use super::rust_text::has_word;
use super::tree::{File, Rust, Tree};
use super::uses;

/// The files that may ask.
const CLOCKS: &[&str] = &[
    "crates/nephila/src/clock.rs",
    "crates/sim/src/clock.rs",
    "crates/lab/src/clock.rs",
];

/// Files that arm timers with the runtime's own clock, which stands still in tests.
const TIMERS: &[&str] = &["crates/fetch/src/deadline.rs"];

/// Packages that measure or run things for developers and are no part of the crawler.
const EXEMPT: &[&str] = &["bench", "xtask"];

/// In tests, examples and benches a file may ask where it says so to clippy.
const SAID: &str = "clippy::disallowed_methods";

/// Whose clock a line asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    System,
    Runtime,
}

pub(crate) fn one_file_asks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !may_ask(file)) {
        let said = rust.views.code.contains(SAID);
        let timers = TIMERS.contains(&file.path.as_str());
        let imported = imports_runtime(rust);
        for (line, code, test) in rust.lines() {
            let fine = match asked(code, imported) {
                None => true,
                Some(Asked::System) => test && said,
                Some(Asked::Runtime) => test || timers,
            };
            if !fine {
                let message = "asks for the time: take `now` as an argument, or in a test \
                               `#[expect(clippy::disallowed_methods, reason = \"...\")]`";
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

fn may_ask(file: &File) -> bool {
    CLOCKS.contains(&file.path.as_str()) || EXEMPT.contains(&file.package())
}

/// Whether `Instant` is tokio's in this file.
fn imports_runtime(rust: &Rust) -> bool {
    uses::paths(&rust.views.code)
        .iter()
        .any(|(_, path)| path == "tokio::time::Instant")
}

fn asked(code: &str, imported: bool) -> Option<Asked> {
    if has_word(code, "tokio::time::Instant::now") {
        Some(Asked::Runtime)
    } else if has_word(code, "SystemTime::now") {
        Some(Asked::System)
    } else if has_word(code, "Instant::now") {
        Some(if imported {
            Asked::Runtime
        } else {
            Asked::System
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        one_file_asks(&Tree::planted(&[(path, text)])).len()
    }

    #[test]
    fn the_program_may_not_ask_even_when_it_says_so() {
        let text = "#[expect(clippy::disallowed_methods)]\nfn f() { let t = Instant::now(); }\n";
        assert_eq!(count("crates/fetch/src/pool.rs", text), 1);
        assert_eq!(
            count(
                "crates/fetch/src/pool.rs",
                "let t = std::time::SystemTime::now();"
            ),
            1
        );
        assert_eq!(count("crates/nephila/src/clock.rs", text), 0);
        assert_eq!(count("crates/sim/src/clock.rs", text), 0);
        assert_eq!(count("xtask/src/main.rs", text), 0);
    }

    #[test]
    fn a_test_may_ask_when_it_says_so() {
        let silent = "fn f() { let t = Instant::now(); }\n";
        assert_eq!(count("crates/fetch/tests/t.rs", silent), 1);
        assert_eq!(count("examples/one.rs", silent), 1);
        let said = format!("#![expect(clippy::disallowed_methods)]\n{silent}");
        assert_eq!(count("crates/fetch/tests/t.rs", &said), 0);
        assert_eq!(count("examples/one.rs", &said), 0);
    }

    #[test]
    fn the_runtimes_clock_is_for_timers_and_tests() {
        let imported = "use tokio::time::{Instant, timeout_at};\nfn f() { Instant::now(); }\n";
        let spelled = "fn f() { tokio::time::Instant::now(); }\n";
        for text in [imported, spelled] {
            assert_eq!(count("crates/fetch/src/pool.rs", text), 1);
            assert_eq!(count("crates/fetch/src/deadline.rs", text), 0);
            assert_eq!(count("crates/fetch/tests/t.rs", text), 0);
        }
        assert_eq!(
            count(
                "crates/fetch/src/deadline.rs",
                "fn f() { Instant::now(); }\n"
            ),
            1
        );
    }
}
