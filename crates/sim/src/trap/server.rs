//! The trap web on loopback: a thread for every connection, HTTP/1.1 with keep-alive.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::pages::Asked;
use super::{TrapCount, TrapSite};
use crate::error::{Error, ErrorKind};

/// Connections at once; further ones are closed.
const MOST_CONNECTIONS: usize = 512;
/// Bytes of a request's head.
const MOST_HEAD_BYTES: u64 = 64 * 1024;

/// The trap web being served. Dropping it ends it.
#[derive(Debug)]
pub struct TrapServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    is_ended: AtomicBool,
    open: AtomicUsize,
    asked: Mutex<BTreeMap<TrapSite, Noted>>,
}

/// What was asked of a site. The real pages are bounded by their number.
#[derive(Debug, Default)]
struct Noted {
    requests: u64,
    real: HashSet<u32>,
}

impl TrapServer {
    /// Serves on 127.0.0.1; port 0 is any.
    ///
    /// # Errors
    /// [`ErrorKind::Listen`] where the port is taken, or no thread can be started.
    pub fn start(port: u16) -> Result<TrapServer, Error> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed =
            |error: io::Error| Error::new(ErrorKind::Listen, wanted.to_string()).caused(error);
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            port: addr.port(),
            is_ended: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("traps".to_owned())
            .spawn(move || accept(&listener, &accepting))
            .map_err(failed)?;
        Ok(TrapServer {
            addr,
            shared,
            thread: Some(thread),
        })
    }

    /// Where it listens. Every host of the web has to be resolved to it.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The home page of a site.
    pub fn seed(&self, site: TrapSite) -> String {
        format!("http://{}.trap.test:{}/", site.name(), self.addr.port())
    }

    /// What was asked of a site since the last call for it; its counts begin anew.
    pub fn take_count(&self, site: TrapSite) -> TrapCount {
        let noted = self
            .shared
            .noted(|asked| asked.remove(&site))
            .unwrap_or_default();
        TrapCount {
            requests: noted.requests,
            real_pages: noted.real.len() as u64,
        }
    }
}

impl Drop for TrapServer {
    fn drop(&mut self) {
        self.shared.is_ended.store(true, Ordering::Release);
        // Wakes the accepting thread, which then sees that it is to end.
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn noted<T>(&self, look: impl FnOnce(&mut BTreeMap<TrapSite, Noted>) -> T) -> T {
        look(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.is_ended.load(Ordering::Acquire) {
            return;
        }
        if shared.open.fetch_add(1, Ordering::AcqRel) >= MOST_CONNECTIONS {
            shared.open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let own = Arc::clone(shared);
        let serving = thread::Builder::new().spawn(move || {
            // The error of one connection is nobody's.
            let _ = serve(&stream, &own);
            own.open.fetch_sub(1, Ordering::AcqRel);
        });
        if serving.is_err() {
            shared.open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Answers requests until the client has gone.
fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut stream = stream;
    while let Some((host, target)) = read_request(&mut reader)? {
        let answer = answer(&host, &target, shared);
        stream.write_all(&answer)?;
    }
    Ok(())
}

fn answer(host: &str, target: &str, shared: &Shared) -> Vec<u8> {
    let label = host.split('.').next().unwrap_or_default();
    let found = TrapSite::from_label(label).map(|site| {
        let asked = Asked {
            site,
            label,
            port: shared.port,
            target,
        };
        (site, asked.answer())
    });
    let (status, body) = match found {
        Some((site, answer)) => {
            if target != "/robots.txt" {
                shared.noted(|asked| {
                    let noted = asked.entry(site).or_default();
                    noted.requests += 1;
                    noted.real.extend(answer.real);
                });
            }
            (answer.status, answer.body)
        }
        None => (404, String::new()),
    };
    let reason = if status == 200 { "OK" } else { "Not Found" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The host and the target of the next request; `None` at the end.
fn read_request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, String)>> {
    let mut head = reader.take(MOST_HEAD_BYTES);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut host = String::new();
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some((host, target)));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut host);
        }
    }
}
