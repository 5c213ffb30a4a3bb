//! Servers that answer each path with scripted bytes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What is answered at which path; at others 404.
pub(crate) type Pages = HashMap<String, Vec<u8>>;

/// A server on a loopback port. Its thread ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Server {
    /// Serves what `pages` gives for the server's own origin (`http://127.0.0.1:PORT`).
    pub(crate) fn start(pages: impl FnOnce(&str) -> Pages) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Arc::new(pages(&format!("http://{address}")));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Server {
            address,
            asked: Arc::clone(&asked),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (pages, asked) = (Arc::clone(&pages), Arc::clone(&asked));
                std::thread::spawn(move || serve(stream.unwrap(), &pages, &asked));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, path)| path.clone()).collect()
    }

    /// The times between one request and the next.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        let asked = self.asked.lock().unwrap();
        asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
    }
}

/// One request a connection.
fn serve(mut stream: TcpStream, pages: &Pages, asked: &Mutex<Vec<(Instant, String)>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let missing = answer("404 Not Found", "Content-Type: text/plain\r\n", b"missing");
    let bytes = pages.get(&path).unwrap_or(&missing).clone();
    asked.lock().unwrap().push((now(), path));
    // The client may have left, as it does at its limits.
    let _ = stream.write_all(&bytes);
}

#[expect(clippy::disallowed_methods, reason = "a server sees real time")]
fn now() -> Instant {
    Instant::now()
}

/// A whole answer. `headers` end in CRLF each.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn ok(content_type: &str, body: &str) -> Vec<u8> {
    answer(
        "200 OK",
        &format!("Content-Type: {content_type}\r\n"),
        body.as_bytes(),
    )
}

pub(crate) fn redirect(to: &str) -> Vec<u8> {
    answer("302 Found", &format!("Location: {to}\r\n"), b"")
}

pub(crate) fn pages<const N: usize>(pages: [(&str, Vec<u8>); N]) -> Pages {
    pages
        .into_iter()
        .map(|(path, bytes)| (path.to_owned(), bytes))
        .collect()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An address that refuses connections.
pub(crate) fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
