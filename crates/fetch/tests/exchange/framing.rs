//! Where a body ends, and what is not HTTP.

use nephila_fetch::FetchErrorKind;

use crate::scripted::{Server, fetcher, get, local, ok, run, text};

/// Fetches from a server that sends these bytes and closes.
async fn exchange(bytes: &str) -> Result<(u16, String), FetchErrorKind> {
    let server = Server::answering(bytes.to_owned()).await;
    let response = get(&fetcher(local()), server.url("/")).await;
    response
        .map(|r| (r.status, text(&r).to_owned()))
        .map_err(|error| error.kind())
}

#[test]
fn bodies_that_are_whole() {
    run(async {
        for (bytes, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
                "hello",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
                "hello",
            ),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the close", "until the close"),
            ("HTTP/1.0 200 OK\r\n\r\nuntil the close", "until the close"),
            ("HTTP/1.1 200\r\n\r\nno reason", "no reason"),
            ("HTTP/1.1 200 OK\nContent-Length: 2\n\nLF", "LF"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n",
                "hello",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                "hi",
            ),
        ] {
            assert_eq!(exchange(bytes).await, Ok((200, body.to_owned())), "{bytes}");
        }
    });
}

#[test]
fn bodies_that_did_not_come_whole() {
    run(async {
        for bytes in [
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        ] {
            assert_eq!(
                exchange(bytes).await,
                Err(FetchErrorKind::Truncated),
                "{bytes}"
            );
        }
    });
}

#[test]
fn a_truncated_body_has_status_and_headers() {
    run(async {
        let server =
            Server::answering("HTTP/1.1 206 x\r\nX-A: b\r\nContent-Length: 6\r\n\r\nhello").await;
        let error = get(&fetcher(local()), server.url("/")).await.unwrap_err();
        let head = error.head().unwrap();
        assert_eq!(
            (head.status, head.version, &head.headers["x-a"]),
            (206, "HTTP/1.1", &"b".parse().unwrap())
        );
        assert!(error.is_transient() && error.remote() == Some(server.address));
        assert!(
            error.to_string().starts_with("body did not come whole"),
            "{error}"
        );
    });
}

#[test]
fn framing_that_contradicts_itself() {
    run(async {
        for bytes in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        ] {
            assert_eq!(
                exchange(bytes).await,
                Err(FetchErrorKind::BadResponse),
                "{bytes}"
            );
        }
    });
}

#[test]
fn what_is_not_http() {
    run(async {
        for bytes in [
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "<html>no head at all</html>\r\n\r\n",
            "HTTP/3 200 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 abc OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX y: z\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ] {
            assert_eq!(
                exchange(bytes).await,
                Err(FetchErrorKind::BadResponse),
                "{bytes}"
            );
        }
        for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y"] {
            assert_eq!(
                exchange(bytes).await,
                Err(FetchErrorKind::ConnectionLost),
                "{bytes}"
            );
        }
    });
}

/// Both ways of framing at once: the body by Transfer-Encoding, and the connection not used again,
/// since what follows could be a response that someone else wrote.
#[test]
fn a_connection_with_ambiguous_framing_is_not_used_again() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while peer.request().await.is_some() {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for _ in 0..2 {
            let response = get(&fetcher, server.url("/")).await.unwrap();
            assert_eq!((text(&response), response.reused), ("hi", false));
        }
    });
}

#[test]
fn bytes_after_a_response_do_not_answer_the_next_request() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while peer.request().await.is_some() {
                let real = ok("real");
                peer.send(format!(
                    "{real}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
                ))
                .await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        for _ in 0..3 {
            assert_eq!(text(&get(&fetcher, server.url("/")).await.unwrap()), "real");
        }
    });
}

#[test]
fn words_of_the_server_are_shown_without_control_characters() {
    run(async {
        let server = Server::answering("HTTP/1.1 200 OK\r\n\u{1b}]0;title\u{7}: x\r\n\r\n").await;
        let error = get(&fetcher(local()), server.url("/")).await.unwrap_err();
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
    });
}
