//! What is measured, from the command line.

use std::time::Duration;

use anyhow::{Context as _, bail};

use super::tools::TOOLS;

const USAGE: &str = "usage: cargo xtask bench peers [OPTIONS]

  --only NAME,...     these crawlers; all by default:NAMES
  --web NAME,...      simulated, and sites of Debian's documentation as `cargo xtask help sites` names
                      them; simulated,python3.11-doc by default
  --rounds N          runs of each crawler, 1 to 100; 5 by default
  --pages N           pages of the simulated web, from 1; 5000 by default
  --hosts N           hosts of the simulated web, from 1; 50 by default
  --latency TIME      before the first byte of the simulated web, as 200ms or 1s; 0ms by default
  --in-flight N       requests in flight at once, 1 to 1000; 100 by default
  --limit SECONDS     a run is ended after this; 300 by default";

/// The name of the simulated web.
pub(super) const SIMULATED: &str = "simulated";

/// What is measured.
#[derive(Debug)]
pub(super) struct Options {
    /// [`SIMULATED`], and packages of documentation.
    pub(super) webs: Vec<String>,
    pub(super) rounds: usize,
    pub(super) pages: usize,
    pub(super) hosts: usize,
    pub(super) latency: String,
    pub(super) in_flight: usize,
    pub(super) limit: Duration,
    /// Empty is all.
    only: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            webs: listed("simulated,python3.11-doc"),
            rounds: 5,
            pages: 5_000,
            hosts: 50,
            latency: "0ms".to_owned(),
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
            "--web" => self.webs = listed(value),
            "--rounds" => self.rounds = number(name, value, 100)?,
            "--pages" => self.pages = number(name, value, 10_000_000)?,
            "--hosts" => self.hosts = number(name, value, 100_000)?,
            "--latency" => self.latency = latency(value)?,
            "--in-flight" => self.in_flight = number(name, value, 1_000)?,
            "--limit" => {
                self.limit = Duration::from_secs(u64::try_from(number(name, value, 86_400)?)?);
            }
            _ => bail!("`bench peers` has no `{name}`\n\n{}", usage()),
        }
        Ok(())
    }
}

/// What there is to say.
pub(super) fn usage() -> String {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    USAGE.replace("NAMES", &format!("\n{:22}{}", "", names.join(",")))
}

fn listed(names: &str) -> Vec<String> {
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect()
}

fn names(list: &str) -> anyhow::Result<Vec<String>> {
    let names = listed(list);
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
        let options =
            parsed("--rounds=3 --pages 200 --only wget2,nephila --web python3.11-doc").unwrap();
        assert_eq!((options.rounds, options.pages), (3, 200));
        assert!(options.wants("wget2") && !options.wants("spider"));
        assert_eq!(options.webs, ["python3.11-doc"]);
        assert!(parsed("").unwrap().wants("spider"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("--rounds 0", "`--rounds 0`: a number from 1 to 100"),
            ("--latency soon", "`--latency soon`: a time as 200ms or 1s"),
            ("--only lynx", "there is no crawler `lynx`"),
            ("--fast 1", "`bench peers` has no `--fast`"),
            ("--pages", "`--pages` needs a value"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.starts_with(part), "{message}");
        }
    }
}
