//! TLS: what verifies, what does not and in which words, and how connections end.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use nephila_fetch::{Clock, ErrorKind, FetchConfig, FetchErrorKind, Shared};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::scripted::{
    Bytes, Peer, Server, all_to, clock, fetcher, get, local, ok, run, text, url,
};

/// A certificate authority of the test's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let mut pem = NamedTempFile::new().unwrap();
        pem.write_all(certificate.pem().as_bytes()).unwrap();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(crate) fn file(&self) -> &Path {
        self.pem.path()
    }

    /// Settings of a server for `names`, valid in the years given, that speaks `protocols`.
    pub(crate) fn server(
        &self,
        names: &[&str],
        years: (i32, i32),
        protocols: &[&str],
    ) -> TlsAcceptor {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate: CertificateDer<'static> =
            params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A configuration that trusts this authority and sends every name to `server`.
    pub(crate) fn trusted(&self, server: &Server) -> FetchConfig {
        FetchConfig {
            ca_file: Some(self.file().to_owned()),
            resolve: vec![all_to(server.address)],
            ..local()
        }
    }
}

const YEARS: (i32, i32) = (2020, 2090);

/// A server behind `acceptor`.
pub(crate) async fn serve<F, S>(acceptor: TlsAcceptor, serve: S) -> Server
where
    S: Fn(Peer) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    let wrap = move |tcp: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            acceptor
                .accept(tcp)
                .await
                .ok()
                .map(|tls| Box::new(tls) as Box<dyn Bytes>)
        }
    };
    Server::start_with(wrap, serve).await
}

async fn answer_all(mut peer: Peer) {
    while peer.request().await.is_some() {
        peer.answer("secret").await;
    }
}

#[test]
fn a_good_certificate_over_http_1() {
    run(async {
        let authority = Authority::new();
        let server = serve(
            authority.server(&["a.test"], YEARS, &["http/1.1"]),
            answer_all,
        )
        .await;
        let fetcher = fetcher(authority.trusted(&server));
        let first = get(&fetcher, url("https://a.test/x")).await.unwrap();
        assert_eq!((text(&first), first.version), ("secret", "HTTP/1.1"));
        assert!(first.times.tls > std::time::Duration::ZERO && !first.reused);
        assert!(get(&fetcher, url("https://a.test/y")).await.unwrap().reused);
        assert_eq!(server.connections(), 1);
        assert!(server.requests()[0].contains("host: a.test\r\n"));
    });
}

/// Fetches from a server whose certificate has these names and years.
async fn refused(names: &[&str], years: (i32, i32), trust: bool, url: &str) -> (bool, String) {
    let authority = Authority::new();
    let server = serve(authority.server(names, years, &[]), answer_all).await;
    let mut config = authority.trusted(&server);
    if !trust {
        config.ca_file = None;
    }
    let error = get(&fetcher(config), Url::parse(url).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FetchErrorKind::TlsFailed);
    assert!(
        server.requests().is_empty(),
        "nothing is sent to whom it is not for"
    );
    (error.is_transient(), error.to_string())
}

#[test]
fn certificates_that_do_not_verify() {
    run(async {
        let (_, words) = refused(&["a.test"], (2001, 2002), true, "https://a.test/").await;
        assert_eq!(
            words,
            "certificate expired on Tue, 01 Jan 2002 00:00:00 GMT"
        );
        let (_, words) = refused(&["a.test"], (2080, 2090), true, "https://a.test/").await;
        assert_eq!(
            words,
            "certificate is valid only from Mon, 01 Jan 2080 00:00:00 GMT"
        );
        let (_, words) = refused(&["b.test", "*.c.test"], YEARS, true, "https://a.test/").await;
        assert_eq!(words, "certificate is for other names: b.test, *.c.test");
        let (_, words) = refused(&["*.c.test"], YEARS, true, "https://x.y.c.test/").await;
        assert_eq!(words, "certificate is for other names: *.c.test");
        let many = ["1.test", "2.test", "3.test", "4.test", "5.test", "6.test"];
        let (_, words) = refused(&many, YEARS, true, "https://a.test/").await;
        assert!(words.ends_with("4.test, 5.test, ..."), "{words}");
        let (transient, words) = refused(&["a.test"], YEARS, false, "https://a.test/").await;
        assert_eq!(words, "certificate is signed by an unknown authority");
        assert!(!transient);
    });
}

