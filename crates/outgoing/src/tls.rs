//! TLS: the certificates that are trusted.

use std::{net::IpAddr, path::Path, sync::Arc};

use tokio::sync::OnceCell;
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

/// The TLS of a client.
#[derive(Clone, Debug)]
pub struct Tls(Option<Arc<ClientConfig>>);

/// The certificates of this machine, as its first connection reads them: hundreds of files.
static SYSTEM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

/// TLS that trusts the certificates of this machine (`SSL_CERT_FILE`, or those of the system). The
/// first connection reads them.
#[must_use]
pub const fn system_tls() -> Tls {
    Tls(None)
}

impl From<Arc<ClientConfig>> for Tls {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(Some(config))
    }
}

impl Tls {
    /// The settings of a connection.
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, SendError> {
        if let Some(config) = &self.0 {
            return Ok(Arc::clone(config));
        }
        let refused = |reason: String| SendError::Tls { reason };
        let read = || async {
            let read = tokio::task::spawn_blocking(|| trusting(system_roots())).await;
            read.map_err(|error| refused(error.to_string()))?
                .map_err(|error| refused(error.to_string()))
        };
        SYSTEM.get_or_try_init(read).await.cloned()
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // A machine without certificates trusts none, and each request says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// TLS that also trusts the certificates in the PEM file `more`.
///
/// # Errors
/// [`TlsError`] if the file cannot be read, or holds no certificate.
pub fn system_tls_and(more: &Path) -> Result<Tls, TlsError> {
    let mut roots = system_roots();
    for certificate in CertificateDer::pem_file_iter(more)? {
        roots.add(certificate?)?;
    }
    Ok(trusting(roots)?.into())
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
