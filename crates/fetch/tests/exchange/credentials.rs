//! Credentials and cookies go to whom they are for, over what they are for, and to nobody else.

use http::{HeaderName, HeaderValue};
use nephila_fetch::{BasicAuth, ErrorKind, FetchConfig, Shared};

use crate::scripted::{Peer, Server, all_to, clock, fetcher, get, local, ok, run, url};
use crate::tls::{Authority, serve};

const YEARS: (i32, i32) = (2020, 2090);

fn auth(host: &str) -> BasicAuth {
    BasicAuth {
        host: host.into(),
        user: "user".into(),
        password: "pass".into(),
    }
}

async fn answer_all(mut peer: Peer) {
    while peer.request().await.is_some() {
        peer.answer("").await;
    }
}

/// The Authorization header that the server saw last.
fn last_authorization(server: &Server) -> Option<String> {
    let head = server.requests().pop().unwrap();
    head.lines()
        .find_map(|line| line.strip_prefix("authorization: "))
        .map(str::to_owned)
}

#[test]
fn http_credentials_go_to_their_host_and_port_only() {
    run(async {
        let server = Server::echoing().await;
        let config = FetchConfig {
            basic_auth: vec![auth("http://Auth.test"), auth("http://port.test:8080/")],
            resolve: vec![all_to(server.address)],
            ..local()
        };
        let fetcher = fetcher(config);
        for (target, sent) in [
            ("http://auth.test/", true),
            ("http://auth.test:80/x", true),
            ("http://auth.test:8080/", false),
            ("http://www.auth.test/", false),
            ("http://other.test/", false),
            ("http://port.test:8080/", true),
            ("http://port.test/", false),
            ("http://user:pass@other.test/", false),
            ("http://eve:x@auth.test/", true),
        ] {
            get(&fetcher, url(target)).await.unwrap();
            let expected = sent.then(|| "Basic dXNlcjpwYXNz".to_owned());
            assert_eq!(last_authorization(&server), expected, "{target}");
        }
    });
}

#[test]
fn https_credentials_are_never_sent_over_http() {
    run(async {
        let authority = Authority::new();
        let secure = serve(authority.server(&["auth.test"], YEARS, &[]), answer_all).await;
        let plain = Server::echoing().await;
        for host in ["auth.test", "https://auth.test"] {
            let rule =
                |port, server: &Server| format!("*:{port}:{}", server.address).parse().unwrap();
            let config = FetchConfig {
                basic_auth: vec![auth(host)],
                resolve: vec![rule(443, &secure), rule(8443, &secure), rule(80, &plain)],
                ca_file: Some(authority.file().to_owned()),
                ..local()
            };
            let fetcher = fetcher(config);
            get(&fetcher, url("https://auth.test/")).await.unwrap();
            assert!(last_authorization(&secure).is_some());
            get(&fetcher, url("http://auth.test/")).await.unwrap();
            assert_eq!(last_authorization(&plain), None);
            // Nor over https to a port that was not named.
            get(&fetcher, url("https://auth.test:8443/")).await.unwrap();
            assert_eq!(last_authorization(&secure), None);
        }
    });
}

/// Even where host and port are those that the credential is bound to.
#[test]
fn the_scheme_alone_decides_too() {
    run(async {
        let server = Server::echoing().await;
        let config = FetchConfig {
            basic_auth: vec![auth("auth.test"), auth("https://auth.test:80")],
            resolve: vec![all_to(server.address)],
            ..local()
        };
        let fetcher = fetcher(config);
        for target in ["http://auth.test:443/", "http://auth.test/"] {
            get(&fetcher, url(target)).await.unwrap();
            assert_eq!(last_authorization(&server), None, "{target}");
        }
    });
}

#[test]
fn passwords_are_not_shown() {
    let config = FetchConfig {
        basic_auth: vec![auth("a.test")],
        ..local()
    };
    assert!(!format!("{config:?}").contains("pass\""));
    assert!(format!("{config:?}").contains("a.test"));
}

#[test]
fn credentials_for_every_host_are_refused() {
    run(async {
        for (name, kind) in [
            ("authorization", ErrorKind::Header),
            ("cookie", ErrorKind::Header),
            ("proxy-authorization", ErrorKind::Header),
            ("host", ErrorKind::Header),
            ("content-length", ErrorKind::Header),
        ] {
            let header = (HeaderName::from_static(name), HeaderValue::from_static("x"));
            let config = FetchConfig {
                headers: vec![header],
                ..local()
            };
            let error = Shared::new(config, clock()).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(name), "{error}");
        }
        for host in [
            "",
            "ftp://a.test",
            "a b",
            "a.test/path",
            "a.test:x",
            "user@a.test",
        ] {
            let config = FetchConfig {
                basic_auth: vec![auth(host)],
                ..local()
            };
            assert_eq!(
                Shared::new(config, clock()).unwrap_err().kind(),
                ErrorKind::Authority,
                "{host}"
            );
        }
        let config = FetchConfig {
            user_agent: "new\nline".into(),
            ..local()
        };
        assert_eq!(
            Shared::new(config, clock()).unwrap_err().kind(),
            ErrorKind::Header
        );
        let config = FetchConfig {
            max_headers: 0,
            ..local()
        };
        assert_eq!(
            Shared::new(config, clock()).unwrap_err().kind(),
            ErrorKind::Limit
        );
    });
}

/// Sets a cookie for its host and one for the domain on every response.
async fn setting_cookies() -> Server {
    Server::start(|mut peer| async move {
        while peer.request().await.is_some() {
            let cookies = "Set-Cookie: own=1\r\nSet-Cookie: wide=2; Domain=site.test\r\n\
                Set-Cookie: super=3; Domain=test\r\nSet-Cookie: s=4; Secure\r\n";
            peer.send(ok("").replacen("Content-Type", &format!("{cookies}Content-Type"), 1))
                .await;
        }
    })
    .await
}

fn last_cookie(server: &Server) -> Option<String> {
    let head = server.requests().pop().unwrap();
    head.lines()
        .find_map(|line| line.strip_prefix("cookie: "))
        .map(str::to_owned)
}

#[test]
fn cookies_are_kept_on_request_and_within_their_scope() {
    run(async {
        let server = setting_cookies().await;
        for cookies in [true, false] {
            let config = FetchConfig {
                cookies,
                resolve: vec![all_to(server.address)],
                ..local()
            };
            let fetcher = fetcher(config);
            for (target, expected) in [
                ("http://a.site.test/", None),
                ("http://a.site.test/", Some("own=1; wide=2")),
                ("http://b.site.test/", Some("wide=2")),
                ("http://other.test/", None),
            ] {
                get(&fetcher, url(target)).await.unwrap();
                let expected = expected.filter(|_| cookies);
                assert_eq!(last_cookie(&server).as_deref(), expected, "{target}");
            }
        }
    });
}
