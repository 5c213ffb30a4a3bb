//! The bytes of an exchange, as they went over the connection.

use bytes::Bytes as Data;
use http::Method;
use nephila_fetch::{BodyFilter, Fetch, RawExchange, Request};
use url::Url;

use crate::scripted::{Peer, Server, eventually, fetcher, local, ok, run, text, url};
use crate::tls::{Authority, serve};

const YEARS: (i32, i32) = (2020, 2090);

fn raw_get(url: Url) -> Request {
    Request {
        keep_raw: true,
        ..Request::get(url)
    }
}

/// Fetches with `method` from a server that sends `bytes` and closes.
async fn exchange(method: Method, bytes: &str) -> (Option<RawExchange>, Vec<String>) {
    let server = Server::answering(bytes.to_owned()).await;
    let request = Request {
        method,
        ..raw_get(server.url("/p?q"))
    };
    let response = fetcher(local()).fetch(request).await.unwrap();
    (response.raw, server.requests())
}

#[test]
fn both_messages_are_the_bytes_on_the_wire() {
    run(async {
        for bytes in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nX-MiXed:   case \r\nx-mixed: b\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nuntil the close",
            "HTTP/1.0 404 What a reason\r\n\r\nuntil the close",
            "HTTP/1.1 200\r\n\r\nno reason",
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nLF",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n000A\r\n0123456789\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 1\r\n\r\n.",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
        ] {
            let (raw, requests) = exchange(Method::GET, bytes).await;
            let raw = raw.unwrap();
            assert_eq!(raw.response, bytes);
            assert_eq!(
                [String::from_utf8(raw.request.to_vec()).unwrap()],
                *requests
            );
            assert!(raw.request.starts_with(b"GET /p?q HTTP/1.1\r\n"));
        }
    });
}

#[test]
fn a_response_to_head_has_no_body() {
    run(async {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            let (raw, _) = exchange(Method::HEAD, head).await;
            let raw = raw.unwrap();
            assert_eq!(raw.response, head);
            assert!(raw.request.starts_with(b"HEAD "));
        }
    });
}

