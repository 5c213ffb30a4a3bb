use nephila_frontier::QueuedUrl;
use nephila_store::{CommitLog, PartPosition};

use super::*;
use crate::journal::{DoneEntry, Entry};
use crate::options::Settings;

fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn admitted(url: &str, hops: u16, referrer: Option<&str>) -> Entry {
    let url = CanonicalUrl::from_serialized(url).unwrap();
    let queued = QueuedUrl::page(url, hops, referrer.map(Into::into), at(100));
    Entry::Admitted(Box::new(queued))
}

fn done(url: &str, kind: UrlKind, outcome: Outcome, hops: u16) -> Entry {
    Entry::Done(Box::new(DoneEntry {
        url: url.to_owned(),
        kind,
        outcome,
        status: 200,
        hops,
        wire_bytes: 10,
        decoded_bytes: 20,
        fetch_millis: 30,
        finished_at: at(105),
        host_next_at: at(112),
    }))
}

/// A row with the fields that are looked at; `more` stands at its end.
fn row(url: &str, kind: &str, hops: u16, outlinks: &[(&str, &str, &str)], more: &str) -> String {
    let links: Vec<_> = outlinks
        .iter()
        .map(|(url, rel, kind)| serde_json::json!({ "url": url, "rel": rel, "kind": kind }))
        .collect();
    let fields = serde_json::json!({
        "url": url, "kind": kind, "host": "a.test", "outcome": "fetched", "hops": hops,
        "robots": null, "address": "127.0.0.1:80", "redirect_target": null, "title": null,
        "outlinks": links,
    });
    let fields = fields.to_string();
    format!("{}{more}}}\n", fields.trim_end_matches('}'))
}

/// The rows of robots.txt, the seed, and page 1 with links that do not lead on.
fn rows() -> String {
    let links = [
        ("http://a.test/frame", "", "frame"),
        ("http://a.test/held", "nofollow", "anchor"),
        ("http://a.test/deep", "", "anchor"),
        ("http://b.test/", "", "anchor"),
    ];
    let rows = [
        row(
            "http://a.test/robots.txt",
            "robots",
            0,
            &[],
            ",\"error\":null",
        ),
        row(
            "http://a.test/",
            "page",
            0,
            &[("http://a.test/1", "", "anchor")],
            "",
        ),
        row(
            "http://a.test/1",
            "page",
            1,
            &links,
            ",\"error\":\"it \\u001b broke\"",
        ),
    ];
    rows.concat()
}

struct Crawled {
    _root: tempfile::TempDir,
    directory: CrawlDirectory,
}

impl Crawled {
    /// A small crawl of http://a.test/ : the seed, page 1 (with links that do not lead on), page
    /// 2 in the queue.
    fn new(options: &[(&str, &str)]) -> Crawled {
        let root = tempfile::tempdir().unwrap();
        let directory = CrawlDirectory::at(root.path().join("crawl"));
        directory.create().unwrap();
        let mut settings = Settings::new();
        for (name, value) in options {
            settings = settings.with(name, value).unwrap();
        }
        let seeds = ["http://a.test/".to_owned()];
        directory
            .write_config(&settings.check().unwrap(), &seeds)
            .unwrap();
        let rows = rows();
        std::fs::create_dir(directory.pages()).unwrap();
        std::fs::write(
            directory.pages().join("part-00000.jsonl"),
            format!("{rows}{{\"torn"),
        )
        .unwrap();
        let mut log = CommitLog::create(&directory.state()).unwrap();
        let mut payload = Vec::new();
        Entry::Begin {
            key: [1, 2],
            at: at(100),
        }
        .encode(&mut payload);
        let entries = [
            admitted("http://a.test/", 0, None),
            admitted("http://a.test/1", 1, Some("http://a.test/")),
            admitted("http://a.test/2?a=1", 2, Some("http://a.test/1")),
            done(
                "http://a.test/robots.txt",
                UrlKind::Robots,
                Outcome::Fetched,
                0,
            ),
            done("http://a.test/", UrlKind::Page, Outcome::Fetched, 0),
            done("http://a.test/1", UrlKind::Page, Outcome::Truncated, 1),
            Entry::Rows(PartPosition {
                part: 0,
                bytes: rows.len() as u64,
                rows: 3,
            }),
        ];
        entries.iter().for_each(|entry| entry.encode(&mut payload));
        log.append(&payload).unwrap();
        Crawled {
            _root: root,
            directory,
        }
    }

    fn ask(&self, url: &str) -> Why {
        Why::ask(&self.directory, url, at(110)).unwrap()
    }
}

