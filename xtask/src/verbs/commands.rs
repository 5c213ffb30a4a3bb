//! `cargo xtask commands`: the commands that README.md and docs/ tell a reader to type.

mod run;

use std::path::Path;

use super::Verb;
use crate::markdown::{self, Block};
use crate::{failure, process, repository, sites};

pub(crate) use run::run_pages;

pub(super) const VERB: Verb = Verb {
    name: "commands",
    summary: "list the commands on README.md and docs/*.md, or run them",
    help: "cargo xtask commands [--run [PAGE]...]

Prints every line of the `sh` blocks of README.md and docs/*.md as `page:line: command`.

With --run it builds the commands in release and runs the blocks: those of a page in order, in one
directory of their own, by `sh -eu` with the built commands first in PATH. A block that fails, or
takes more than five minutes, is an error. In a block `cargo run --release -- ARGS` is `nephila
ARGS` and `cargo xtask test` is nothing (it is what runs); other cargo commands run in the
repository. Not run: blocks that begin with ```sh no-run, and ```text. A block that names a URL of
another host than this machine is refused, unless the command has --resolve: fence it as ```text.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let pages = pages()?;
    match arguments.split_first() {
        None => {
            list(&pages);
            Ok(())
        }
        Some((first, wanted)) if first == "--run" => {
            let pages = chosen(pages, wanted)?;
            let build = [
                "build",
                "--release",
                "-p",
                "nephila-cli",
                "-p",
                "nephila-sim",
            ];
            process::run(process::cargo().args(build))?;
            let binaries = repository::target_directory()?.join("release");
            let served_before = sites::served();
            let outcome = run_pages(&pages, &binaries);
            for told in sites::stop_all_but(&served_before) {
                eprintln!("note: {told}");
            }
            outcome
        }
        Some(_) => Err(failure::usage(
            "`cargo xtask commands` takes `--run [PAGE]...` or nothing",
        )),
    }
}

fn chosen(pages: Vec<PageText>, wanted: &[String]) -> anyhow::Result<Vec<PageText>> {
    if let Some(missing) = wanted
        .iter()
        .find(|name| !pages.iter().any(|page| page.path == **name))
    {
        let known: Vec<&str> = pages.iter().map(|page| page.path.as_str()).collect();
        return Err(failure::usage(format!(
            "no page `{missing}`: there are {}",
            known.join(", ")
        )));
    }
    Ok(pages
        .into_iter()
        .filter(|page| wanted.is_empty() || wanted.contains(&page.path))
        .collect())
}

/// A page whose commands are run.
pub(crate) struct PageText {
    /// Relative to the root of the repository.
    pub(crate) path: String,
    pub(crate) blocks: Vec<Block>,
}

/// Whether the commands of the page at this path are run by the tests.
pub(crate) fn is_page(path: &str) -> bool {
    let in_docs = path
        .strip_prefix("docs/")
        .is_some_and(|rest| !rest.contains('/'));
    path == "README.md" || (in_docs && path.ends_with(".md"))
}

/// README.md and the pages of docs/, in the order of their names.
pub(crate) fn pages() -> anyhow::Result<Vec<PageText>> {
    let mut pages = Vec::new();
    for path in repository::files()?
        .into_iter()
        .filter(|path| is_page(path))
    {
        let text = std::fs::read_to_string(repository::root().join(&path))?;
        pages.push(PageText {
            path,
            blocks: markdown::split(&text).blocks,
        });
    }
    Ok(pages)
}

fn list(pages: &[PageText]) {
    for page in pages {
        for block in page.blocks.iter().filter(|block| block.language == "sh") {
            let not_run = if is_run(block) { "" } else { "  (not run)" };
            for (line, command) in commands(block) {
                println!("{}:{line}: {command}{not_run}", page.path);
            }
        }
    }
}

/// The lines of a block that are commands, with their number on the page.
fn commands(block: &Block) -> impl Iterator<Item = (usize, &str)> {
    let numbered = block
        .body
        .lines()
        .enumerate()
        .map(|(index, line)| (block.line + 1 + index, line));
    numbered.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// Whether the tests run the block.
pub(crate) fn is_run(block: &Block) -> bool {
    block.language == "sh" && block.flags.is_empty()
}

/// What is wrong with a block of a page, if anything, told as what to do.
pub(crate) fn judge(block: &Block) -> Result<(), String> {
    let language = block.language.as_str();
    if matches!(
        language,
        "bash" | "shell" | "console" | "zsh" | "shell-session"
    ) {
        return Err(format!(
            "a block of `{language}`: `sh` is run by the tests, output is `text`"
        ));
    }
    if language.is_empty() {
        return Err("a block without a language: `sh` for commands, `text` for output".into());
    }
    if language != "sh" {
        return Ok(());
    }
    if let Some(flag) = block.flags.iter().find(|flag| *flag != "no-run") {
        return Err(format!(
            "`sh {flag}` is unknown: `sh` is run by the tests, `sh no-run` is not"
        ));
    }
    if let Some(url) = is_run(block).then(|| outside_url(&block.body)).flatten() {
        return Err(format!(
            "uses the internet ({url}): fence it as `text`, tests stay on loopback"
        ));
    }
    Ok(())
}

/// The first URL of another host in a command without `--resolve`.
fn outside_url(body: &str) -> Option<String> {
    let joined = body.replace("\\\n", " ");
    let lines = joined
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines
        .filter(|line| !line.contains("--resolve"))
        .find_map(|line| {
            let words = line.split(|c: char| c.is_whitespace() || "'\"=(),;".contains(c));
            words
                .filter(|word| is_outside(word))
                .map(String::from)
                .next()
        })
}

fn is_outside(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else {
        return word.starts_with("git@");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let local = name == "localhost" || name == "::1" || name.ends_with(".localhost");
    !(local || is_loopback(name) || word.starts_with("file:"))
}

fn is_loopback(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| address.is_loopback())
}

/// A name for the directory in which a page's blocks run.
fn directory_name(path: &str) -> String {
    Path::new(path)
        .with_extension("")
        .to_string_lossy()
        .replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(info: &str, body: &str) -> Block {
        let page = markdown::split(&format!("```{info}\n{body}\n```\n"));
        page.blocks.into_iter().next().unwrap()
    }

    #[test]
    fn readme_and_docs_are_pages_and_nothing_else_is() {
        assert!(is_page("README.md") && is_page("docs/rows.md"));
        assert!(
            !is_page("docs/deep/x.md") && !is_page("CONTRIBUTING.md") && !is_page("docs/x.txt")
        );
    }

    #[test]
    fn commands_are_lines_that_are_not_comments() {
        let block = block("sh", "# first\nnephila demo\n\nls");
        assert_eq!(
            commands(&block).collect::<Vec<_>>(),
            [(3, "nephila demo"), (5, "ls")]
        );
    }

    #[test]
    fn only_plain_sh_is_run() {
        assert!(is_run(&block("sh", "ls")));
        assert!(!is_run(&block("sh no-run", "ls")) && !is_run(&block("text", "ls")));
    }

    #[test]
    fn this_machine_is_inside_and_every_other_host_is_outside() {
        for url in [
            "nephila crawl http://127.0.0.1:18001/",
            "nephila crawl http://localhost:80",
            "nephila crawl http://[::1]:80/",
            "nephila crawl http://a.localhost/x?u=1",
            "nephila crawl http://a.example/ --resolve '*:80:127.0.0.1:8080'",
            "nephila crawl http://a.example/ \\\n  --resolve '*:80:127.0.0.1:8080'",
            "# see https://example.org\nls",
        ] {
            assert_eq!(judge(&block("sh", url)), Ok(()), "{url}");
        }
        for url in [
            "nephila crawl https://www.debian.org/",
            "nephila crawl 'http://127.0.0.1.example.org/'",
            "git clone git@example.org:x/y",
            "nephila crawl --seed=http://user@10.0.0.1/",
        ] {
            assert!(
                judge(&block("sh", url)).unwrap_err().contains("text"),
                "{url}"
            );
            assert_eq!(judge(&block("sh no-run", url)), Ok(()), "{url}");
        }
    }

    #[test]
    fn languages_and_flags_that_nothing_runs_are_refused() {
        assert!(judge(&block("console", "$ ls")).is_err());
        assert!(judge(&block("", "ls")).is_err());
        assert!(
            judge(&block("sh norun", "ls"))
                .unwrap_err()
                .contains("norun")
        );
        assert_eq!(judge(&block("json", "{}")), Ok(()));
    }

    #[test]
    fn a_page_that_is_not_there_is_named() {
        let page = PageText {
            path: "README.md".into(),
            blocks: Vec::new(),
        };
        let error = chosen(vec![page], &["docs/gone.md".to_string()])
            .err()
            .unwrap();
        assert!(
            error.to_string().contains("docs/gone.md") && error.to_string().contains("README.md")
        );
    }
}
