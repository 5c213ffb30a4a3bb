//! Which crate may import which: the drawing of ARCHITECTURE.md as a table.

use super::Finding;
use super::tree::{Crate, Tree};

/// Each crate of the workspace and the crates of the workspace that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("nephila-robots", &[]),
    ("nephila-frontier", &["nephila-robots"]),
    ("nephila-fetch", &[]),
    ("nephila-ledger", &[]),
    ("nephila-parse", &[]),
    ("nephila-store", &[]),
    ("nephila-warc", &[]),
    ("nephila-sim", &[]),
    ("nephila-charts", &[]),
    ("nephila-lab", &["nephila-charts", "nephila-ledger"]),
    (
        "nephila",
        &[
            "nephila-charts",
            "nephila-frontier",
            "nephila-fetch",
            "nephila-ledger",
            "nephila-parse",
            "nephila-store",
            "nephila-warc",
            "nephila-robots",
        ],
    ),
    ("nephila-serve", &["nephila", "nephila-charts"]),
    (
        "nephila-cli",
        &["nephila", "nephila-lab", "nephila-serve", "nephila-sim"],
    ),
    (
        "nephila-bench",
        &[
            "nephila",
            "nephila-fetch",
            "nephila-frontier",
            "nephila-parse",
            "nephila-robots",
            "nephila-sim",
            "nephila-store",
        ],
    ),
    (
        "nephila-fuzz-targets",
        &[
            "nephila",
            "nephila-frontier",
            "nephila-fetch",
            "nephila-parse",
            "nephila-robots",
            "nephila-store",
            "nephila-warc",
        ],
    ),
    ("xtask", &[]),
];

/// The test web may stand beside any crate's tests: it is what they are tested against.
const FOR_TESTS: &str = "nephila-sim";

/// Crates that do no I/O: where they stand.
pub(crate) const PURE: &[(&str, &str)] = &[
    ("nephila-robots", "crates/robots"),
    ("nephila-frontier", "crates/frontier"),
    ("nephila-ledger", "crates/ledger"),
    ("nephila-parse", "crates/parse"),
    ("nephila-warc", "crates/warc"),
    ("nephila-charts", "crates/charts"),
];

/// Families of crates that do I/O: the name itself, or the name and a dash.
const DOES_IO: &[&str] = &[
    "async-io",
    "async-std",
    "hickory",
    "hyper",
    "libc",
    "mio",
    "nix",
    "polling",
    "reqwest",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "ureq",
];

/// Dependencies inside the workspace are only those of the table.
pub(crate) fn arrows(tree: &Tree) -> Vec<Finding> {
    tree.crates.iter().flat_map(crate_arrows).collect()
}

fn crate_arrows(of: &Crate) -> Vec<Finding> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == of.name) else {
        let message = format!("crate `{}` is in no table: draw its arrows first", of.name);
        return vec![Finding::new(&of.manifest, 0, message)];
    };
    let inside = of
        .dependencies
        .iter()
        .filter(|d| ARROWS.iter().any(|(name, _)| *name == d.name));
    let wrong = inside.filter(|dependency| {
        let name = dependency.name.as_str();
        let for_tests = dependency.dev && name == FOR_TESTS;
        !(for_tests || allowed.contains(&name))
    });
    let may = if allowed.is_empty() {
        "no other crate".to_string()
    } else {
        allowed.join(", ")
    };
    let message = |name: &str| format!("`{}` depends on `{name}`; it may depend on {may}", of.name);
    wrong
        .map(|dependency| Finding::new(&of.manifest, 0, message(&dependency.name)))
        .collect()
}

/// The pure crates depend on nothing that does I/O; their tests may.
pub(crate) fn pure_dependencies(tree: &Tree) -> Vec<Finding> {
    let pure = tree
        .crates
        .iter()
        .filter(|of| PURE.iter().any(|(name, _)| *name == of.name));
    let mut findings = Vec::new();
    for of in pure {
        for dependency in of
            .dependencies
            .iter()
            .filter(|d| !d.dev && does_io(&d.name))
        {
            let message = format!("`{}` does I/O, and `{}` is pure", dependency.name, of.name);
            findings.push(Finding::new(&of.manifest, 0, message));
        }
    }
    findings
}

fn does_io(name: &str) -> bool {
    DOES_IO.iter().any(|family| {
        name.strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::Dependency;
    use super::*;

    fn tree(name: &str, dependencies: &[(&str, bool)]) -> Tree {
        let dependencies = dependencies
            .iter()
            .map(|(name, dev)| Dependency {
                name: name.to_string(),
                dev: *dev,
            })
            .collect();
        let manifest = "Cargo.toml".to_string();
        let planted = Crate {
            name: name.to_string(),
            manifest,
            dependencies,
            has_features: false,
        };
        Tree::new(Vec::new(), vec![planted])
    }

    #[test]
    fn the_arrows_of_the_drawing_are_accepted() {
        assert_eq!(
            arrows(&tree(
                "nephila-frontier",
                &[("nephila-robots", false), ("url", false)]
            )),
            []
        );
        assert_eq!(
            arrows(&tree(
                "nephila-cli",
                &[("nephila", false), ("nephila-sim", false)]
            )),
            []
        );
        assert_eq!(arrows(&tree("nephila-fetch", &[("nephila-sim", true)])), []);
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        let found = arrows(&tree("nephila-fetch", &[("nephila-parse", false)]));
        assert_eq!(
            found[0].message,
            "`nephila-fetch` depends on `nephila-parse`; it may depend on no other crate"
        );
        assert_eq!(
            arrows(&tree("nephila-cli", &[("nephila-fetch", false)])).len(),
            1
        );
        assert_eq!(
            arrows(&tree("nephila-parse", &[("nephila-robots", true)])).len(),
            1
        );
        assert_eq!(
            arrows(&tree("nephila-fetch", &[("nephila-sim", false)])).len(),
            1
        );
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_found() {
        assert!(
            arrows(&tree("nephila-new", &[]))[0]
                .message
                .contains("draw its arrows")
        );
    }

    #[test]
    fn a_pure_crate_with_io_is_found_and_its_tests_may_have_it() {
        assert_eq!(
            pure_dependencies(&tree("nephila-parse", &[("tokio", false)])).len(),
            1
        );
        assert_eq!(
            pure_dependencies(&tree("nephila-robots", &[("hyper-util", false)])).len(),
            1
        );
        assert_eq!(
            pure_dependencies(&tree("nephila-parse", &[("tokio", true), ("url", false)])),
            []
        );
        assert_eq!(
            pure_dependencies(&tree("nephila-fetch", &[("tokio", false)])),
            []
        );
    }

    #[test]
    fn the_table_names_only_crates_that_are_in_it() {
        let known: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
        let named = ARROWS.iter().flat_map(|(_, allowed)| allowed.iter());
        assert!(named.into_iter().all(|name| known.contains(name)));
        assert!(PURE.iter().all(|(name, _)| known.contains(name)));
    }
}
