//! What an exchange costs in CPU, beside hyper's connection driven directly:
//! `cargo run --release -p nephila-fetch --example cost`.
//!
//! A page of 15 kB over a kept connection from a server in another thread, then over new connections;
//! CPU time of the fetching thread only, user and system, as Linux counts it.

#![expect(clippy::print_stdout, reason = "printing is what this example does")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use nephila_fetch::{Clock, Fetch, FetchConfig, Fetcher, Request, Shared};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::Instant;
use url::Url;

const PAGE_BYTES: usize = 15_000;
const ROUNDS: u32 = 5;
const EXCHANGES: u32 = 20_000;
const CONNECTIONS: u32 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let address = serve()?;
    let url = Url::parse(&format!("http://{address}/page"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        for _ in 0..ROUNDS {
            let hyper = hyper_alone(address).await?;
            let kept = fetcher_alone(&url, 8, EXCHANGES).await?;
            let new = fetcher_alone(&url, 0, CONNECTIONS).await?;
            println!("hyper {hyper:.1} us, fetcher {kept:.1} us, with new connections {new:.1} us");
        }
        let fetcher = fetcher(8)?;
        let size = size_of_val(&fetcher.fetch(Request::get(url.clone())));
        println!("an exchange under way: {size} bytes");
        Ok(())
    })
}

fn fetcher(max_idle_connections: usize) -> Result<Fetcher, Box<dyn Error>> {
    let start = Instant::now();
    let clock: Clock = Arc::new(move || start.elapsed());
    let config = FetchConfig {
        allow_private: true,
        max_idle_connections,
        ..FetchConfig::default()
    };
    Ok(Fetcher::new(Arc::new(Shared::new(config, clock)?)))
}

async fn fetcher_alone(url: &Url, idle: usize, exchanges: u32) -> Result<f64, Box<dyn Error>> {
    let fetcher = fetcher(idle)?;
    let before = cpu_nanoseconds()?;
    for _ in 0..exchanges {
        let response = fetcher.fetch(Request::get(url.clone())).await?;
        assert_eq!(response.body.len(), PAGE_BYTES);
    }
    Ok(microseconds_each(before, exchanges)?)
}

async fn hyper_alone(address: SocketAddr) -> Result<f64, Box<dyn Error>> {
    let tcp = tokio::net::TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
    spawn_local(driver);
    let before = cpu_nanoseconds()?;
    for _ in 0..EXCHANGES {
        sender.ready().await?;
        let request = http::Request::get("/page")
            .header("host", "localhost")
            .header("user-agent", "cost")
            .header("accept", "*/*")
            .body(Empty::<Bytes>::new())?;
        let body = sender
            .send_request(request)
            .await?
            .into_body()
            .collect()
            .await?;
        assert_eq!(body.to_bytes().len(), PAGE_BYTES);
    }
    Ok(microseconds_each(before, EXCHANGES)?)
}

fn microseconds_each(before: u64, exchanges: u32) -> Result<f64, std::io::Error> {
    let spent = u32::try_from(cpu_nanoseconds()? - before).unwrap_or(u32::MAX);
    Ok(f64::from(spent) / f64::from(exchanges) / 1000.0)
}

/// CPU time of this thread.
fn cpu_nanoseconds() -> Result<u64, std::io::Error> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().map_err(std::io::Error::other)
}

/// A server of one thread a connection that answers whatever comes with the same page.
fn serve() -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {PAGE_BYTES}\r\n\r\n"
    );
    let page = [head.as_bytes(), &[b'x'; PAGE_BYTES]].concat();
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let page = page.clone();
            std::thread::spawn(move || answer(&mut tcp, &page));
        }
    });
    Ok(address)
}

fn answer(tcp: &mut TcpStream, page: &[u8]) -> Result<(), std::io::Error> {
    tcp.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    while tcp.read(&mut buffer)? > 0 {
        tcp.write_all(page)?;
    }
    Ok(())
}
