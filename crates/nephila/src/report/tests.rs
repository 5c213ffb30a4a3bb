use nephila_frontier::Outcome;
use nephila_ledger::State;
use nephila_parse::{ParseOptions, parse_html};

use super::duplicate_groups::DuplicateGroups;
use super::ranking::Ranking;
use super::*;
use crate::counts::HostLine;
use crate::ledger::VisitExample;

const HOSTILE: &str = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\" \
    onmouseover='alert(3)' \u{202e}gpj\u{0}\u{1b}[31m\u{9b}\n\u{2028}&lt;";

/// A report in which every text is hostile.
fn hostile_report() -> Report {
    let web = format!("https://a.test/{HOSTILE}");
    let evil = format!("javascript:alert(1)//{HOSTILE}");
    let visit = VisitExample {
        url: web.clone(),
        states: [0.25; State::ALL.len()],
    };
    let host = HostLine {
        host: HOSTILE.to_owned(),
        ..HostLine::default()
    };
    let run = RunLedger {
        started_at: HOSTILE.to_owned(),
        typical: Some(visit.clone()),
        slowest: vec![visit.clone(), visit],
        ..RunLedger::default()
    };
    let config = Settings::new().check().unwrap();
    Report {
        seeds: vec![web.clone(), evil.clone()],
        run: Some(explained(run, &config)),
        hosts: HostRankings {
            largest: vec![host.clone()],
            slowest: vec![host.clone()],
            failing: vec![host],
            ..HostRankings::default()
        },
        findings: Findings {
            broken: vec![BrokenPage {
                url: web.clone(),
                outcome: HOSTILE.to_owned(),
                status: None,
                error: Some(HOSTILE.to_owned()),
                linked_from: vec![(evil.clone(), HOSTILE.to_owned())],
                links: 7,
            }],
            broken_count: 1_234,
            redirects: vec![(web.clone(), evil.clone())],
            redirect_count: 1,
            slowest: vec![(12, evil.clone())],
            largest: vec![(34_567, web.clone())],
            duplicates: vec![DuplicateGroup {
                count: 2,
                bytes: 5,
                urls: vec![web, evil],
            }],
            duplicate_count: 1,
            ..Findings::default()
        },
        ..Report::default()
    }
}

/// Whatever stands in the rows, the page is the page: its links are those of the report, http and
/// https, and nothing of the text is markup.
#[test]
fn hostile_text_stays_text() {
    let html = hostile_report().to_html();
    let plain = Report::default().to_html();
    for markup in ["<script", "</script", "</style", "<!--"] {
        let count = |html: &str| html.matches(markup).count();
        // The data of a plot is a block of its own.
        let plots = match markup {
            "<script" | "</script" => 3,
            _ => 0,
        };
        assert_eq!(count(&html), count(&plain) + plots, "{markup}");
    }
    for forbidden in [
        "<img",
        "href=\"javascript",
        "\u{202e}",
        "\u{0}",
        "\u{1b}",
        "\u{9b}",
        "\u{2028}",
        "onmouseover='",
    ] {
        assert!(!html.contains(forbidden), "{forbidden:?} is in the page");
    }
    let document = parse_html(
        html.as_bytes(),
        Some("text/html; charset=utf-8"),
        &ParseOptions {
            want_text: true,
            ..ParseOptions::default()
        },
    );
    assert_eq!(document.title.as_deref(), Some("Crawl report"));
    for link in &document.outlinks {
        assert!(link.href.starts_with("https://a.test/"), "{}", link.href);
        assert_eq!(link.rel, "noopener nofollow noreferrer");
    }
    let text = document.text.unwrap_or_default();
    assert!(
        text.contains("<script>alert(1)</script>"),
        "it is shown: {text}"
    );
    assert!(
        text.contains("And 1,233 more.") && text.contains("and 6 more links"),
        "{text}"
    );
}

#[test]
fn a_plain_page_is_linked_and_one_that_deceives_is_not() {
    let report = Report {
        findings: Findings {
            slowest: vec![
                (1, "https://a.test/plain".to_owned()),
                (1, "https://a.test/\u{202e}gpj".to_owned()),
            ],
            ..Findings::default()
        },
        ..Report::default()
    };
    let html = report.to_html();
    assert!(html.contains("href=\"https://a.test/plain\">https://a.test/plain</a>"));
    assert_eq!(html.matches("<a ").count(), 1);
}

#[test]
fn an_empty_report_is_a_page_and_a_cut_one_says_so() {
    let html = Report::default().to_html();
    assert!(html.contains("No run of this crawl has kept a ledger."));
    assert!(html.contains("from all 0 rows") && html.ends_with("</html>\n"));
    let report = Report {
        findings: Findings {
            rows: 100_000,
            is_cut: true,
            ..Findings::default()
        },
        ..Report::default()
    };
    assert!(
        report
            .to_html()
            .contains("from the first 100,000 rows only")
    );
}

#[test]
fn the_highest_figures_are_kept_in_order() {
    let mut ranking = Ranking::new(3);
    for figure in [5, 1, 9, 0, 7, 9, 2] {
        ranking.offer(figure, &format!("p{figure}"));
    }
    let figures: Vec<u64> = ranking
        .into_list()
        .into_iter()
        .map(|(figure, _)| figure)
        .collect();
    assert_eq!(figures, [9, 9, 7]);
}

#[test]
fn groups_are_of_two_and_more_and_the_largest_come_first() {
    let mut groups = DuplicateGroups::default();
    let digest = |byte: u8| format!("blake3:{}", format!("{byte:02x}").repeat(32));
    for (byte, url) in [(1, "a"), (2, "b"), (1, "c"), (3, "d"), (3, "e"), (3, "f")] {
        groups.note(&digest(byte), 10, url);
    }
    let (list, count) = groups.into_list();
    assert_eq!(count, 2);
    assert_eq!(list[0].urls, ["d", "e", "f"]);
    assert_eq!(list[1].urls, ["a", "c"]);
}

#[test]
fn a_page_is_broken_when_a_reader_is_disappointed() {
    let broken: Vec<_> = Outcome::ALL
        .into_iter()
        .filter(|outcome| is_broken(*outcome))
        .collect();
    for outcome in [
        Outcome::HttpError,
        Outcome::DnsFailed,
        Outcome::TimedOut,
        Outcome::TooManyRedirects,
    ] {
        assert!(broken.contains(&outcome), "{outcome:?}");
    }
    for outcome in [
        Outcome::Fetched,
        Outcome::Redirected,
        Outcome::RobotsDenied,
        Outcome::WrongType,
    ] {
        assert!(!broken.contains(&outcome), "{outcome:?}");
    }
}
