//! The frontier's guarantees as rules, held on random webs in virtual time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use nephila_frontier::*;
use nephila_robots::Robots;
use proptest::prelude::*;

const KEY: [u64; 2] = [11, 12];

/// A random web: page n of host h links to the pages that follow from its number.
#[derive(Clone, Debug)]
struct Web {
    hosts: u32,
    pages: u32,
    links: u32,
    seed: u64,
    per_host: u16,
    delay_millis: u64,
    order: Order,
    queue_memory: usize,
    ignore_robots: bool,
    max_awake_hosts: usize,
}

fn webs() -> impl Strategy<Value = Web> {
    (
        (1u32..6, 1u32..60, 1u32..6, any::<u64>(), 1usize..8),
        (
            1u16..5,
            0u64..3_000,
            any::<bool>(),
            0usize..30_000,
            any::<bool>(),
        ),
    )
        .prop_map(|((hosts, pages, links, seed, max_awake_hosts), rest)| {
            let (per_host, delay_millis, is_bfs, queue_memory, ignore_robots) = rest;
            let order = if is_bfs {
                Order::BreadthFirst
            } else {
                Order::Priority
            };
            let politeness = (per_host, delay_millis, order, queue_memory, ignore_robots);
            let (per_host, delay_millis, order, queue_memory, ignore_robots) = politeness;
            Web {
                hosts,
                pages,
                links,
                seed,
                per_host,
                delay_millis,
                order,
                queue_memory,
                ignore_robots,
                max_awake_hosts,
            }
        })
}

fn mix(seed: u64, value: u64) -> u64 {
    let mut x = seed ^ value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

impl Web {
    fn url(&self, number: u64) -> CanonicalUrl {
        let host = number % u64::from(self.hosts);
        let page = number / u64::from(self.hosts) % u64::from(self.pages);
        let folder = if page % 7 == 3 { "closed" } else { "open" };
        CanonicalUrl::from_serialized(&format!("http://h{host}.test/{folder}/{page}")).unwrap()
    }

    fn outlinks(&self, url: &str) -> Vec<CanonicalUrl> {
        let own = url
            .bytes()
            .fold(0u64, |sum, byte| mix(sum, u64::from(byte)));
        (0..self.links)
            .map(|link| self.url(mix(self.seed, own ^ u64::from(link))))
            .collect()
    }

    fn frontier(&self, seen: InMemory, overflow: InMemory) -> Frontier<InMemory, InMemory> {
        let politeness = Politeness {
            delay: Some(Duration::from_millis(self.delay_millis)),
            per_host: self.per_host,
            ignore_robots: self.ignore_robots,
            max_host_failures: 0,
            ..Politeness::default()
        };
        let config = FrontierConfig {
            politeness,
            order: self.order,
            queue_memory_bytes: self.queue_memory,
            max_awake_hosts: self.max_awake_hosts,
            ..FrontierConfig::default()
        };
        Frontier::new(config, Fingerprinter::new(KEY), seen, overflow)
    }

    /// What any right crawl visits: reached from the seed over allowed pages.
    fn truth(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.url(0)];
        while let Some(url) = open.pop() {
            if seen.insert(url.as_str().to_owned()) && self.is_allowed(&url) {
                open.extend(self.outlinks(url.as_str()));
            }
        }
        seen
    }

    fn is_allowed(&self, url: &CanonicalUrl) -> bool {
        self.ignore_robots || !url.path().starts_with("/closed")
    }
}

/// What a commit log would hold.
#[derive(Default)]
struct Journal {
    admitted: BTreeMap<String, QueuedUrl>,
    done: BTreeMap<String, Outcome>,
    snapshot: Option<Snapshot>,
}

/// What a snapshot holds, and what the journal held when it was made.
struct Snapshot {
    pieces: Vec<Vec<u8>>,
    seen: InMemory,
    overflow: InMemory,
    admitted: BTreeSet<String>,
    done: BTreeSet<String>,
}

/// One process's life: a frontier, the leases in flight, and the judge of politeness.
struct Run<'a> {
    web: &'a Web,
    frontier: Frontier<InMemory, InMemory>,
    now: Moment,
    in_flight: Vec<(Moment, Lease)>,
    last_start: BTreeMap<String, Moment>,
    last_end: BTreeMap<String, Moment>,
    steps: u64,
}

