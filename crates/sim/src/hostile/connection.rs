//! The life of one connection to the hostile server.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::behaviour::behaviours;
use super::journal::{Ended, HostileEntry};
use super::reply::{Asked, End, Reply, Step, framed};
use super::server::Shared;

/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Where the server tells how many connections it has.
const STATE_PATH: &str = "/control/state";

/// Answers requests until an answer ends the connection or the client does.
pub(crate) async fn serve(mut stream: TcpStream, number: u64, shared: Arc<Shared>) {
    shared.journal.connected();
    // A client that leaves is what the server is there to see: the journal has it.
    if let Ok(End::Reset) = serve_requests(&mut stream, number, &shared).await {
        // Without lingering a close is a reset.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
    shared.journal.disconnected();
}

/// The same over any stream, which ends as it is dropped.
pub(crate) async fn serve_requests<S>(
    stream: &mut S,
    number: u64,
    shared: &Shared,
) -> io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = BytesMut::new();
    loop {
        let Some(head) = read_head(stream, &mut buffer).await? else {
            return Ok(End::Close);
        };
        let end = answer(stream, &head, number, shared).await?;
        if end != End::KeepAlive {
            if end == End::Close {
                stream.shutdown().await?;
            }
            return Ok(end);
        }
    }
}

async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> io::Result<Option<Bytes>> {
    const END: &[u8] = b"\r\n\r\n";
    loop {
        if let Some(place) = buffer.windows(END.len()).position(|window| window == END) {
            let head = buffer.split_to(place).freeze();
            buffer.advance(END.len());
            return Ok(Some(head));
        }
        if buffer.len() > MAX_HEAD_BYTES || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &[u8],
    connection: u64,
    shared: &Shared,
) -> io::Result<End> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let target = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or("/")
        .to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.get(name).cloned();
    let (place, asked_before) = shared.journal.note(HostileEntry {
        connection,
        micros: shared.clock.micros(),
        host: header("host").unwrap_or_default(),
        target: target.clone(),
        cookie: header("cookie"),
        authorization: header("authorization"),
        bytes_sent: 0,
        ended: Ended::UnderWay,
    });
    let asked = Asked {
        target: &target,
        headers: &headers,
        asked_before,
        port: shared.port,
        unix_seconds: shared.clock.unix_seconds(),
        options: &shared.options,
    };
    let reply = match target.as_str() {
        STATE_PATH => state(shared),
        _ => reply_of(&asked),
    };
    let mut sent = 0;
    let written = play(stream, reply.steps, &mut sent, shared).await;
    let ended = match (&written, reply.end) {
        (Err(_), _) => Ended::ClientLeft,
        (Ok(()), End::KeepAlive) => Ended::Kept,
        (Ok(()), End::Close) => Ended::Closed,
        (Ok(()), End::Reset) => Ended::Reset,
    };
    shared.journal.progress(place, sent, ended);
    written.map(|()| reply.end)
}

fn reply_of(asked: &Asked<'_>) -> Reply {
    let path = asked.target.split('?').next().unwrap_or_default();
    let exact = behaviours().find(|behaviour| behaviour.path == path);
    // The path trap grows below its own path.
    let below = || behaviours().find(|of| of.path == "/trap-path" && path.starts_with(of.path));
    match exact.or_else(below) {
        Some(behaviour) => (behaviour.reply)(asked),
        None if path == "/" => index(),
        None => framed(
            "404 Not Found\nContent-Type: text/html",
            "no such behaviour",
        ),
    }
}

/// Counts so far, as JSON: for programs that measure.
fn state(shared: &Shared) -> Reply {
    let body = format!(
        "{{\"open\":{},\"most_open\":{}}}",
        shared.journal.open(),
        shared.journal.most_open()
    );
    framed("200 OK\nContent-Type: application/json", body).closing()
}

/// Links to everything but what must not be asked for.
fn index() -> Reply {
    let links: String = behaviours()
        .filter(|behaviour| !behaviour.outcome.is_empty())
        .map(|behaviour| format!("<a href={0}>{0}</a>\n", behaviour.path))
        .collect();
    super::reply::html(links)
}

async fn play<S: AsyncWrite + Unpin>(
    stream: &mut S,
    steps: Vec<Step>,
    sent: &mut u64,
    shared: &Shared,
) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => send(stream, &bytes, sent).await?,
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Drip { bytes, every, most } => {
                let until = shared.clock.micros() + micros(most);
                for byte in bytes.iter().cycle() {
                    if shared.clock.micros() >= until {
                        break;
                    }
                    send(stream, &[*byte], sent).await?;
                    tokio::time::sleep(every).await;
                }
            }
            Step::Repeat {
                piece,
                most_bytes,
                most,
            } => {
                let until = shared.clock.micros() + micros(most);
                while *sent < most_bytes && shared.clock.micros() < until {
                    send(stream, &piece, sent).await?;
                    // Others have their turn, however fast the client reads.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
    Ok(())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    bytes: &[u8],
    sent: &mut u64,
) -> io::Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        let count = stream.write(left).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *sent += count as u64;
        left = left.get(count..).unwrap_or_default();
    }
    stream.flush().await
}
