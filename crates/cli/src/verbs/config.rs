//! `nephila config show`: every option, its value, and where it came from.

use clap::ArgMatches;
use nephila::options::{CrawlConfig, OPTIONS, OptionSpec, Settings, masked_value};
use nephila::{CrawlDirectory, Error};

use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::terminal::{safe, say};

/// Widest value that the column of sources stands behind; longer ones push it aside.
const VALUE_WIDTH: usize = 40;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some(("show", matches)) = matches.subcommand() else {
        return Ok(Exit::Usage);
    };
    let settings = shown_settings(matches)?;
    let config = settings.check().map_err(Error::from)?;
    let text = match is_given(matches, "json") {
        true => json(&settings, &config)?,
        false => table(&settings, &config),
    };
    say(text.trim_end())?;
    Ok(Exit::Done)
}

/// What a crawl would start with; with a crawl directory, what `resume` would go on with.
fn shown_settings(matches: &ArgMatches) -> anyhow::Result<Settings> {
    let given = settings(matches)?;
    let Some(directory) = value(matches, "directory") else {
        return Ok(given);
    };
    let (_, mut of_crawl) = CrawlDirectory::at(directory).read_config()?;
    of_crawl.merge(given.only_explicit());
    Ok(of_crawl)
}

fn table(settings: &Settings, config: &CrawlConfig) -> String {
    let rows: Vec<[String; 3]> = OPTIONS
        .iter()
        .map(|option| {
            let source = settings.source(option.name).to_string();
            let value = safe(&written(option, config));
            [option.name.to_owned(), value, safe(&source)]
        })
        .collect();
    let widest = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let name_width = widest(0);
    let value_width = widest(1).min(VALUE_WIDTH);
    let line = |[name, value, source]: &[String; 3]| {
        format!("{name:<name_width$}  {value:<value_width$}  {source}\n")
    };
    rows.iter().map(line).collect()
}

/// The value as it stands in a configuration file, without the quotes of a single one.
fn written(option: &OptionSpec, config: &CrawlConfig) -> String {
    let items = masked_value(option, config);
    if option.is_list {
        let quoted = items
            .into_iter()
            .map(|item| toml::Value::String(item).to_string());
        return format!("[{}]", quoted.collect::<Vec<_>>().join(", "));
    }
    items.join("")
}

/// An object with an entry for each option: a list's value is an array, every other is text, as
/// the user would write it.
fn json(settings: &Settings, config: &CrawlConfig) -> serde_json::Result<String> {
    let mut options = serde_json::Map::new();
    for option in OPTIONS {
        let items = masked_value(option, config);
        let value = match option.is_list {
            true => serde_json::json!(items),
            false => serde_json::json!(items.join("")),
        };
        let source = settings.source(option.name).to_string();
        let entry = serde_json::json!({ "value": value, "source": source });
        options.insert(option.name.to_owned(), entry);
    }
    serde_json::to_string_pretty(&options)
}

#[cfg(test)]
mod tests {
    use nephila::options::Source;

    use super::*;

    #[test]
    fn every_option_has_a_line_with_its_value_and_source() {
        let mut settings = Settings::new();
        let exclude = vec!["a\"b".to_owned(), "c".to_owned()];
        settings.set("exclude", exclude, Source::Flag).unwrap();
        let auth = vec!["a.test=me:secret".to_owned()];
        settings.set("auth", auth, Source::Flag).unwrap();
        let config = settings.check().unwrap();
        let shown = table(&settings, &config);
        assert_eq!(shown.lines().count(), OPTIONS.len());
        let line = |name: &str| {
            let mut lines = shown.lines().map(|line| line.split_whitespace());
            let mut words = lines
                .find(|line| line.clone().next() == Some(name))
                .unwrap();
            words.next();
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("exclude"), r#"['a"b', "c"] flag"#);
        assert_eq!(line("include"), "[] default");
        assert_eq!(line("max-pages"), "none default");
        assert_eq!(line("auth"), r#"["a.test=me:***"] flag"#);
        assert!(!shown.contains("secret"));
        let json: serde_json::Value =
            serde_json::from_str(&json(&settings, &config).unwrap()).unwrap();
        assert_eq!(json["auth"]["value"][0], "a.test=me:***");
        let delay = serde_json::json!({ "value": "auto", "source": "default" });
        assert_eq!(json["delay"], delay);
    }
}
