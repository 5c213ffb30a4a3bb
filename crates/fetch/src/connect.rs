//! From a target to a connected stream: addresses, the rules that they are held against, connecting,
//! a proxy's tunnel and TLS.

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::address::is_public;
use crate::deadline::Deadline;
use crate::dns::DnsResolver;
use crate::error::{FetchErrorKind, Stage};
use crate::failure::Failure;
use crate::limits::{AddressLimit, AddressPermit};
use crate::progress::Progress;
use crate::proxy::{ProxyServer, literal};
use crate::shared::Shared;
use crate::stream::Carrier;
use crate::target::Target;

/// How long the first addresses have before the next is tried beside them (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of a host that are tried.
const ADDRESSES_TRIED: usize = 6;
/// The longest answer of a proxy to CONNECT, in bytes.
const TUNNEL_HEAD_BYTES_MAX: usize = 8 * 1024;

/// A stream that is ready for HTTP.
pub(crate) struct Transport {
    pub(crate) carrier: Carrier,
    pub(crate) remote: SocketAddr,
    pub(crate) http2: bool,
    pub(crate) permit: AddressPermit,
}

/// Connects for `target`: every address was held against the rules, and no name is looked up again
/// in between.
pub(crate) async fn open(
    shared: &Shared,
    dns: &DnsResolver,
    target: &Target<'_>,
    deadline: Deadline,
    progress: &mut Progress<'_>,
) -> Result<Transport, Failure> {
    let addresses = match target.proxy {
        Some(proxy) => proxy_addresses(shared, dns, proxy, deadline, progress).await,
        None => target_addresses(shared, dns, target, deadline, progress).await,
    }?;

    progress.enter(Stage::Connect);
    let limit = shared.config.connect_timeout;
    let connecting = connect(shared, target, &addresses);
    let (tcp, remote, permit) = deadline.run(Stage::Connect, limit, connecting).await??;
    progress.remote = Some(remote);
    if !target.secure {
        return Ok(Transport {
            carrier: Carrier::Plain(tcp),
            remote,
            http2: false,
            permit,
        });
    }

    let tcp = match target.proxy {
        None => tcp,
        Some(proxy) => {
            let tunnel = open_tunnel(tcp, target, proxy);
            deadline.run(Stage::Connect, limit, tunnel).await??
        }
    };

    progress.enter(Stage::Tls);
    let handshake = crate::tls::handshake(&shared.tls, target.host, tcp);
    let tls = deadline
        .run(Stage::Tls, shared.config.tls_timeout, handshake)
        .await??;
    let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(Transport {
        carrier: Carrier::Tls(Box::new(tls)),
        remote,
        http2,
        permit,
    })
}

/// The target's addresses: from the user's rules, the URL itself, or the name servers; in the last
/// two cases only those that the rules permit.
async fn target_addresses(
    shared: &Shared,
    dns: &DnsResolver,
    target: &Target<'_>,
    deadline: Deadline,
    progress: &mut Progress<'_>,
) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(address) = resolve(shared, target.host, target.literal.is_some(), target.port) {
        return Ok(vec![address]);
    }
    let addresses = match target.literal {
        Some(address) => Arc::new([address]),
        None => look_up(shared, dns, target.host, deadline, progress).await?,
    };
    permitted(shared, target, &addresses)
}

/// Those of the addresses that may be connected to, in the order in which they are tried. A name that
/// has both kinds is asked at its public ones only.
fn permitted(
    shared: &Shared,
    target: &Target<'_>,
    addresses: &[IpAddr],
) -> Result<Vec<SocketAddr>, Failure> {
    let permitted: Vec<IpAddr> = addresses
        .iter()
        .copied()
        .filter(|address| shared.permits(target, *address))
        .collect();
    match addresses.first() {
        Some(first) if permitted.is_empty() => Err(Failure::blocked(*first)),
        _ => Ok(alternate(&permitted, target.port)),
    }
}

/// Holds a target behind a proxy against the rules, for each request: requests to many hosts share one
/// connection to a proxy. Its name is looked up for this alone. The proxy looks it up again and may
/// be told something else; and where names cannot be looked up here, the proxy alone decides.
pub(crate) async fn check_proxied(
    shared: &Shared,
    dns: &DnsResolver,
    target: &Target<'_>,
    deadline: Deadline,
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    if shared.permits_any(target) {
        return Ok(());
    }
    let addresses = match target.literal {
        Some(address) => Arc::new([address]),
        None if resolve(shared, target.host, false, target.port).is_some() => return Ok(()),
        None => match look_up(shared, dns, target.host, deadline, progress).await {
            Ok(addresses) => addresses,
            Err(failure) if failure.kind == FetchErrorKind::AddressBusy => return Err(failure),
            Err(_) => return Ok(()),
        },
    };
    // Which of them the proxy takes is not known.
    match addresses.iter().find(|address| !is_public(**address)) {
        Some(address) => Err(Failure::blocked(*address)),
        None => Ok(()),
    }
}

