//! HTTP/2 by ALPN: one connection for many requests, and what happens when it ends.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes as Data;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::Request as Asked;
use nephila_fetch::{BodyFilter, Fetch, FetchConfig, FetchErrorKind, Fetcher, Request, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_local;

use crate::scripted::{
    self, Peer, Server, eventually, fetcher, get, run, run_in_virtual_time, settle, text, url,
};
use crate::tls::{Authority, serve};

const YEARS: (i32, i32) = (2020, 2090);
type Server2 = Connection<Box<dyn scripted::Bytes>, Data>;
type Exchange = (Asked<h2::RecvStream>, SendResponse<Data>);

/// A server that speaks h2 and a fetcher that trusts it.
async fn h2_server<F, S>(limits: FetchConfig, answer: S) -> (Server, Fetcher, Authority)
where
    S: Fn(usize, Server2) -> F + Clone + 'static,
    F: Future<Output = ()> + 'static,
{
    let authority = Authority::new();
    let acceptor = authority.server(&["a.test"], YEARS, &["h2", "http/1.1"]);
    let server = serve(acceptor, move |peer: Peer| {
        let answer = answer.clone();
        async move {
            let mut builder = h2::server::Builder::new();
            builder.max_concurrent_streams(10);
            if let Ok(connection) = builder.handshake(peer.io).await {
                answer(peer.index, connection).await;
            }
        }
    })
    .await;
    let trusted = authority.trusted(&server);
    let config = FetchConfig {
        ca_file: trusted.ca_file,
        resolve: trusted.resolve,
        ..limits
    };
    (server, fetcher(config), authority)
}

fn respond((_, mut send): Exchange, body: impl Into<Data>) {
    let mut stream = send.send_response(http::Response::new(()), false).unwrap();
    stream.send_data(body.into(), true).unwrap();
}

/// Answers each request with its path, a hundred milliseconds later.
async fn echo(_: usize, mut connection: Server2) {
    while let Some(Ok(exchange)) = connection.accept().await {
        spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(100)).await; // paced: the time between two answers is the subject
            let path = exchange.0.uri().to_string();
            respond(exchange, path);
        });
    }
}

#[test]
fn many_requests_at_once_share_one_connection() {
    run_in_virtual_time(async {
        let (server, fetcher, _authority) = h2_server(scripted::local(), echo).await;
        let fetcher = std::rc::Rc::new(fetcher);
        // More than the ten streams that the server allows at once.
        let asked: Vec<_> = (0..50)
            .map(|n| {
                let fetcher = std::rc::Rc::clone(&fetcher);
                spawn_local(async move { get(&fetcher, url(&format!("https://a.test/{n}"))).await })
            })
            .collect();
        let mut new = 0;
        for (n, asked) in asked.into_iter().enumerate() {
            let response = asked.await.unwrap().unwrap();
            assert_eq!(text(&response), format!("https://a.test/{n}"));
            assert_eq!(response.version, "HTTP/2");
            new += usize::from(!response.reused);
        }
        assert_eq!((server.connections(), new), (1, 1));
    });
}

#[test]
fn without_http2_the_same_server_is_asked_over_http_1() {
    run(async {
        let authority = Authority::new();
        let acceptor = authority.server(&["a.test"], YEARS, &["h2", "http/1.1"]);
        let server = serve(acceptor, |mut peer| async move {
            while peer.request().await.is_some() {
                peer.answer("one").await;
            }
        })
        .await;
        let config = FetchConfig {
            http2: false,
            ..authority.trusted(&server)
        };
        assert_eq!(
            get(&fetcher(config), url("https://a.test/"))
                .await
                .unwrap()
                .version,
            "HTTP/1.1"
        );
    });
}

/// Concurrent first requests to a host that turns out to speak HTTP/1 all get through.
#[test]
fn waiting_for_a_connection_that_cannot_be_shared() {
    run(async {
        let authority = Authority::new();
        let server = serve(
            authority.server(&["a.test"], YEARS, &[]),
            |mut peer| async move {
                while peer.request().await.is_some() {
                    peer.answer("one").await;
                }
            },
        )
        .await;
        let fetcher = fetcher(authority.trusted(&server));
        let get = || get(&fetcher, url("https://a.test/"));
        let (a, b, c) = tokio::join!(get(), get(), get());
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert!(server.connections() <= 3);
    });
}

#[test]
fn after_goaway_a_new_connection_is_made() {
    run(async {
        let (server, fetcher, _authority) =
            h2_server(scripted::local(), |_, mut connection| async move {
                // One exchange a connection, with a polite end.
                if let Some(Ok(exchange)) = connection.accept().await {
                    respond(exchange, "x");
                }
                connection.graceful_shutdown();
                while connection.accept().await.is_some() {}
            })
            .await;
        for n in 1..=5 {
            let response = get(&fetcher, url("https://a.test/")).await.unwrap();
            assert_eq!((response.status, server.connections()), (200, n));
        }
    });
}

