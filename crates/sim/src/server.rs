//! A web being served, in process and on loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::conditions::Conditions;
use crate::connection;
use crate::error::{Error, ErrorKind};
use crate::exchange::Shared;
use crate::limit::raise_file_limit;
use crate::log::{Log, LogMode};
use crate::plan::Plan;
use crate::recorder::Stats;
use crate::tls::Tls;
use crate::web::Web;

/// The size of a segment on a real network's path: with loopback's own of 64 KiB slow readers of
/// large pages stall on a closed window.
const SEGMENT_BYTES: u32 = 1_448;
const BACKLOG: i32 = 4_096;

/// How a web is served. What is served is in [`Web`].
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Over TLS, with certificates of an authority made for this server. Default false.
    pub tls: bool,
    /// HTTP/2 offered by ALPN; needs `tls`. Default false.
    pub http2: bool,
    /// Bodies compressed with gzip for clients that take it; some 100 us each. Default false.
    pub gzip: bool,
    /// HTTP/1.1 bodies in chunks rather than with a length. Default false.
    pub chunked: bool,
    /// The bodies of all pages are made before the first request, up to 4 GiB: for measurements, where
    /// making them would take the client's processor. Default false.
    pub prepared: bool,
    /// The address to listen on. Default 127.0.0.1.
    pub address: IpAddr,
    /// The port to listen on; 0 is any. Default 0.
    pub port: u16,
    /// Connections at once; those beyond wait to be accepted. Default 20,000.
    pub max_connections: usize,
    /// How much is noted. Default every request up to four million.
    pub log: LogMode,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            tls: false,
            http2: false,
            gzip: false,
            chunked: false,
            prepared: false,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            max_connections: 20_000,
            log: LogMode::default(),
        }
    }
}

/// A web being served. Dropping it stops it; where it runs on a thread of its own, dropping waits for
/// that thread.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    addr: SocketAddr,
    ended: watch::Receiver<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Serves on the current tokio runtime, which needs its I/O and time drivers. On a runtime of
    /// several threads a client may see the end of an answer some microseconds before the log does.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] for a web or options out of bounds, [`ErrorKind::Listen`] where the
    /// port is taken, [`ErrorKind::Certificate`].
    pub async fn start(web: Web, options: ServeOptions) -> Result<Self, Error> {
        let (listener, addr, shared) = open(web, options)?;
        let (end, ended) = watch::channel(false);
        let accepting = accept(listener_of(listener, addr)?, Arc::clone(&shared), end);
        drop(tokio::spawn(accepting));
        Ok(Self {
            shared,
            addr,
            ended,
            thread: None,
        })
    }

    /// Serves on a thread of its own with a single-threaded runtime, for tests and programs that
    /// block. An answer's end is in the log before the next request is read.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub fn start_in_thread(web: Web, options: ServeOptions) -> Result<Self, Error> {
        let (listener, addr, shared) = open(web, options)?;
        let failed =
            |error: io::Error| Error::new(ErrorKind::Listen, addr.to_string()).caused(error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            listener_of(listener, addr)?
        };
        let (end, ended) = watch::channel(false);
        let accepting = accept(listener, Arc::clone(&shared), end);
        let thread = thread::Builder::new()
            .name("simulated-web".to_owned())
            .spawn(move || runtime.block_on(accepting))
            .map_err(failed)?;
        Ok(Self {
            shared,
            addr,
            ended,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The web as it is served: with its scheme, and the port in its URLs. Seeds and truth are asked
    /// of this one.
    pub fn web(&self) -> &Web {
        &self.shared.plan.web
    }

    /// Every request so far. The server waits while the names are made, some 200 ns a request.
    pub fn log(&self) -> Log {
        self.shared.recorder.log(&self.shared.plan)
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        self.shared.recorder.stats()
    }

    /// What the net is like, to be changed while the web is served.
    pub fn conditions(&self) -> Arc<Conditions> {
        Arc::clone(&self.shared.conditions)
    }

    /// The certificate of the authority that clients have to trust; none without TLS.
    pub fn ca_pem(&self) -> Option<String> {
        self.shared.tls.as_ref().map(|tls| tls.ca_pem.clone())
    }

    /// Waits until the server has stopped, by [`Server::stop`] or by the control host.
    pub async fn ended(&self) {
        // An error is a sender that is gone, which is an end too.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Stops: closes every connection, also those in the midst of an answer, and waits for their end,
    /// which takes milliseconds.
    pub async fn stop(self) {
        self.shared.stop.send_replace(true);
        self.ended().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic on the thread was printed there; a drop has no one to tell.
            let _ = thread.join();
        }
    }
}

/// Opens the port and lays out the web.
fn open(
    mut web: Web,
    options: ServeOptions,
) -> Result<(StdListener, SocketAddr, Arc<Shared>), Error> {
    web.check()?;
    if options.http2 && !options.tls {
        return Err(Error::new(ErrorKind::Parameter, "http2 needs tls"));
    }
    if options.max_connections == 0 {
        return Err(Error::new(ErrorKind::Parameter, "max_connections"));
    }
    raise_file_limit();
    let wanted = SocketAddr::new(options.address, options.port);
    let failed = |error: io::Error| Error::new(ErrorKind::Listen, wanted.to_string()).caused(error);
    let listener = listen(wanted).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    web.tls = options.tls;
    web.public_port = web.public_port.or(Some(addr.port()));
    let tls = options
        .tls
        .then(|| Tls::new(&web, options.http2))
        .transpose()?;
    Ok((
        listener,
        addr,
        Arc::new(Shared::new(Plan::new(web), options, tls)),
    ))
}

fn listen(addr: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    // Accepted connections inherit both.
    socket.set_tcp_mss(SEGMENT_BYTES)?;
    socket.set_tcp_nodelay(true)?;
    // The machine's own way may be to pace what is sent, which on loopback is timers without a use. Where
    // there is no other the measurements only cost more.
    let _ = socket.set_tcp_congestion(b"cubic");
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn listener_of(listener: StdListener, addr: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::from_std(listener)
        .map_err(|error| Error::new(ErrorKind::Listen, addr.to_string()).caused(error))
}

/// Accepts until it is told to stop, then ends every connection.
async fn accept(listener: TcpListener, shared: Arc<Shared>, end: watch::Sender<bool>) {
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < shared.options.max_connections;
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, Arc::clone(&shared)));
                }
                // Out of files: some connections have to end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
    end.send_replace(true);
}
