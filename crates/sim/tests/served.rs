//! The web over real sockets: truth, log, politeness and misbehaviour.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the test's client is test code"
)]

mod client;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use client::{Client, crawl, links};
use nephila_sim::{
    LogMode, PageKind, RobotsMix, Rules, ServeOptions, Server, Spread, TruthScope, Web, judge,
};

fn serve(web: Web) -> Server {
    Server::start_in_thread(web, ServeOptions::default()).unwrap()
}

/// Polls until the server's counts are so; a minute is for machines that are busy.
fn until(server: &Server, holds: impl Fn(&nephila_sim::Stats) -> bool) {
    for _ in 0..6_000 {
        if holds(&server.stats()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10)); // paced: polls for the event itself
    }
    panic!("{:?}", server.stats());
}

/// Small pages, no latency, short hanging, no Crawl-delay: the mix of outcomes without the waiting.
fn quick(web: Web) -> Web {
    Web {
        robots: RobotsMix {
            crawl_delay: 0.0,
            ..web.robots
        },
        latency_ms: Spread::constant(0.0),
        hang_ms: 5,
        page_bytes: Spread::lognormal(3_000.0, 1.0, 500.0, 20_000.0),
        internal_links: Spread::lognormal(12.0, 1.0, 0.0, 100.0),
        ..web
    }
}

#[test]
fn a_naive_crawl_finds_the_truth() {
    let webs = [
        Web::plain(1, 7, 150),
        Web::plain(2, 1, 60),
        Web {
            seed_hosts: 3,
            ..quick(Web::realistic(3, 40, 400))
        },
        quick(Web::realistic(4, 25, 500)),
        quick(Web::realistic(5, 60, 300)),
        quick(Web {
            seed: 6,
            children: 2,
            ..Web::realistic(6, 30, 300)
        }),
    ];
    for web in webs {
        let seed = web.seed;
        let server = serve(web);
        let mut client = Client::new(server.addr());
        let found = crawl(&mut client, &server.web().seeds());
        let truth = server.web().truth(TruthScope::Any);
        let pages: BTreeMap<String, (u32, u16)> = truth
            .pages
            .iter()
            .map(|(url, page)| (url.clone(), (page.hops, page.status)))
            .collect();
        assert_eq!(found.pages, pages, "seed {seed}");
        assert_eq!(found.denied, truth.denied, "seed {seed}");
        let log = server.log();
        assert_eq!(log.entries.len(), client.requests);
        assert_eq!(log.by_status().values().sum::<usize>(), client.requests);
        let judgement = judge(server.web(), &log, &Rules::default());
        assert!(!judgement.is_broken(), "seed {seed}\n{}", judgement.table());
    }
}

#[test]
fn the_realistic_webs_of_these_tests_have_what_they_are_to_test() {
    let mut kinds = std::collections::BTreeSet::new();
    let mut denied = 0;
    for seed in 3..6 {
        let truth = quick(Web::realistic(seed, 40, 500)).truth(TruthScope::Any);
        kinds.extend(truth.pages.values().map(|page| page.kind));
        denied += truth.denied.len();
    }
    for kind in [
        PageKind::Html,
        PageKind::NotFound,
        PageKind::Moved,
        PageKind::Found,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} of {kinds:?}");
    }
    assert!(denied > 30, "{denied}");
}

#[test]
fn the_same_seed_serves_the_same_bytes() {
    let port = Some(80);
    let web = Web {
        public_port: port,
        ..Web::realistic(9, 20, 200)
    };
    let other = Web {
        seed: 10,
        ..web.clone()
    };
    let [first, second, third] = [web.clone(), web.clone(), other].map(|web| serve(quick(web)));
    let mut differ = 0;
    for host in 0..20 {
        let name = web.host_name(host);
        for path in ["/", "/robots.txt", "/sitemap.xml"] {
            let get = |server: &Server| {
                Client::new(server.addr())
                    .get(&name, path)
                    .map(|got| (got.status, got.body))
            };
            let got = get(&first);
            assert_eq!(got, get(&second), "{name}{path}");
            differ += usize::from(got != get(&third));
        }
    }
    assert!(differ > 30, "{differ}");
}

#[test]
fn a_judge_sees_a_request_too_many() {
    let server = serve(Web::plain(3, 3, 30));
    let mut client = Client::new(server.addr());
    crawl(&mut client, &server.web().seeds());
    client.get("h1.sim.test", "/").unwrap();
    client.get("h1.sim.test", "/ghost/1.html").unwrap();
    let judgement = judge(server.web(), &server.log(), &Rules::default());
    assert_eq!(judgement.twice, [server.web().url("h1.sim.test", "/")]);
    assert_eq!(
        judgement.unknown,
        [server.web().url("h1.sim.test", "/ghost/1.html")]
    );
    let rules = Rules {
        delay_micros: 60_000_000,
        ..Rules::default()
    };
    let judgement = judge(server.web(), &server.log(), &rules);
    assert_eq!(judgement.too_soon.len(), 3);
}

#[test]
fn requests_at_once_on_a_host_are_counted() {
    let server = serve(Web::plain(3, 3, 30).with_latency_ms(600_000.0));
    let ask = |host: &str| {
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        stream
    };
    let first = [ask("h0.sim.test"), ask("h0.sim.test"), ask("h1.sim.test")];
    until(&server, |stats| stats.in_flight == 3);
    drop(first);
    until(&server, |stats| stats.in_flight == 0 && stats.open == 0);
    let _again = ask("h0.sim.test");
    until(&server, |stats| stats.in_flight == 1);
    let log = server.log();
    assert_eq!(log.most_at_once("h0.sim.test"), 2);
    assert_eq!(log.most_at_once("h1.sim.test"), 1);
    assert_eq!(log.entries[3].in_flight_on_host, 1);
    assert_eq!(log.by_status(), BTreeMap::from([(0, 4)]));
    assert_eq!(
        judge(server.web(), &log, &Rules::default()).too_many,
        ["h0.sim.test 2"]
    );
}

