//! Credentials and cookies stay with their host and scheme, over every redirect.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::run::crawl;

/// A server with one answer, which notes what it was sent.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) fn serve(answer: &str) -> Scripted {
        Scripted::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    fn on(listener: TcpListener, answer: &str) -> Scripted {
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&asked), answer.to_owned());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
                        _ => break,
                    }
                }
                noted
                    .lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&head).to_ascii_lowercase());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Scripted { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[test]
fn credentials_and_cookies_do_not_cross_to_another_host() {
    let other = Scripted::serve(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>other",
    );
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://other.test:{}/", other.port);
    let own = Scripted::on(
        own,
        &format!(
            "HTTP/1.1 302 Found\r\nLocation: {target}\r\nSet-Cookie: id=s3cret; Path=/\r\n\
             Set-Cookie: wide=s3cret; Domain=test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    );
    let folder = tempfile::tempdir().unwrap();
    let host = format!("own.test:{}", own.port);
    let auth = format!("http://{host}=user:pass");
    let seed = format!("http://{host}/");
    let options = [
        "--cookies",
        "--auth",
        &auth,
        "--resolve",
        &format!("{host}:127.0.0.1:{}", own.port),
        "--resolve",
        &format!("other.test:{0}:127.0.0.1:{0}", other.port),
    ];
    crawl(&[seed], &folder.path().join("c"), &options);
    let (own, other) = (own.asked(), other.asked());
    assert!(
        own.iter().any(|head| head.contains("authorization: basic")),
        "{own:?}"
    );
    assert!(
        own.iter().skip(1).any(|head| head.contains("cookie: id=")),
        "{own:?}"
    );
    assert!(other.len() >= 2, "robots.txt and the page: {other:?}");
    for head in other {
        assert!(
            !head.contains("authorization") && !head.contains("cookie"),
            "{head}"
        );
    }
}
