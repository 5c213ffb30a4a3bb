//! Limits of time, each on its own, in virtual time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nephila_fetch::{FetchConfig, FetchErrorKind, Stage, Times};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::names::{NameServer, ips};
use crate::scripted::{Server, fetcher, get, local, run_in_virtual_time, text, url};

const LIMIT: Duration = Duration::from_millis(700);

/// Virtual time has a resolution of a millisecond, and a timer may be that late.
fn is_about(spent: Duration, limit: Duration) -> bool {
    spent >= limit && spent < limit + Duration::from_millis(5)
}

#[test]
fn the_name_servers_do_not_answer() {
    run_in_virtual_time(async {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let config = FetchConfig {
            dns_timeout: LIMIT,
            name_servers: vec![silent.local_addr().unwrap()],
            ..local()
        };
        let error = get(&fetcher(config), url("http://name.test/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Dns));
        assert!(is_about(error.times().dns, LIMIT), "{error:?}");
        assert_eq!(error.times().connect, Duration::ZERO);
        assert_eq!(
            error.to_string(),
            "timed out after 700ms while looking up the name"
        );
        assert!(error.is_transient());
    });
}

/// A port where connections are neither accepted nor refused: its queue is full.
struct FullQueue {
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
    address: SocketAddr,
}

async fn full_queue(address: &str) -> FullQueue {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = timeout(LIMIT, TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
        assert!(queued.len() < 20, "the queue never fills");
    }
    FullQueue {
        _listener: listener,
        _queued: queued,
        address,
    }
}

#[test]
fn the_address_does_not_answer() {
    run_in_virtual_time(async {
        let full = full_queue("127.0.0.1:0").await;
        let config = FetchConfig {
            connect_timeout: LIMIT,
            ..local()
        };
        let error = get(&fetcher(config), url(&format!("http://{}/", full.address)))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Connect));
        assert!(is_about(error.times().connect, LIMIT), "{error:?}");
        assert_eq!(error.to_string(), "timed out after 700ms while connecting");
    });
}

/// The next address gets its turn a quarter of a second after one that does not answer, and all of
/// them share the limit.
#[test]
fn an_address_that_does_not_answer_does_not_keep_the_next_from_being_tried() {
    run_in_virtual_time(async {
        let full = full_queue("127.0.0.2:0").await;
        let port = full.address.port();
        let server = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        tokio::task::spawn_local(async move {
            let (mut tcp, _) = server.accept().await.unwrap();
            tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
        });
        let names = NameServer::start(HashMap::from([
            ("a.test", Ok((ips(&["127.0.0.2", "127.0.0.1"]), 60))),
            (
                "b.test",
                Ok((ips(&["127.0.0.2", "127.0.0.2", "127.0.0.2"]), 60)),
            ),
        ]))
        .await;
        let fetcher = fetcher(FetchConfig {
            connect_timeout: LIMIT,
            ..names.config()
        });
        let response = get(&fetcher, url(&format!("http://a.test:{port}/")))
            .await
            .unwrap();
        assert!(
            is_about(response.times.connect, Duration::from_millis(250)),
            "{response:?}"
        );
        let error = get(&fetcher, url(&format!("http://b.test:{port}/")))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Connect));
        assert!(is_about(error.times().connect, LIMIT), "{error:?}");
    });
}

#[test]
fn the_proxy_does_not_answer() {
    run_in_virtual_time(async {
        // A proxy that accepts and then says nothing: connecting to it is not enough.
        let proxy = Server::start(|mut peer| async move { peer.closed().await }).await;
        let config = FetchConfig {
            connect_timeout: LIMIT,
            proxy: Some(nephila_fetch::ProxyConfig::all(
                proxy.address.to_string().parse().unwrap(),
                Default::default(),
            )),
            ..local()
        };
        let error = get(&fetcher(config), url("https://name.test/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Connect));
        assert!(is_about(error.times().connect, LIMIT), "{error:?}");
    });
}

#[test]
fn the_tls_handshake_stops() {
    run_in_virtual_time(async {
        let server = Server::start(|mut peer| async move { peer.closed().await }).await;
        let config = FetchConfig {
            tls_timeout: LIMIT,
            ..local()
        };
        let url = url(&format!("https://{}/", server.address));
        let error = get(&fetcher(config), url).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Tls));
        assert!(is_about(error.times().tls, LIMIT), "{error:?}");
        assert_eq!(error.remote(), Some(server.address));
    });
}

#[test]
fn the_response_does_not_come() {
    run_in_virtual_time(async {
        let server = Server::start(|mut peer| async move { peer.closed().await }).await;
        let config = FetchConfig {
            first_byte_timeout: LIMIT,
            ..local()
        };
        let error = get(&fetcher(config), server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::FirstByte));
        assert!(is_about(error.times().first_byte, LIMIT), "{error:?}");
        assert_eq!(error.times().body, Duration::ZERO);
        assert!(error.head().is_none());
        crate::scripted::eventually(|| server.open() == 0).await;
    });
}

/// Headers that trickle do not get more time than headers that do not come.
#[test]
fn the_headers_trickle() {
    run_in_virtual_time(async {
        let server = Server::start(|mut peer| async move {
            peer.request().await;
            peer.send("HTTP/1.1 200 OK\r\nX: ").await;
            while peer.index == 0 {
                tokio::time::sleep(LIMIT / 10).await; // paced: a slow server is the subject
                peer.send("y").await;
            }
        })
        .await;
        let config = FetchConfig {
            first_byte_timeout: LIMIT,
            ..local()
        };
        let error = get(&fetcher(config), server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::FirstByte));
    });
}

/// Sends a body of ten bytes, `pause` before each.
async fn trickling(pause: Duration) -> Server {
    Server::start(move |mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            .await;
        for _ in 0..10 {
            tokio::time::sleep(pause).await; // paced: a slow server is the subject
            peer.send("x").await;
        }
    })
    .await
}

#[test]
fn the_body_stops_or_trickles() {
    run_in_virtual_time(async {
        let config = FetchConfig {
            idle_timeout: LIMIT,
            ..local()
        };
        let server = trickling(LIMIT * 2).await;
        let error = get(&fetcher(config.clone()), server.url("/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Body));
        assert_eq!(error.head().unwrap().status, 200);
        assert!(is_about(error.times().body, LIMIT), "{error:?}");

        // Each pause is within the limit, however long the whole takes.
        let server = trickling(LIMIT * 9 / 10).await;
        let response = get(&fetcher(config), server.url("/")).await.unwrap();
        assert_eq!(text(&response), "xxxxxxxxxx");
        assert!(response.times.body > LIMIT * 8);
    });
}

#[test]
fn the_whole_takes_too_long() {
    run_in_virtual_time(async {
        let config = FetchConfig {
            idle_timeout: LIMIT,
            total_timeout: LIMIT * 3,
            ..local()
        };
        let server = trickling(LIMIT / 2).await;
        let error = get(&fetcher(config), server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Total));
        assert!(is_about(error.times().total(), LIMIT * 3), "{error:?}");
        assert_eq!(
            error.times(),
            Times {
                body: error.times().body,
                ..error.times()
            }
        );
        assert!(error.to_string().contains("2.1s"), "{error}");
    });
}
