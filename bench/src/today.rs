//! Regime `today`: what a page of today's web costs, beside the sum of the parts that no crawler is
//! without, each measured on its own in the same sitting.

use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;
use nephila_fetch::decode_body;
use nephila_parse::{ParseOptions, parse_html};
use nephila_sim::{CharsetMix, Outcomes, RobotsMix, ServeOptions, Server, TruthScope, Web};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::process::{self, Cores, crawl_from_all};
use crate::spread::Spread;

const HOSTS: u32 = 200;
pub(crate) const PAGES: u32 = 52 * HOSTS;
/// Hosts whose pages are asked for by hand.
const ASKED_HOSTS: usize = 32;
/// Rows that are written again.
const ROWS: usize = 2_000;

/// Today's pages and links, each answered with 200 at once: a page that waits or fails costs less.
pub(crate) fn web() -> Web {
    Web {
        host_size_exponent: 0.0,
        outcomes: Outcomes::default(),
        robots: RobotsMix::default(),
        charsets: CharsetMix::default(),
        nofollow: 0.0,
        ..Web::realistic(7, HOSTS, u64::from(PAGES)).with_latency_ms(0.0)
    }
}

/// Serves it with TLS and gzip, the bodies made before; the authority's certificate is `folder/ca.pem`.
pub(crate) fn serve(folder: &Path) -> anyhow::Result<process::Web> {
    let parameters = folder.join("web.json");
    std::fs::write(&parameters, serde_json::to_vec(&web())?)?;
    let (parameters, ca) = (parameters.display().to_string(), ca(folder));
    process::Web::serve(&[
        "--web",
        &parameters,
        "--tls",
        "--gzip",
        "--prepared",
        "--ca-out",
        &ca,
    ])
}

pub(crate) fn ca(folder: &Path) -> String {
    folder.join("ca.pem").display().to_string()
}

/// `nephila-bench regime today [ROUNDS]`.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    let served = serve(folder.path())?;
    let ca = ca(folder.path());
    for _ in 0..rounds {
        let options = [
            "--threads",
            "1",
            "--concurrency",
            "100",
            "--delay",
            "0",
            "--ca",
            &ca,
        ];
        let cost = crawl_from_all(&served, folder.path(), &options, Cores::All)?;
        whole.push((cost.user + cost.system) * 1e6 / f64::from(PAGES));
        parts.push(Parts::measure(folder.path())?);
    }
    let median = |figures: Vec<f64>| Spread::of(figures).map_or(0.0, |spread| spread.median);
    let of = |part: fn(&Parts) -> f64| median(parts.iter().map(part).collect());
    let rows = [
        (
            "TLS handshake and connection, one in 52 pages",
            of(|parts| parts.handshake),
        ),
        (
            "receive: system calls, decryption",
            of(|parts| parts.receive),
        ),
        ("inflate", of(|parts| parts.inflate)),
        ("scan: text, links, SimHash", of(|parts| parts.scan)),
        ("row: serialised and written", of(|parts| parts.row)),
    ];
    let sum: f64 = rows.iter().map(|(_, micros)| micros).sum();
    println!(
        "{PAGES} pages on {HOSTS} hosts, TLS 1.3, gzip, one thread, {rounds} rounds, medians\n"
    );
    println!("| part | CPU us a page | of the sum |\n|---|---|---|");
    for (name, micros) in rows {
        println!("| {name} | {micros:.0} | {:.0} % |", 100.0 * micros / sum);
    }
    println!("| sum of the parts | {sum:.0} | 100 % |");
    let shown = Spread::of(whole.clone()).map_or("-".to_owned(), Spread::shown);
    println!("| the crawl | {shown} | {:.2} times |", median(whole) / sum);
    Ok(())
}

/// CPU microseconds a page.
#[derive(Debug, Default)]
struct Parts {
    handshake: f64,
    receive: f64,
    inflate: f64,
    scan: f64,
    row: f64,
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

impl Parts {
    /// Measures each part; `folder/crawl` is a crawl of the same web.
    fn measure(folder: &Path) -> anyhow::Result<Parts> {
        let options = ServeOptions {
            tls: true,
            gzip: true,
            ..ServeOptions::default()
        };
        let server = Server::start_in_thread(web(), options)?;
        let tls = client_config(&server.ca_pem().context("no certificate")?)?;
        let mut hosts = paths(&server)?;
        let pages: usize = hosts.iter().map(|(_, paths)| paths.len()).sum();
        let a_page = pages as f64 * 1e3;
        let mut parts = Parts::default();
        let (mut connections, mut bodies) = (Vec::new(), Vec::new());
        let began = cpu_nanos()?;
        for (host, _) in &hosts {
            connections.push(connect(&server, &tls, host)?);
        }
        parts.handshake = (cpu_nanos()? - began) / a_page;
        // One request on each connection at once: the answers come while others are read.
        while hosts.iter().any(|(_, paths)| !paths.is_empty()) {
            let began = cpu_nanos()?;
            let mut asked = Vec::new();
            for ((host, paths), connection) in hosts.iter_mut().zip(&mut connections) {
                if let Some(path) = paths.pop() {
                    connection.write_all(request(host, &path).as_bytes())?;
                    asked.push(connection);
                }
            }
            for connection in asked {
                bodies.push(read_answer(connection)?);
            }
            parts.receive += (cpu_nanos()? - began) / a_page;
        }
        parts.analyse(bodies, a_page)?;
        parts.row = row(folder)?;
        Ok(parts)
    }

