//! Connections that are kept: used again, closed in time, and replaced when the server closed them.

use std::time::Duration;

use nephila_fetch::{FetchConfig, FetchErrorKind};

use crate::scripted::{
    Server, all_to, eventually, fetcher, get, local, ok, run, run_in_virtual_time, settle, text,
    url,
};

#[test]
fn exchanges_in_turn_share_a_connection() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(local());
        for n in 0..20 {
            let response = get(&fetcher, server.url(&format!("/{n}"))).await.unwrap();
            assert_eq!(text(&response), format!("/{n}"));
            assert_eq!(response.reused, n > 0);
            if n > 0 {
                assert_eq!(response.times.connect, Duration::ZERO);
            }
        }
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn exchanges_at_once_have_a_connection_each_and_leave_them_to_others() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(local());
        let at_once = || async {
            tokio::join!(
                get(&fetcher, server.url("/a")),
                get(&fetcher, server.url("/b")),
                get(&fetcher, server.url("/c"))
            )
        };
        let (a, b, c) = at_once().await;
        assert_eq!(
            [text(&a.unwrap()), text(&b.unwrap()), text(&c.unwrap())],
            ["/a", "/b", "/c"]
        );
        let (a, b, c) = at_once().await;
        assert!(a.unwrap().reused && b.unwrap().reused && c.unwrap().reused);
        assert_eq!(server.connections(), 3);
    });
}

#[test]
fn hosts_never_share_a_connection() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(FetchConfig {
            resolve: vec![all_to(server.address)],
            ..local()
        });
        for host in ["a.test", "b.test", "a.test:81", "a.test"] {
            get(&fetcher, url(&format!("http://{host}/")))
                .await
                .unwrap();
        }
        assert_eq!(server.connections(), 3);
        let hosts: Vec<String> = server
            .requests()
            .iter()
            .map(|head| head.lines().nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(
            hosts,
            [
                "host: a.test",
                "host: b.test",
                "host: a.test:81",
                "host: a.test"
            ]
        );
    });
}

/// The server closes a kept connection without a word, just when it is used again.
#[test]
fn a_request_on_a_stale_connection_is_sent_again() {
    run(async {
        let server = Server::start(|mut peer| async move {
            if peer.request().await.is_some() {
                peer.answer("first").await;
            }
            // Reads the second request and closes without answering; later connections do answer.
            if peer.index > 0 || peer.request().await.is_none() {
                while peer.request().await.is_some() {
                    peer.answer("again").await;
                }
            }
        })
        .await;
        let fetcher = fetcher(local());
        get(&fetcher, server.url("/1")).await.unwrap();
        let second = get(&fetcher, server.url("/2")).await.unwrap();
        assert_eq!((text(&second), second.reused), ("first", false));
        assert_eq!(server.connections(), 2);
        let paths: Vec<String> = server
            .requests()
            .iter()
            .map(|head| head.split(' ').nth(1).unwrap().into())
            .collect();
        assert_eq!(paths, ["/1", "/2", "/2"]);
    });
}

#[test]
fn a_request_is_sent_again_only_once_and_never_on_a_new_connection() {
    run(async {
        let server = Server::start(|mut peer| async move {
            let head = peer.request().await;
            if peer.index == 0 && head.is_some() {
                peer.answer("x").await;
                peer.request().await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        get(&fetcher, server.url("/")).await.unwrap();
        let error = get(&fetcher, server.url("/")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (FetchErrorKind::ConnectionLost, true)
        );
        assert_eq!((server.connections(), server.requests().len()), (2, 3));

        let error = get(&fetcher, server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::ConnectionLost);
        assert_eq!((server.connections(), server.requests().len()), (3, 4));
    });
}

#[test]
fn a_response_that_has_begun_is_not_asked_for_again() {
    run(async {
        let server = Server::start(|mut peer| async move {
            if peer.request().await.is_some() {
                peer.answer("x").await;
            }
            if peer.request().await.is_some() {
                peer.send("HTTP/1.1 200 OK\r\nContent-").await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        get(&fetcher, server.url("/")).await.unwrap();
        let error = get(&fetcher, server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::ConnectionLost);
        assert_eq!((server.connections(), server.requests().len()), (1, 2));
    });
}

#[test]
fn a_connection_that_the_server_closed_is_not_tried() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.request().await;
            peer.answer("x").await;
        })
        .await;
        let fetcher = fetcher(local());
        get(&fetcher, server.url("/")).await.unwrap();
        settle().await;
        assert!(!get(&fetcher, server.url("/")).await.unwrap().reused);
        assert_eq!(server.requests().len(), 2);
    });
}

#[test]
fn connection_close_and_http_1_0_are_kept_to() {
    run(async {
        for (head, reused) in [
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
                false,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false),
            (
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
                true,
            ),
        ] {
            let server = Server::start(move |mut peer| async move {
                while peer.request().await.is_some() {
                    peer.send(head).await;
                }
            })
            .await;
            let fetcher = fetcher(local());
            get(&fetcher, server.url("/")).await.unwrap();
            let second = get(&fetcher, server.url("/")).await.unwrap();
            assert_eq!(second.reused, reused, "{head}");
        }
    });
}

