//! Verifying certificates by the web's rules, and telling one signed by itself from one whose authority
//! is unknown: the first is a server's set-up, the second may be an impostor.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use crate::error::{Error, ErrorKind};

/// Why a certificate with an unknown issuer is refused, where it is its own issuer.
#[derive(Debug)]
pub(crate) struct SelfSigned;

impl fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("signed by itself")
    }
}

impl std::error::Error for SelfSigned {}

/// rustls's own verifier, whose word always counts; only the reason of a refusal is told more exactly.
#[derive(Debug)]
pub(crate) struct TellingVerifier {
    inner: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
}

impl TellingVerifier {
    /// Verifies against `roots`.
    pub(crate) fn over(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<TellingVerifier>, Error> {
        let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| Error::new(ErrorKind::Tls, format!("TLS: {error}")).because(error))?;
        Ok(Arc::new(TellingVerifier { inner, provider }))
    }
}

impl ServerCertVerifier for TellingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let is_own = |certificate: &CertificateDer<'_>| {
            is_self_signed(certificate, server_name, now, &self.provider)
        };
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| match error {
                error if error == unknown && is_own(end_entity) => {
                    let why = OtherError(Arc::new(SelfSigned));
                    rustls::Error::InvalidCertificate(CertificateError::Other(why))
                }
                error => error,
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whether a certificate is verified by its own key: enough to word a refusal that stands already.
fn is_self_signed(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
    provider: &Arc<CryptoProvider>,
) -> bool {
    let mut own = RootCertStore::empty();
    if own.add(certificate.clone().into_owned()).is_err() {
        return false;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(own), Arc::clone(provider)).build();
    let Ok(verifier) = verifier else { return false };
    // Of any other fault (its names, its time) is told only once the signature was found right.
    !matches!(
        verifier.verify_server_cert(certificate, &[], name, &[], now),
        Err(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        ))
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn certificates_signed_by_themselves_are_told() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let name = ServerName::try_from("a.test").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let is_own = |der: &CertificateDer<'_>| is_self_signed(der, &name, now, &provider);
        let params = || rcgen::CertificateParams::new(vec!["b.test".to_owned()]).unwrap();
        let key = || rcgen::KeyPair::generate().unwrap();
        let alone = params().self_signed(&key()).unwrap();
        assert!(is_own(alone.der()), "whatever its names");
        // An issuer of the very same name, with another key.
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::Issuer::new(authority, key());
        let leaf = params().signed_by(&key(), &issuer).unwrap();
        assert!(!is_own(leaf.der()));
        assert!(!is_own(&CertificateDer::from(b"none".to_vec())));
    }
}
