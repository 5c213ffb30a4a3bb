//! Who asks what time it is: one file of the crawler, one of the test web.

use super::Finding;
use super::rust_text::has_word;
use super::tree::{File, Tree};

/// The files that may ask.
const CLOCKS: &[&str] = &["crates/nephila/src/clock.rs", "crates/sim/src/clock.rs"];

/// Packages that measure or run things for developers and are no part of the crawler.
const EXEMPT: &[&str] = &["bench", "xtask"];

/// In tests, examples and benches a file may ask where it says so to clippy.
const SAID: &str = "clippy::disallowed_methods";

pub(crate) fn one_file_asks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !may_ask(file)) {
        let said = rust.views.code.contains(SAID);
        for (line, code, test) in rust.lines() {
            if asks(code) && !(test && said) {
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

fn asks(code: &str) -> bool {
    has_word(code, "Instant::now") || has_word(code, "SystemTime::now")
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
}
