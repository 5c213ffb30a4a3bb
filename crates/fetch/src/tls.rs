//! TLS: rustls with the web's root certificates, and its errors in plain words.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage,
    PeerIncompatible, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::FetchConfig;
use crate::error::{Error, ErrorKind, FetchErrorKind};
use crate::failure::Failure;
use crate::verify::{SelfSigned, TellingVerifier};

/// Hosts whose sessions are kept for resumption, which saves 60 % of a handshake's CPU. A host costs
/// some 10 kB (two tickets, each with the certificates).
const SESSIONS: usize = 2048;
/// Names of a wrong certificate that an error lists.
const NAMES_LISTED: usize = 5;

/// The one TLS configuration of all threads.
pub(crate) fn client_config(config: &FetchConfig) -> Result<Arc<ClientConfig>, Error> {
    // The provider is passed explicitly: a library must not depend on a process-wide default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Tls, format!("TLS: {error}")).because(error))?;
    let verifier: Arc<dyn ServerCertVerifier> = if config.verify_tls {
        let roots = Arc::new(roots(config.ca_file.as_deref())?);
        TellingVerifier::over(roots, provider)?
    } else {
        Arc::new(TrustingVerifier { provider })
    };
    let mut tls = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.resumption = Resumption::in_memory_sessions(SESSIONS);
    tls.alpn_protocols = match config.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(Arc::new(tls))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let Some(path) = ca_file else {
        return Ok(roots);
    };
    let refuse = |words: &str| {
        let message = format!(
            "certificate file {}: {words}; give a PEM file with at least one CERTIFICATE",
            path.display()
        );
        Error::new(ErrorKind::CertificateFile, message)
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| refuse(&format!("cannot be read ({error})")).because(error))?;
    let mut count = 0;
    for certificate in certificates {
        let certificate =
            certificate.map_err(|error| refuse(&format!("is not PEM ({error})")).because(error))?;
        roots.add(certificate).map_err(|error| {
            refuse(&format!(
                "certificate {} cannot be used ({error})",
                count + 1
            ))
            .because(error)
        })?;
        count += 1;
    }
    if count == 0 {
        return Err(refuse("has no certificate"));
    }
    Ok(roots)
}

/// Does the handshake for `host` (as in a URL) over `tcp`.
pub(crate) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    // Certificates have no trailing dot, and addresses no brackets.
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(['.', ']'])
        .to_owned();
    let name = ServerName::try_from(bare).map_err(|error| {
        let message = format!("`{host}` cannot have a certificate: {error}");
        Failure::new(FetchErrorKind::TlsFailed, &message).lasting()
    })?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector
        .connect(name, tcp)
        .await
        .map_err(handshake_failure)
}

fn handshake_failure(error: io::Error) -> Failure {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let failure = match tls {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            Failure::new(FetchErrorKind::TlsFailed, &certificate_words(reason)).lasting()
        }
        Some(rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)) => {
            let message =
                "TLS handshake failed: the server refuses TLS 1.2 and 1.3; older ones are not safe";
            Failure::new(FetchErrorKind::TlsFailed, message).lasting()
        }
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => {
            let message = "TLS handshake failed: the server has only versions older than TLS 1.2";
            Failure::new(FetchErrorKind::TlsFailed, message).lasting()
        }
        // The first bytes are no record of TLS: mostly it is HTTP in clear.
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            let message = "TLS handshake failed: the server does not speak TLS on this port";
            Failure::new(FetchErrorKind::TlsFailed, message).lasting()
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            let message = format!("TLS handshake refused by the server ({alert:?})");
            Failure::new(FetchErrorKind::TlsFailed, &message).lasting()
        }
        Some(other) => {
            let message = format!("TLS handshake failed: {other}");
            Failure::new(FetchErrorKind::TlsFailed, &message).lasting()
        }
        None => {
            let message = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    "connection closed during the TLS handshake".to_owned()
                }
                _ => format!("connection lost during the TLS handshake: {error}"),
            };
            Failure::new(FetchErrorKind::TlsFailed, &message)
        }
    };
    failure.because(error)
}

fn certificate_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("certificate expired on {}", date(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("certificate is valid only from {}", date(*not_before))
        }
        CertificateError::Expired => "certificate expired".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "certificate is for no name at all".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented
                .iter()
                .take(NAMES_LISTED)
                .map(|name| bare_name(name))
                .collect();
            let more = if presented.len() > names.len() {
                ", ..."
            } else {
                ""
            };
            format!("certificate is for other names: {}{more}", names.join(", "))
        }
        CertificateError::UnknownIssuer => {
            "certificate is signed by an unknown authority".to_owned()
        }
        CertificateError::Other(other) if other.0.is::<SelfSigned>() => {
            "certificate is signed by itself".to_owned()
        }
        CertificateError::Revoked => "certificate was revoked".to_owned(),
        other => format!("certificate is not valid: {other}"),
    }
}

/// rustls lists names as `DnsName("example.com")`.
fn bare_name(presented: &str) -> &str {
    let inner = presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest);
    inner.trim_matches(['"', ')'])
}

fn date(time: UnixTime) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs()))
}

/// Takes any certificate, because the user said so; still checks that the server has its key.
#[derive(Debug)]
struct TrustingVerifier {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustingVerifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
