//! What is measured, from the command line.

use std::time::Duration;

use anyhow::{Context as _, bail};

use super::tools::TOOLS;
use super::webs::Kind;

const USAGE: &str = "usage: cargo xtask bench peers [OPTIONS]

  --only NAME,...     these crawlers: NAMES; all by default
  --web NAME,...      simulated, docs; both by default
  --rounds N          runs of each crawler, 1 to 100; 5 by default
  --pages N           pages of the simulated web, from 1; 5000 by default
  --hosts N           hosts of the simulated web, from 1; 50 by default
  --latency TIME      before the first byte of the simulated web, as 200ms or 1s; 0ms by default
  --site NAME         the documentation, as `cargo xtask help sites` names it; python3.11-doc by
                      default
  --in-flight N       requests in flight at once, 1 to 1000; 100 by default
  --limit SECONDS     a run is ended after this; 300 by default";

/// What is measured.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) webs: Vec<Kind>,
    pub(super) rounds: usize,
    pub(super) pages: usize,
    pub(super) hosts: usize,
    pub(super) latency: String,
    pub(super) site: String,
    pub(super) in_flight: usize,
    pub(super) limit: Duration,
    /// Empty is all.
    only: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            webs: vec![Kind::Simulated, Kind::Docs],
            rounds: 5,
            pages: 5_000,
            hosts: 50,
            latency: "0ms".to_owned(),
            site: "python3.11-doc".to_owned(),
            in_flight: 100,
            limit: Duration::from_secs(300),
            only: Vec::new(),
        }
    }
}

impl Options {
    /// Reads the arguments after the verb's name.
    pub(super) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if matches!(name, "--help" | "help") {
                bail!(usage());
            }
            let value = inline
                .or_else(|| rest.next().cloned())
                .with_context(|| format!("`{name}` needs a value\n\n{}", usage()))?;
            options.set(name, &value)?;
        }
        Ok(options)
    }

    /// Whether this crawler takes part.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    fn set(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        match name {
            "--only" => self.only = names(value)?,
            "--web" => {
                self.webs = value
                    .split(',')
                    .map(Kind::named)
                    .collect::<Result<_, _>>()?
            }
            "--rounds" => self.rounds = number(name, value, 100)?,
            "--pages" => self.pages = number(name, value, 10_000_000)?,
            "--hosts" => self.hosts = number(name, value, 100_000)?,
            "--latency" => self.latency = latency(value)?,
            "--site" => self.site = value.to_owned(),
            "--in-flight" => self.in_flight = number(name, value, 1_000)?,
            "--limit" => {
                self.limit = Duration::from_secs(u64::try_from(number(name, value, 86_400)?)?);
            }
            _ => bail!("`bench peers` has no `{name}`\n\n{}", usage()),
        }
        Ok(())
    }
}

fn usage() -> String {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    USAGE.replace("NAMES", &names.join(", "))
}

fn names(list: &str) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    match names
        .iter()
        .find(|name| TOOLS.iter().all(|tool| tool.name != name.as_str()))
    {
        Some(name) => bail!("there is no crawler `{name}`\n\n{}", usage()),
        None => Ok(names),
    }
}

fn number(name: &str, value: &str, most: usize) -> anyhow::Result<usize> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.with_context(|| format!("`{name} {value}`: a number from 1 to {most}"))
}

/// Milliseconds or seconds, as `nephila-sim` takes them.
fn latency(value: &str) -> anyhow::Result<String> {
    let digits = value.strip_suffix("ms").or_else(|| value.strip_suffix('s'));
    match digits.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(_) => Ok(value.to_owned()),
        None => bail!("`--latency {value}`: a time as 200ms or 1s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<Options> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_are_read_in_both_forms() {
        let options = parsed("--rounds=3 --pages 200 --only wget2,nephila --web docs").unwrap();
        assert_eq!((options.rounds, options.pages), (3, 200));
        assert!(options.wants("wget2") && !options.wants("spider"));
        assert_eq!(options.webs, [Kind::Docs]);
        assert!(parsed("").unwrap().wants("spider"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("--rounds 0", "`--rounds 0`: a number from 1 to 100"),
            ("--latency soon", "`--latency soon`: a time as 200ms or 1s"),
            ("--only lynx", "there is no crawler `lynx`"),
            ("--web deep", "there is no web `deep`"),
            ("--fast 1", "`bench peers` has no `--fast`"),
            ("--pages", "`--pages` needs a value"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.starts_with(part), "{message}");
        }
    }
}
