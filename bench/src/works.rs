//! Fixed work, for counting what it costs: the same on every machine and in every run.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use nephila_fetch::decode_body;
use nephila_frontier::{
    CanonicalPolicy, CanonicalUrl, Contact, Fingerprinter, Finish, Frontier, FrontierConfig,
    InMemory, KnownOrigins, LinkBase, Moment, Next, QueuedUrl, StorageError, Then, Url, join_onto,
};
use nephila_parse::{ParseOptions, parse_html};
use nephila_robots::Robots;
use nephila_sim::{Answers, End, TruthScope, Web};
use nephila_store::SeenSet;

/// Some work on `units` of something.
pub(crate) struct FixedWork {
    pub(crate) name: &'static str,
    /// What one unit is.
    pub(crate) unit: &'static str,
    pub(crate) units: usize,
    /// Makes ready for so many units, and does so many of them.
    run: fn(usize, usize) -> anyhow::Result<()>,
}

/// All of it.
pub(crate) const WORKS: &[FixedWork] = &[
    FixedWork {
        name: "parse-light",
        unit: "page of 22 kB",
        units: 200,
        run: |ready, done| parse(light(), ready, done),
    },
    FixedWork {
        name: "parse-today",
        unit: "page of 94 kB in the median",
        units: 100,
        run: |ready, done| parse(today(), ready, done),
    },
    FixedWork {
        name: "inflate",
        unit: "page of 94 kB in the median",
        units: 100,
        run: inflate,
    },
    FixedWork {
        name: "links",
        unit: "page with 35 links",
        units: 200,
        run: links,
    },
    FixedWork {
        name: "frontier",
        unit: "URL admitted, leased and finished",
        units: 20_000,
        run: frontier,
    },
    FixedWork {
        name: "seen-set",
        unit: "fingerprint, half of them known",
        units: 500_000,
        run: seen_set,
    },
    FixedWork {
        name: "robots",
        unit: "robots.txt of 60 rules, asked 20 times",
        units: 200,
        run: robots,
    },
];

/// Does a work by its name: `nephila-bench work NAME READY DONE`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [name, ready, done] = arguments else {
        bail!("usage: nephila-bench work NAME READY DONE");
    };
    let work = WORKS.iter().find(|work| work.name == name);
    let work = work.with_context(|| format!("there is no work `{name}`"))?;
    (work.run)(ready.parse()?, done.parse()?)
}

/// A page of a simulated web.
struct SimulatedPage {
    url: Url,
    body: Vec<u8>,
}

/// The first pages of a web that are sent whole.
fn pages(web: Web, count: usize) -> anyhow::Result<Vec<SimulatedPage>> {
    let answers = Answers::new(web);
    let mut pages = Vec::with_capacity(count);
    for text in answers.web().truth(TruthScope::Any).pages.into_keys() {
        if pages.len() == count {
            break;
        }
        let url = Url::parse(&text)?;
        let host = url.authority().to_owned();
        let answer = answers.answer(&host, &url[url::Position::BeforePath..], 1);
        if answer.status == 200 && answer.end == End::Whole {
            let body = answer.body;
            pages.push(SimulatedPage { url, body });
        }
    }
    anyhow::ensure!(
        pages.len() == count,
        "the web has {} pages only",
        pages.len()
    );
    Ok(pages)
}

fn parse(web: Web, ready: usize, done: usize) -> anyhow::Result<()> {
    let options = ParseOptions {
        want_simhash: true,
        ..ParseOptions::default()
    };
    for page in pages(web, ready)?.iter().take(done) {
        black_box(parse_html(&page.body, Some("text/html"), &options));
    }
    Ok(())
}

fn inflate(ready: usize, done: usize) -> anyhow::Result<()> {
    let compressed = pages(today(), ready)?.into_iter().map(|page| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&page.body)?;
        encoder.finish().map(Bytes::from)
    });
    let compressed: Vec<Bytes> = compressed.collect::<Result<_, _>>()?;
    for body in compressed.into_iter().take(done) {
        black_box(decode_body(Some("gzip"), body, 16 << 20)?);
    }
    Ok(())
}

fn links(ready: usize, done: usize) -> anyhow::Result<()> {
    let (options, policy) = (ParseOptions::default(), CanonicalPolicy::default());
    let documents: Vec<_> = pages(light(), ready)?
        .into_iter()
        .map(|page| {
            (
                parse_html(&page.body, Some("text/html"), &options),
                page.url,
            )
        })
        .collect();
    let mut origins = KnownOrigins::default();
    let mut text = String::new();
    for (document, url) in documents.iter().take(done) {
        let base = LinkBase::new(url, &policy);
        text.clear();
        for link in &document.outlinks {
            // What is no http link, as `mailto:`, is left out by every crawl.
            let _ = join_onto(&mut text, &base, &link.href, &mut origins);
        }
        black_box(&text);
    }
    Ok(())
}

fn frontier(ready: usize, done: usize) -> anyhow::Result<()> {
    const HOSTS: usize = 500;
    let mut config = FrontierConfig::default();
    config.politeness.delay = Some(Duration::ZERO);
    config.politeness.ignore_robots = true;
    let key = Fingerprinter::new([1, 2]);
    let (seen, overflow) = (InMemory::default(), InMemory::default());
    let mut frontier = Frontier::new(config, key, seen, overflow);
    let urls: Vec<_> = (0..ready)
        .map(|number| format!("http://h{}.test/p/{number}.html", number % HOSTS))
        .filter_map(|text| CanonicalUrl::from_serialized(&text))
        .collect();
    let failed = |error: StorageError| anyhow::anyhow!("{error}");
    let now = Moment::from_micros(1);
    for url in urls.into_iter().take(done) {
        frontier
            .admit(QueuedUrl::page(url, 1, None, now), now)
            .map_err(failed)?;
    }
    let mut finished = 0;
    while let Next::Lease(lease) = frontier.next(now).map_err(failed)? {
        let finish = Finish {
            contact: Contact::Answered(Duration::from_millis(1)),
            is_private: None,
            then: Then::Done,
        };
        frontier.finish(lease, finish, now);
        finished += 1;
    }
    anyhow::ensure!(finished == done, "{finished} of {done} were leased");
    Ok(())
}

fn seen_set(ready: usize, done: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut seen = SeenSet::new(folder.path(), 64 << 20)?;
    let fingerprint = |number: usize| (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for number in 0..ready {
        seen.insert(fingerprint(number))?;
    }
    let mut new = 0;
    for number in ready / 2..ready / 2 + done {
        new += usize::from(seen.insert(fingerprint(number))?);
    }
    anyhow::ensure!(new == done / 2, "{new} of {done} were new");
    Ok(())
}

fn robots(ready: usize, done: usize) -> anyhow::Result<()> {
    let text = (0..60).map(|rule| format!("Disallow: /p{}/*/x{rule}$\n", rule % 7));
    let text = format!("User-agent: *\n{}", text.collect::<String>());
    for number in 0..ready.min(done) {
        let rules = Robots::parse(text.as_bytes()).group_for("nephila");
        for path in 0..20 {
            black_box(rules.allows(&format!("/p{}/{number}/x{path}", path % 9)));
        }
    }
    Ok(())
}

fn light() -> Web {
    Web::light(7, 20, 1_000)
}

fn today() -> Web {
    Web::realistic(7, 20, 1_000)
}
