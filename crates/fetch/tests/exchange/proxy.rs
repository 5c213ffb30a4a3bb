//! Proxies: absolute form for http, a tunnel for https, and credentials for the proxy only.

use std::collections::HashMap;

use nephila_fetch::{BasicAuth, FetchConfig, FetchErrorKind, NoProxy, ProxyConfig};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use crate::names::NameServer;
use crate::scripted::{Peer, Server, fetcher, get, local, ok, run, text, url};
use crate::tls::{Authority, serve};

fn through(proxy: &Server, credentials: &str, no_proxy: &str) -> FetchConfig {
    let server = format!("http://{credentials}{}", proxy.address)
        .parse()
        .unwrap();
    FetchConfig {
        proxy: Some(ProxyConfig::all(server, NoProxy::parse(no_proxy))),
        ..local()
    }
}

/// A proxy that answers http itself and tunnels everything to `to`.
async fn proxy(to: Option<std::net::SocketAddr>) -> Server {
    Server::start(move |mut peer: Peer| async move {
        while let Some(head) = peer.request().await {
            if !head.starts_with("CONNECT ") {
                peer.answer(head.lines().next().unwrap()).await;
                continue;
            }
            peer.send("HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
                .await;
            let mut upstream = TcpStream::connect(to.unwrap()).await.unwrap();
            let _ = copy_bidirectional(&mut peer.io, &mut upstream).await;
            return;
        }
    })
    .await
}

#[test]
fn http_is_asked_in_absolute_form_over_shared_connections() {
    run(async {
        let proxy = proxy(None).await;
        let config = FetchConfig {
            basic_auth: vec![BasicAuth {
                host: "http://a.test".into(),
                user: "u".into(),
                password: "p".into(),
            }],
            allow_private: false,
            ..through(&proxy, "me:my%20word@", "")
        };
        let fetcher = fetcher(config);
        let response = get(&fetcher, url("http://a.test/x?y#z")).await.unwrap();
        assert_eq!(text(&response), "GET http://a.test/x?y HTTP/1.1");
        assert_eq!(response.remote, Some(proxy.address));
        let response = get(&fetcher, url("http://b.test:8080/")).await.unwrap();
        assert_eq!(text(&response), "GET http://b.test:8080/ HTTP/1.1");
        assert_eq!(proxy.connections(), 1);
        let heads = proxy.requests();
        assert!(
            heads[0].contains("host: a.test\r\n") && heads[1].contains("host: b.test:8080\r\n")
        );
        for head in &heads {
            assert!(
                head.contains("proxy-authorization: Basic bWU6bXkgd29yZA==\r\n"),
                "{head}"
            );
        }
        assert!(
            heads[0].contains("\r\nauthorization: ") && !heads[1].contains("\r\nauthorization: ")
        );
    });
}

#[test]
fn https_goes_through_a_tunnel_that_sees_nothing() {
    run(async {
        let authority = Authority::new();
        let acceptor = authority.server(&["a.test"], (2020, 2090), &["http/1.1"]);
        let server = serve(acceptor, |mut peer| async move {
            while peer.request().await.is_some() {
                peer.answer("secret").await;
            }
        })
        .await;
        let proxy = proxy(Some(server.address)).await;
        let config = FetchConfig {
            ca_file: Some(authority.file().to_owned()),
            allow_private: false,
            ..through(&proxy, "me:word@", "")
        };
        let fetcher = fetcher(config);
        for n in 0..3 {
            let response = get(&fetcher, url("https://a.test/path")).await.unwrap();
            assert_eq!((text(&response), response.reused), ("secret", n > 0));
        }
        let connect = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\
            Proxy-Authorization: Basic bWU6d29yZA==\r\n\r\n";
        assert_eq!(proxy.requests(), [connect]);
        assert!(
            server
                .requests()
                .iter()
                .all(|head| !head.to_lowercase().contains("proxy"))
        );
        assert!(server.requests()[0].starts_with("GET /path HTTP/1.1\r\n"));
    });
}

#[test]
fn hosts_without_a_proxy_are_asked_directly() {
    run(async {
        let (proxy, server) = (proxy(None).await, Server::answering(ok("direct")).await);
        let rule = format!("direct.test:80:{}", server.address)
            .parse()
            .unwrap();
        let config = FetchConfig {
            resolve: vec![rule],
            ..through(&proxy, "", "direct.test")
        };
        let fetcher = fetcher(config);
        assert_eq!(
            text(&get(&fetcher, url("http://direct.test/")).await.unwrap()),
            "direct"
        );
        assert_eq!(
            text(&get(&fetcher, server.url("/")).await.unwrap()),
            "direct",
            "loopback"
        );
        assert_eq!(proxy.connections(), 0);
    });
}

#[test]
fn proxies_that_refuse_or_are_not_there() {
    run(async {
        for (answer, transient, words) in [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                false,
                "(407)",
            ),
            (
                "HTTP/1.1 502 Bad Gateway\r\n\r\n",
                true,
                "it answered 502 to CONNECT a.test:443",
            ),
            ("SSH-2.0-x\r\n\r\n", false, "is not HTTP"),
            ("", true, "proxy 127.0.0.1"),
        ] {
            let proxy = Server::answering(answer).await;
            let error = get(&fetcher(through(&proxy, "", "")), url("https://a.test/"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), FetchErrorKind::ProxyFailed, "{error}");
            assert_eq!(error.is_transient(), transient, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        let endless =
            Server::answering("HTTP/1.1 200 OK\r\n".to_owned() + &"X: y\r\n".repeat(10_000)).await;
        let error = get(&fetcher(through(&endless, "", "")), url("https://a.test/"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");

        let wants = Server::answering("HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n").await;
        let error = get(&fetcher(through(&wants, "", "")), url("http://a.test/"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (FetchErrorKind::ProxyFailed, false)
        );

        let nobody = ProxyConfig::all("127.0.0.1:1".parse().unwrap(), NoProxy::default());
        let config = FetchConfig {
            proxy: Some(nobody),
            ..local()
        };
        let error = get(&fetcher(config), url("http://a.test/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::ProxyFailed, "{error}");
    });
}

/// An address in a URL, and a name that resolves to one, are refused before the proxy hears of them;
/// also when a connection to it is there already, which requests to all hosts share.
#[test]
fn a_proxy_is_not_a_way_around_the_address_rules() {
    run(async {
        let ips = |addresses: &[&str]| {
            let parsed = addresses.iter().map(|address| address.parse().unwrap());
            Ok((parsed.collect(), 60))
        };
        let names = NameServer::start(HashMap::from([
            ("public.test", ips(&["93.184.215.14"])),
            ("inner.test", ips(&["10.0.0.1"])),
            ("both.test", ips(&["93.184.215.14", "::1"])),
        ]))
        .await;
        let proxy = proxy(None).await;
        let config = FetchConfig {
            allow_private: false,
            allowed_private_hosts: vec!["own.test".to_owned()],
            name_servers: vec![names.address],
            ..through(&proxy, "", "")
        };
        let fetcher = fetcher(config);
        let hosts = [
            "10.0.0.1",
            "169.254.169.254",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "127.0.0.1:81",
            "inner.test",
            "both.test",
        ];
        for connections in 0..2 {
            for host in hosts {
                for scheme in ["http", "https"] {
                    let error = get(&fetcher, url(&format!("{scheme}://{host}/")))
                        .await
                        .unwrap_err();
                    assert!(
                        matches!(error.kind(), FetchErrorKind::BlockedAddress(_)),
                        "{host}: {error}"
                    );
                }
            }
            assert_eq!(proxy.connections(), connections);
            // Names that are public, vouched for, or not known here are the proxy's.
            for host in ["public.test", "own.test", "unknown.test"] {
                get(&fetcher, url(&format!("http://{host}/")))
                    .await
                    .unwrap();
            }
        }
        assert_eq!(proxy.requests().len(), 6);
    });
}
