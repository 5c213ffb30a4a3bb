//! The crawlers, and how each is told what to crawl.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use super::check::key;

/// A crawler and where it is had.
#[derive(Debug)]
pub(super) struct Tool {
    /// As `--only` names it.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) source: Source,
}

/// Where a crawler comes from; folders are those of `bench/peers`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Built with this project.
    Nephila,
    Floor,
    /// A package of Debian with a program of that name.
    Wget2,
    /// `requirements.txt` from PyPI, and a script.
    Python {
        folder: &'static str,
        package: &'static str,
        script: &'static str,
    },
    /// `package.json` from npm, and a script.
    Node {
        folder: &'static str,
        package: &'static str,
        script: &'static str,
    },
    /// A program on a crate, built with cargo.
    Rust {
        folder: &'static str,
        package: &'static str,
    },
    /// A program on a Go module, built with Go.
    Go {
        folder: &'static str,
        package: &'static str,
    },
}

/// In the order in which they run.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "nephila",
        title: "Nephila",
        source: Source::Nephila,
    },
    Tool {
        name: "floor",
        title: "the floor",
        source: Source::Floor,
    },
    Tool {
        name: "wget2",
        title: "wget2",
        source: Source::Wget2,
    },
    Tool {
        name: "spider",
        title: "spider",
        source: Source::Rust {
            folder: "spider",
            package: "spider",
        },
    },
    Tool {
        name: "kumo",
        title: "kumo",
        source: Source::Rust {
            folder: "kumo",
            package: "kumo",
        },
    },
    Tool {
        name: "colly",
        title: "Colly",
        source: Source::Go {
            folder: "colly",
            package: "gocolly/colly/v2",
        },
    },
    Tool {
        name: "scrapy",
        title: "Scrapy, plain spider",
        source: Source::Python {
            folder: "scrapy",
            package: "Scrapy",
            script: "plain.py",
        },
    },
    Tool {
        name: "scrapy-rules",
        title: "Scrapy, CrawlSpider",
        source: Source::Python {
            folder: "scrapy",
            package: "Scrapy",
            script: "rules.py",
        },
    },
    Tool {
        name: "crawlee-python",
        title: "Crawlee for Python, ParselCrawler",
        source: Source::Python {
            folder: "crawlee-python",
            package: "crawlee",
            script: "pages.py",
        },
    },
    Tool {
        name: "crawlee-js",
        title: "Crawlee, CheerioCrawler",
        source: Source::Node {
            folder: "crawlee-js",
            package: "@crawlee/cheerio",
            script: "pages.js",
        },
    },
];

/// A crawler that can be run.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) source: Source,
    /// With its version.
    pub(super) title: String,
    /// The program and what comes before the arguments of a run.
    pub(super) words: Vec<OsString>,
}

/// What is to be crawled.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) seed: String,
    pub(super) port: u16,
    /// The domain that all hosts are below; none where there is one host.
    pub(super) domain: Option<String>,
    pub(super) in_flight: usize,
    /// Requests in flight at once on one host, for a crawler that bounds them.
    pub(super) per_host: usize,
    pub(super) out: PathBuf,
}

impl Ready {
    /// Whether it is told where the names of the simulated web live, and needs no hosts file.
    pub(super) fn knows_names(&self) -> bool {
        matches!(self.source, Source::Nephila | Source::Floor)
    }

    /// The command of a run.
    pub(super) fn command(&self, task: &Task) -> anyhow::Result<Command> {
        let (program, first) = self.words.split_first().context("no program")?;
        let mut command = Command::new(program);
        command.args(first).current_dir(&task.out);
        let in_flight = task.in_flight.to_string();
        match self.source {
            Source::Nephila => {
                let scope = if task.domain.is_some() { "any" } else { "host" };
                command
                    .args([
                        "crawl",
                        &task.seed,
                        "--quiet",
                        "--threads",
                        "1",
                        "--delay",
                        "0s",
                    ])
                    .args(["--scope", scope, "--concurrency", &in_flight])
                    .args(["--per-host", &task.per_host.to_string()])
                    .args(["--resolve", &format!("*:{0}:127.0.0.1:{0}", task.port)])
                    .arg("--out")
                    .arg(task.out.join("crawl"));
            }
            Source::Floor => {
                let address = format!("127.0.0.1:{}", task.port);
                command
                    .args([&task.seed, &address, &in_flight])
                    .arg(rows_of(&task.out));
            }
            Source::Wget2 => {
                command
                    .args([
                        "--no-config",
                        "--quiet",
                        "--recursive",
                        "--level=inf",
                        "--tries=1",
                    ])
                    .args([
                        "--robots=off",
                        "--no-hsts",
                        "--no-hpkp",
                        "--no-ocsp",
                        "--no-xattr",
                    ])
                    .args([&format!("--max-threads={in_flight}"), NOT_FOLLOWED]);
                if let Some(domain) = &task.domain {
                    command.args(["--span-hosts", &format!("--domains={domain}")]);
                }
                command
                    .arg("--directory-prefix")
                    .arg(task.out.join("files"))
                    .arg(&task.seed);
            }
            _ => {
                // The adapters' folder is the repository's: nothing is written there.
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                command.args([&task.seed, &task.port.to_string(), &in_flight]);
                command.arg(rows_of(&task.out));
            }
        }
        Ok(command)
    }