#[test]
fn what_stands_before_and_behind_a_response_is_not_of_it() {
    run(async {
        for (before, response, behind) in [
            ("HTTP/1.1 100 Continue\r\n\r\n", ok("hello"), ""),
            (
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n",
                ok("hello"),
                "",
            ),
            ("", ok("hello"), " and more"),
            (
                "",
                ok("hello"),
                "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
            ),
            (
                "HTTP/1.1 103 Early Hints\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n"
                    .to_owned(),
                "HTTP/1.1 200 OK\r\n\r\n",
            ),
            ("", "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), "more"),
        ] {
            let bytes = format!("{before}{response}{behind}");
            let (raw, _) = exchange(Method::GET, &bytes).await;
            assert_eq!(raw.unwrap().response, response);
        }
    });
}

#[test]
fn each_exchange_of_a_kept_connection_has_its_own_bytes() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(local());
        for n in 0..6 {
            let path = format!("/{n}");
            let request = Request {
                keep_raw: n % 3 != 0,
                ..Request::get(server.url(&path))
            };
            let response = fetcher.fetch(request).await.unwrap();
            assert_eq!(
                (response.reused, response.raw.is_some()),
                (n > 0, n % 3 != 0)
            );
            if let Some(raw) = response.raw {
                assert_eq!(raw.response, ok(&path));
                assert_eq!(raw.request, server.requests()[n]);
            }
        }
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn a_request_that_is_sent_again_is_there_once() {
    run(async {
        let server = Server::start(|mut peer: Peer| async move {
            if peer.request().await.is_some() {
                peer.answer("first").await;
            }
            // The kept connection is closed on its second request, which is then sent again.
            if peer.index > 0 {
                peer.closed().await;
            } else {
                peer.request().await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for connections in [1, 2] {
            let response = fetcher.fetch(raw_get(server.url("/"))).await.unwrap();
            let raw = response.raw.unwrap();
            assert_eq!(raw.response, ok("first"));
            assert_eq!(raw.request, server.requests()[0]);
            eventually(|| server.connections() == connections).await;
        }
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn a_body_that_is_not_here_whole_is_not_kept_raw() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(local());
        let skipped = Request {
            take: BodyFilter::new(|_, _| false),
            ..raw_get(server.url("/skipped"))
        };
        let skipped = fetcher.fetch(skipped).await.unwrap();
        assert!(skipped.body_skipped && skipped.raw.is_none());
        let cut = Request {
            max_wire_bytes: Some(3),
            cut_body: true,
            ..raw_get(server.url("/cut"))
        };
        let cut = fetcher.fetch(cut).await.unwrap();
        assert!(cut.body_cut && cut.raw.is_none());
        let whole = fetcher.fetch(raw_get(server.url("/whole"))).await.unwrap();
        assert_eq!(whole.raw.unwrap().response, ok("/whole"));
    });
}

/// Twenty megabytes of interim responses: none of it is kept, and what follows them is.
#[test]
fn interim_responses_without_end_are_not_recorded() {
    run(async {
        let server = Server::start(|mut peer| async move {
            let link = "x".repeat(16_000);
            let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {link}\r\n\r\n");
            while peer.request().await.is_some() {
                for _ in 0..1250 {
                    peer.send(&hint).await;
                }
                peer.answer("at last").await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for _ in 0..2 {
            let response = fetcher.fetch(raw_get(server.url("/"))).await.unwrap();
            assert_eq!(response.raw.unwrap().response, ok("at last"));
        }
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn framing_beyond_its_bound_is_not_kept() {
    run(async {
        let chunks = "1\r\nx\r\n".repeat(200_000);
        let bytes =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
        let server = Server::answering(bytes.clone()).await;
        let limited = |max_wire_bytes| Request {
            max_wire_bytes: Some(max_wire_bytes),
            ..raw_get(server.url("/"))
        };
        let fetcher = fetcher(local());
        let response = fetcher.fetch(limited(200_000)).await.unwrap();
        assert_eq!(response.body.len(), 200_000);
        assert!(response.raw.is_none());
        let response = fetcher.fetch(limited(2_000_000)).await.unwrap();
        assert!(response.raw.unwrap().response == bytes);
    });
}

#[test]
fn bytes_are_those_inside_of_tls() {
    run(async {
        let authority = Authority::new();
        let server = serve(
            authority.server(&["a.test"], YEARS, &["http/1.1"]),
            |mut peer| async move {
                while peer.request().await.is_some() {
                    peer.answer("secret").await;
                }
            },
        )
        .await;
        let fetcher = fetcher(authority.trusted(&server));
        for _ in 0..2 {
            let response = fetcher
                .fetch(raw_get(url("https://a.test/")))
                .await
                .unwrap();
            let raw = response.raw.unwrap();
            assert_eq!(raw.response, ok("secret"));
            assert_eq!(raw.request, server.requests()[0]);
        }
    });
}

#[test]
fn messages_are_made_for_http_2() {
    run(async {
        let authority = Authority::new();
        let acceptor = authority.server(&["a.test"], YEARS, &["h2"]);
        let server = serve(acceptor, |peer: Peer| async move {
            let Ok(mut connection) = h2::server::handshake(peer.io).await else {
                return;
            };
            while let Some(Ok((_, mut send))) = connection.accept().await {
                let head = http::Response::builder().status(404).header("X-A", "b");
                let mut stream = send.send_response(head.body(()).unwrap(), false).unwrap();
                stream.send_data(Data::from("no"), true).unwrap();
            }
        })
        .await;
        let fetcher = fetcher(authority.trusted(&server));
        let response = fetcher.fetch(raw_get(url("https://a.test/p?q"))).await;
        let response = response.unwrap();
        assert_eq!((response.version, text(&response)), ("HTTP/2", "no"));
        let raw = response.raw.unwrap();
        assert_eq!(raw.response, "HTTP/1.1 404 Not Found\r\nx-a: b\r\n\r\nno");
        let request = String::from_utf8(raw.request.to_vec()).unwrap();
        assert!(
            request.starts_with("GET /p?q HTTP/1.1\r\nhost: a.test\r\naccept: ")
                && request.ends_with("\r\n\r\n"),
            "{request}"
        );
    });
}