/// The proxy's addresses, which the user vouches for.
async fn proxy_addresses(
    shared: &Shared,
    dns: &DnsResolver,
    proxy: &ProxyServer,
    deadline: Deadline,
    progress: &mut Progress<'_>,
) -> Result<Vec<SocketAddr>, Failure> {
    let own = literal(&proxy.host);
    if let Some(address) = resolve(shared, &proxy.host, own.is_some(), proxy.port) {
        return Ok(vec![address]);
    }
    if let Some(address) = own {
        return Ok(vec![SocketAddr::new(address, proxy.port)]);
    }
    match look_up(shared, dns, &proxy.host, deadline, progress).await {
        Ok(addresses) => Ok(alternate(&addresses, proxy.port)),
        Err(failure) if failure.kind == FetchErrorKind::AddressBusy => Err(failure),
        Err(failure) => Err(proxy_failure(proxy, &failure.message).because(failure.message)),
    }
}

fn resolve(shared: &Shared, host: &str, is_literal: bool, port: u16) -> Option<SocketAddr> {
    shared
        .config
        .resolve
        .iter()
        .find_map(|rule| rule.resolve(host, is_literal, port))
}

async fn look_up(
    shared: &Shared,
    dns: &DnsResolver,
    host: &str,
    deadline: Deadline,
    progress: &mut Progress<'_>,
) -> Result<Arc<[IpAddr]>, Failure> {
    progress.enter(Stage::Dns);
    dns.lookup(shared, host, progress.now(), deadline).await
}

/// IPv6 and IPv4 in turn, beginning with the family of the first (RFC 8305 section 4).
fn alternate(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let mut same = addresses
        .iter()
        .filter(|address| address.is_ipv6() == first_is_v6);
    let mut other = addresses
        .iter()
        .filter(|address| address.is_ipv6() != first_is_v6);
    let mut order = Vec::with_capacity(addresses.len().min(ADDRESSES_TRIED));
    while order.len() < ADDRESSES_TRIED {
        let before = order.len();
        order.extend(same.next().map(|address| SocketAddr::new(*address, port)));
        order.extend(other.next().map(|address| SocketAddr::new(*address, port)));
        if order.len() == before {
            break;
        }
    }
    order.truncate(ADDRESSES_TRIED);
    order
}

type Connected = (TcpStream, SocketAddr, AddressPermit);
type Attempt<'a> = Pin<Box<dyn Future<Output = Result<Connected, Failure>> + 'a>>;

