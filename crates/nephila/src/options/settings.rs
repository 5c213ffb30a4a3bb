//! Raw settings: what the user wrote, and where. Parsed into a checked [`CrawlConfig`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::serve::check_serve;
use super::table::{CrawlConfig, OPTIONS, OptionSpec};

/// Where a value came from. Later ones win.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The table of options.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable of this name.
    Environment(String),
    /// The command line.
    Flag,
    /// The program that uses the library.
    Caller,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => write!(formatter, "default"),
            Source::File(path) => write!(formatter, "file {}", path.display()),
            Source::Environment(name) => write!(formatter, "environment {name}"),
            Source::Flag => write!(formatter, "flag"),
            Source::Caller => write!(formatter, "caller"),
        }
    }
}

/// What is wrong with a setting: which option, where it was written, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct BadSetting {
    /// The option's name, or the unknown name.
    pub name: String,
    /// Where it was written.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// What the user wrote, option by option, before it was read.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, (Vec<String>, Source)>,
}

impl Settings {
    /// No settings: every option at its default.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// Sets an option to what the user wrote; replaces what an earlier source said.
    ///
    /// # Errors
    /// [`BadSetting`] for a name that is no option's; the nearest names are suggested.
    pub fn set(
        &mut self,
        name: &str,
        written: Vec<String>,
        source: Source,
    ) -> Result<(), BadSetting> {
        let Some(option) = option(name) else {
            let what = format!("there is no option {name:?}{}", suggestion(name));
            return Err(BadSetting {
                name: name.to_owned(),
                place: source.to_string(),
                what,
            });
        };
        self.values.insert(option.name, (written, source));
        Ok(())
    }

    /// Sets one value, as a program would.
    ///
    /// # Errors
    /// As [`Settings::set`].
    pub fn with(mut self, name: &str, written: &str) -> Result<Settings, BadSetting> {
        self.set(name, vec![written.to_owned()], Source::Caller)?;
        Ok(self)
    }

    /// Adds the settings of a configuration file: keys are the options' names.
    ///
    /// # Errors
    /// [`BadSetting`] where the text is no TOML, a key is no option, or a value is neither text,
    /// number, boolean nor a list of these. The place is the file and line.
    pub fn add_file(&mut self, path: &Path, text: &str) -> Result<(), BadSetting> {
        let bad = |name: &str, what: String, line: usize| BadSetting {
            name: name.to_owned(),
            place: format!("{}, line {line}", path.display()),
            what,
        };
        let line_of = |offset: usize| {
            1 + text
                .bytes()
                .take(offset)
                .filter(|byte| *byte == b'\n')
                .count()
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = line_of(error.span().map_or(0, |span| span.start));
            bad("", format!("not TOML: {}", error.message()), line)
        })?;
        for (name, value) in &table {
            if FILE_KEYS.contains(&name.as_str()) {
                continue;
            }
            let line = || line_of(key_offset(text, name));
            let items = items_of(value).ok_or_else(|| {
                bad(
                    name,
                    format!("{name}: text, a number, true, false or a list is wanted"),
                    line(),
                )
            })?;
            self.set(name, items, Source::File(path.to_owned()))
                .map_err(|error| bad(name, error.what, line()))?;
        }
        Ok(())
    }

    /// Reads a configuration file and adds its settings.
    ///
    /// # Errors
    /// When it cannot be read, and as [`Settings::add_file`].
    pub fn add_config_file(&mut self, path: &Path) -> Result<(), crate::Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| crate::Error::io(path, "read the configuration file", error))?;
        Ok(self.add_file(path, &text)?)
    }

    /// Adds the settings of the environment: `NEPHILA_MAX_PAGES` is `max-pages`; a list has one
    /// item a line.
    ///
    /// # Errors
    /// [`BadSetting`] for a variable that starts with `NEPHILA_` and is no option's, apart from
    /// `NEPHILA_CONFIG`.
    pub fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), BadSetting> {
        for (variable, value) in variables {
            let Some(rest) = variable.strip_prefix("NEPHILA_") else {
                continue;
            };
            if rest == "CONFIG" {
                continue;
            }
            let name = rest.to_ascii_lowercase().replace('_', "-");
            // Variables of other programs of ours may share the prefix: only options count.
            let Some(option) = option(&name) else {
                continue;
            };
            let items = if option.is_list {
                value.lines().map(str::to_owned).collect()
            } else {
                vec![value]
            };
            self.set(option.name, items, Source::Environment(variable))?;
        }
        Ok(())
    }

    /// Adds all of `other`, which wins.
    pub fn merge(&mut self, other: Settings) {
        self.values.extend(other.values);
    }

    /// Those set by a flag or by the caller.
    #[must_use]
    pub fn only_explicit(&self) -> Settings {
        let is_explicit = |source: &Source| matches!(source, Source::Flag | Source::Caller);
        let explicit = self
            .values
            .iter()
            .filter(|(_, (_, source))| is_explicit(source));
        Settings {
            values: explicit
                .map(|(name, value)| (*name, value.clone()))
                .collect(),
        }
    }

    /// The names that were set, with their sources.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &Source)> {
        self.values
            .iter()
            .map(|(name, (_, source))| (*name, source))
    }

    /// Where the value of this option comes from.
    pub fn source(&self, name: &str) -> &Source {
        self.values
            .get(name)
            .map_or(&Source::Default, |(_, source)| source)
    }

    /// Reads every setting and holds it against its bounds.
    ///
    /// # Errors
    /// [`BadSetting`]: the first value that cannot be read or is out of bounds.
    pub fn check(&self) -> Result<CrawlConfig, BadSetting> {
        let broken = |what| BadSetting {
            name: String::new(),
            place: "defaults".into(),
            what,
        };
        let mut config = CrawlConfig::defaults().map_err(broken)?;
        for option in OPTIONS {
            let Some((written, source)) = self.values.get(option.name) else {
                continue;
            };
            (option.set)(&mut config, written).map_err(|why| BadSetting {
                name: option.name.to_owned(),
                place: place(option, source),
                what: why,
            })?;
        }
        check_agent(&config, self.source("agent"))?;
        check_serve(&config).map_err(|(name, what)| BadSetting {
            name: name.to_owned(),
            place: option(name).map_or_else(String::new, |of| place(of, self.source(name))),
            what,
        })?;
        Ok(config)
    }
}

