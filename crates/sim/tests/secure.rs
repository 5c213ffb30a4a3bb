//! TLS with the server's own authority, HTTP/1.1 and HTTP/2 by ALPN.
#![expect(clippy::unwrap_used, reason = "the test's client is test code")]

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use nephila_sim::{ServeOptions, Server, Web};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn connect(
    server: &Server,
    host: &str,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let pem = server.ca_pem().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let addr: SocketAddr = server.addr();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, TcpStream::connect(addr).await?)
        .await
}

fn request(server: &Server, host: &str) -> http::Request<Empty<Bytes>> {
    let uri = server.web().url(host, "/");
    http::Request::get(uri)
        .header("host", host)
        .body(Empty::new())
        .unwrap()
}

fn secure(http2: bool, web: Web) -> Server {
    let options = ServeOptions {
        tls: true,
        http2,
        ..ServeOptions::default()
    };
    Server::start_in_thread(web, options).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The body of page 0 over HTTP/2.
async fn get_http2(server: &Server, host: &str) -> (u16, Bytes) {
    let stream = connect(server, host, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    drop(tokio::spawn(connection));
    let response = sender.send_request(request(server, host)).await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

async fn get_http1(server: &Server, host: &str, protocols: &[&[u8]]) -> (u16, Bytes) {
    let stream = connect(server, host, protocols).await.unwrap();
    assert_ne!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    drop(tokio::spawn(connection));
    let response = sender.send_request(request(server, host)).await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[test]
fn both_protocols_serve_the_same_page_over_tls() {
    let server = secure(true, Web::light(3, 20, 200));
    assert!(server.web().seeds()[0].starts_with("https://h0.sim.test:"));
    block_on(async {
        let (status, body) = get_http2(&server, "h12.sim.test").await;
        assert_eq!((status, body.len()), (200, 22_000));
        let other = get_http1(&server, "h12.sim.test", &[b"http/1.1"]).await;
        assert_eq!(other, (200, body));
    });
    let log = server.log();
    assert_eq!(log.entries.len(), 2);
    assert!(
        log.entries
            .iter()
            .all(|entry| entry.host == "h12.sim.test" && entry.status == 200)
    );
}

#[test]
fn hosts_that_speak_http1_only_do_not_agree_to_http2() {
    let server = secure(
        true,
        Web {
            http1_only: 1.0,
            ..Web::plain(3, 20, 200)
        },
    );
    block_on(async {
        let protocols: [&[u8]; 2] = [b"h2", b"http/1.1"];
        assert_eq!(get_http1(&server, "h12.sim.test", &protocols).await.0, 200);
    });
}

#[test]
fn a_name_beside_the_domain_does_not_verify() {
    let server = secure(false, Web::plain(3, 20, 200));
    block_on(async {
        assert!(connect(&server, "h1.sim.test", &[]).await.is_ok());
        assert!(connect(&server, "h1.other.test", &[]).await.is_err());
    });
}

#[test]
fn a_server_on_the_caller_s_runtime_stops_at_once() {
    block_on(async {
        let options = ServeOptions {
            tls: true,
            http2: true,
            ..ServeOptions::default()
        };
        let web = Web::plain(3, 20, 200).with_latency_ms(600_000.0);
        let server = Server::start(web, options).await.unwrap();
        let stream = connect(&server, "h1.sim.test", &[b"h2"]).await.unwrap();
        let handshake =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.unwrap();
        drop(tokio::spawn(connection));
        let answer = sender.send_request(request(&server, "h1.sim.test"));
        let stopping = async {
            while server.stats().in_flight == 0 {
                tokio::task::yield_now().await;
            }
            server.stop().await;
        };
        let (answer, ()) = tokio::join!(answer, stopping);
        assert!(answer.is_err());
    });
}

#[test]
fn http2_without_tls_is_no_server() {
    let options = ServeOptions {
        http2: true,
        ..ServeOptions::default()
    };
    let error = Server::start_in_thread(Web::default(), options).unwrap_err();
    assert_eq!(error.kind(), nephila_sim::ErrorKind::Parameter);
}