#[test]
fn a_url_that_is_done_has_its_row() {
    let crawled = Crawled::new(&[]);
    let why = crawled.ask("a.test/1#part");
    assert_eq!(
        (why.standing, why.url.as_str()),
        (Standing::Done, "http://a.test/1")
    );
    assert_eq!(why.explanation, "truncated, status 200: it \u{1b} broke");
    let visit = &why.visits[0];
    assert_eq!(
        (visit.hops, visit.referrer.as_deref()),
        (1, Some("http://a.test/"))
    );
    let place = visit.done.as_ref().unwrap().row.as_ref().unwrap();
    assert_eq!(place.line, 3);
    assert!(place.file.ends_with("pages/part-00000.jsonl"));
    assert_eq!(
        (why.host.pages, why.host.queued, why.host.next_in_seconds),
        (2, 1, 2.0)
    );
    let robots = why.host.robots.unwrap();
    assert_eq!((robots.outcome, robots.row.unwrap().line), ("fetched", 1));
    let own = crawled.ask("http://a.test/robots.txt");
    assert_eq!(own.visits[0].kind, "robots");
    assert!(
        own.explanation
            .contains("as a robots.txt and not as a page")
    );
}

#[test]
fn a_url_that_is_queued_says_whether_someone_is_at_work() {
    let crawled = Crawled::new(&[]);
    let why = crawled.ask("http://a.test/2?a=1");
    assert_eq!((why.standing, why.is_running), (Standing::Queued, false));
    assert_eq!(
        why.explanation,
        "queued; no process is at work on the crawl"
    );
    let _lock = DirectoryLock::acquire(&crawled.directory.state()).unwrap();
    let why = crawled.ask("http://a.test/2?a=1");
    assert_eq!(why.process, Some(std::process::id()));
    assert_eq!(why.explanation, "queued or in flight; the crawl runs");
}

#[test]
fn a_url_that_is_kept_out_names_the_rule() {
    let options = [
        ("exclude", "secret"),
        ("max-hops", "2"),
        ("max-query-variants", "1"),
    ];
    let crawled = Crawled::new(&options);
    let refused = |url: &str| {
        let why = crawled.ask(url);
        assert_eq!(
            why.standing,
            Standing::Refused,
            "{url}: {}",
            why.explanation
        );
        (why.refused_by.unwrap(), why.explanation)
    };
    assert_eq!(
        refused("http://b.test/").1,
        "refused: out of scope: --scope host holds a.test"
    );
    assert_eq!(
        refused("http://a.test/secret").1,
        "refused: matches --exclude secret"
    );
    assert_eq!(refused("http://a.test/2?a=2").0, "max-query-variants");
    assert_eq!(
        refused("http://a.test/a/a/a/a/a").0,
        "max-repeated-segments"
    );
    let (option, text) = refused("http://a.test/frame");
    assert_eq!(option, "follow");
    assert!(
        text.starts_with("the only link to it does not lead on: links of kind frame"),
        "{text}"
    );
    let only_seeds = Crawled::new(&[("max-hops", "0")]);
    assert_eq!(
        only_seeds.ask("http://a.test/x").refused_by,
        Some("max-hops")
    );
    let near = Crawled::new(&[("max-hops", "1"), ("nofollow", "obey")]);
    assert_eq!(near.ask("http://a.test/deep").refused_by, Some("max-hops"));
    let held = near.ask("http://a.test/held");
    assert_eq!(held.refused_by, Some("nofollow"));
    assert_eq!(held.links[0].page, "http://a.test/1");
}

#[test]
fn a_url_that_was_never_met_says_so() {
    let why = Crawled::new(&[("max-hops", "3")]).ask("http://a.test/nowhere");
    assert_eq!((why.standing, why.links_found), (Standing::NeverMet, 0));
    let expected = "never met: no page visited so far links to it and is within --max-hops 3; \
                    1 URLs are still queued, and a page among them may";
    assert_eq!(why.explanation, expected);
    // A link that nothing holds back (its own host is private) is told as it is.
    let why = Crawled::new(&[]).ask("http://a.test/held");
    assert_eq!(
        (why.standing, why.links[0].held_by),
        (Standing::NeverMet, None)
    );
}

#[test]
fn what_is_no_url_is_refused_before_anything_is_read() {
    let crawled = Crawled::new(&[]);
    for wrong in ["mailto:a@b.test", "not a url", "", "http://"] {
        let error = Why::ask(&crawled.directory, wrong, at(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{wrong}");
    }
}
