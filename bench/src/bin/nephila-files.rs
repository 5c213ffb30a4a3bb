//! A directory as a web server gives it, for measurements: every file from memory, and segments of the
//! size that they have on a real network's path, which nginx cannot be told. Redirects, statuses and
//! content types are nginx's as `cargo xtask sites` sets it up. Usage: nephila-files DIRECTORY LOG
//!
//! Prints its port. The log has a line a request, parted by tabs: host, request line, status. It ends
//! when its input ends.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context as _;
use memchr::memmem;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

const SEGMENT_BYTES: u32 = 1_448;
const BACKLOG: i32 = 4_096;

/// The longest head of a request.
const HEAD_BYTES: usize = 64 << 10;

struct Site {
    root: PathBuf,
    log: RefCell<File>,
    /// The answers that were given, by host and path.
    answers: RefCell<HashMap<String, Rc<Answer>>>,
}

struct Answer {
    status: u16,
    /// The head and the body.
    bytes: Vec<u8>,
    head: usize,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || {
        arguments
            .next()
            .context("usage: nephila-files DIRECTORY LOG")
    };
    let site = Rc::new(Site {
        root: PathBuf::from(next()?).canonicalize()?,
        log: RefCell::new(File::options().create(true).append(true).open(next()?)?),
        answers: RefCell::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, end) = tokio::sync::oneshot::channel();
    LocalSet::new().block_on(&runtime, async {
        let listener = listen()?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = ended.send(());
        });
        tokio::select! {
            _ = end => Ok(()),
            failed = accept(listener, site) => failed,
        }
    })
}

fn listen() -> anyhow::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    // Accepted connections inherit both.
    socket.set_tcp_mss(SEGMENT_BYTES)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into())?)
}

async fn accept(listener: TcpListener, site: Rc<Site>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let site = Rc::clone(&site);
        // A client that leaves is no failure of the server.
        tokio::task::spawn_local(async move { drop(serve(stream, &site).await) });
    }
}

async fn serve(mut stream: TcpStream, site: &Site) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(4 << 10);
    loop {
        let end = loop {
            if let Some(end) = memmem::find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if buffer.len() > HEAD_BYTES || stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head: Vec<u8> = buffer.drain(..end).collect();
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.lines();
        let request = lines.next().unwrap_or_default();
        let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
        let field = |name: &str| {
            let mut same = fields
                .iter()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name));
            same.next().map_or("", |(_, value)| value.trim())
        };
        let host = field("host");
        let answer = site.answer(host, request.split(' ').nth(1).unwrap_or_default());
        writeln!(
            site.log.borrow_mut(),
            "{host}\t{request}\t{}",
            answer.status
        )?;
        let length = if request.starts_with("HEAD ") {
            answer.head
        } else {
            answer.bytes.len()
        };
        stream
            .write_all(answer.bytes.get(..length).unwrap_or_default())
            .await?;
        let is_last = field("connection").eq_ignore_ascii_case("close");
        if is_last || request.ends_with("HTTP/1.0") {
            return Ok(stream.shutdown().await?);
        }
    }
}

impl Site {
    fn answer(&self, host: &str, target: &str) -> Rc<Answer> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let name = format!("{host}{path}");
        let known = self.answers.borrow().get(&name).cloned();
        known.unwrap_or_else(|| {
            let made = Rc::new(self.make(host, path));
            self.answers.borrow_mut().insert(name, Rc::clone(&made));
            made
        })
    }

    fn make(&self, host: &str, path: &str) -> Answer {
        let decoded = decoded(path);
        let is_plain = decoded.starts_with('/') && !decoded.split('/').any(|part| part == "..");
        let file = self.root.join(decoded.trim_start_matches('/'));
        if !is_plain {
            return Answer::of(400, "text/html", "", b"<title>400</title>");
        }
        if file.is_dir() && !decoded.ends_with('/') {
            let location = format!("location: http://{host}{path}/\r\n");
            return Answer::of(301, "text/html", &location, b"<title>301</title>");
        }
        let is_directory = file.is_dir();
        let file = if is_directory {
            file.join("index.html")
        } else {
            file
        };
        match std::fs::read(&file) {
            Ok(body) => Answer::of(200, kind(&file), "", &body),
            Err(_) if is_directory => Answer::of(403, "text/html", "", b"<title>403</title>"),
            Err(_) => Answer::of(404, "text/html", "", b"<title>404</title>"),
        }
    }
}

impl Answer {
    fn of(status: u16, kind: &str, more: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} {}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{more}\r\n",
            match status {
                200 => "OK",
                301 => "Moved Permanently",
                _ => "Refused",
            }
        );
        let bytes = [head.as_bytes(), body].concat();
        Self {
            status,
            bytes,
            head: head.len(),
        }
    }
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm" | "shtml") => "text/html",
        Some("css") => "text/css",
        Some("txt") => "text/plain",
        Some("xml") => "text/xml",
        Some("js") => "application/javascript",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// The path with its percent-encoded bytes.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_where_they_are_encoded() {
        assert_eq!(decoded("/a%20b/%C3%A9%"), "/a b/\u{e9}%");
        assert_eq!(decoded("/%zz"), "/%zz");
    }

    #[test]
    fn nothing_outside_the_directory_is_given() {
        let site = Site {
            root: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"),
            log: RefCell::new(File::open("/dev/null").unwrap()),
            answers: RefCell::default(),
        };
        let status = |path: &str| site.answer("a", path).status;
        assert_eq!(
            [status("/main.rs?x"), status("/none"), status("/bin")],
            [200, 404, 301]
        );
        assert_eq!(
            [
                status("/bin/"),
                status("/../Cargo.toml"),
                status("/%2e%2e/a")
            ],
            [403, 400, 400]
        );
    }
}