impl<'a> Run<'a> {
    fn new(web: &'a Web, journal: &mut Journal, now: Moment) -> Run<'a> {
        let snapshot = journal.snapshot.as_ref();
        let of = |storage: fn(&Snapshot) -> &InMemory| {
            snapshot.map_or_else(InMemory::default, |snapshot| storage(snapshot).clone())
        };
        let mut frontier = web.frontier(of(|from| &from.seen), of(|from| &from.overflow));
        if journal.admitted.is_empty() {
            let seed = QueuedUrl::page(web.url(0), 0, None, now);
            assert_eq!(
                frontier.admit(seed.clone(), now).unwrap(),
                Admission::Admitted
            );
            journal.admitted.insert(seed.url.as_str().to_owned(), seed);
        } else {
            let fingerprinter = Fingerprinter::new(KEY);
            for piece in snapshot.iter().flat_map(|snapshot| &snapshot.pieces) {
                frontier.restore(piece, now).unwrap();
            }
            for (text, queued) in &journal.admitted {
                let fingerprint = fingerprinter.fingerprint(UrlKind::Page, text);
                frontier.restore_seen(fingerprint).unwrap();
                if let Some(snapshot) = snapshot.filter(|from| from.admitted.contains(text)) {
                    if journal.done.contains_key(text) && !snapshot.done.contains(text) {
                        frontier.restore_done(fingerprint);
                    }
                } else if !journal.done.contains_key(text) {
                    frontier.restore_queued(queued.clone(), now).unwrap();
                }
            }
        }
        let (last_start, last_end) = (BTreeMap::new(), BTreeMap::new());
        Run {
            web,
            frontier,
            now,
            in_flight: vec![],
            last_start,
            last_end,
            steps: 0,
        }
    }

    /// Takes steps until the crawl is done or `most` were taken; true when it is done.
    fn run(&mut self, journal: &mut Journal, most: u64) -> bool {
        while self.steps < most {
            self.steps += 1;
            match self.frontier.next(self.now).unwrap() {
                Next::Lease(lease) => self.start(lease),
                Next::Refused(refused) => {
                    let url = refused.url.url.as_str().to_owned();
                    let twice = journal.done.insert(url, refused.outcome);
                    assert_eq!(twice, None, "left twice");
                }
                Next::WaitUntil(at) => {
                    assert!(at > self.now);
                    let first = self.in_flight.iter().map(|(end, _)| *end).min();
                    match first {
                        Some(end) if end <= at => self.end_one(journal, end),
                        _ => self.now = at,
                    }
                }
                Next::Idle => {
                    let end = self.in_flight.iter().map(|(end, _)| *end).min();
                    self.end_one(journal, end.expect("idle with nothing in flight"));
                }
                Next::Done => {
                    assert!(self.in_flight.is_empty());
                    assert_eq!(self.frontier.live(), 0);
                    return true;
                }
            }
        }
        false
    }

    fn take_snapshot(&mut self, journal: &mut Journal) {
        let mut pieces = Vec::new();
        let mut save = |piece: &[u8]| {
            pieces.push(piece.to_owned());
            Ok(())
        };
        self.frontier.save(&mut save).unwrap();
        let (seen, overflow) = self.frontier.storage();
        journal.snapshot = Some(Snapshot {
            pieces,
            seen: seen.clone(),
            overflow: overflow.clone(),
            admitted: journal.admitted.keys().cloned().collect(),
            done: journal.done.keys().cloned().collect(),
        });
    }

    fn start(&mut self, lease: Lease) {
        let host = lease.url().url.host().to_owned();
        let on_host = self
            .in_flight
            .iter()
            .filter(|(_, held)| held.url().url.host() == host);
        assert!(
            on_host.count() < self.web.per_host as usize,
            "too many leases on {host}"
        );
        let delay = Duration::from_millis(self.web.delay_millis);
        let last = if self.web.per_host == 1 {
            &self.last_end
        } else {
            &self.last_start
        };
        if let Some(last) = last.get(&host) {
            assert!(self.now >= last.after(delay), "{host} before its time");
        }
        if self.web.order == Order::BreadthFirst && !lease.is_robots() {
            let hops = lease.url().hops;
            let fewer = self.in_flight.iter().any(|(_, held)| {
                held.url().url.host() == host && !held.is_robots() && held.url().hops < hops
            });
            assert!(!fewer, "deeper while a page with fewer hops is in flight");
        }
        self.last_start.insert(host, self.now);
        let latency = mix(self.web.seed, self.steps) % 2_000;
        self.in_flight
            .push((self.now.after(Duration::from_millis(latency)), lease));
    }

    fn end_one(&mut self, journal: &mut Journal, end: Moment) {
        let place = self
            .in_flight
            .iter()
            .position(|(at, _)| *at == end)
            .unwrap();
        let (_, lease) = self.in_flight.swap_remove(place);
        self.now = self.now.max(end);
        let url = lease.url().clone();
        self.last_end.insert(url.url.host().to_owned(), self.now);
        let dice = mix(self.web.seed ^ 77, self.steps) % 10;
        let contact = Contact::Answered(Duration::from_millis(5));
        let then = match (lease.is_robots(), dice) {
            (true, 0 | 1) if url.attempts < 2 => Then::Robots(RobotsAnswer::Unavailable {
                outcome: Outcome::RobotsUnavailable,
                why: "503".into(),
                is_passing: true,
            }),
            (true, 2) => Then::Defer(Duration::from_millis(300)),
            (true, _) => {
                let robots = Robots::parse(b"User-agent: *\nDisallow: /closed/\n");
                Then::Robots(RobotsAnswer::Rules(Arc::new(robots.group_for("nephila"))))
            }
            (false, 0) => Then::Retry(Duration::from_millis(700)),
            (false, 1) => Then::Defer(Duration::from_millis(300)),
            (false, _) => {
                for outlink in self.web.outlinks(url.url.as_str()) {
                    let queued = QueuedUrl::page(outlink, url.hops + 1, None, self.now);
                    let admission = self.frontier.admit(queued.clone(), self.now).unwrap();
                    let text = queued.url.as_str().to_owned();
                    let was_known = journal.admitted.contains_key(&text);
                    assert_eq!(admission == Admission::AlreadySeen, was_known);
                    if !was_known {
                        journal.admitted.insert(text, queued);
                    }
                }
                let twice = journal
                    .done
                    .insert(url.url.as_str().to_owned(), Outcome::Fetched);
                assert_eq!(twice, None, "left twice");
                Then::Done
            }
        };
        let finish = Finish {
            contact,
            is_private: None,
            then,
        };
        self.frontier.finish(lease, finish, self.now);
    }
}

const MANY: u64 = 1_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Never too many leases, never before its time, every admitted URL leaves exactly once, and
    /// the set is the true one.
    #[test]
    fn every_url_leaves_once_and_politely(web in webs()) {
        let mut journal = Journal::default();
        let mut run = Run::new(&web, &mut journal, Moment::from_micros(1));
        prop_assert!(run.run(&mut journal, MANY), "it does not end");
        let visited: BTreeSet<String> = journal.done.keys().cloned().collect();
        prop_assert_eq!(visited, web.truth());
    }

