use nephila_parse::{ParseOptions, parse_html};

use super::*;

const HOSTILE: &str = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\" \
    onmouseover='alert(3)' \u{202e}gpj\u{0}\u{1b}[31m\u{9b}\n\u{2028}&lt;";

/// A report in which every text is hostile.
fn hostile_report() -> Report {
    let web = format!("https://a.test/{HOSTILE}");
    let evil = format!("javascript:alert(1)//{HOSTILE}");
    Report {
        seeds: vec![web.clone(), evil.clone()],
        pages: 3,
        outcomes: BTreeMap::from([(HOSTILE.to_owned(), 2)]),
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
            urls: vec![web.clone(), evil],
        }],
        duplicate_count: 1,
        ..Report::default()
    }
}

/// Whatever stands in the rows, the page is the page: its links are those of the report, http and
/// https, and nothing of the text is markup.
#[test]
fn hostile_text_stays_text() {
    let html = hostile_report().to_html("abc\"><script>123");
    for forbidden in [
        "<script",
        "<img",
        "javascript:alert(1)\"",
        "\u{202e}",
        "\u{0}",
        "\u{1b}",
        "\u{9b}",
        "\u{2028}",
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
        let is_anchor = link.href.starts_with('#');
        assert!(
            is_anchor || link.href.starts_with("https://a.test/"),
            "{}",
            link.href
        );
        assert!(
            is_anchor || link.rel == "noopener nofollow noreferrer",
            "{}",
            link.rel
        );
    }
    let outward = document
        .outlinks
        .iter()
        .filter(|link| !link.href.starts_with('#'));
    assert_eq!(
        outward.count(),
        5,
        "seed, broken, redirect, largest, duplicate"
    );
    let text = document.text.unwrap_or_default();
    assert!(
        text.contains("<script>alert(1)</script>"),
        "it is shown: {text}"
    );
    assert!(
        text.contains("and 1\u{2009}233 more") && text.contains("and 6 more"),
        "{text}"
    );
    assert!(html.contains("default-src 'none'; style-src 'nonce-abcscript123'"));
    assert!(html.contains("<style nonce=\"abcscript123\">"));
    let attributes = html.matches("onmouseover='").count();
    assert_eq!(attributes, 0, "quotes are escaped");
}

#[test]
fn an_empty_report_is_a_page() {
    let html = Report::default().to_html("1");
    assert_eq!(html.matches("None.").count(), 3);
    assert!(html.ends_with("</html>\n"));
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
