//! The server: a listener and its connections on one thread of their own, each within bounds.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nephila::LiveCrawl;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::guard::Guard;
use crate::routes::{Desk, answer};
use crate::stored::Follower;
use crate::view::View;

/// Connections at once; the next one waits.
const MOST_CONNECTIONS: usize = 64;
/// Bytes of a request's head.
const MOST_HEAD: usize = 16 * 1024;
/// How long a client may take to send a head, and a connection may stay without a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may stay, whatever it does.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(600);
/// Seeds that are shown.
const MOST_SEEDS: usize = 5;

/// What is shown.
#[derive(Debug)]
pub enum Watched {
    /// A crawl that this process runs, which can be paused, changed and stopped.
    Live(Box<LiveCrawl>),
    /// A crawl directory: of a crawl that ended, or that another process runs. It is read only.
    Stored(PathBuf),
}

/// Where, and for whom.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Port 0 takes any that is free.
    pub address: SocketAddr,
    /// What whoever asks for data has to know. Where the address is not of loopback there has to be one.
    pub token: Option<String>,
    /// Other names, without port, under which the server may be asked.
    pub hosts: Vec<String>,
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something listens there already.
    #[error(
        "{0} is taken: another crawl may be shown there; choose another port (--serve 127.0.0.1:PORT), or 0 for any \
         that is free"
    )]
    Taken(SocketAddr),
    /// The address is not of loopback, and no token is asked for.
    #[error("{0} can be reached from other machines: that takes a token (--serve-token)")]
    Open(SocketAddr),
    /// Anything else.
    #[error("cannot serve at {0}: {1}")]
    Failed(
        SocketAddr,
        #[source] Box<dyn std::error::Error + Send + Sync>,
    ),
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    desk: Arc<Desk>,
    is_over: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Where the views come from.
pub(crate) enum Source {
    Live(Box<LiveCrawl>, Arc<[String]>),
    Stored(Follower),
}

impl Source {
    fn of(watched: Watched) -> Result<Source, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match watched {
            Watched::Live(crawl) => {
                let (mut seeds, _) = crawl.directory().read_config()?;
                seeds.truncate(MOST_SEEDS);
                Source::Live(crawl, seeds.into())
            }
            Watched::Stored(root) => Source::Stored(Follower::start(root)?),
        })
    }

    /// What is shown now.
    ///
    /// # Errors
    /// Why the directory cannot be read.
    pub(crate) fn view(&self) -> Result<Arc<View>, String> {
        match self {
            Source::Live(crawl, seeds) => Ok(Arc::new(View::of_live(crawl, seeds))),
            Source::Stored(follower) => follower.view(),
        }
    }
}

/// An address that is taken for a server that begins later.
#[derive(Debug)]
pub struct Bound {
    listener: StdListener,
    options: ServeOptions,
}

impl Bound {
    /// Takes the address; nothing is answered before [`Bound::show`].
    ///
    /// # Errors
    /// [`ServeError`]; nothing listens then.
    pub fn take(options: &ServeOptions) -> Result<Bound, ServeError> {
        let wanted = options.address;
        if !wanted.ip().is_loopback() && options.token.is_none() {
            return Err(ServeError::Open(wanted));
        }
        let listener = StdListener::bind(wanted).map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => ServeError::Taken(wanted),
            _ => ServeError::Failed(wanted, error.into()),
        })?;
        Ok(Bound {
            listener,
            options: options.clone(),
        })
    }

    /// Answers on a thread of its own from now on.
    ///
    /// # Errors
    /// [`ServeError::Failed`] where a directory is no crawl directory, or there is no thread.
    pub fn show(self, watched: Watched) -> Result<Server, ServeError> {
        let failed = |error| ServeError::Failed(self.options.address, error);
        let source = Source::of(watched).map_err(failed)?;
        let guard = Guard {
            names: self
                .options
                .hosts
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            token: self.options.token.clone(),
        };
        let desk = Arc::new(Desk::new(source, guard));
        Server::run(self.listener, desk).map_err(|error| failed(error.into()))
    }
}

impl Server {
    /// Takes the address, and answers.
    ///
    /// # Errors
    /// As [`Bound::take`] and [`Bound::show`].
    pub fn start(watched: Watched, options: &ServeOptions) -> Result<Server, ServeError> {
        Bound::take(options)?.show(watched)
    }

    fn run(listener: StdListener, desk: Arc<Desk>) -> std::io::Result<Server> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // One question (`why`) is answered from the disk at a time.
            .max_blocking_threads(1)
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (is_over, over) = watch::channel(false);
        let accepting = accept(listener, desk.clone(), over);
        let thread = std::thread::Builder::new()
            .name("serve".to_owned())
            .spawn(move || {
                runtime.block_on(accepting);
                // A question that is being answered may take long; nobody waits for it any more.
                runtime.shutdown_background();
            })?;
        Ok(Server {
            address,
            desk,
            is_over,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page, for a browser on this machine.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}/")
    }

    /// Ends the server after the crawl has ended: pages that are open get to know of the end before, which
    /// takes a second, and three at most.
    pub fn finish(self) {
        const LONGEST: Duration = Duration::from_secs(3);
        self.desk.wait_until_told(LONGEST);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there would be a bug that a test shows; the crawl is not to suffer for it.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>, mut over: watch::Receiver<bool>) {
    const PAUSE: Duration = Duration::from_millis(100);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            _ = over.changed() => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = over.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, desk.clone(), place));
            }
            // No file is left for it, or it has gone again: neither is for ever.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>, _place: OwnedSemaphorePermit) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answer(&desk, local.ip(), request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // What breaks a connection is the client's matter.
    let _ = tokio::time::timeout(CONNECTION_LIFETIME, connection).await;
}