    /// A crawl that dies at random moments and goes on from its journal, or from a snapshot and what the
    /// journal has after it, visits the same set.
    #[test]
    fn resume_gives_the_same_set(
        web in webs(),
        lives in prop::collection::vec((1u64..80, 0u64..160), 0..8),
    ) {
        let mut journal = Journal::default();
        let mut now = Moment::from_micros(1);
        for (life, snapshot_at) in lives {
            let mut run = Run::new(&web, &mut journal, now);
            if snapshot_at < life {
                run.run(&mut journal, snapshot_at);
                run.take_snapshot(&mut journal);
            }
            run.run(&mut journal, life);
            now = run.now;
        }
        let mut last = Run::new(&web, &mut journal, now);
        prop_assert!(last.run(&mut journal, MANY), "it does not end");
        let visited: BTreeSet<String> = journal.done.keys().cloned().collect();
        prop_assert_eq!(visited, web.truth());
    }

    /// Canonicalising twice is canonicalising once, under every policy.
    #[test]
    fn canonicalising_is_idempotent(
        text in "(http|https|HTTP)://[a-zA-Z0-9.:@%-]{1,20}(/[ -~äß]{0,20}){0,4}(\\?[ -~é]{0,30})?",
        sort in any::<bool>(),
        dropped in prop::collection::vec("[a-z]{1,3}\\*?", 0..3),
    ) {
        let query = if sort { QueryPolicy::Sort } else { QueryPolicy::Keep };
        let policy = CanonicalPolicy { query, drop_parameters: dropped, strip_sessions: true };
        if let Ok(once) = CanonicalUrl::parse(&text, &policy) {
            let twice = CanonicalUrl::parse(once.as_str(), &policy).unwrap();
            prop_assert_eq!(&once, &twice);
            prop_assert!(CanonicalUrl::from_serialized(once.as_str()).as_ref() == Some(&once));
        }
    }
}

