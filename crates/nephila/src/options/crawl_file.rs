//! `crawl.toml`: the checked configuration of a crawl, written once and read by every later verb.

use super::table::{CrawlConfig, OPTIONS, OptionSpec};

/// The version of the crawl directory's layout.
pub const DIRECTORY_VERSION: i64 = 1;

/// Writes `crawl.toml`: the layout's version, the seeds, then every option with what it does.
///
/// The same text is a configuration file: `nephila crawl --config crawl.toml` takes it.
pub fn write_crawl_file(config: &CrawlConfig, seeds: &[String]) -> String {
    let mut text = String::from(
        "# The checked configuration of this crawl, written by nephila.\n\
         # `nephila resume DIR --OPTION VALUE` changes what may change.\n\n",
    );
    text.push_str(&format!("version = {DIRECTORY_VERSION}\n"));
    let seeds: Vec<String> = seeds.iter().map(|seed| quoted(seed)).collect();
    text.push_str(&format!("seeds = [{}]\n", seeds.join(", ")));
    let mut heading = "";
    for option in OPTIONS {
        if option.group.heading() != heading {
            heading = option.group.heading();
            text.push_str(&format!("\n# {heading}\n"));
        }
        text.push_str(&format!("\n# {}.\n{}\n", option.help, line(option, config)));
    }
    text
}

/// Reads the seeds back; `None` when the text is no `crawl.toml` of this version.
pub fn read_seeds(text: &str) -> Option<Vec<String>> {
    let table: toml::Table = text.parse().ok()?;
    if table.get("version")?.as_integer()? != DIRECTORY_VERSION {
        return None;
    }
    let seeds = table.get("seeds")?.as_array()?;
    seeds
        .iter()
        .map(|seed| seed.as_str().map(str::to_owned))
        .collect()
}

fn line(option: &OptionSpec, config: &CrawlConfig) -> String {
    let items = option.value(config);
    if option.is_list {
        let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
        return format!("{} = [{}]", option.name, items.join(", "));
    }
    let item = items.first().map_or("", String::as_str);
    let is_bare = option.is_switch || item.parse::<i64>().is_ok();
    let value = if is_bare {
        item.to_owned()
    } else {
        quoted(item)
    };
    format!("{} = {value}", option.name)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::options::Settings;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut settings = Settings::new()
            .with("delay", "1.5s")
            .and_then(|s| s.with("max-pages", "10"))
            .and_then(|s| s.with("exclude", r#"\.(png|"x")$"#))
            .and_then(|s| s.with("resolve", "*:80:127.0.0.1:8080"))
            .and_then(|s| s.with("header", "X-A: b"))
            .unwrap();
        settings
            .set(
                "include",
                vec!["a".into(), "b".into()],
                crate::options::Source::Flag,
            )
            .unwrap();
        let config = settings.check().unwrap();
        let seeds = vec!["http://a.test/\"x".to_owned(), "http://b.test/".to_owned()];
        let text = write_crawl_file(&config, &seeds);
        assert_eq!(read_seeds(&text), Some(seeds.clone()));
        let mut again = Settings::new();
        again.add_file(Path::new("crawl.toml"), &text).unwrap();
        assert_eq!(write_crawl_file(&again.check().unwrap(), &seeds), text);
    }
}
