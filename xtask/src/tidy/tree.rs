//! What the rules look at: the files of the repository as text, and what cargo knows of the crates.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::rust_text::{self, Views};

/// The files and crates of the repository. Tests make one from planted text.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    pub(crate) crates: Vec<Crate>,
}

/// A text file, its path relative to the root with `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust files only.
    pub(crate) rust: Option<Rust>,
}

/// A Rust file seen as code and as comments.
pub(crate) struct Rust {
    pub(crate) views: Views,
    /// Lines from this one on (from 1) are tests; past the end when there are none.
    tests_from: usize,
}

/// A member of the workspace and what it depends on.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) has_features: bool,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// True when only tests and examples see it.
    pub(crate) dev: bool,
}

impl Tree {
    /// Reads the files that are text. Files that are not UTF-8 are listed with empty text.
    pub(crate) fn read(root: &Path, paths: Vec<String>, metadata: Value) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            let bytes =
                std::fs::read(root.join(&path)).with_context(|| format!("reading {path}"))?;
            files.push((path, String::from_utf8(bytes).unwrap_or_default()));
        }
        let crates = crates(&metadata, root);
        Ok(Self::new(files, crates))
    }

    pub(crate) fn new(files: Vec<(String, String)>, crates: Vec<Crate>) -> Self {
        let mut files: Vec<File> = files
            .into_iter()
            .map(|(path, text)| file(path, text))
            .collect();
        mark_test_modules(&mut files);
        Self { files, crates }
    }

    /// A tree of planted files, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let owned = files
            .iter()
            .map(|(path, text)| (path.to_string(), text.to_string()));
        Self::new(owned.collect(), Vec::new())
    }

    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files with their views.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files
            .iter()
            .filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
    }
}

impl File {
    /// The crate's directory when the file belongs to a crate: `crates/robots`, `xtask`.
    pub(crate) fn package(&self) -> &str {
        let parts = if self.path.starts_with("crates/") {
            2
        } else {
            1
        };
        let end = self
            .path
            .match_indices('/')
            .nth(parts - 1)
            .map_or(0, |(at, _)| at);
        self.path.get(..end).unwrap_or_default()
    }

    /// Whether the whole file is of tests, examples or benches rather than of the program.
    pub(crate) fn is_beside_the_program(&self) -> bool {
        self.path
            .split('/')
            .any(|part| matches!(part, "tests" | "examples" | "benches"))
    }
}

impl Rust {
    /// The lines of code, from 1, and whether each belongs to tests.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let numbered = self.views.code.lines().enumerate();
        numbered.map(|(index, line)| (index + 1, line, index + 1 >= self.tests_from))
    }

    /// The lines of code that are part of the program.
    pub(crate) fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .filter(|(_, _, test)| !test)
            .map(|(number, line, _)| (number, line))
    }

    pub(crate) fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }
}

fn file(path: String, text: String) -> File {
    let rust = path.ends_with(".rs").then(|| {
        let views = rust_text::split(&text);
        let tests_from = tests_from(&views.code);
        Rust { views, tests_from }
    });
    let mut file = File { path, text, rust };
    if file.is_beside_the_program()
        && let Some(rust) = &mut file.rust
    {
        rust.tests_from = 1;
    }
    file
}

/// The line of a `#[cfg(test)]` that is followed by a module with a body: by custom the last part
/// of a file.
fn tests_from(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let mut pairs = lines.windows(2).enumerate();
    let found = pairs.find(|(_, pair)| {
        matches!(pair, ["#[cfg(test)]", next] if next.contains("mod ") && next.ends_with('{'))
    });
    found.map_or(usize::MAX, |(index, _)| index + 1)
}

