//! Looking names up: a name server of the test's own, the cache, and rules in place of names.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use nephila_fetch::{FetchConfig, FetchErrorKind, Stage};
use tokio::net::UdpSocket;
use tokio::task::spawn_local;

use crate::scripted::{Server, fetcher, get, local, run_in_virtual_time, text, url};

/// In place of a code: the question is not answered.
const SILENCE: u8 = 255;

/// Addresses and TTL of names; a name that is not there gives NXDOMAIN, one with `Err` that code.
pub(crate) type Zone = HashMap<&'static str, Result<(Vec<IpAddr>, u32), u8>>;

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    pub(crate) zone: Rc<RefCell<Zone>>,
    /// Names asked for addresses of IPv4, in order.
    pub(crate) asked: Rc<RefCell<Vec<String>>>,
}

impl NameServer {
    pub(crate) async fn start(zone: Zone) -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (zone, asked) = (Rc::new(RefCell::new(zone)), Rc::new(RefCell::default()));
        let server = NameServer {
            address,
            zone: Rc::clone(&zone),
            asked: Rc::clone(&asked),
        };
        spawn_local(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let answer = answer(&buffer[..length], &zone.borrow(), &asked);
                if let Some(answer) = answer {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        server
    }

    pub(crate) fn config(&self) -> FetchConfig {
        FetchConfig {
            name_servers: vec![self.address],
            ..local()
        }
    }
}

/// A DNS answer (RFC 1035 section 4.1) to the one question in `query`.
fn answer(query: &[u8], zone: &Zone, asked: &RefCell<Vec<String>>) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8(query[at + 1..=at + length].to_vec()).unwrap());
        at += length + 1;
    }
    let question = &query[12..at + 5];
    let kind = query[at + 2];
    let name = labels.join(".").to_lowercase();
    if kind == 1 {
        asked.borrow_mut().push(name.clone());
    }
    let (code, addresses, ttl) = match zone.get(name.as_str()) {
        None => (3, vec![], 0),
        Some(Err(SILENCE)) => return None,
        Some(Err(code)) => (*code, vec![], 0),
        Some(Ok((addresses, ttl))) => (0, addresses.clone(), *ttl),
    };
    let wanted = addresses
        .iter()
        .filter(|address| (kind == 28) == address.is_ipv6());
    let mut records = Vec::new();
    let mut count = 0;
    for address in wanted {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        records.extend([0xc0, 12, 0, kind, 0, 1]);
        records.extend(ttl.to_be_bytes());
        records.extend([0, octets.len() as u8]);
        records.extend(octets);
        count += 1;
    }
    let mut out = query[..2].to_vec();
    out.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    out.extend(question);
    out.extend(records);
    Some(out)
}

pub(crate) fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_name_is_looked_up_once_until_its_ttl_is_over() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        let names = NameServer::start(HashMap::from([
            ("a.test", Ok((ips(&["127.0.0.1"]), 60))),
            ("zero.test", Ok((ips(&["127.0.0.1"]), 0))),
        ]))
        .await;
        let config = FetchConfig {
            max_idle_connections: 0,
            ..names.config()
        };
        let fetcher = fetcher(config);
        let ask = async |name: &str| get(&fetcher, url(&format!("http://{name}:{port}/"))).await;
        let first = ask("a.test").await.unwrap();
        assert_eq!((text(&first), first.remote), ("/", Some(server.address)));
        tokio::time::sleep(Duration::from_secs(59)).await; // paced: the lifetime of an answer is the subject, on virtual time
        ask("a.test").await.unwrap();
        assert_eq!(*names.asked.borrow(), ["a.test"]);
        tokio::time::sleep(Duration::from_secs(1)).await; // paced: the lifetime of an answer is the subject, on virtual time
        ask("a.test").await.unwrap();
        assert_eq!(*names.asked.borrow(), ["a.test", "a.test"]);
        ask("zero.test").await.unwrap();
        ask("zero.test").await.unwrap();
        assert_eq!(names.asked.borrow().len(), 4, "a TTL of zero is kept to");
        assert_eq!(server.connections(), 5);
    });
}

