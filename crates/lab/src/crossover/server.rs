//! The other side of the crawl: a server on loopback that answers every page after a time that the request
//! names.
//!
//! A thread for each connection, since a thread that sleeps wakes within a tenth of a millisecond, and an
//! async timer rounds up to whole ones: the shortest latencies here are one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;

/// Bytes of a page's body: those of a small web page.
pub(super) const BODY_BYTES: usize = 8_192;
/// Bytes of a line of a request at most.
const LONGEST_LINE: u64 = 256;
/// The longest that a request can ask to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What the server noted.
#[derive(Debug, Default)]
pub(super) struct Held {
    nanoseconds: AtomicU64,
    answers: AtomicU64,
}

impl Held {
    /// Seconds for which pages were held back, and how many were.
    pub(super) fn read(&self) -> (f64, f64) {
        let nanoseconds = self.nanoseconds.load(Ordering::Relaxed);
        let answers = self.answers.load(Ordering::Relaxed);
        (nanoseconds as f64 / 1e9, answers as f64)
    }

    fn note(&self, seconds: f64) {
        let nanoseconds = (seconds * 1e9) as u64;
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// A server that answers `GET /WAIT_MICROSECONDS`.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) held: Arc<Held>,
}

impl Server {
    /// Starts one that takes so many connections, and no more. Its threads end with their connections.
    ///
    /// # Errors
    /// When the system gives no port, or no thread.
    pub(super) fn start(connections: usize) -> Result<Self, Error> {
        let failed = |error| Error::io("cannot serve pages on loopback", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let held = Arc::new(Held::default());
        let of_server = held.clone();
        let accept = move || {
            for stream in listener.incoming().take(connections).flatten() {
                let held = of_server.clone();
                // Without a thread the connection closes, which the crawl then tells.
                let _ = std::thread::Builder::new().spawn(move || serve(stream, &held));
            }
        };
        std::thread::Builder::new().spawn(accept).map_err(failed)?;
        Ok(Self { address, held })
    }
}

/// Answers until the connection ends, however it does.
fn serve(stream: TcpStream, held: &Held) {
    let _ = stream.set_nodelay(true);
    let Ok(reading) = stream.try_clone() else {
        return;
    };
    let (mut requests, mut answers) = (BufReader::new(reading), stream);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES}\r\n\r\n");
    let mut answer = head.into_bytes();
    answer.resize(answer.len() + BODY_BYTES, b'x');
    while let Some(wait) = read_request(&mut requests) {
        let stopwatch = Stopwatch::start();
        std::thread::sleep(wait);
        held.note(stopwatch.seconds());
        if answers.write_all(&answer).is_err() {
            return;
        }
    }
}

/// How long the next request asks to wait; nothing at the end of the connection, and for what is no
/// request.
fn read_request(requests: &mut impl BufRead) -> Option<Duration> {
    let mut line = String::new();
    requests
        .by_ref()
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .ok()?;
    let target = line.strip_prefix("GET /")?.split(' ').next()?;
    let wait = Duration::from_micros(target.parse().ok()?);
    loop {
        let mut line = String::new();
        let length = requests
            .by_ref()
            .take(LONGEST_LINE)
            .read_line(&mut line)
            .ok()?;
        match line.as_str() {
            "\r\n" => return Some(wait.min(LONGEST_WAIT)),
            _ if length == 0 => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_long_its_page_takes() {
        let mut requests = &b"GET /1500 HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\n\r\n"[..];
        let wait = read_request(&mut requests);
        assert_eq!(wait, Some(Duration::from_micros(1_500)));
        assert_eq!(read_request(&mut requests), None);
        assert_eq!(read_request(&mut &b"GET /7 HTTP/1.1\r\nHost"[..]), None);
        let long = read_request(&mut &b"GET /99999999999 HTTP/1.1\r\n\r\n"[..]);
        assert_eq!(long, Some(LONGEST_WAIT));
    }
}