/// `#[cfg(test)] mod name;` makes the whole file of that module a test.
fn mark_test_modules(files: &mut [File]) {
    let declared: BTreeSet<String> = files.iter().flat_map(declared_test_modules).collect();
    for file in files {
        let stem = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let is_test = declared.iter().any(|module| is_within(stem, module));
        if let Some(rust) = file.rust.as_mut().filter(|_| is_test) {
            rust.tests_from = 1;
        }
    }
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The paths, without `.rs`, of the modules that a file declares for tests only.
fn declared_test_modules(file: &File) -> Vec<String> {
    let Some(rust) = &file.rust else {
        return Vec::new();
    };
    let stem = file.path.trim_end_matches(".rs");
    let parent = ["/lib", "/main", "/mod"]
        .iter()
        .find_map(|root| stem.strip_suffix(root));
    let directory = parent.unwrap_or(stem);
    let lines: Vec<&str> = rust.views.code.lines().map(str::trim).collect();
    let names = lines.windows(2).filter_map(|pair| match pair {
        ["#[cfg(test)]", next] => next.split("mod ").nth(1)?.strip_suffix(';'),
        _ => None,
    });
    names.map(|name| format!("{directory}/{name}")).collect()
}

fn crates(metadata: &Value, root: &Path) -> Vec<Crate> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages
        .into_iter()
        .flatten()
        .map(|package| member(package, root))
        .collect()
}

fn member(package: &Value, root: &Path) -> Crate {
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
    let manifest = Path::new(text("manifest_path"));
    let relative = manifest.strip_prefix(root).unwrap_or(manifest);
    let dependencies = package.get("dependencies").and_then(Value::as_array);
    let features = package.get("features").and_then(Value::as_object);
    Crate {
        name: text("name").to_string(),
        manifest: relative.to_string_lossy().into_owned(),
        dependencies: dependencies.into_iter().flatten().map(dependency).collect(),
        has_features: features.is_some_and(|features| !features.is_empty()),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: value
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string(),
        dev: value.get("kind").and_then(Value::as_str) == Some("dev"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_a_file_begin_at_its_test_module() {
        let tree = Tree::planted(&[(
            "crates/x/src/a.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n",
        )]);
        let (_, rust) = tree.rust().next().unwrap();
        assert_eq!(rust.program().count(), 1);
        assert!(rust.is_test(2) && !rust.is_test(1));
    }

    #[test]
    fn a_module_declared_for_tests_is_one_with_all_below_it() {
        let tree = Tree::planted(&[
            (
                "crates/x/src/lib.rs",
                "#[cfg(test)]\nmod planted;\nmod real;\n",
            ),
            ("crates/x/src/planted.rs", "fn a() {}\n"),
            ("crates/x/src/planted/deep.rs", "fn a() {}\n"),
            ("crates/x/src/real.rs", "#[cfg(test)]\nmod check;\n"),
            ("crates/x/src/real/check/mod.rs", "fn a() {}\n"),
            ("crates/x/tests/t.rs", "fn a() {}\n"),
        ]);
        let tests: Vec<bool> = tree.rust().map(|(_, rust)| rust.is_test(1)).collect();
        assert_eq!(tests, [false, true, true, false, true, true]);
    }

    #[test]
    fn crates_are_read_from_what_cargo_prints() {
        let metadata = serde_json::json!({"packages": [{
            "name": "nephila-robots",
            "manifest_path": "/r/crates/robots/Cargo.toml",
            "features": {"default": []},
            "dependencies": [
                {"name": "memchr", "kind": null},
                {"name": "proptest", "kind": "dev"},
            ],
        }]});
        let crates = crates(&metadata, Path::new("/r"));
        assert_eq!(crates[0].manifest, "crates/robots/Cargo.toml");
        assert!(crates[0].has_features);
        let seen: Vec<_> = crates[0]
            .dependencies
            .iter()
            .map(|d| (d.name.as_str(), d.dev))
            .collect();
        assert_eq!(seen, [("memchr", false), ("proptest", true)]);
    }

    #[test]
    fn a_file_knows_its_package() {
        let tree = Tree::planted(&[
            ("crates/x/src/a.rs", ""),
            ("xtask/src/b.rs", ""),
            ("c.rs", ""),
        ]);
        let packages: Vec<_> = tree.files.iter().map(File::package).collect();
        assert_eq!(packages, ["crates/x", "xtask", ""]);
    }
}
