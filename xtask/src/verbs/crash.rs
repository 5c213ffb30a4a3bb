//! `cargo xtask crash`.

use std::path::PathBuf;

use super::Verb;
use crate::crash::{self, Commands, Request};
use crate::{failure, process, repository};

pub(super) const VERB: Verb = Verb {
    name: "crash",
    summary: "kill crawls again and again, and judge what comes out",
    help: "cargo xtask crash [--kills N] [--seed S] [--format F]... [--jobs N] [--only CRAWL] [--keep]

Builds nephila and nephila-sim in release (unless NEPHILA_BIN and NEPHILA_SIM_BIN name them), serves a small web on loopback, and runs crawls that are
killed and gone on with until N kills have fired: half of them by SIGKILL at a moment (5 ms to 1.5 s,
each order of magnitude as likely), half by the command itself at a named file operation
(NEPHILA_KILL_AT), also in the recovery of `resume` and in the mending of `nephila status`.
Every crawl is judged at its end by one that nobody killed: the same rows, each once, in every form;
files that have their names whole at every moment and never changed; politeness over all its lives,
by the server's log. Parquet is read by pyarrow and WARC by warcio too, where NEPHILA_PYTHON or
.python/bin/python has them.

  --kills N    so many kills, default 100
  --seed S     from which all is drawn, default 1
  --format F   formats of the crawls, as `nephila crawl --format`; repeated: one of them each;
               by default each form alone, and mixes
  --jobs N     crawls at once, default 1
  --only CRAWL this crawl only, as a finding names it
  --keep       keep all crawl directories, not only those with a finding

Prints a table of the kills, and each finding with the command that does it again. What is drawn
follows from the seed; when a process is killed at a moment, how far it came does not.
Exit code 1 when there is a finding.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let request = parse(arguments)?;
    let commands = built()?;
    judged(&request, &commands)
}

/// The kills of `cargo xtask test`: always the same thirty, of crawls of every mix of formats.
pub(super) fn few(commands: &Commands) -> anyhow::Result<()> {
    let request = Request {
        kills: 30,
        ..Request::default()
    };
    judged(&request, commands)
}

fn judged(request: &Request, commands: &Commands) -> anyhow::Result<()> {
    let (table, is_well) = crash::run(request, commands)?;
    print!("{table}");
    anyhow::ensure!(is_well, "the crawler was found to be wrong");
    Ok(())
}

/// The commands: those that NEPHILA_BIN and NEPHILA_SIM_BIN name, else built.
fn built() -> anyhow::Result<Commands> {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    if let (Some(nephila), Some(sim)) = (named("NEPHILA_BIN"), named("NEPHILA_SIM_BIN")) {
        return Ok(Commands { nephila, sim });
    }
    let packages = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "nephila-cli",
        "-p",
        "nephila-sim",
    ];
    process::run(process::cargo().args(packages))?;
    Ok(Commands::in_directory(
        &repository::target_directory()?.join("release"),
    ))
}

fn parse(arguments: &[String]) -> anyhow::Result<Request> {
    let mut request = Request::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            let given = inline.clone().or_else(|| rest.next().cloned());
            given.ok_or_else(|| failure::usage(format!("`{flag}` needs a value")))
        };
        match flag {
            "--kills" => request.kills = number(flag, &value()?)?,
            "--seed" => request.seed = number(flag, &value()?)?,
            "--jobs" => request.jobs = number(flag, &value()?)?.clamp(1, 64) as usize,
            "--only" => request.only = Some(number(flag, &value()?)?),
            "--format" => request.formats.push(value()?),
            "--keep" => request.keep = true,
            _ => {
                let what =
                    format!("`cargo xtask crash` has no `{flag}`: see `cargo xtask help crash`");
                return Err(failure::usage(what));
            }
        }
    }
    Ok(request)
}

fn number(flag: &str, text: &str) -> anyhow::Result<u64> {
    text.parse()
        .map_err(|_| failure::usage(format!("`{flag}` needs a number, not `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<Request> {
        let words: Vec<String> = text.split_whitespace().map(String::from).collect();
        parse(&words)
    }

    #[test]
    fn flags_are_read_in_both_forms() {
        let request =
            parsed("--kills=7 --seed 3 --format csv --format jsonl,warc --only 4").unwrap();
        assert_eq!((request.kills, request.seed, request.only), (7, 3, Some(4)));
        assert_eq!(request.formats, ["csv", "jsonl,warc"]);
    }

    #[test]
    fn wrong_arguments_are_usage_errors() {
        for text in ["--kills", "--kills many", "--seed x", "crash", "--only -1"] {
            let error = parsed(text).err().unwrap();
            assert_eq!(failure::exit_code(&error), 2, "{text}");
        }
    }
}