#[test]
fn idle_connections_are_bounded_and_few_make_way() {
    run(async {
        let server = Server::echoing().await;
        let config = FetchConfig {
            resolve: vec![all_to(server.address)],
            max_idle_connections: 2,
            ..local()
        };
        let fetcher = fetcher(config);
        let ask = async |host: &str| {
            get(&fetcher, url(&format!("http://{host}.test/")))
                .await
                .unwrap()
                .reused
        };
        assert!(!ask("a").await && !ask("b").await && ask("a").await);
        // Three find no place, the fourth takes that of the least recently used.
        for host in ["c", "d", "e", "f"] {
            assert!(!ask(host).await);
            eventually(|| server.open() == 2).await;
        }
        assert!(ask("a").await && ask("f").await && !ask("b").await);
    });
}

#[test]
fn hosts_visited_in_turn_keep_a_share_of_their_connections() {
    run(async {
        let server = Server::echoing().await;
        let fetcher = fetcher(FetchConfig {
            resolve: vec![all_to(server.address)],
            max_idle_connections: 8,
            ..local()
        });
        let mut reused = 0;
        for turn in 0..10 {
            for host in 0..12 {
                let url = url(&format!("http://h{host}.test/"));
                let was_kept = get(&fetcher, url).await.unwrap().reused;
                reused += usize::from(was_kept && turn > 0);
            }
        }
        // Of 108; closing the least recently used each time would give none.
        assert!(reused >= 36, "{reused}");
    });
}

#[test]
fn idle_connections_are_closed_after_their_lifetime() {
    run_in_virtual_time(async {
        let server = Server::echoing().await;
        let lifetime = Duration::from_secs(5);
        let fetcher = fetcher(FetchConfig {
            idle_connection_lifetime: lifetime,
            ..local()
        });
        get(&fetcher, server.url("/")).await.unwrap();
        tokio::time::sleep(lifetime - Duration::from_millis(10)).await; // paced: the lifetime of a connection is the subject, on virtual time
        assert!(get(&fetcher, server.url("/")).await.unwrap().reused);
        tokio::time::sleep(lifetime).await; // paced: the lifetime of a connection is the subject, on virtual time
        assert!(!get(&fetcher, server.url("/")).await.unwrap().reused);
    });
}

#[test]
fn dropping_the_fetcher_or_an_exchange_closes_connections() {
    run(async {
        let server = Server::start(|mut peer| async move {
            while let Some(head) = peer.request().await {
                if head.contains("/hang") {
                    return peer.closed().await;
                }
                peer.send(ok("x")).await;
            }
        })
        .await;
        let fetcher = fetcher(local());
        get(&fetcher, server.url("/")).await.unwrap();
        {
            let hanging = get(&fetcher, server.url("/hang"));
            tokio::select! {
                _ = hanging => panic!("it answered"),
                () = eventually(|| server.requests().len() == 2) => {}
            }
        }
        eventually(|| server.open() == 0).await;
        get(&fetcher, server.url("/")).await.unwrap();
        assert_eq!(server.open(), 1);
        drop(fetcher);
        eventually(|| server.open() == 0).await;
    });
}