#[test]
fn thousands_of_connections_wait_at_once_and_end_with_the_server() {
    let connections = 2_000.min(nephila_sim::raise_file_limit() / 3);
    let server = serve(Web::plain(3, 100, 1_000).with_latency_ms(600_000.0));
    let streams: Vec<TcpStream> = (0..connections)
        .map(|number| {
            let mut stream = TcpStream::connect(server.addr()).unwrap();
            let host = server.web().host_name(number as u32 % 100);
            write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
            stream
        })
        .collect();
    until(&server, |stats| stats.in_flight == connections);
    drop(server);
    for mut stream in streams {
        // Closed, by an end or a reset: either way there is nothing to read.
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
    }
}

#[test]
fn gzip_and_chunks_carry_the_same_page() {
    let web = Web {
        public_port: Some(80),
        ..Web::light(3, 3, 30)
    };
    let plain = serve(web.clone());
    let wanted = Client::new(plain.addr())
        .get("h1.sim.test", "/")
        .unwrap()
        .body;
    let options = ServeOptions {
        gzip: true,
        chunked: true,
        ..ServeOptions::default()
    };
    let server = Server::start_in_thread(web, options).unwrap();
    let mut client = Client::new(server.addr());
    let chunked = client.get("h1.sim.test", "/").unwrap();
    assert_eq!(chunked.headers["transfer-encoding"], "chunked");
    assert_eq!(chunked.body, wanted);
    let packed = client
        .ask("h1.sim.test", "/", "Accept-Encoding: br, gzip\r\n")
        .unwrap();
    assert_eq!(packed.headers["content-encoding"], "gzip");
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice())
        .read_to_end(&mut body)
        .unwrap();
    assert_eq!(body, wanted);
    assert!(packed.body.len() * 2 < wanted.len());
}

#[test]
fn a_host_asked_too_fast_says_when_to_come_back() {
    let server = serve(Web {
        max_rate: Some(0.01),
        ..Web::plain(3, 3, 30)
    });
    let mut client = Client::new(server.addr());
    assert_eq!(client.get("h1.sim.test", "/").unwrap().status, 200);
    let refused = client.get("h1.sim.test", "/").unwrap();
    assert!(matches!(refused.status, 429 | 503));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(client.get("h2.sim.test", "/").unwrap().status, 200);
}

#[test]
fn the_control_host_tells_and_stops() {
    let server = serve(Web::plain(3, 3, 30));
    let mut client = Client::new(server.addr());
    client.get("h1.sim.test", "/").unwrap();
    let mut text = |path: &str| {
        let got = client.get("control.sim.test", path).unwrap();
        (got.status, String::from_utf8(got.body).unwrap())
    };
    assert_eq!(text("/truth").1.lines().count(), 30);
    assert_eq!(text("/truth?scope=host").1.lines().count(), 10);
    assert_eq!(
        nephila_sim::Log::from_tsv(&text("/log").1).unwrap(),
        server.log()
    );
    let stats: serde_json::Value = serde_json::from_str(&text("/stats").1).unwrap();
    assert_eq!(stats["requests"], 1);
    let web: Web = serde_json::from_str(&text("/web").1).unwrap();
    assert_eq!(&web, server.web());
    assert_eq!(text("/nothing").0, 404);
    assert_eq!(text("/stop").0, 200);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(server.ended());
    assert!(TcpStream::connect(server.addr()).is_err());
}

#[test]
fn a_log_that_is_full_says_so() {
    let options = ServeOptions {
        log: LogMode::Entries(2),
        ..ServeOptions::default()
    };
    let server = Server::start_in_thread(Web::default(), options).unwrap();
    let mut client = Client::new(server.addr());
    for _ in 0..5 {
        client.get("h1.sim.test", "/").unwrap();
    }
    let log = server.log();
    assert_eq!((log.entries.len(), log.dropped), (2, 3));
    assert_eq!(server.stats().requests, 5);
}

#[test]
fn bad_requests_are_refused() {
    let server = serve(Web::default());
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (
            "POST / HTTP/1.1\r\nHost: h0.sim.test\r\nContent-Length: 1\r\n\r\nx".to_owned(),
            405,
        ),
        (format!("GET /{} HTTP/1.1\r\n", "x".repeat(70_000)), 431),
    ] {
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *format!("HTTP/1.1 {status}").as_bytes());
    }
    assert!(server.log().entries.is_empty());
}

#[test]
fn a_truncated_page_ends_early_and_has_no_links() {
    let mut web = Web::plain(3, 1, 30);
    web.outcomes.truncated = 1.0;
    let server = serve(web);
    let truth = server.web().truth(TruthScope::Any);
    let cut = truth
        .pages
        .iter()
        .find(|(_, page)| page.kind == PageKind::Truncated)
        .unwrap()
        .0;
    let url = url::Url::parse(cut).unwrap();
    let got = Client::new(server.addr()).get("h0.sim.test", &url[url::Position::BeforePath..]);
    let got = got.unwrap();
    let length: usize = got.headers["content-length"].parse().unwrap();
    assert_eq!(length, 2 * got.body.len());
    let others = links(&url, &got.body).into_iter().filter(|link| {
        let mut link = link.clone();
        link.set_fragment(None);
        link.scheme() == "http" && link != url
    });
    assert_eq!(others.count(), 0);
}
