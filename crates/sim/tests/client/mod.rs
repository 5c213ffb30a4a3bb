//! A simple crawler and client that shares no code with the test web: blocking sockets, one
//! connection, a scan for `a` and `area` of some forty lines, joining by the `url` crate.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use url::Url;

/// An answer; `None` in its place is a connection that was closed without one.
pub(crate) struct Response {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// One connection to the server, opened again where it was closed.
pub(crate) struct Client {
    addr: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    pub requests: usize,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            stream: None,
            requests: 0,
        }
    }

    pub(crate) fn get(&mut self, host: &str, path: &str) -> Option<Response> {
        self.ask(host, path, "")
    }

    /// A GET with further header lines, each ended by CR LF.
    pub(crate) fn ask(&mut self, host: &str, path: &str, lines: &str) -> Option<Response> {
        self.requests += 1;
        let addr = self.addr;
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(addr).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            BufReader::new(stream)
        });
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let response = read_response(stream);
        let closes = |response: &Response| {
            response
                .headers
                .get("connection")
                .is_some_and(|value| value == "close")
        };
        if response.as_ref().is_none_or(closes) {
            self.stream = None;
        }
        response
    }
}

fn read_response(stream: &mut BufReader<TcpStream>) -> Option<Response> {
    let mut line = String::new();
    if stream.read_line(&mut line).unwrap_or(0) == 0 {
        return None;
    }
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_owned(), value.to_owned());
    }
    let mut body = Vec::new();
    if headers.contains_key("transfer-encoding") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).unwrap();
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        let length: u64 = headers["content-length"].parse().unwrap();
        stream.take(length).read_to_end(&mut body).unwrap();
    }
    Some(Response {
        status,
        headers,
        body,
    })
}

/// What the crawler found: URL to hops and status, and the denied URLs with their hops.
#[derive(Default)]
pub(crate) struct Found {
    pub pages: BTreeMap<String, (u32, u16)>,
    pub denied: BTreeMap<String, u32>,
}

/// What robots.txt lets a crawler do on a host.
enum Allowed {
    All,
    Nothing,
    NotBelow(Vec<String>),
}

/// Crawls breadth-first from the seeds; a 503 without Retry-After is asked for once more.
pub(crate) fn crawl(client: &mut Client, seeds: &[String]) -> Found {
    let mut found = Found::default();
    let mut robots: HashMap<String, Allowed> = HashMap::new();
    let mut queue: VecDeque<(String, u32)> = seeds.iter().map(|url| (url.clone(), 0)).collect();
    let mut seen: std::collections::HashSet<String> = seeds.iter().cloned().collect();
    while let Some((text, hops)) = queue.pop_front() {
        let url = Url::parse(&text).unwrap();
        let host = url.host_str().unwrap();
        let path = &url[url::Position::BeforePath..];
        let allowed = robots
            .entry(host.to_owned())
            .or_insert_with(|| read_robots(client, host));
        let denied = match allowed {
            Allowed::All => false,
            Allowed::Nothing => true,
            Allowed::NotBelow(paths) => {
                paths.iter().any(|prefix| path.starts_with(prefix.as_str()))
            }
        };
        if denied {
            found.denied.insert(text, hops);
            continue;
        }
        let mut response = client.get(host, path);
        if response
            .as_ref()
            .is_some_and(|response| response.status == 503)
        {
            response = client.get(host, path);
        }
        let status = response.as_ref().map_or(0, |response| response.status);
        found.pages.insert(text.clone(), (hops, status));
        let Some(response) = response else { continue };
        let html = response
            .headers
            .get("content-type")
            .is_some_and(|v| v.starts_with("text/html"));
        let next = match (status, response.headers.get("location")) {
            (301 | 302, Some(location)) => vec![url.join(location).unwrap()],
            (200, _) if html => links(&url, &response.body),
            _ => Vec::new(),
        };
        for mut link in next {
            link.set_fragment(None);
            if link.scheme() == url.scheme() && seen.insert(link.to_string()) {
                queue.push_back((link.to_string(), hops + 1));
            }
        }
    }
    found
}

fn read_robots(client: &mut Client, host: &str) -> Allowed {
    let mut response = client.get(host, "/robots.txt");
    let moved = response.as_ref().filter(|response| response.status == 301);
    if let Some(path) = moved.map(|response| response.headers["location"].clone()) {
        response = client.get(host, &path);
    }
    let Some(response) = response else {
        return Allowed::Nothing;
    };
    match response.status {
        200 => {}
        400..=499 => return Allowed::All,
        _ => return Allowed::Nothing,
    }
    let text = String::from_utf8(response.body).unwrap();
    let mut ours = false;
    let mut denied = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.split('#').next().unwrap();
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim().to_lowercase().as_str() {
            "user-agent" => ours = value.trim() == "*",
            "disallow" if ours => denied.push(value.trim().to_owned()),
            _ => {}
        }
    }
    Allowed::NotBelow(denied)
}

/// The links of `a` and `area` elements, outside comments and scripts.
pub(crate) fn links(page: &Url, body: &[u8]) -> Vec<Url> {
    let text = String::from_utf8_lossy(body);
    let text = without(&without(&text, "<!--", "-->"), "<script", "</script>");
    let mut base = page.clone();
    let mut out = Vec::new();
    for piece in text.split('<').skip(1) {
        let name: String = piece
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        let name = name.to_lowercase();
        if !matches!(name.as_str(), "a" | "area" | "base") {
            continue;
        }
        let Some(href) = href(&piece[name.len()..]) else {
            continue;
        };
        let href = href.replace("&amp;", "&").replace("&#38;", "&");
        let joined = base.join(&href).unwrap();
        match name.as_str() {
            "base" => base = joined,
            _ => out.push(joined),
        }
    }
    out
}

/// The value of the first href attribute.
fn href(tag: &str) -> Option<String> {
    let mut rest = tag.trim_start();
    while !rest.is_empty() && !rest.starts_with('>') {
        let end = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace())?;
        let name = rest[..end].to_lowercase();
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            continue;
        };
        let (value, after) = match after.chars().next()? {
            quote @ ('"' | '\'') => after[1..].split_once(quote)?,
            _ => after.split_at(after.find(|c: char| c == '>' || c.is_whitespace())?),
        };
        if name == "href" {
            return Some(value.to_owned());
        }
        rest = after.trim_start();
    }
    None
}

fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        out.push_str(before);
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    out + rest
}
