//! The floor: the least that a crawler could do. One thread, HTTP/1.1 by hand over kept connections, a
//! naive scan for `href`, a hash set, a JSON line a page. It knows no robots.txt, no politeness, no
//! charsets, no limits and no durability, every name is one address and the port of that is its scope:
//! nothing to use, but what the kernel and the work itself cost. Usage: nephila-floor SEED ADDRESS IN_FLIGHT OUT

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

#[derive(serde::Serialize)]
struct Row<'a> {
    url: &'a str,
    title: Option<&'a str>,
    outlinks: &'a [String],
}

#[derive(Default)]
struct State {
    /// What the authority of every URL ends with.
    port: String,
    seen: RefCell<HashSet<String>>,
    queue: RefCell<VecDeque<String>>,
    busy: Cell<usize>,
    pages: Cell<u64>,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .context("usage: nephila-floor SEED ADDRESS IN_FLIGHT OUT")
    };
    let seed = next()?;
    let address: SocketAddr = next()?.parse()?;
    let (in_flight, out) = (next()?.parse()?, next()?);
    let state = Rc::new(State {
        port: format!(":{}", address.port()),
        ..State::default()
    });
    state.admit(seed);
    let out = Rc::new(RefCell::new(BufWriter::new(std::fs::File::create(out)?)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    let workers: Vec<_> = (0..in_flight)
        .map(|_: usize| local.spawn_local(work(state.clone(), address, out.clone())))
        .collect();
    local.block_on(&runtime, async {
        for worker in workers {
            worker.await??;
        }
        anyhow::Ok(())
    })?;
    out.borrow_mut().flush()?;
    writeln!(std::io::stdout(), "{}", state.pages.get())?;
    Ok(())
}

impl State {
    fn admit(&self, url: String) {
        let mut seen = self.seen.borrow_mut();
        if !seen.contains(&url) && parts(&url).0.ends_with(&self.port) {
            seen.insert(url.clone());
            self.queue.borrow_mut().push_back(url);
        }
    }
}

async fn work(
    state: Rc<State>,
    address: SocketAddr,
    out: Rc<RefCell<BufWriter<std::fs::File>>>,
) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = Vec::with_capacity(64 << 10);
    loop {
        let next = state.queue.borrow_mut().pop_front();
        let Some(url) = next else {
            if state.busy.get() == 0 {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            continue;
        };
        state.busy.set(state.busy.get() + 1);
        let (host, path) = parts(&url);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        buffer.clear();
        let (body, end) = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                anyhow::bail!("{url}: the connection ended");
            }
            if let Some(whole) = whole(&buffer)? {
                break whole;
            }
        };
        let page = buffer.get(body..end).unwrap_or_default();
        let head = buffer.get(..body).unwrap_or_default();
        if let Some(target) = between(head, b"\r\nlocation: ", b"\r\n").map(|(at, _)| at) {
            let target = String::from_utf8_lossy(target);
            join(&url, &target)
                .into_iter()
                .for_each(|url| state.admit(url));
        }
        let base = between(page, b"<base href=\"", b"\"").map_or(url.clone(), |(base, _)| {
            let base = String::from_utf8_lossy(base);
            join(&url, &base).unwrap_or_default()
        });
        let links: Vec<String> = links(page).filter_map(|href| join(&base, &href)).collect();
        let title =
            between(page, b"<title>", b"</title>").map(|(title, _)| String::from_utf8_lossy(title));
        let row = Row {
            url: &url,
            title: title.as_deref(),
            outlinks: &links,
        };
        serde_json::to_writer(&mut *out.borrow_mut(), &row)?;
        out.borrow_mut().write_all(b"\n")?;
        links.into_iter().for_each(|url| state.admit(url));
        state.pages.set(state.pages.get() + 1);
        state.busy.set(state.busy.get() - 1);
    }
}

/// Where the body of a whole answer begins and ends.
fn whole(buffer: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(head) = memmem::find(buffer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head_bytes = buffer
        .get(..head + 2)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (length, _) = between(&head_bytes, b"content-length: ", b"\r\n").context("no length")?;
    let end = head + 4 + std::str::from_utf8(length)?.parse::<usize>()?;
    Ok((buffer.len() >= end).then_some((head + 4, end)))
}

/// What stands between two marks, and what comes after.
fn between<'a>(bytes: &'a [u8], from: &[u8], to: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (_, rest) = bytes.split_at_checked(memmem::find(bytes, from)? + from.len())?;
    rest.split_at_checked(memmem::find(rest, to)?)
}

/// The values of `href` in `a`, `area` and `base`, as written.
fn links(page: &[u8]) -> impl Iterator<Item = String> {
    let mut rest = page;
    let (lower, upper) = (memmem::Finder::new("href="), memmem::Finder::new("HREF="));
    std::iter::from_fn(move || {
        loop {
            let (_, tag) = rest.split_at_checked(memchr::memchr(b'<', rest)? + 1)?;
            let skipped: Option<&[u8]> = match tag {
                [b'!', b'-', b'-', ..] => Some(b"-->"),
                [b's' | b'S', b'c' | b'C', ..] => Some(b"</script"),
                _ => None,
            };
            if let Some(end) = skipped.and_then(|end| memmem::find(tag, end)) {
                rest = tag.get(end..)?;
                continue;
            }
            let end = memchr::memchr(b'<', tag).unwrap_or(tag.len());
            rest = tag.get(end..)?;
            let is_link = matches!(
                tag,
                [b'a' | b'A', b' ' | b'\n', ..] | [b'a', b'r', b'e', b'a', ..]
            );
            let tag = tag.get(..end).filter(|_| is_link);
            let Some(at) = tag.and_then(|tag| lower.find(tag).or(upper.find(tag))) else {
                continue;
            };
            let value = tag.unwrap_or_default().get(at + 5..).unwrap_or_default();
            let length = match value {
                [quote @ (b'"' | b'\''), value @ ..] => {
                    memchr::memchr(*quote, value).map(|end| (1, end + 1))
                }
                _ => value
                    .iter()
                    .position(|byte| matches!(byte, b' ' | b'\n' | b'>'))
                    .map(|end| (0, end)),
            };
            let (from, to) = length.unwrap_or((0, 0));
            return Some(
                String::from_utf8_lossy(value.get(from..to).unwrap_or_default()).into_owned(),
            );
        }
    })
}

/// The authority and the path of a URL.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// A link resolved, where it leads to a page: the plain forms at once, the others by the URL library.
fn join(base: &str, href: &str) -> Option<String> {
    let href = href.trim();
    let is_plain = href
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'&' | b'\\' | b'"'))
        && !href.contains("/.");
    if is_plain && !href.starts_with("//") && !href.starts_with("..") {
        let (host, path) = parts(base);
        let directory = path.get(..=path.rfind('/')?)?;
        match href.as_bytes() {
            [b'/', ..] => return Some(format!("http://{host}{href}")),
            [b'a'..=b'z', ..] if !href.contains(':') => {
                return Some(format!("http://{host}{directory}{href}"));
            }
            [b'h', b't', b't', b'p', b':', ..] if parts(href).1.starts_with('/') => {
                return Some(href.to_owned());
            }
            _ => {}
        }
    }
    let href = href.replace("&#38;", "&").replace("&amp;", "&");
    let mut url = url::Url::parse(base).ok()?.join(&href).ok()?;
    url.set_fragment(None);
    (url.scheme() == "http").then(|| url.into())
}
