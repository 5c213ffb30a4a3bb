//! What the bodies under way hold together has a bound, and nothing stands still because of it.

use std::rc::Rc;
use std::time::Duration;

use nephila_fetch::{Fetch, FetchConfig, FetchErrorKind, Fetcher, Request, Stage};
use tokio::task::JoinSet;
use url::Url;

use crate::scripted::{Peer, Server, fetcher, get, local, run, url};
use crate::tls::{Authority, serve};

const KIB: usize = 1024;

fn answer(bytes: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + bytes, b'a');
    answer
}

fn config(room_kib: usize, total: Duration) -> FetchConfig {
    FetchConfig {
        max_bodies_bytes: (room_kib * KIB) as u64,
        total_timeout: total,
        ..local()
    }
}

/// The bodies that came are kept: so the bytes in them are what the crawler holds.
#[test]
fn bodies_hold_no_more_than_the_room_and_one_of_them() {
    run(async {
        const BODY: usize = 200 * KIB;
        const ROOM_KIB: usize = 256;
        let server = Server::answering(answer(BODY)).await;
        let fetcher = Rc::new(fetcher(config(ROOM_KIB, Duration::from_millis(700))));
        let mut exchanges = JoinSet::new();
        for _ in 0..6 {
            let (fetcher, url) = (Rc::clone(&fetcher), server.url("/"));
            exchanges.spawn_local(async move { get(&fetcher, url).await });
        }
        let (mut kept, mut refused) = (Vec::new(), 0);
        while let Some(outcome) = exchanges.join_next().await {
            match outcome.unwrap() {
                Ok(response) => kept.push(response),
                Err(error) => {
                    assert_eq!(error.kind(), FetchErrorKind::TimedOut(Stage::Total));
                    assert!(error.is_transient());
                    refused += 1;
                }
            }
        }
        let held: usize = kept.iter().map(|response| response.body.len()).sum();
        assert!(held <= ROOM_KIB * KIB + BODY, "{held} bytes held");
        assert!(refused >= 3 && !kept.is_empty(), "{refused} refused");
        drop(kept);
        assert!(
            get(&fetcher, server.url("/")).await.is_ok(),
            "room was given back"
        );
    });
}

#[test]
fn with_little_room_every_body_still_comes() {
    run(async {
        let server = Server::answering(answer(1024 * KIB)).await;
        let fetcher = Rc::new(fetcher(config(64, Duration::from_secs(60))));
        let mut exchanges = JoinSet::new();
        for _ in 0..12 {
            let (fetcher, url) = (Rc::clone(&fetcher), server.url("/"));
            exchanges.spawn_local(async move { get(&fetcher, url).await.map(|of| of.body.len()) });
        }
        while let Some(outcome) = exchanges.join_next().await {
            assert_eq!(outcome.unwrap().unwrap(), 1024 * KIB);
        }
    });
}

#[test]
fn small_bodies_never_wait() {
    run(async {
        let large = Server::answering(answer(400 * KIB)).await;
        let small = Server::answering(answer(30 * KIB)).await;
        let fetcher = fetcher(config(64, Duration::from_secs(60)));
        let first = get(&fetcher, large.url("/")).await.unwrap();
        let mut kept = vec![first];
        for _ in 0..50 {
            kept.push(get(&fetcher, small.url("/")).await.unwrap());
        }
        assert_eq!(kept.len(), 51);
    });
}

fn raw_get(url: &Url) -> Request {
    Request {
        keep_raw: true,
        ..Request::get(url.clone())
    }
}

/// The room is for one and a half of the bodies: who keeps the first one's record keeps it all, and
/// who has no record has enough for two.
async fn records_count(fetcher: Fetcher, url: Url) {
    let first = get(&fetcher, url.clone()).await.unwrap();
    assert!(get(&fetcher, url.clone()).await.is_ok());
    drop(first);

    let mut first = fetcher.fetch(raw_get(&url)).await.unwrap();
    let raw = first.raw.take().unwrap();
    drop(first);
    let second = fetcher.fetch(raw_get(&url)).await.unwrap_err();
    assert_eq!(second.kind(), FetchErrorKind::TimedOut(Stage::Total));
    drop(raw);
    assert!(fetcher.fetch(raw_get(&url)).await.is_ok());
}

#[test]
fn what_is_recorded_of_a_body_takes_room_too() {
    run(async {
        let config = config(300, Duration::from_millis(700));
        let server = Server::answering(answer(200 * KIB)).await;
        records_count(fetcher(config), server.url("/")).await;
    });
}

#[test]
fn what_is_made_of_a_body_takes_room_too() {
    run(async {
        let authority = Authority::new();
        let acceptor = authority.server(&["a.test"], (2020, 2090), &["h2"]);
        let server = serve(acceptor, |peer: Peer| async move {
            let mut connection = h2::server::handshake(peer.io).await.unwrap();
            while let Some(Ok((_, mut send))) = connection.accept().await {
                let mut stream = send.send_response(http::Response::new(()), false).unwrap();
                stream
                    .send_data(vec![b'a'; 200 * KIB].into(), true)
                    .unwrap();
            }
        })
        .await;
        let FetchConfig {
            ca_file, resolve, ..
        } = authority.trusted(&server);
        let config = FetchConfig {
            ca_file,
            resolve,
            ..config(300, Duration::from_millis(700))
        };
        records_count(fetcher(config), url("https://a.test/")).await;
    });
}

#[test]
fn small_bodies_never_wait_for_their_records_either() {
    run(async {
        let large = Server::answering(answer(400 * KIB)).await;
        let small = Server::answering(answer(30 * KIB)).await;
        let fetcher = fetcher(config(64, Duration::from_secs(60)));
        let mut kept = vec![get(&fetcher, large.url("/")).await.unwrap()];
        for _ in 0..50 {
            let response = fetcher.fetch(raw_get(&small.url("/"))).await.unwrap();
            assert!(response.raw.is_some());
            kept.push(response);
        }
        assert_eq!(kept.len(), 51);
    });
}