#[test]
fn names_that_do_not_resolve() {
    run_in_virtual_time(async {
        let names = NameServer::start(HashMap::from([
            ("empty.test", Ok((vec![], 60))),
            ("broken.test", Err(2)),
            ("refused.test", Err(5)),
        ]))
        .await;
        let fetcher = fetcher(names.config());
        let ask = async |name: &str| {
            let error = get(&fetcher, url(&format!("http://{name}/")))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), FetchErrorKind::DnsFailed);
            (error.to_string(), error.is_transient())
        };
        let nothing = "name does not resolve: no such host (NXDOMAIN)";
        assert_eq!(ask("none.test").await, (nothing.into(), false));
        let asked = names.asked.borrow().len();
        assert_eq!(ask("none.test").await, (nothing.into(), false));
        assert_eq!(names.asked.borrow().len(), asked, "kept for a while");
        names.zone.borrow_mut().insert("none.test", Err(2));
        tokio::time::sleep(Duration::from_secs(60)).await; // paced: the lifetime of an answer is the subject, on virtual time
        assert!(ask("none.test").await.1, "but not for long");

        let (words, transient) = ask("empty.test").await;
        assert_eq!(
            (words.as_str(), transient),
            (
                "name does not resolve: the name has no address records",
                false
            )
        );
        let long = format!("{}.test", "a".repeat(64));
        let (words, transient) = ask(&long).await;
        assert_eq!(
            (words.as_str(), transient),
            ("name does not resolve: it cannot be a host's name", false)
        );
        for name in ["broken.test", "refused.test"] {
            let (words, transient) = ask(name).await;
            assert!(transient && words.contains("name server failed"), "{words}");
        }
    });
}

#[test]
fn all_addresses_of_a_name_are_tried_in_turn() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        // Nobody listens on the first two.
        let names = NameServer::start(HashMap::from([(
            "a.test",
            Ok((ips(&["::1", "127.0.0.2", "127.0.0.1"]), 60)),
        )]))
        .await;
        let response = get(
            &fetcher(names.config()),
            url(&format!("http://a.test:{port}/")),
        )
        .await;
        assert_eq!(response.unwrap().remote, Some(server.address));
    });
}

#[test]
fn nobody_listens() {
    run_in_virtual_time(async {
        let names =
            NameServer::start(HashMap::from([("a.test", Ok((ips(&["127.0.0.1"]), 60)))])).await;
        let error = get(&fetcher(names.config()), url("http://a.test:1/"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (FetchErrorKind::ConnectFailed, true)
        );
        assert_eq!(error.to_string(), "connection refused by 127.0.0.1:1");
    });
}

/// Four times as many names as are asked for at once are never answered: one behind them waits for all
/// of those, four times its own limit.
#[test]
fn names_that_are_not_answered_do_not_use_up_the_time_of_others() {
    const LIMIT: Duration = Duration::from_millis(700);
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        let silent: Vec<&'static str> = (0..4 * 128)
            .map(|n| &*Box::leak(format!("silent{n}.test").into_boxed_str()))
            .collect();
        let mut zone: Zone = silent.iter().map(|name| (*name, Err(SILENCE))).collect();
        zone.insert("a.test", Ok((ips(&["127.0.0.1"]), 60)));
        let names = NameServer::start(zone).await;
        let fetcher = Rc::new(fetcher(FetchConfig {
            dns_timeout: LIMIT,
            total_timeout: LIMIT * 6,
            ..names.config()
        }));
        let ask = |name: &str| {
            let (fetcher, url) = (Rc::clone(&fetcher), url(&format!("http://{name}:{port}/")));
            spawn_local(async move { get(&fetcher, url).await })
        };
        let silent: Vec<_> = silent.into_iter().map(ask).collect();
        let innocent = ask("a.test").await.unwrap().unwrap();
        let waited = innocent.times.dns;
        assert!(waited >= LIMIT * 4 && waited < LIMIT * 5, "{waited:?}");
        for asked in silent {
            let error = asked.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Dns));
        }

        // Behind more of them than there is time for, it is the whole that took too long.
        let more: Vec<_> = (0..7 * 128)
            .map(|n| ask(&format!("silent{}.test", n % 512)))
            .collect();
        let error = ask("b.test").await.unwrap().unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Total));
        drop(more);
    });
}

#[test]
fn localhost_needs_no_name_server() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        for name in ["localhost", "x.localhost", "localhost."] {
            let port = server.address.port();
            let response = get(&fetcher(local()), url(&format!("http://{name}:{port}/"))).await;
            assert_eq!(response.unwrap().remote, Some(server.address), "{name}");
        }
    });
}

#[test]
fn a_rule_stands_in_place_of_a_lookup() {
    run_in_virtual_time(async {
        let (server, other) = (Server::echoing().await, Server::echoing().await);
        let rules = [
            format!("a.test:80:{}", server.address),
            format!("*:8080:{}", other.address),
            format!("*:80:{}", other.address),
        ];
        let names = NameServer::start(HashMap::new()).await;
        let config = FetchConfig {
            resolve: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
            allow_private: false,
            ..names.config()
        };
        let fetcher = fetcher(config);
        for (name, remote) in [
            ("a.test", server.address),
            ("a.test:8080", other.address),
            ("b.test", other.address),
        ] {
            let response = get(&fetcher, url(&format!("http://{name}/")))
                .await
                .unwrap();
            assert_eq!(response.remote, Some(remote), "{name}");
        }
        let error = get(&fetcher, url("http://a.test:81/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::DnsFailed);
        assert_eq!(
            *names.asked.borrow(),
            ["a.test"],
            "asked only where no rule matches"
        );
    });
}
