//! What is asked and what is given.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use nephila_fetch::{BodyFilter, Fetch, FetchConfig, FetchErrorKind, Request};

use crate::scripted::{Server, fetcher, get, local, ok, run, text, url};

#[test]
fn one_request_and_its_response() {
    run(async {
        let server = Server::answering(ok("<p>hello")).await;
        let config = FetchConfig {
            user_agent: "nephila-test/1".into(),
            headers: vec![(
                HeaderName::from_static("x-all"),
                HeaderValue::from_static("1"),
            )],
            ..local()
        };
        let response = get(&fetcher(config), server.url("/a?b=c&d#e"))
            .await
            .unwrap();
        assert_eq!((response.status, response.version), (200, "HTTP/1.1"));
        assert_eq!((text(&response), response.wire_bytes), ("<p>hello", 8));
        assert_eq!(response.headers["content-type"], "text/html");
        assert_eq!(response.remote, Some(server.address));
        assert!(!response.reused && !response.body_skipped);
        assert_eq!(
            (response.times.dns, response.times.tls),
            (Duration::ZERO, Duration::ZERO)
        );
        assert!(
            response.times.connect > Duration::ZERO && response.times.first_byte > Duration::ZERO
        );

        let head = &server.requests()[0];
        let expected = format!(
            "GET /a?b=c&d HTTP/1.1\r\nhost: {}\r\naccept: text/html,application/xhtml+xml,\
             application/xml;q=0.9,*/*;q=0.8\r\nuser-agent: nephila-test/1\r\n\
             accept-encoding: gzip, deflate, br, zstd\r\nx-all: 1\r\n\r\n",
            server.address
        );
        assert_eq!(*head, expected);
    });
}

#[test]
fn a_requests_own_headers_win_except_those_of_the_connection() {
    run(async {
        let server = Server::answering(ok("")).await;
        let mut request = Request::get(server.url("/"));
        let header = |name, value| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        request.extra_headers = vec![
            header("if-none-match", "\"x\""),
            header("user-agent", "other"),
            header("host", "evil.example"),
            header("transfer-encoding", "chunked"),
            header("connection", "upgrade"),
        ];
        fetcher(local()).fetch(request).await.unwrap();
        let head = &server.requests()[0];
        assert!(
            head.contains("if-none-match: \"x\"\r\n") && head.contains("user-agent: other\r\n")
        );
        for absent in ["evil", "chunked", "connection"] {
            assert!(!head.contains(absent), "{absent} in {head}");
        }
    });
}

#[test]
fn statuses_are_reported_and_redirects_not_followed() {
    run(async {
        for (line, status) in [
            ("301 Moved Permanently\r\nLocation: /elsewhere", 301),
            ("404 Not Found", 404),
            ("500 x", 500),
            ("999 Request denied", 999),
        ] {
            let bytes = format!("HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\nno");
            let server = Server::answering(bytes).await;
            let response = get(&fetcher(local()), server.url("/")).await.unwrap();
            assert_eq!((response.status, text(&response)), (status, "no"));
            assert_eq!(server.requests().len(), 1);
        }
    });
}

#[test]
fn informational_responses_are_passed_over() {
    run(async {
        let bytes = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        let server = Server::answering(bytes).await;
        let response = get(&fetcher(local()), server.url("/")).await.unwrap();
        assert_eq!((response.status, text(&response)), (200, "hi"));
        assert!(!response.headers.contains_key("link"));
    });
}

#[test]
fn statuses_and_methods_without_a_body() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while let Some(head) = peer.request().await {
                let status = head.split(['/', ' ']).nth(2).unwrap().to_owned();
                peer.send(format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: 100\r\n\r\n"
                ))
                .await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for status in [204, 304] {
            let response = get(&fetcher, server.url(&format!("/{status}")))
                .await
                .unwrap();
            assert_eq!((response.status, response.body.len()), (status, 0));
        }
        let head = Request {
            method: Method::HEAD,
            ..Request::get(server.url("/200"))
        };
        let response = fetcher.fetch(head).await.unwrap();
        assert_eq!((response.status, response.body.len()), (200, 0));
        assert_eq!(server.connections(), 1, "all over one connection");
    });
}

#[test]
fn unwanted_bodies_are_not_read() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while let Some(head) = peer.request().await {
                let rest = if head.contains("/small") { 10 } else { 100_000_000 };
                let kind = if head.contains("/page") { "text/html" } else { "image/png" };
                let length = if kind == "text/html" { 10 } else { rest };
                peer.send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n0123456789"
                ))
                .await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        let pages_only = BodyFilter::new(|status, headers| {
            status == 200 && headers["content-type"] == "text/html"
        });
        let fetch = |path| {
            fetcher.fetch(Request {
                take: pages_only.clone(),
                ..Request::get(server.url(path))
            })
        };
        let page = fetch("/page").await.unwrap();
        assert_eq!((page.body_skipped, text(&page)), (false, "0123456789"));

        let small = fetch("/small").await.unwrap();
        assert_eq!(
            (small.body_skipped, small.wire_bytes, small.body.len()),
            (true, 0, 0)
        );
        assert!(
            fetch("/page").await.unwrap().reused,
            "a small body there already costs nothing"
        );
        assert_eq!(server.connections(), 1);

        let large = fetch("/large").await.unwrap();
        assert!(large.body_skipped && large.headers["content-length"] == "100000000");
        assert!(
            !fetch("/page").await.unwrap().reused,
            "a large one costs the connection"
        );
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn urls_that_cannot_be_fetched() {
    run(async {
        let fetcher = fetcher(local());
        for (text, kind) in [
            ("ftp://127.0.0.1/", FetchErrorKind::UnsupportedScheme),
            ("data:text/html,x", FetchErrorKind::UnsupportedScheme),
            ("javascript:alert(1)", FetchErrorKind::UnsupportedScheme),
        ] {
            let error = get(&fetcher, url(text)).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.is_transient()),
                (kind, false),
                "{text}"
            );
            assert_eq!(error.url().as_str(), text);
        }
        let server = Server::answering(ok("x")).await;
        let long = server.url(&format!("/{}", "a".repeat(70_000)));
        assert_eq!(
            get(&fetcher, long).await.unwrap_err().kind(),
            FetchErrorKind::BadRequest
        );
        let odd = server.url("/a|b\\c'd\"e<f>{g}`h^?|\\'{}`^");
        assert_eq!(get(&fetcher, odd).await.unwrap().status, 200);
    });
}
