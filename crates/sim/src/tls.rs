//! Certificates of the test web's own authority.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::{Error, ErrorKind};
use crate::plan::Plan;
use crate::web::Web;

/// One certificate for all hosts: a wildcard below the domain, the domain itself, `localhost` and the
/// loopback addresses. Keys are new each time, the only thing here that does not follow from the seed.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) ca_pem: String,
    http1: Arc<ServerConfig>,
    /// With HTTP/2 offered by ALPN.
    http2: Option<Arc<ServerConfig>>,
}

impl Tls {
    pub(crate) fn new(web: &Web, offer_http2: bool) -> Result<Self, Error> {
        let (ca_pem, chain, key) = certificates(&web.domain)
            .map_err(|error| Error::new(ErrorKind::Certificate, &web.domain).caused(error))?;
        let config = |protocols: &[&[u8]]| {
            server_config(&chain, &key, protocols)
                .map(Arc::new)
                .map_err(|error| Error::new(ErrorKind::Certificate, &web.domain).caused(error))
        };
        let http1 = config(&[b"http/1.1"])?;
        let http2 = offer_http2
            .then(|| config(&[b"h2", b"http/1.1"]))
            .transpose()?;
        Ok(Self {
            ca_pem,
            http1,
            http2,
        })
    }

    /// Shakes hands; which protocols are offered follows from the name that the client asks for.
    pub(crate) async fn accept(
        &self,
        plan: &Plan,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        let host = hello
            .server_name()
            .and_then(|name| plan.web.host_number(name));
        let config = match &self.http2 {
            Some(http2) if !host.is_some_and(|host| plan.is_http1_only(host)) => http2,
            _ => &self.http1,
        };
        start.into_stream(Arc::clone(config)).await
    }
}

type Certificates = (
    String,
    Vec<CertificateDer<'static>>,
    PrivatePkcs8KeyDer<'static>,
);

fn certificates(domain: &str) -> Result<Certificates, rcgen::Error> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name
        .push(DnType::CommonName, "Nephila simulated web");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let names = [
        &format!("*.{domain}"),
        domain,
        "localhost",
        "127.0.0.1",
        "::1",
    ];
    let mut leaf = CertificateParams::new(names.map(str::to_owned))?;
    leaf.distinguished_name.push(DnType::CommonName, domain);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let ca_pem = ca_certificate.pem();
    let leaf = leaf.signed_by(&leaf_key, &Issuer::new(ca, ca_key))?;
    Ok((
        ca_pem,
        vec![leaf.der().clone()],
        leaf_key.serialize_der().into(),
    ))
}

fn server_config(
    chain: &[CertificateDer<'static>],
    key: &PrivatePkcs8KeyDer<'static>,
    protocols: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let key = PrivateKeyDer::Pkcs8(key.clone_key());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.to_vec(), key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    // Tickets keep the state at the client: resumption for any number of hosts, no memory here.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}