/// Tries `addresses` in order, the next one when the last has failed or had its head start; the first
/// that connects wins and the others are dropped.
async fn connect(
    shared: &Shared,
    target: &Target<'_>,
    addresses: &[SocketAddr],
) -> Result<Connected, Failure> {
    let mut waiting = addresses.iter();
    let mut attempts: Vec<Attempt<'_>> = Vec::with_capacity(addresses.len());
    let mut failed = None;
    loop {
        attempts.extend(
            waiting
                .next()
                .map(|address| start(shared, target, *address)),
        );
        if attempts.is_empty() {
            let nothing = || Failure::new(FetchErrorKind::ConnectFailed, "the host has no address");
            return Err(failed.unwrap_or_else(nothing));
        }
        tokio::select! {
            biased;
            outcome = first_of(&mut attempts) => match outcome {
                Ok(connected) => return Ok(connected),
                Err(failure) => failed = Some(more_telling(failed, failure)),
            },
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

fn start<'a>(shared: &'a Shared, target: &'a Target<'_>, address: SocketAddr) -> Attempt<'a> {
    Box::pin(async move {
        // A proxy is not the site whose operator would mind.
        let limit = shared
            .address_limit
            .as_ref()
            .filter(|_| target.proxy.is_none());
        let permit = match limit {
            None => AddressPermit::default(),
            Some(limit) => AddressLimit::acquire(limit, address.ip()).ok_or_else(address_busy)?,
        };
        let tcp = TcpStream::connect(address)
            .await
            .map_err(|error| match target.proxy {
                None => Failure::connect(error, address),
                Some(proxy) => Failure::no_socket(&error)
                    .unwrap_or_else(|| proxy_failure(proxy, &error.to_string()))
                    .because(error),
            })?;
        // Requests are small and written whole: waiting for more (Nagle) would only delay them.
        // Where it cannot be set the connection still works.
        let _ = tcp.set_nodelay(true);
        Ok((tcp, address, permit))
    })
}

/// The first attempt that ends, which is taken out of `attempts`.
async fn first_of(attempts: &mut Vec<Attempt<'_>>) -> Result<Connected, Failure> {
    poll_fn(|cx| {
        for (index, attempt) in attempts.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = attempt.as_mut().poll(cx) {
                drop(attempts.remove(index));
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    })
    .await
}

/// A busy address is worth asking again, whatever became of the host's other addresses.
fn more_telling(earlier: Option<Failure>, later: Failure) -> Failure {
    match earlier {
        Some(earlier) if earlier.kind == FetchErrorKind::AddressBusy => earlier,
        _ => later,
    }
}

pub(crate) fn address_busy() -> Failure {
    let message = "as many exchanges as allowed are with this address already";
    Failure::new(FetchErrorKind::AddressBusy, message)
}

/// Asks the proxy for a tunnel to the target (RFC 9110 section 9.3.6).
async fn open_tunnel(
    mut tcp: TcpStream,
    target: &Target<'_>,
    proxy: &ProxyServer,
) -> Result<TcpStream, Failure> {
    let lost = |error: std::io::Error| proxy_failure(proxy, &error.to_string()).because(error);
    let to = format!("{}:{}", target.host, target.port);
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
    if let Some(value) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    tcp.write_all(&request).await.map_err(lost)?;

    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= TUNNEL_HEAD_BYTES_MAX {
            return Err(proxy_failure(proxy, "its answer to CONNECT is too long").lasting());
        }
        // Byte by byte, so that nothing of the tunnel is taken; the answer is short and comes once.
        head.push(tcp.read_u8().await.map_err(lost)?);
    }
    match tunnel_status(&head) {
        Some(200..=299) => Ok(tcp),
        Some(407) => Err(wants_credentials(proxy)),
        Some(status) => Err(proxy_failure(
            proxy,
            &format!("it answered {status} to CONNECT {to}"),
        )),
        None => Err(proxy_failure(proxy, "its answer to CONNECT is not HTTP").lasting()),
    }
}

fn tunnel_status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    words
        .next()
        .filter(|version| version.starts_with("HTTP/1."))?;
    words
        .next()
        .filter(|status| status.len() == 3)?
        .parse()
        .ok()
}

fn proxy_failure(proxy: &ProxyServer, words: &str) -> Failure {
    Failure::new(
        FetchErrorKind::ProxyFailed,
        &format!("proxy {proxy}: {words}"),
    )
}

/// The proxy answered 407.
pub(crate) fn wants_credentials(proxy: &ProxyServer) -> Failure {
    proxy_failure(proxy, "it wants a user name and password (407)").lasting()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let list: Vec<IpAddr> = ["::1", "::2", "::3", "1.0.0.1", "1.0.0.2"].map(ip).to_vec();
        let order: Vec<String> = alternate(&list, 80)
            .iter()
            .map(|address| address.ip().to_string())
            .collect();
        assert_eq!(order, ["::1", "1.0.0.1", "::2", "1.0.0.2", "::3"]);
        assert_eq!(alternate(&[], 80), []);
        let many: Vec<IpAddr> = (0..20).map(|n| IpAddr::from([1, 0, 0, n])).collect();
        assert_eq!(alternate(&many, 80).len(), ADDRESSES_TRIED);
    }

    #[test]
    fn a_name_with_both_kinds_of_address_is_asked_at_the_public_ones() {
        let clock: crate::Clock = Arc::new(Duration::default);
        let shared = Shared::new(crate::FetchConfig::default(), clock).unwrap();
        let url = url::Url::parse("http://both.test/").unwrap();
        let target = Target::of(&url, None).unwrap();
        let ips = |list: &[&str]| -> Vec<IpAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        let both = ips(&[
            "10.0.0.1",
            "8.8.8.8",
            "::1",
            "169.254.169.254",
            "2606:4700::1",
        ]);
        let asked = permitted(&shared, &target, &both).unwrap();
        let asked: Vec<String> = asked.iter().map(SocketAddr::to_string).collect();
        assert_eq!(asked, ["8.8.8.8:80", "[2606:4700::1]:80"]);
        let none = permitted(&shared, &target, &ips(&["10.0.0.1", "::1"])).unwrap_err();
        assert!(matches!(none.kind, FetchErrorKind::BlockedAddress(_)));
    }

    #[test]
    fn the_status_of_a_tunnel() {
        assert_eq!(
            tunnel_status(b"HTTP/1.1 200 Connection established\r\n\r\n"),
            Some(200)
        );
        assert_eq!(tunnel_status(b"HTTP/1.0 407\r\nX: y\r\n\r\n"), Some(407));
        for bad in [
            "\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 2000\r\n\r\n",
        ] {
            assert_eq!(tunnel_status(bad.as_bytes()), None, "{bad}");
        }
    }
}
