//! `nephila explain`: what limits a crawl, and what would change it.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use nephila::{CrawlDirectory, Explanation};

use crate::Exit;
use crate::arguments::{is_given, value};
use crate::terminal::{count, safe_json, say, shell_word, span};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let directory = CrawlDirectory::at(value(matches, "directory").unwrap_or_default());
    let explanation = Explanation::read(&directory)?;
    if is_given(matches, "json") {
        say(&safe_json(&serde_json::to_string_pretty(&explanation)?))?;
    } else {
        let shown = shell_word(&directory.root().display().to_string());
        say(explanation_text(&explanation, &shown).trim_end())?;
    }
    Ok(Exit::Done)
}

/// The explanation for a person; `directory` is a word for the shell.
fn explanation_text(of: &Explanation, directory: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{directory}: {}", of.words);
    let _ = writeln!(
        text,
        "{} pages in {} of the run that began {}, {} pages/s",
        count(of.pages as u64),
        span(Duration::from_secs_f64(of.seconds.max(0.0))),
        of.started_at,
        rate(of.pages_per_second),
    );
    if let Some(lately) = &of.lately {
        let _ = writeln!(text, "in the last half minute: {lately}");
    }
    limits(&mut text, of);
    what_if(&mut text, of);
    if let Some(standing) = &of.concurrency {
        let slots = count(standing.decision.slots as u64);
        let _ = writeln!(
            text,
            "--concurrency auto: {slots}, because {}",
            standing.words
        );
    }
    for advice in &of.advice {
        let _ = writeln!(text, "to change it: {}", advice.why);
        if !advice.options.is_empty() {
            let _ = writeln!(
                text,
                "              nephila resume {directory} {}",
                advice.options
            );
        }
    }
    text
}

fn limits(text: &mut String, of: &Explanation) {
    let limit = of.verdict.map(|verdict| verdict.limit);
    let mut behind = of.bounds.iter().filter(|bound| Some(bound.limit) != limit);
    if let Some(next) = behind.find(|bound| bound.pages_per_second >= of.pages_per_second) {
        let rate = rate(next.pages_per_second);
        let _ = writeln!(
            text,
            "the next limit behind it: {} at {rate} pages/s",
            next.limit.words()
        );
    }
    if !of.limits.is_empty() {
        let share =
            |of: &nephila::LimitShare| format!("{} {:.0} %", of.limit.words(), of.share * 100.0);
        let shares: Vec<String> = of.limits.iter().map(share).collect();
        let _ = writeln!(text, "of the run: {}", shares.join(", "));
    }
}

fn what_if(text: &mut String, of: &Explanation) {
    if of.what_if.is_empty() {
        return;
    }
    let _ = writeln!(text, "what if:\n  {:<28} {:>9}   range", "", "pages/s");
    for prediction in &of.what_if {
        let range = format!("{} - {}", rate(prediction.least), rate(prediction.most));
        let change = prediction.change.to_string();
        let pages = rate(prediction.pages_per_second);
        let line = format!("  {change:<28} {pages:>9}   {range:<17}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if let Some(crossover) = of.crossover {
        let _ = writeln!(
            text,
            "crossover: the processors become the limit at some {} fetches in flight",
            count(crossover.round() as u64)
        );
    }
}

/// Pages a second: small ones with a digit behind the point.
fn rate(pages: f64) -> String {
    match pages {
        pages if pages < 100.0 => format!("{pages:.1}"),
        pages => count(pages.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use nephila::{Change, Limit, LimitShare, Prediction, Verdict};

    use super::*;

    #[test]
    fn a_person_reads_the_limit_the_table_and_what_to_change() {
        let explanation = Explanation {
            started_at: "2026-11-23T04:26:57.000Z".to_owned(),
            seconds: 60.0,
            pages: 1_200.0,
            pages_per_second: 20.0,
            verdict: Some(Verdict {
                limit: Limit::RemoteLatency,
                share: 0.9,
            }),
            words: "limited by remote latency at 4 in flight".to_owned(),
            lately: None,
            bounds: Vec::new(),
            limits: vec![LimitShare {
                limit: Limit::RemoteLatency,
                share: 0.98,
            }],
            what_if: vec![Prediction {
                change: Change::MoreSlots(2.0),
                pages_per_second: 39.5,
                least: 37.0,
                most: 1_041.0,
            }],
            crossover: Some(1_234.4),
            factor: Some(1.0),
            concurrency: None,
            advice: vec![nephila::Advice {
                why: "it waits".to_owned(),
                options: "--concurrency 8".to_owned(),
            }],
        };
        let text = explanation_text(&explanation, "site");
        for part in [
            "site: limited by remote latency at 4 in flight\n1,200 pages in 60 s",
            "of the run: remote latency 98 %\n",
            "  twice the slots                   39.5   37.0 - 1,041\n",
            "at some 1,234 fetches in flight\n",
            "              nephila resume site --concurrency 8\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }
}