/// Keys of `crawl.toml` that are no options.
const FILE_KEYS: [&str; 3] = ["version", "seeds", "created"];

/// The option of this name.
pub fn option(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.name == name)
}

fn place(option: &OptionSpec, source: &Source) -> String {
    match source {
        Source::Flag => format!("--{}", option.name),
        Source::File(path) => format!("{} in {}", option.name, path.display()),
        Source::Environment(name) => name.clone(),
        _ => option.name.to_owned(),
    }
}

/// RFC 9309 2.2.1: a product token is letters, `-` and `_`.
fn check_agent(config: &CrawlConfig, source: &Source) -> Result<(), BadSetting> {
    const MOST: usize = 64;
    let is_token = |c: char| c.is_ascii_alphabetic() || c == '-' || c == '_';
    let agent = &config.agent;
    if !agent.is_empty() && agent.len() <= MOST && agent.chars().all(is_token) {
        return Ok(());
    }
    let what = format!("{agent:?} is no product token: up to {MOST} letters, - and _ (RFC 9309)");
    let place = option("agent").map_or_else(String::new, |option| place(option, source));
    Err(BadSetting {
        name: "agent".to_owned(),
        place,
        what,
    })
}

fn items_of(value: &toml::Value) -> Option<Vec<String>> {
    let scalar = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    };
    match value {
        toml::Value::Array(items) => items.iter().map(scalar).collect(),
        single => scalar(single).map(|item| vec![item]),
    }
}

/// Where a top-level key stands in the file.
fn key_offset(text: &str, name: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let key = line
            .split('=')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches(['"', '\'']);
        if key == name {
            return offset;
        }
        offset += line.len();
    }
    0
}

/// `, did you mean ...?` for the option whose name is nearest.
fn suggestion(name: &str) -> String {
    const FARTHEST: usize = 3;
    let nearest = OPTIONS
        .iter()
        .map(|option| (edit_distance(name, option.name), option.name))
        .min()
        .filter(|(distance, _)| *distance <= FARTHEST);
    nearest.map_or_else(
        || "; `nephila config show` lists them".to_owned(),
        |(_, nearest)| format!("; did you mean {nearest:?}?"),
    )
}

/// Levenshtein's distance, in characters.
pub(crate) fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(a != *b))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sources_win_and_are_told() {
        let mut settings = Settings::new();
        settings
            .add_file(Path::new("a.toml"), "delay = \"2s\"\nmax-pages = 7\n")
            .unwrap();
        let variable = ("NEPHILA_MAX_PAGES".to_owned(), "8".to_owned());
        settings.add_environment([variable].into_iter()).unwrap();
        settings
            .set("scope", vec!["any".into()], Source::Flag)
            .unwrap();
        let config = settings.check().unwrap();
        assert_eq!(config.max_pages, Some(8));
        assert_eq!(settings.source("delay").to_string(), "file a.toml");
        assert_eq!(
            settings.source("max-pages").to_string(),
            "environment NEPHILA_MAX_PAGES"
        );
        assert_eq!(*settings.source("scope"), Source::Flag);
        assert_eq!(*settings.source("agent"), Source::Default);
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_option() {
        let mut settings = Settings::new();
        let error = settings
            .add_file(Path::new("c.toml"), "\nmax-page = 7\n")
            .unwrap_err();
        let expected =
            "c.toml, line 2: there is no option \"max-page\"; did you mean \"max-pages\"?";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_value_out_of_bounds_names_its_option_and_the_bound() {
        let mut settings = Settings::new();
        settings
            .set("concurrency", vec!["0".into()], Source::Flag)
            .unwrap();
        let error = settings.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "--concurrency: 0 is under the least value, 1"
        );
    }

    #[test]
    fn text_that_is_no_toml_is_told_with_its_line() {
        let error = Settings::new()
            .add_file(Path::new("c.toml"), "a = 1\nb b\n")
            .unwrap_err();
        assert!(
            error.to_string().starts_with("c.toml, line 2: not TOML:"),
            "{error}"
        );
        let error = Settings::new()
            .add_file(Path::new("c.toml"), "delay = 1.5\n")
            .unwrap_err();
        assert!(
            error.to_string().contains("line 1: delay: text, a number"),
            "{error}"
        );
    }

    #[test]
    fn the_agent_is_a_product_token() {
        let settings = Settings::new().with("agent", "my bot/1.0").unwrap();
        assert!(
            settings
                .check()
                .unwrap_err()
                .to_string()
                .contains("product token")
        );
    }
}
