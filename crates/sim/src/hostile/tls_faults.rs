//! Handshakes that fail, each on a port of its own: certificates, protocols and silence.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::connection;
use super::server::Shared;
use crate::error::{Error, ErrorKind};

/// One fault of TLS, and what a crawl that trusts the server's authority records of it.
#[derive(Debug)]
pub struct TlsFault {
    /// Its name.
    pub name: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// The outcome's name.
    pub outcome: &'static str,
    /// A part of the error text; empty where there is no error.
    pub says: &'static str,
    /// Whether it is worth asking again: a certificate stays as it is.
    pub is_passing: bool,
    /// Whether `--insecure` fetches from it.
    pub is_fetched_insecurely: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A certificate; the number is its place in [`Faults::configs`].
    Certificate(usize),
    /// Answers the hello with the alert protocol_version, as servers of today do.
    OldAlert,
    /// Answers the hello with a hello of TLS 1.0, as servers of its time did.
    OldHello,
    /// Answers with HTTP in clear.
    PlainHttp,
    /// Never answers.
    Hangs,
    /// Closes once it has the hello.
    Cut,
}

/// Every fault, in the order of their ports; the first is none.
pub static TLS_FAULTS: &[TlsFault] = &[
    TlsFault {
        outcome: "fetched",
        ..certificate("good", "nothing", "", 0)
    },
    certificate(
        "expired",
        "the certificate has expired",
        "certificate expired on",
        1,
    ),
    certificate(
        "not-yet",
        "the certificate is not valid yet",
        "certificate is valid only from",
        2,
    ),
    certificate(
        "wrong-host",
        "the certificate is for another name",
        "certificate is for other names",
        3,
    ),
    certificate(
        "unknown-ca",
        "signed by an unknown authority",
        "signed by an unknown authority",
        4,
    ),
    certificate(
        "self-signed",
        "signed by itself",
        "certificate is signed by itself",
        5,
    ),
    fault(
        "old-protocol",
        "TLS 1.0 and 1.1 only: an alert",
        "refuses TLS 1.2 and 1.3",
        false,
        Kind::OldAlert,
    ),
    fault(
        "old-hello",
        "TLS 1.0 only: a hello of TLS 1.0",
        "older than TLS 1.2",
        false,
        Kind::OldHello,
    ),
    fault(
        "plain-http",
        "HTTP in clear on the port",
        "does not speak TLS",
        false,
        Kind::PlainHttp,
    ),
    TlsFault {
        outcome: "timed_out",
        ..fault(
            "hang",
            "never answers the hello",
            "in the TLS handshake",
            true,
            Kind::Hangs,
        )
    },
    fault(
        "cut",
        "closes in the midst of the handshake",
        "closed during the TLS handshake",
        true,
        Kind::Cut,
    ),
];

const fn fault(
    name: &'static str,
    what: &'static str,
    says: &'static str,
    is_passing: bool,
    kind: Kind,
) -> TlsFault {
    TlsFault {
        name,
        what,
        outcome: "tls_failed",
        says,
        is_passing,
        is_fetched_insecurely: false,
        kind,
    }
}

const fn certificate(
    name: &'static str,
    what: &'static str,
    says: &'static str,
    place: usize,
) -> TlsFault {
    TlsFault {
        is_fetched_insecurely: true,
        ..fault(name, what, says, false, Kind::Certificate(place))
    }
}

/// The certificates of a server, made when it starts.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) ca_pem: String,
    configs: Vec<Arc<ServerConfig>>,
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Faults {
    pub(crate) fn new(address: IpAddr) -> Result<Faults, Error> {
        let failed =
            |error: rcgen::Error| Error::new(ErrorKind::Certificate, "hostile").caused(error);
        let trusted = authority("Hostile test authority").map_err(failed)?;
        let unknown = authority("Unknown test authority").map_err(failed)?;
        let own = vec!["localhost".to_owned(), address.to_string()];
        let other = vec!["example.org".to_owned()];
        let leaves = [
            (&own, Some(&trusted), (2020, 2100)),
            (&own, Some(&trusted), (2020, 2021)),
            (&own, Some(&trusted), (2090, 2100)),
            (&other, Some(&trusted), (2020, 2100)),
            (&own, Some(&unknown), (2020, 2100)),
            (&own, None, (2020, 2100)),
        ];
        let configs = leaves
            .into_iter()
            .map(|(names, issuer, years)| leaf(names, issuer, years).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Faults {
            ca_pem: trusted.pem,
            configs,
        })
    }
}

fn authority(name: &str) -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok(Authority {
        pem,
        issuer: Issuer::new(params, key),
    })
}

/// A certificate for `names`, valid from the first to the last of the years.
fn leaf(
    names: &[String],
    issuer: Option<&Authority>,
    (first, last): (i32, i32),
) -> Result<ServerConfig, Error> {
    let made = || -> Result<_, rcgen::Error> {
        let mut params = CertificateParams::new(names.to_vec())?;
        let name = names.first().map_or("localhost", String::as_str);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = match issuer {
            Some(authority) => params.signed_by(&key, &authority.issuer)?,
            None => params.self_signed(&key)?,
        };
        Ok((certificate.der().clone(), key.serialize_der()))
    };
    let (certificate, key) =
        made().map_err(|error| Error::new(ErrorKind::Certificate, "hostile").caused(error))?;
    let failed = |error: rustls::Error| Error::new(ErrorKind::Certificate, "hostile").caused(error);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
        })
        .map_err(failed)
}

/// Serves one connection of a fault's port.
pub(crate) async fn serve(fault: &TlsFault, stream: TcpStream, number: u64, shared: Arc<Shared>) {
    // A handshake that fails is what this is for.
    let _ = handshake(fault.kind, stream, number, &shared).await;
}

async fn handshake(
    kind: Kind,
    mut stream: TcpStream,
    number: u64,
    shared: &Shared,
) -> io::Result<()> {
    if let Kind::Certificate(place) = kind {
        let configs = shared.faults.as_ref().map(|faults| &faults.configs);
        let Some(config) = configs.and_then(|configs| configs.get(place)) else {
            return Ok(());
        };
        let mut tls = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
        connection::serve_requests(&mut tls, number, shared).await?;
        return Ok(());
    }
    let mut hello = [0; 4096];
    let _ = stream.read(&mut hello).await?;
    match kind {
        // Alert, TLS 1.1, two bytes: fatal, protocol_version (RFC 5246 section 7.2).
        Kind::OldAlert => stream.write_all(&[21, 3, 2, 0, 2, 2, 70]).await?,
        Kind::OldHello => stream.write_all(&old_hello()).await?,
        Kind::PlainHttp => {
            let text = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(text.as_bytes()).await?;
        }
        Kind::Hangs => tokio::time::sleep(shared.options.hang).await,
        Kind::Cut | Kind::Certificate(_) => {}
    }
    stream.shutdown().await?;
    // Until the client has read it and gone.
    let _ = stream.read(&mut hello).await?;
    Ok(())
}

/// A ServerHello of TLS 1.0 (RFC 2246 section 7.4.1.3): no session, TLS_RSA_WITH_AES_128_CBC_SHA.
fn old_hello() -> Vec<u8> {
    let mut body = vec![3, 1];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 47, 0]);
    let length = u8::try_from(body.len()).unwrap_or(0);
    let mut record = vec![22, 3, 1, 0, length + 4, 2, 0, 0, length];
    record.extend_from_slice(&body);
    record
}
