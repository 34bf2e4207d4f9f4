//! TLS: the certificates that are trusted.

use std::{net::IpAddr, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};

use crate::{
    error::SendError,
    target::{Target, TargetHost},
};

/// TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refuses its own settings, or a certificate.
    #[error("cannot use TLS: {0}")]
    Library(#[from] tokio_rustls::rustls::Error),
    /// A file of certificates cannot be read.
    #[error("cannot read certificates: {0}")]
    File(#[from] tokio_rustls::rustls::pki_types::pem::Error),
}

/// TLS that trusts the certificates of this machine (`SSL_CERT_FILE`, or those of the system).
///
/// # Errors
/// [`TlsError`] if the library refuses its own settings.
pub fn system_tls() -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // A machine without certificates trusts none, and each request says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusting(roots)
}

/// TLS that also trusts the certificates in the PEM file `more`.
///
/// # Errors
/// [`TlsError`] if the file cannot be read, or holds no certificate.
pub fn system_tls_and(more: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in CertificateDer::pem_file_iter(more)? {
        roots.add(certificate?)?;
    }
    trusting(roots)
}

/// TLS that trusts these certificates.
pub(crate) fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Target {
    /// The name for which the other side has to have a certificate.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, SendError> {
        match self.host() {
            TargetHost::Address(address) => Ok(ServerName::from(address)),
            TargetHost::Name(name) => tls_name(&name),
        }
    }
}

/// A host name or an IP address, as certificates name it.
pub(crate) fn tls_name(host: &str) -> Result<ServerName<'static>, SendError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    ServerName::try_from(host.to_owned())
        .map_err(|error| SendError::Tls { reason: error.to_string() })
}
