//! Addresses that are not public are not fetched from, however they are written or come about.

use std::collections::HashMap;
use std::net::IpAddr;

use nephila_fetch::{FetchConfig, FetchErrorKind, is_public};

use crate::names::{NameServer, ips};
use crate::scripted::{Server, all_to, fetcher, get, local, run, run_in_virtual_time, url};

fn strict() -> FetchConfig {
    FetchConfig {
        allow_private: false,
        ..local()
    }
}

#[test]
fn every_way_of_writing_an_address() {
    run(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        let fetcher = fetcher(strict());
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::1]",
            "[::]",
            "0.0.0.0",
            "0",
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "10.0.0.1",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00::1]",
            "100.64.0.1",
            "100.100.100.200",
            "172.16.0.1",
            "192.168.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "017700000001",
            "0x0",
            "2852039166",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::7f00:1]",
            "[2001:0:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[::127.0.0.1]",
            "[::ffff:0:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[fec0::1]",
        ] {
            let error = get(&fetcher, url(&format!("http://{host}:{port}/")))
                .await
                .unwrap_err();
            let FetchErrorKind::BlockedAddress(address) = error.kind() else {
                panic!("{host}: {error:?}")
            };
            assert!(!is_public(address) && !error.is_transient(), "{host}");
            assert!(error.to_string().contains("is not public"), "{error}");
        }
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn names_that_resolve_to_such_an_address() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        let names = NameServer::start(HashMap::from([
            ("v4.test", Ok((ips(&["127.0.0.1"]), 60))),
            ("v6.test", Ok((ips(&["::1"]), 60))),
            ("mapped.test", Ok((ips(&["::ffff:127.0.0.1"]), 60))),
            ("nat64.test", Ok((ips(&["64:ff9b::169.254.169.254"]), 60))),
            ("private.test", Ok((ips(&["10.0.0.1", "192.168.0.1"]), 60))),
        ]))
        .await;
        let fetcher = fetcher(FetchConfig {
            allow_private: false,
            ..names.config()
        });
        for name in ["v4", "v6", "mapped", "nat64", "private"] {
            let error = get(&fetcher, url(&format!("http://{name}.test:{port}/")))
                .await
                .unwrap_err();
            assert!(
                matches!(error.kind(), FetchErrorKind::BlockedAddress(_)),
                "{name}: {error:?}"
            );
        }
        assert_eq!(server.connections(), 0);
    });
}

/// The name resolves to something else each time it is asked (a TTL of zero): what was checked is
/// what is connected to, and every new connection is checked.
#[test]
fn an_answer_that_changes_changes_nothing() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let port = server.address.port();
        let names =
            NameServer::start(HashMap::from([("a.test", Ok((ips(&["127.0.0.1"]), 0)))])).await;
        let config = FetchConfig {
            allow_private: false,
            allowed_private_hosts: vec!["good.test".into()],
            max_idle_connections: 0,
            ..names.config()
        };
        let fetcher = fetcher(config);
        names
            .zone
            .borrow_mut()
            .insert("good.test", Ok((ips(&["127.0.0.1"]), 0)));
        get(&fetcher, url(&format!("http://good.test:{port}/")))
            .await
            .unwrap();
        for _ in 0..3 {
            let error = get(&fetcher, url(&format!("http://a.test:{port}/")))
                .await
                .unwrap_err();
            assert!(matches!(error.kind(), FetchErrorKind::BlockedAddress(_)));
        }
        assert_eq!((server.connections(), names.asked.borrow().len()), (1, 4));
    });
}

#[test]
fn hosts_that_a_seed_names_are_allowed_and_only_they() {
    run_in_virtual_time(async {
        let (server, other) = (Server::echoing().await, Server::echoing().await);
        let (port, other_port) = (server.address.port(), other.address.port());
        let names = NameServer::start(HashMap::from([
            ("intranet.test", Ok((ips(&["127.0.0.1"]), 60))),
            ("evil.test", Ok((ips(&["127.0.0.1"]), 60))),
        ]))
        .await;
        let config = FetchConfig {
            allow_private: false,
            allowed_private_hosts: vec![
                format!("127.0.0.1:{port}"),
                "Intranet.TEST".into(),
                "::1".into(),
            ],
            ..names.config()
        };
        let fetcher = fetcher(config);
        for (host, allowed) in [
            (format!("127.0.0.1:{port}"), true),
            (format!("127.1:{port}"), true),
            (format!("intranet.test:{port}"), true),
            (format!("intranet.test:{other_port}"), true),
            (format!("127.0.0.1:{other_port}"), false),
            (format!("127.0.0.2:{port}"), false),
            (format!("evil.test:{port}"), false),
            (format!("localhost:{port}"), false),
        ] {
            let outcome = get(&fetcher, url(&format!("http://{host}/"))).await;
            assert_eq!(outcome.is_ok(), allowed, "{host}: {outcome:?}");
        }
        // Allowed, though nobody listens there.
        let error = get(&fetcher, url("http://[::1]:1/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::ConnectFailed);
    });
}

#[test]
fn a_users_rule_is_allowed_but_does_not_stand_for_addresses() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(FetchConfig {
            resolve: vec![all_to(server.address)],
            ..strict()
        });
        assert!(get(&fetcher, url("http://any.test/")).await.is_ok());
        let error = get(&fetcher, url("http://169.254.169.254/latest/meta-data/"))
            .await
            .unwrap_err();
        let metadata: IpAddr = "169.254.169.254".parse().unwrap();
        assert_eq!(error.kind(), FetchErrorKind::BlockedAddress(metadata));
    });
}