#[test]
fn a_request_that_the_server_did_not_process_is_sent_again() {
    run(async {
        let (server, fetcher, _authority) =
            h2_server(scripted::local(), |index, mut connection| async move {
                let mut count = 0;
                while let Some(Ok(mut exchange)) = connection.accept().await {
                    count += 1;
                    match (index, count) {
                        (0, 2) => exchange.1.send_reset(Reason::REFUSED_STREAM),
                        (0, 4) => connection.abrupt_shutdown(Reason::NO_ERROR),
                        (1, 2) => return,
                        _ => respond(exchange, format!("{index} {count}")),
                    }
                }
            })
            .await;
        let mut bodies = Vec::new();
        for _ in 0..4 {
            bodies.push(text(&get(&fetcher, url("https://a.test/")).await.unwrap()).to_owned());
        }
        assert_eq!(bodies, ["0 1", "0 3", "1 1", "2 1"]);
        assert_eq!(server.connections(), 3);
    });
}

#[test]
fn streams_that_end_early() {
    run(async {
        let (_server, fetcher, _authority) =
            h2_server(scripted::local(), |_, mut connection| async move {
                while let Some(Ok((request, mut send))) = connection.accept().await {
                    let path = request.uri().path().to_owned();
                    if path == "/before" {
                        send.send_reset(Reason::INTERNAL_ERROR);
                        continue;
                    }
                    let head = http::Response::builder()
                        .header("content-length", 10)
                        .body(())
                        .unwrap();
                    let mut stream = send.send_response(head, false).unwrap();
                    stream
                        .send_data(Data::from_static(b"half"), path == "/short")
                        .unwrap();
                    if path == "/reset" {
                        // Not with the headers: a reset makes the client forget what it has not read.
                        spawn_local(async move {
                            tokio::time::sleep(Duration::from_millis(20)).await; // paced: the time between two answers is the subject
                            stream.send_reset(Reason::CANCEL);
                        });
                    }
                }
            })
            .await;
        for (path, kind) in [
            ("before", FetchErrorKind::ConnectionLost),
            ("reset", FetchErrorKind::Truncated),
            ("short", FetchErrorKind::Truncated),
        ] {
            let error = get(&fetcher, url(&format!("https://a.test/{path}")))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{path}: {error}");
        }
    });
}

#[test]
fn limits_hold_for_http2_too() {
    run(async {
        let limits = FetchConfig {
            max_header_bytes: 5000,
            max_wire_bytes: 1000,
            ..scripted::local()
        };
        let (_server, fetcher, _authority) = h2_server(limits, |_, mut connection| async move {
            while let Some(Ok((request, mut send))) = connection.accept().await {
                let mut head = http::Response::builder();
                match request.uri().path() {
                    "/many" => {
                        for n in 0..120 {
                            head = head.header(format!("h{n}"), "");
                        }
                    }
                    "/long" => head = head.header("h", "v".repeat(6000)),
                    "/longer" => head = head.header("h", "v".repeat(60_000)),
                    _ => {}
                }
                let mut stream = send.send_response(head.body(()).unwrap(), false).unwrap();
                stream.send_data(vec![b'x'; 1001].into(), true).unwrap();
            }
        })
        .await;
        for (path, kind) in [
            ("long", FetchErrorKind::HeadersTooLarge),
            ("longer", FetchErrorKind::BadResponse),
            ("many", FetchErrorKind::HeadersTooLarge),
            ("body", FetchErrorKind::BodyTooLarge),
        ] {
            let error = get(&fetcher, url(&format!("https://a.test/{path}")))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{path}: {error}");
        }
        let none = Request {
            take: BodyFilter::new(|_, _| false),
            ..Request::get(url("https://a.test/"))
        };
        let response = fetcher.fetch(none).await.unwrap();
        assert!(
            response.body_skipped && response.reused,
            "a stream is reset, the connection stays"
        );
        let cut = Request {
            cut_body: true,
            ..Request::get(url("https://a.test/body"))
        };
        for _ in 0..2 {
            let response = fetcher.fetch(cut.clone()).await.unwrap();
            assert!(response.body_cut && response.wire_bytes == 1000 && response.reused);
        }
    });
}

/// A frame of HTTP/2 (RFC 9113 section 4.1) on a stream.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A frame of type HEADERS, whole in itself, with that status and nothing else.
fn head(stream: u32, status: &str, end: bool) -> Vec<u8> {
    // `:status` is the eighth name of HPACK's table; the value stands as it is.
    let block = [&[0x08, 3], status.as_bytes()].concat();
    frame(1, 0x4 | u8::from(end), stream, &block)
}

/// Reads a connection's frames until the next request, whose stream it gives.
async fn request_stream(io: &mut Box<dyn scripted::Bytes>) -> Option<u32> {
    loop {
        let mut start = [0; 9];
        io.read_exact(&mut start).await.ok()?;
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        io.read_exact(&mut vec![0; length as usize]).await.ok()?;
        if start[3] == 1 {
            return Some(u32::from_be_bytes([start[5], start[6], start[7], start[8]]));
        }
    }
}