    fn analyse(&mut self, bodies: Vec<Bytes>, a_page: f64) -> anyhow::Result<()> {
        let options = ParseOptions {
            want_simhash: true,
            ..ParseOptions::default()
        };
        // As many at once as the clock needs to tell them apart, and the memory bears.
        for bodies in bodies.chunks(100) {
            let began = cpu_nanos()?;
            let decode = |body: &Bytes| decode_body(Some("gzip"), body.clone(), 64 << 20);
            let decoded: Vec<_> = bodies.iter().map(decode).collect::<Result<_, _>>()?;
            let inflated = cpu_nanos()?;
            for body in &decoded {
                std::hint::black_box(parse_html(body, Some("text/html"), &options));
            }
            self.inflate += (inflated - began) / a_page;
            self.scan += (cpu_nanos()? - inflated) / a_page;
        }
        Ok(())
    }
}

/// The paths of some hosts' pages.
fn paths(server: &Server) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let mut hosts: Vec<(String, Vec<String>)> = Vec::new();
    for text in server.web().truth(TruthScope::Any).pages.into_keys() {
        let url = url::Url::parse(&text)?;
        let name = url.host_str().unwrap_or_default();
        let path = url[url::Position::BeforePath..].to_owned();
        match hosts.iter().position(|(host, _)| host == name) {
            Some(place) => hosts
                .iter_mut()
                .skip(place)
                .take(1)
                .for_each(|(_, paths)| paths.push(path.clone())),
            None if hosts.len() < ASKED_HOSTS => hosts.push((name.to_owned(), vec![path])),
            None => {}
        }
    }
    Ok(hosts)
}

fn client_config(ca_pem: &str) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn connect(server: &Server, tls: &Arc<ClientConfig>, host: &str) -> anyhow::Result<Connection> {
    let mut tcp = TcpStream::connect(server.addr())?;
    tcp.set_nodelay(true)?;
    let mut tls = ClientConnection::new(tls.clone(), ServerName::try_from(host.to_owned())?)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

fn request(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n")
}

/// The body of an answer that has a length.
fn read_answer(connection: &mut Connection) -> anyhow::Result<Bytes> {
    const PIECE: usize = 16 << 10;
    let mut answer = vec![0; 2 * PIECE];
    let (mut filled, mut whole) = (0, None);
    loop {
        if whole.is_some_and(|(_, end)| filled >= end) {
            break;
        }
        answer.resize(answer.len().max(filled + PIECE), 0);
        let room = answer.get_mut(filled..).unwrap_or_default();
        let read = connection.read(room)?;
        ensure!(read > 0, "the server closed the connection");
        filled += read;
        if whole.is_none() {
            whole = frame(answer.get(..filled).unwrap_or_default())?;
        }
    }
    let (start, end) = whole.unwrap_or_default();
    ensure!(filled == end, "{filled} bytes where {end} were announced");
    answer.truncate(end);
    Ok(Bytes::from(answer).slice(start..))
}

/// Where the body begins and ends, as soon as the head is there.
fn frame(answer: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    ensure!(head.contains("content-encoding: gzip"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("no length")?.parse()?;
    Ok(Some((end + 4, end + 4 + length)))
}

/// Serialises rows of the crawl again and writes them to a file.
fn row(folder: &Path) -> anyhow::Result<f64> {
    let part = folder.join("crawl/pages/part-00000.jsonl");
    let lines = BufReader::new(std::fs::File::open(&part)?).lines();
    let rows = lines
        .take(ROWS)
        .map(|line| Ok(serde_json::from_str(&line?)?));
    let rows: Vec<Value> = rows.collect::<anyhow::Result<_>>()?;
    let mut file = BufWriter::new(std::fs::File::create(folder.join("rows.jsonl"))?);
    let began = cpu_nanos()?;
    for row in &rows {
        serde_json::to_writer(&mut file, row)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok((cpu_nanos()? - began) / 1e3 / rows.len() as f64)
}

/// What this thread has run so far, in nanoseconds of CPU.
fn cpu_nanos() -> anyhow::Result<f64> {
    // The kernel adds up what has run when it looks for another thread, and else every few milliseconds.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next();
    Ok(first.context("/proc/thread-self/schedstat")?.parse()?)
}
