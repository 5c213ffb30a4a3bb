//! Servers that answer with scripted bytes, and fetchers for them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nephila_fetch::{
    Clock, Fetch, FetchConfig, FetchError, Fetcher, Request, ResolveRule, Response, Shared,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use url::Url;

/// Runs a test inside a `LocalSet` on a current-thread runtime.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// The same with time standing still until every task waits, so that limits of time cost none.
pub(crate) fn run_in_virtual_time<F: Future>(test: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// tokio's time, which is virtual where the test's is.
pub(crate) fn clock() -> Clock {
    let start = tokio::time::Instant::now();
    Arc::new(move || tokio::time::Instant::now().saturating_duration_since(start))
}

pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

/// One connection as the server sees it.
pub(crate) struct Peer {
    pub(crate) io: Box<dyn Bytes>,
    /// How many connections came before this one.
    pub(crate) index: usize,
    requests: Rc<RefCell<Vec<String>>>,
}

impl Peer {
    /// The next request's head, which is also noted; `None` when the client has closed.
    pub(crate) async fn request(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.io.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        self.requests.borrow_mut().push(head.clone());
        Some(head)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The client may have closed: that is the test's to notice.
        let _ = self.io.write_all(bytes.as_ref()).await;
        let _ = self.io.flush().await;
    }

    /// Answers a request with a body of that text, keeping the connection.
    pub(crate) async fn answer(&mut self, body: &str) {
        self.send(ok(body)).await;
    }

    /// Waits until the client has closed.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let _ = self.io.read_to_end(&mut rest).await;
    }
}

pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A server on a loopback port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Rc<Cell<usize>>,
    open: Rc<Cell<usize>>,
    requests: Rc<RefCell<Vec<String>>>,
}

impl Server {
    /// A server that treats each connection as `serve` says.
    pub(crate) async fn start<F, S>(serve: S) -> Server
    where
        S: Fn(Peer) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        Server::start_with(|tcp| async { Some(Box::new(tcp) as Box<dyn Bytes>) }, serve).await
    }

    /// The same, with something done to each connection first (TLS).
    pub(crate) async fn start_with<F, S, A, W>(wrap: W, serve: S) -> Server
    where
        S: Fn(Peer) -> F + 'static,
        F: Future<Output = ()> + 'static,
        W: Fn(TcpStream) -> A + 'static,
        A: Future<Output = Option<Box<dyn Bytes>>> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            connections: Rc::default(),
            open: Rc::default(),
            requests: Rc::default(),
        };
        let (connections, open) = (Rc::clone(&server.connections), Rc::clone(&server.open));
        let requests = Rc::clone(&server.requests);
        let (wrap, serve) = (Rc::new(wrap), Rc::new(serve));
        spawn_local(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let index = connections.get();
                connections.set(index + 1);
                open.set(open.get() + 1);
                let requests = Rc::clone(&requests);
                let (wrap, serve, open) = (Rc::clone(&wrap), Rc::clone(&serve), Rc::clone(&open));
                spawn_local(async move {
                    tcp.set_nodelay(true).unwrap();
                    if let Some(io) = wrap(tcp).await {
                        serve(Peer {
                            io,
                            index,
                            requests,
                        })
                        .await;
                    }
                    open.set(open.get() - 1);
                });
            }
        });
        server
    }

    /// Answers every request with the same bytes and then closes.
    pub(crate) async fn answering(bytes: impl AsRef<[u8]> + Clone + 'static) -> Server {
        Server::start(move |mut peer| {
            let bytes = bytes.clone();
            async move {
                if peer.request().await.is_some() {
                    peer.send(bytes).await;
                }
            }
        })
        .await
    }

    /// Answers every request with its path, over kept connections.
    pub(crate) async fn echoing() -> Server {
        Server::start(|mut peer| async move {
            while let Some(head) = peer.request().await {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                peer.answer(&path).await;
            }
        })
        .await
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }

    /// Connections that the server still serves.
    pub(crate) fn open(&self) -> usize {
        self.open.get()
    }

    /// Heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        url(&format!("http://{}{path}", self.address))
    }
}

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A configuration for servers on loopback.
pub(crate) fn local() -> FetchConfig {
    FetchConfig {
        allow_private: true,
        name_servers: vec!["127.0.0.1:1".parse().unwrap()],
        ..Default::default()
    }
}

/// A rule that sends every name and port to `address`.
pub(crate) fn all_to(address: SocketAddr) -> ResolveRule {
    ResolveRule {
        host: None,
        port: None,
        address: address.ip(),
        to_port: Some(address.port()),
    }
}

pub(crate) fn fetcher(config: FetchConfig) -> Fetcher {
    Fetcher::new(Arc::new(Shared::new(config, clock()).unwrap()))
}

pub(crate) async fn get(fetcher: &Fetcher, url: Url) -> Result<Response, FetchError> {
    fetcher.fetch(Request::get(url)).await
}

/// Lets the other tasks run until they wait, without waiting for time.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Waits, bounded, until `holds`.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await; // paced: the pace of the server is what is scripted
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("it never came to hold");
}

pub(crate) fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}
