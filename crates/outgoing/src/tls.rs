//! TLS: the certificates that are trusted.

use std::sync::Arc;

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};

use crate::{
    error::SendError,
    target::{Target, TargetHost},
};

/// TLS cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use TLS: {0}")]
pub struct TlsError(#[from] tokio_rustls::rustls::Error);

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
            TargetHost::Name(name) => ServerName::try_from(name)
                .map_err(|error| SendError::Tls { reason: error.to_string() }),
        }
    }
}