    /// The pages of the rows that a run wrote, as [`key`] has them; none where it writes no rows.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn rows(&self, out: &Path) -> anyhow::Result<Option<Vec<String>>> {
        let rows = match self.source {
            Source::Wget2 => return Ok(None),
            Source::Nephila => nephila_rows(out)?,
            _ => std::fs::read_to_string(rows_of(out)).unwrap_or_default(),
        };
        Ok(Some(
            rows.lines().filter_map(page).map(|(url, _)| url).collect(),
        ))
    }
}

/// What wget2 looks for links in beside `a` and `area`.
const NOT_FOLLOWED: &str = "--ignore-tags=link/href,img/src,img/srcset,script/src,iframe/src,\
     frame/src,form/action,input/src,body/background,object/data,embed/src,source/src,video/poster";

fn rows_of(out: &Path) -> PathBuf {
    out.join("rows.jsonl")
}

/// All rows of a crawl of Nephila's.
pub(super) fn nephila_rows(out: &Path) -> anyhow::Result<String> {
    let mut rows = String::new();
    let folder = out.join("crawl/pages");
    for part in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        rows.push_str(&std::fs::read_to_string(part?.path())?);
    }
    Ok(rows)
}

/// The page of a row, and whether it is HTML answered with 200. None for robots.txt and what is no
/// row, as the last line of a crawler that was ended.
pub(super) fn page(line: &str) -> Option<(String, bool)> {
    let row: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let is_html = text("content_type").is_none_or(|kind| kind.starts_with("text/html"))
        && row.get("status").is_none_or(|status| status == 200);
    let url = key(text("url")?);
    text("kind")
        .is_none_or(|kind| kind == "page")
        .then_some((url, is_html))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(domain: Option<&str>) -> Task {
        Task {
            seed: "http://h0.sim.test:8000/".to_owned(),
            port: 8000,
            domain: domain.map(str::to_owned),
            in_flight: 100,
            per_host: 2,
            out: PathBuf::from("/out"),
        }
    }

    fn shown(source: Source, domain: Option<&str>) -> String {
        let ready = Ready {
            source,
            title: String::new(),
            words: vec!["program".into()],
        };
        let command = ready.command(&task(domain)).unwrap();
        let words = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned());
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_adapter_is_told_the_seed_the_port_how_many_and_where() {
        let source = Source::Rust {
            folder: "kumo",
            package: "kumo",
        };
        let words = "http://h0.sim.test:8000/ 8000 100 /out/rows.jsonl";
        assert_eq!(shown(source, Some("sim.test")), words);
    }

    #[test]
    fn no_crawler_leaves_the_web_that_is_served() {
        assert!(shown(Source::Nephila, None).contains("--scope host"));
        assert!(!shown(Source::Wget2, None).contains("--span-hosts"));
        assert!(shown(Source::Wget2, Some("sim.test")).contains("--domains=sim.test"));
    }

    #[test]
    fn a_row_that_is_no_page_does_not_count() {
        let line = |kind: &str, status: u16| {
            format!("{{\"url\":\"http://a:1/\",\"kind\":\"{kind}\",\"status\":{status}}}")
        };
        assert_eq!(page(&line("page", 200)), Some(("a/".to_owned(), true)));
        assert_eq!(page(&line("page", 404)), Some(("a/".to_owned(), false)));
        assert_eq!(page(&line("robots", 200)), None);
        assert_eq!(
            page("{\"url\":\"http://a/\"}"),
            Some(("a/".to_owned(), true))
        );
        assert_eq!(page("{\"url\":"), None);
    }
}
