//! `nephila sitemap`: the entries of a sitemap, an index or a feed.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use clap::ArgMatches;
use nephila::single::{
    MOST_SITEMAPS, SitemapItem, SitemapRead, SitemapResult, SitemapTotals, read_sitemap,
};
use serde::Serialize;

use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::terminal::{complain, count, safe, safe_json, say};

/// How entries are written.
#[derive(Clone, Copy)]
struct Output {
    json: bool,
    /// Whether the sitemaps that indexes name are read, so that they are no entries themselves.
    recurse: bool,
}

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(matches)?;
    let output = Output {
        json: is_given(matches, "json"),
        recurse: is_given(matches, "recurse"),
    };
    let url = value(matches, "url").unwrap_or_default();
    let mut written = Ok(());
    let totals = read_sitemap(url, &settings, output.recurse, &mut |read| {
        tell(&read);
        written = write_entries(&read, output);
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    written?;
    complain(&totals_text(totals));
    Ok(if totals.read > 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// What came of one sitemap, on standard error.
fn tell(read: &SitemapRead) {
    let mut line = safe(read.url.as_str());
    match &read.result {
        SitemapResult::Read {
            kind,
            entries,
            warnings,
        } => {
            let _ = write!(line, ": {kind}, {}", entries_text(entries.len() as u64));
            if !warnings.is_empty() {
                let _ = write!(line, "; warnings: {}", warnings.join(", "));
            }
        }
        SitemapResult::NotASitemap => line.push_str(": no sitemap"),
        SitemapResult::Failed(why) => {
            let _ = write!(line, ": {}", safe(why));
        }
    }
    if let Some(named_by) = &read.named_by {
        let _ = write!(line, " (named by {})", safe(named_by.as_str()));
    }
    complain(&line);
}

fn write_entries(read: &SitemapRead, output: Output) -> anyhow::Result<()> {
    let SitemapResult::Read { kind, entries, .. } = &read.result else {
        return Ok(());
    };
    if output.recurse && *kind == "index" {
        return Ok(());
    }
    let mut lines = String::new();
    for entry in entries {
        if output.json {
            let sitemap = read.url.as_str();
            lines.push_str(&safe_json(&serde_json::to_string(&EntryLine {
                sitemap,
                kind,
                entry,
            })?));
        } else {
            entry_line(entry, &mut lines);
        }
        lines.push('\n');
    }
    if !lines.is_empty() {
        say(lines.trim_end_matches('\n'))?;
    }
    Ok(())
}

/// One entry for a program.
#[derive(Serialize)]
struct EntryLine<'a> {
    /// The sitemap that it stands in.
    sitemap: &'a str,
    /// What that is.
    kind: &'a str,
    #[serde(flatten)]
    entry: &'a SitemapItem,
}

/// URL, date, frequency and priority with tabs between them; what an entry does not say is empty.
fn entry_line(entry: &SitemapItem, line: &mut String) {
    let text = |value: &Option<String>| value.as_deref().map(safe).unwrap_or_default();
    let priority = entry
        .priority
        .map_or_else(String::new, |priority| priority.to_string());
    let (lastmod, changefreq) = (text(&entry.lastmod), text(&entry.changefreq));
    let _ = write!(
        line,
        "{}\t{lastmod}\t{changefreq}\t{priority}",
        safe(&entry.loc)
    );
}

fn entries_text(entries: u64) -> String {
    format!(
        "{} {}",
        count(entries),
        if entries == 1 { "entry" } else { "entries" }
    )
}

fn totals_text(totals: SitemapTotals) -> String {
    let sitemaps = if totals.read == 1 {
        "sitemap"
    } else {
        "sitemaps"
    };
    let mut text = format!(
        "{} {sitemaps} read, {}",
        count(totals.read),
        entries_text(totals.entries)
    );
    if totals.failed > 0 {
        let _ = write!(
            text,
            "; {} could not be had or are none",
            count(totals.failed)
        );
    }
    if totals.left_out > 0 {
        let left_out = count(totals.left_out);
        let _ = write!(
            text,
            "; {left_out} not read (at most {MOST_SITEMAPS}, three levels deep)"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_of_four_fields() {
        let entry = SitemapItem {
            loc: "http://a.test/\u{1b}[2J".to_owned(),
            lastmod: Some("2024-01-01\tx\ny".to_owned()),
            changefreq: None,
            priority: Some(0.8),
            alternates: Vec::new(),
        };
        let mut line = String::new();
        entry_line(&entry, &mut line);
        assert_eq!(
            line,
            "http://a.test/\\u{1b}[2J\t2024-01-01\\u{9}x\\u{a}y\t\t0.8"
        );
    }

    #[test]
    fn totals_tell_what_was_left_out() {
        let totals = SitemapTotals {
            read: 1,
            failed: 0,
            entries: 1_200,
            left_out: 0,
        };
        assert_eq!(totals_text(totals), "1 sitemap read, 1,200 entries");
        let totals = SitemapTotals {
            failed: 2,
            left_out: 7,
            ..totals
        };
        assert!(totals_text(totals).contains("; 2 could not be had or are none; 7 not read"));
    }
}
