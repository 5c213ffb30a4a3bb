//! Running the command and reading what it made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nephila_sim::{ServeOptions, Server, Web};
use serde_json::Value;

/// The command under test: the release build where the test runner made one.
pub(crate) fn nephila() -> Command {
    let built = std::env::var_os("NEPHILA_BIN");
    let mut command = Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_nephila").into()));
    // A proxy of the machine's is none of the tests'.
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A served web, and a folder for crawls of it.
pub(crate) struct Site {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new(web: Web) -> Site {
        Site::with(web, ServeOptions::default())
    }

    pub(crate) fn with(web: Web, options: ServeOptions) -> Site {
        let server = Server::start_in_thread(web, options).unwrap();
        Site {
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn seed(&self) -> String {
        self.server.web().seeds()[0].clone()
    }

    /// `nephila crawl SEED --out NAME`, everywhere on the served web.
    pub(crate) fn crawl(&self, name: &str) -> Command {
        let port = self.server.addr().port();
        let mut command = nephila();
        command
            .args(["crawl", &self.seed(), "--quiet", "--scope", "any", "--out"])
            .arg(self.path(name))
            .arg("--resolve")
            .arg(format!("*:{port}:127.0.0.1:{port}"));
        command
    }
}

/// The page rows of a crawl, by URL. Fails on a torn row, and on a URL that stands twice.
pub(crate) fn pages(directory: &Path) -> BTreeMap<String, Value> {
    let mut pages = BTreeMap::new();
    for row in rows(directory)
        .into_iter()
        .filter(|row| row["kind"] == "page")
    {
        let url = row["url"].as_str().unwrap().to_owned();
        assert!(
            pages.insert(url.clone(), row).is_none(),
            "{url} stands twice"
        );
    }
    pages
}

/// All rows of a crawl that are in parts of JSON lines with their names, in order.
pub(crate) fn rows(directory: &Path) -> Vec<Value> {
    let mut parts: Vec<PathBuf> = std::fs::read_dir(directory.join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    parts.sort();
    let mut rows = Vec::new();
    for part in parts {
        for line in std::fs::read_to_string(&part).unwrap().lines() {
            let row = serde_json::from_str(line);
            rows.push(row.unwrap_or_else(|error| panic!("torn row: {error}: {line}")));
        }
    }
    rows
}

pub(crate) fn summary(directory: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(directory.join("summary.json")).unwrap()).unwrap()
}