#[test]
fn without_verification_any_certificate_is_taken() {
    run(async {
        let authority = Authority::new();
        let server = serve(authority.server(&["b.test"], (2001, 2002), &[]), answer_all).await;
        let config = FetchConfig {
            verify_tls: false,
            resolve: vec![all_to(server.address)],
            ..local()
        };
        assert_eq!(
            text(&get(&fetcher(config), url("https://a.test/")).await.unwrap()),
            "secret"
        );
    });
}

#[test]
fn an_address_can_have_a_certificate() {
    run(async {
        let authority = Authority::new();
        let server = serve(authority.server(&["127.0.0.1"], YEARS, &[]), answer_all).await;
        let fetcher = fetcher(authority.trusted(&server));
        let response = get(&fetcher, url(&format!("https://{}/", server.address)))
            .await
            .unwrap();
        assert_eq!(text(&response), "secret");
    });
}

#[test]
fn servers_that_do_not_speak_tls() {
    run(async {
        let server = Server::start(|mut peer| async move {
            peer.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        })
        .await;
        let https = url(&format!("https://{}/", server.address));
        let error = get(&fetcher(local()), https).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::TlsFailed);
        assert!(
            error.to_string().starts_with("TLS handshake failed"),
            "{error}"
        );

        let server = Server::start(|_| async {}).await;
        let https = url(&format!("https://{}/", server.address));
        let error = get(&fetcher(local()), https).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (FetchErrorKind::TlsFailed, true)
        );
    });
}

/// A body that ends with the connection is whole only if the end is signed (close_notify): anyone on
/// the way can cut a connection.
#[test]
fn a_cut_connection_is_not_the_end_of_a_body() {
    run(async {
        for (says_goodbye, whole) in [(true, true), (false, false)] {
            let authority = Authority::new();
            let acceptor = authority.server(&["a.test"], YEARS, &[]);
            let server = serve(acceptor, move |mut peer| async move {
                peer.request().await;
                peer.send("HTTP/1.1 200 OK\r\n\r\nhalf").await;
                if says_goodbye {
                    tokio::io::AsyncWriteExt::shutdown(&mut peer.io)
                        .await
                        .unwrap();
                }
            })
            .await;
            let fetcher = fetcher(authority.trusted(&server));
            let outcome = get(&fetcher, url("https://a.test/")).await;
            match whole {
                true => assert_eq!(text(&outcome.unwrap()), "half"),
                false => assert_eq!(outcome.unwrap_err().kind(), FetchErrorKind::Truncated),
            }
        }
        // Where the length is known nothing is missing.
        let authority = Authority::new();
        let server = serve(
            authority.server(&["a.test"], YEARS, &[]),
            |mut peer| async move {
                peer.request().await;
                peer.send(ok("whole")).await;
            },
        )
        .await;
        let fetcher = fetcher(authority.trusted(&server));
        assert_eq!(
            text(&get(&fetcher, url("https://a.test/")).await.unwrap()),
            "whole"
        );
    });
}

#[test]
fn certificate_files_that_cannot_be_used() {
    let new = |path: &Path| {
        let clock: Clock = clock();
        Shared::new(
            FetchConfig {
                ca_file: Some(path.to_owned()),
                ..local()
            },
            clock,
        )
    };
    run(async {
        let error = new(Path::new("/nonexistent/ca.pem")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CertificateFile);
        let words = error.to_string();
        assert!(
            words.contains("/nonexistent/ca.pem: cannot be read"),
            "{words}"
        );
        assert!(words.contains("give a PEM file"), "{words}");
        for (content, expected) in [
            ("", "has no certificate"),
            ("not PEM at all\n", "has no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1 cannot be used",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "is not PEM"),
        ] {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(content.as_bytes()).unwrap();
            let words = new(file.path()).unwrap_err().to_string();
            assert!(words.contains(expected), "{content:?}: {words}");
        }
        assert!(new(Authority::new().file()).is_ok());
    });
}
