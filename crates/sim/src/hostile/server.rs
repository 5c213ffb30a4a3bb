//! The hostile server as a whole: its ports, its thread, its journal.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection;
use super::journal::{HostileEntry, Journal};
use super::tls_faults::{Faults, TLS_FAULTS, TlsFault};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::limit::raise_file_limit;

const BACKLOG: i32 = 4_096;

/// How the hostile server is served.
#[derive(Debug, Clone)]
pub struct HostileOptions {
    /// The address to listen on. Default 127.0.0.1.
    pub address: IpAddr,
    /// The port to listen on; 0 is any. Default 0.
    pub port: u16,
    /// Whether the TLS faults are served, each on a port of its own. Default false.
    pub tls: bool,
    /// The port of the first TLS fault, the others follow; 0 is any for each. Default 0.
    pub tls_port_base: u16,
    /// The pause between two bytes of a slow answer. Default 1 s.
    pub drip: Duration,
    /// How long an answer that does not come is waited with. Default 120 s.
    pub hang: Duration,
    /// Bytes after which a body without end stops. Default 2 GiB.
    pub endless_bytes: u64,
    /// What Retry-After asks for. Default 2 s.
    pub retry_after: Duration,
    /// Connections at once on each port; those beyond wait to be accepted. Default 20,000.
    pub max_connections: usize,
}

impl Default for HostileOptions {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            tls: false,
            tls_port_base: 0,
            drip: Duration::from_secs(1),
            hang: Duration::from_secs(120),
            endless_bytes: 2 << 30,
            retry_after: Duration::from_secs(2),
            max_connections: 20_000,
        }
    }
}

/// What the connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: HostileOptions,
    pub(crate) port: u16,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) faults: Option<Faults>,
    connections: AtomicU64,
}

/// The hostile server, on a thread of its own. Dropping it ends every connection and waits for that
/// thread.
#[derive(Debug)]
pub struct HostileServer {
    shared: Arc<Shared>,
    addr: SocketAddr,
    tls_addrs: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// A port, and what is served there.
struct Port {
    listener: TcpListener,
    fault: Option<&'static TlsFault>,
}

impl HostileServer {
    /// Serves on a thread of its own with a single-threaded runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Listen`] where a port is taken, [`ErrorKind::Certificate`].
    pub fn start_in_thread(options: HostileOptions) -> Result<Self, Error> {
        raise_file_limit();
        let main = listen(&options, options.port)?;
        let addr = local(&main)?;
        let faults = options
            .tls
            .then(|| Faults::new(options.address))
            .transpose()?;
        let mut listeners = vec![(main, None)];
        let mut tls_addrs = Vec::new();
        for (number, fault) in TLS_FAULTS.iter().enumerate().filter(|_| options.tls) {
            let port = match options.tls_port_base {
                0 => 0,
                base => base.saturating_add(u16::try_from(number).unwrap_or(0)),
            };
            let listener = listen(&options, port)?;
            tls_addrs.push(local(&listener)?);
            listeners.push((listener, Some(fault)));
        }
        let shared = Arc::new(Shared {
            port: addr.port(),
            options,
            clock: Clock::start(),
            journal: Journal::default(),
            faults,
            connections: AtomicU64::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let thread = run(listeners, Arc::clone(&shared), stopped)
            .map_err(|error| Error::new(ErrorKind::Listen, addr.to_string()).caused(error))?;
        Ok(Self {
            shared,
            addr,
            tls_addrs,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens for plain HTTP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where each of the TLS faults is, in the order of [`TLS_FAULTS`]; empty without `tls`.
    pub fn tls_addrs(&self) -> &[SocketAddr] {
        &self.tls_addrs
    }

    /// The certificate of the authority that clients have to trust; none without `tls`.
    pub fn ca_pem(&self) -> Option<String> {
        self.shared
            .faults
            .as_ref()
            .map(|faults| faults.ca_pem.clone())
    }

    /// Every request so far, in the order of their arrival: up to 200,000.
    pub fn log(&self) -> Vec<HostileEntry> {
        self.shared.journal.entries()
    }

    /// Connections open at once at most so far.
    pub fn most_connections(&self) -> usize {
        self.shared.journal.most_open()
    }

    /// Connections accepted so far, on all ports.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic on the thread was printed there; a drop has no one to tell.
            let _ = thread.join();
        }
    }
}

fn listen(options: &HostileOptions, port: u16) -> Result<StdListener, Error> {
    let addr = SocketAddr::new(options.address, port);
    let open = || -> io::Result<StdListener> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    open().map_err(|error| Error::new(ErrorKind::Listen, addr.to_string()).caused(error))
}

fn local(listener: &StdListener) -> Result<SocketAddr, Error> {
    listener
        .local_addr()
        .map_err(|error| Error::new(ErrorKind::Listen, "its own address").caused(error))
}

fn run(
    listeners: Vec<(StdListener, Option<&'static TlsFault>)>,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ports = {
        let _inside = runtime.enter();
        let open = |(listener, fault)| {
            TcpListener::from_std(listener).map(|listener| Port { listener, fault })
        };
        listeners
            .into_iter()
            .map(open)
            .collect::<io::Result<Vec<_>>>()?
    };
    thread::Builder::new()
        .name("hostile-web".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let mut accepting = JoinSet::new();
                for port in ports {
                    accepting.spawn(accept(port, Arc::clone(&shared), stopped.clone()));
                }
                while accepting.join_next().await.is_some() {}
            });
        })
}

/// Accepts until it is told to stop, then ends every connection.
async fn accept(port: Port, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    // An error is a sender that is gone, which is an end too.
    let stopped = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    tokio::pin!(stopped);
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < shared.options.max_connections;
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = port.listener.accept(), if room => match accepted {
                Ok((stream, _)) => {
                    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let shared = Arc::clone(&shared);
                    match port.fault {
                        None => connections.spawn(connection::serve(stream, number, shared)),
                        Some(fault) => {
                            connections.spawn(super::tls_faults::serve(fault, stream, number, shared))
                        }
                    };
                }
                // Out of files: some connections have to end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    connections.shutdown().await;
}