/// A server that answers the first request with `interim` interim heads and a final one, and the
/// others with a final one; and the count of the bytes that it got rid of.
async fn hinting(interim: usize) -> (Server, Fetcher, Authority, Rc<Cell<usize>>) {
    let sent = Rc::new(Cell::new(0));
    let authority = Authority::new();
    let acceptor = authority.server(&["a.test"], YEARS, &["h2"]);
    let count = Rc::clone(&sent);
    let server = serve(acceptor, move |mut peer| {
        let count = Rc::clone(&count);
        async move {
            let mut preface = [0; 24];
            peer.io.read_exact(&mut preface).await.unwrap();
            peer.send(frame(4, 0, 0, &[])).await;
            let mut left = if peer.index == 0 { interim } else { 0 };
            while let Some(stream) = request_stream(&mut peer.io).await {
                while left > 0 {
                    let some = left.min(100);
                    let hints = head(stream, "103", false).repeat(some);
                    if peer.io.write_all(&hints).await.is_err() {
                        return;
                    }
                    count.set(count.get() + hints.len());
                    left -= some;
                    // What is sent is read before more is: so nothing waits in between uncounted.
                    settle().await;
                }
                peer.send(head(stream, "200", true)).await;
            }
        }
    })
    .await;
    let config = FetchConfig {
        max_header_bytes: 20_000,
        ..authority.trusted(&server)
    };
    (server, fetcher(config), authority, sent)
}

#[test]
fn interim_heads_are_passed_over_up_to_a_bound() {
    run(async {
        let (server, fetcher, _authority, sent) = hinting(10_000).await;
        for _ in 0..2 {
            let response = get(&fetcher, url("https://a.test/")).await.unwrap();
            assert_eq!(response.status, 200);
        }
        assert_eq!((server.connections(), sent.get()), (1, 10_000 * 14));
    });
}

#[test]
fn a_flood_of_interim_heads_is_left() {
    run(async {
        let (server, fetcher, _authority, sent) = hinting(usize::MAX).await;
        let error = get(&fetcher, url("https://a.test/")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (FetchErrorKind::HeadersTooLarge, false)
        );
        assert_eq!(
            error.to_string(),
            "response headers, interim ones included, are larger than the limit"
        );
        eventually(|| server.open() == 0).await;
        assert!((140_000..200_000).contains(&sent.get()), "{}", sent.get());
        let response = get(&fetcher, url("https://a.test/")).await.unwrap();
        assert_eq!((response.status, server.connections()), (200, 2));
    });
}

/// Large bodies on the other streams are not held against one that waits.
#[test]
fn bodies_beside_an_exchange_that_waits_have_no_such_bound() {
    run(async {
        let limits = FetchConfig {
            max_header_bytes: 1000,
            ..scripted::local()
        };
        let (server, fetcher, _authority) = h2_server(limits, |_, mut connection| async move {
            let mut waiting = None;
            let mut bodies = 0;
            while let Some(Ok(exchange)) = connection.accept().await {
                if exchange.0.uri().path() == "/waits" {
                    waiting = Some(exchange);
                    continue;
                }
                respond(exchange, vec![b'x'; 3_000_000]);
                bodies += 1;
                if bodies == 5 {
                    respond(waiting.take().unwrap(), "at last");
                }
            }
        })
        .await;
        let fetcher = Rc::new(fetcher);
        assert!(get(&fetcher, url("https://a.test/first")).await.is_ok());
        let waits = {
            let fetcher = Rc::clone(&fetcher);
            spawn_local(async move { get(&fetcher, url("https://a.test/waits")).await })
        };
        settle().await;
        for _ in 0..4 {
            let response = get(&fetcher, url("https://a.test/")).await.unwrap();
            assert_eq!(response.body.len(), 3_000_000);
        }
        assert_eq!(text(&waits.await.unwrap().unwrap()), "at last");
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn a_silent_connection_is_not_used_again() {
    run_in_virtual_time(async {
        let limit = Duration::from_secs(1);
        let limits = FetchConfig {
            first_byte_timeout: limit,
            ..scripted::local()
        };
        let (server, fetcher, _authority) = h2_server(limits, |index, mut connection| async move {
            let mut held = Vec::new();
            while let Some(Ok(exchange)) = connection.accept().await {
                match index {
                    0 => held.push(exchange),
                    _ => respond(exchange, "x"),
                }
            }
        })
        .await;
        let error = get(&fetcher, url("https://a.test/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::FirstByte));
        assert!(get(&fetcher, url("https://a.test/")).await.is_ok());
        assert_eq!(server.connections(), 2);
        eventually(|| server.open() == 1).await;
        drop(fetcher);
        eventually(|| server.open() == 0).await;
    });
}
