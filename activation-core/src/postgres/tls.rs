//! How far a connection is protected.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How far the connection to a PostgreSQL server is protected: the `sslmode` of its URL.
///
/// Sockets of Unix have no TLS, whatever is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostgresTls {
    /// Nothing is encrypted.
    Disable,
    /// Encrypted where the server offers it, and without a look at its certificate: it keeps out
    /// those who listen, but not those who stand in between. What a URL without `sslmode` means.
    #[default]
    Prefer,
    /// Always encrypted, and only with a server whose certificate was issued for its host name by an
    /// authority that is trusted: the platform's, or those of
    /// [`ca_certificates`](crate::PostgresServer::ca_certificates). PostgreSQL's own library calls
    /// this `verify-full`; its `require` verifies nothing.
    Require,
}

/// A text without a certificate that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate, or one that cannot be read; expected PEM: -----BEGIN CERTIFICATE-----")]
pub struct NotACertificate;

/// Who vouches for servers.
#[derive(Clone)]
pub(super) enum Authorities {
    /// Whom the platform trusts.
    Platform,
    /// Those that the host gave, and nobody else.
    Given(Arc<RootCertStore>),
}

impl Authorities {
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, NotACertificate> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| NotACertificate)?;
            roots.add(certificate).map_err(|_| NotACertificate)?;
        }
        match roots.is_empty() {
            true => Err(NotACertificate),
            false => Ok(Self::Given(Arc::new(roots))),
        }
    }
}

/// How TLS begins, where the server offers it.
pub(super) fn connector(
    verifies: bool,
    authorities: &Authorities,
) -> Result<MakeRustlsConnect, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match authorities {
        _ if !verifies => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        }
        Authorities::Platform => builder.with_platform_verifier()?,
        Authorities::Given(roots) => builder.with_root_certificates(Arc::clone(roots)),
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

/// Takes any certificate. Without `require` whoever stands in between could refuse TLS altogether, so
/// that verifying would keep out honest servers only.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
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
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "hello", empty] {
            assert!(Authorities::from_pem(text.as_bytes()).is_err(), "{text}");
        }
    }
}
