//! Limits of size.

use nephila_fetch::{Fetch, FetchConfig, FetchErrorKind, Request};

use crate::scripted::{Peer, Server, fetcher, get, local, ok, run};

#[test]
fn bodies_up_to_the_limit_and_no_further() {
    run(async {
        let fetcher = fetcher(FetchConfig {
            max_wire_bytes: 1000,
            ..local()
        });
        for (length, fits) in [(1000, true), (1001, false)] {
            let body = "x".repeat(length);
            for bytes in [
                ok(&body),
                format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
                ),
            ] {
                let server = Server::answering(bytes).await;
                match get(&fetcher, server.url("/")).await {
                    Ok(response) => assert!(fits && response.wire_bytes == 1000),
                    Err(error) => {
                        assert!(!fits);
                        assert_eq!(
                            (error.kind(), error.is_transient()),
                            (FetchErrorKind::BodyTooLarge, false)
                        );
                        assert_eq!(error.head().unwrap().status, 200);
                    }
                }
                let request = Request {
                    max_wire_bytes: Some(5),
                    ..Request::get(server.url("/"))
                };
                let error = fetcher.fetch(request).await.unwrap_err();
                assert_eq!(
                    error.kind(),
                    FetchErrorKind::BodyTooLarge,
                    "the request's own limit"
                );
            }
        }
    });
}

/// On request the part within the limit is given, however the body is framed.
#[test]
fn bodies_are_cut_at_the_limit_on_request() {
    run(async {
        let fetcher = fetcher(local());
        for (length, cut) in [(1000, false), (1001, true), (50_000, true)] {
            let body = "x".repeat(length);
            for bytes in [
                ok(&body),
                format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
                ),
            ] {
                let server = Server::answering(bytes).await;
                let request = Request {
                    max_wire_bytes: Some(1000),
                    cut_body: true,
                    ..Request::get(server.url("/"))
                };
                let response = fetcher.fetch(request).await.unwrap();
                assert_eq!(
                    (response.wire_bytes, response.body_cut),
                    (1000, cut),
                    "{length}"
                );
                assert_eq!(response.body, body.as_bytes()[..1000]);
            }
        }
    });
}

/// What was cut leaves the rest of its body in the connection, which therefore serves no other.
#[test]
fn a_connection_whose_body_was_cut_is_closed() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while peer.request().await.is_some() {
                peer.answer("0123456789").await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for (max_wire_bytes, connections) in [(10, 1), (10, 1), (9, 1), (0, 2), (10, 3), (10, 3)] {
            let request = Request {
                max_wire_bytes: Some(max_wire_bytes),
                cut_body: true,
                ..Request::get(server.url("/"))
            };
            let response = fetcher.fetch(request).await.unwrap();
            assert_eq!(response.body_cut, max_wire_bytes < 10);
            assert_eq!(response.body.len() as u64, max_wire_bytes);
            assert_eq!(server.connections(), connections);
        }
    });
}

/// A server that never stops sending is left at the limit.
#[test]
fn an_endless_body_is_left() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.request().await;
            peer.send("HTTP/1.1 200 OK\r\n\r\n").await;
            pour(&mut peer, &[b'x'; 10_000]).await;
        })
        .await;
        let fetcher = fetcher(FetchConfig {
            max_wire_bytes: 1_000_000,
            ..local()
        });
        let error = get(&fetcher, server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::BodyTooLarge);
        crate::scripted::eventually(|| server.open() == 0).await;
        let request = Request {
            cut_body: true,
            ..Request::get(server.url("/"))
        };
        let response = fetcher.fetch(request).await.unwrap();
        assert!(response.body_cut && response.wire_bytes == 1_000_000);
        crate::scripted::eventually(|| server.open() == 0).await;
    });
}

/// Sends the same bytes until the client closes.
async fn pour(peer: &mut Peer, bytes: &[u8]) {
    use tokio::io::AsyncWriteExt;
    while peer.io.write_all(bytes).await.is_ok() {}
}

#[test]
fn header_floods_are_left() {
    run(async {
        let fetcher = fetcher(FetchConfig {
            max_header_bytes: 20_000,
            ..local()
        });
        let floods: [&[u8]; 3] = [b"X-Flood: yes\r\n", b"x", b"X: \t \t \t\r\n"];
        for flood in floods {
            let server = Server::start(move |mut peer| async move {
                peer.request().await;
                peer.send("HTTP/1.1 200 OK\r\n").await;
                pour(&mut peer, &flood.repeat(500)).await;
            })
            .await;
            let error = get(&fetcher, server.url("/")).await.unwrap_err();
            assert_eq!(
                error.kind(),
                FetchErrorKind::HeadersTooLarge,
                "{}",
                flood.escape_ascii()
            );
            assert!(!error.is_transient());
        }
    });
}

#[test]
fn headers_up_to_the_limits_and_no_further() {
    run(async {
        for (max_headers, count, fits) in [
            (100, 100, true),
            (100, 101, false),
            (300, 300, true),
            (300, 301, false),
            (3, 3, true),
            (3, 4, false),
        ] {
            let fetcher = fetcher(FetchConfig {
                max_headers,
                ..local()
            });
            let headers: String = (1..count).map(|n| format!("X-{n}: y\r\n")).collect();
            let server = Server::answering(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{headers}\r\n"
            ))
            .await;
            let outcome = get(&fetcher, server.url("/"))
                .await
                .map_err(|error| error.kind());
            match fits {
                true => assert_eq!(outcome.unwrap().headers.len(), count),
                false => assert_eq!(
                    outcome.unwrap_err(),
                    FetchErrorKind::HeadersTooLarge,
                    "{count}"
                ),
            }
        }
        let fetcher = fetcher(FetchConfig {
            max_header_bytes: 1000,
            ..local()
        });
        for (length, fits) in [(900, true), (1000, false)] {
            let value = "v".repeat(length);
            let server = Server::answering(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {value}\r\n\r\n"
            ))
            .await;
            assert_eq!(
                get(&fetcher, server.url("/")).await.is_ok(),
                fits,
                "{length}"
            );
        }
    });
}

#[test]
fn a_lying_content_length_costs_no_memory() {
    run(async {
        let server =
            Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nx")
                .await;
        let config = FetchConfig {
            max_wire_bytes: u64::MAX,
            ..local()
        };
        let error = get(&fetcher(config), server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::Truncated);
    });
}
