//! The pure crates touch no file, socket, process, thread, environment or clock.

use super::Finding;
use super::layering::PURE;
use super::rust_text::has_word;
use super::tree::{File, Rust, Tree};
use super::uses;

/// What no program line of a pure crate may name. Addresses (`std::net::IpAddr`) are values: fine.
const BANNED: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::os",
    "std::process",
    "std::thread",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
];

pub(crate) fn sources(tree: &Tree) -> Vec<Finding> {
    let inside = |file: &File| {
        PURE.iter()
            .any(|(_, directory)| file.package() == *directory)
    };
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| inside(file)) {
        for (line, banned) in named(rust) {
            let message = format!("`{banned}` in a crate that does no I/O: pass the value in");
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

/// The banned things that the program names, in a path or in a `use`.
fn named(rust: &Rust) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (line, path) in uses::paths(&rust.views.code) {
        let banned = BANNED.iter().find(|banned| starts_with_path(&path, banned));
        found.extend(
            banned
                .filter(|_| !rust.is_test(line))
                .map(|banned| (line, *banned)),
        );
    }
    for (line, code) in rust.program() {
        let banned = BANNED.iter().find(|banned| has_word(code, banned));
        found.extend(banned.map(|banned| (line, *banned)));
        if code.contains(".elapsed()") {
            found.push((line, ".elapsed()"));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn starts_with_path(path: &str, banned: &str) -> bool {
    path.trim_start_matches("::").starts_with(banned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        sources(&Tree::planted(&[(path, text)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn io_is_found_in_paths_and_in_grouped_uses() {
        let text = "use std::{fmt, fs};\nuse std::net::{IpAddr, TcpStream};\nfn f() { std::env::var(a); }\n";
        assert_eq!(lines("crates/parse/src/lib.rs", text), [1, 2, 3]);
        assert_eq!(
            lines("crates/frontier/src/a/b.rs", "fn f(t: T) { t.elapsed() }\n"),
            [1]
        );
    }

    #[test]
    fn values_comments_tests_and_other_crates_are_fine() {
        let text = "use std::net::IpAddr;\n// std::fs\nconst A: &str = \"std::fs\";\nconst B: &str = env!(x);\n";
        assert_eq!(lines("crates/robots/src/lib.rs", text), [] as [usize; 0]);
        let tests = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(lines("crates/robots/src/lib.rs", tests), [] as [usize; 0]);
        assert_eq!(
            lines("crates/robots/tests/a.rs", "use std::fs;\n"),
            [] as [usize; 0]
        );
        assert_eq!(
            lines("crates/store/src/lib.rs", "use std::fs;\n"),
            [] as [usize; 0]
        );
    }
}