#[test]
fn the_page_limit_of_a_host_holds_what_is_left() {
    let web = Web {
        hosts: 2,
        pages: 50,
        links: 5,
        seed: 4,
        per_host: 2,
        delay_millis: 0,
        order: Order::BreadthFirst,
        queue_memory: 0,
        ignore_robots: true,
        max_awake_hosts: 100,
    };
    let config = FrontierConfig {
        politeness: Politeness {
            ignore_robots: true,
            ..Politeness::default()
        },
        max_pages_per_host: Some(3),
        ..FrontierConfig::default()
    };
    let keys = Fingerprinter::new(KEY);
    let mut frontier = Frontier::new(config, keys, InMemory::default(), InMemory::default());
    let mut now = Moment::from_micros(1);
    for number in 0..60 {
        frontier
            .admit(QueuedUrl::page(web.url(number), 0, None, now), now)
            .unwrap();
    }
    let queued = frontier.queued();
    let mut given = HashSet::new();
    loop {
        match frontier.next(now).unwrap() {
            Next::Lease(lease) => {
                given.insert(lease.url().url.as_str().to_owned());
                let contact = Contact::Answered(Duration::ZERO);
                let finish = Finish {
                    contact,
                    is_private: Some(true),
                    then: Then::Done,
                };
                frontier.finish(lease, finish, now);
            }
            Next::WaitUntil(at) => now = at,
            Next::Done => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given.len(), 6, "three of each host");
    assert_eq!(frontier.queued(), queued - 6);
    assert_eq!(frontier.live(), 0);
}

#[test]
fn broken_pages_do_not_hold_up_the_others_of_their_host() {
    let config = FrontierConfig {
        politeness: Politeness {
            ignore_robots: true,
            ..Politeness::default()
        },
        ..FrontierConfig::default()
    };
    let keys = Fingerprinter::new(KEY);
    let mut frontier = Frontier::new(config, keys, InMemory::default(), InMemory::default());
    let mut now = Moment::from_micros(1);
    let (broken, pages) = (4, 20);
    for number in 0..pages {
        let text = format!("http://a.test/{number}");
        let url = CanonicalUrl::parse(&text, &CanonicalPolicy::default()).unwrap();
        frontier
            .admit(QueuedUrl::page(url, 0, None, now), now)
            .unwrap();
    }
    let mut before_the_first_good = 0;
    let mut done = 0;
    loop {
        match frontier.next(now).unwrap() {
            Next::Lease(lease) => {
                let number: u32 = lease.url().url.path()[1..].parse().unwrap();
                let is_broken = number < broken;
                before_the_first_good += u32::from(is_broken && done == 0);
                let again = is_broken && lease.url().attempts < 2;
                let finish = Finish {
                    contact: match is_broken {
                        true => Contact::Failed,
                        false => Contact::Answered(Duration::from_millis(1)),
                    },
                    is_private: Some(true),
                    then: match again {
                        true => Then::Retry(Duration::from_millis(1)),
                        false => Then::Done,
                    },
                };
                done += u32::from(!again);
                frontier.finish(lease, finish, now);
            }
            Next::WaitUntil(at) => now = at,
            Next::Done => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(before_the_first_good, broken, "each once");
    assert_eq!(done, pages);
}
