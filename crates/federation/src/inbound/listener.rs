//! The listener for other servers, with TLS from files or without TLS behind a proxy.
//!
//! **Invariant:** connections are bounded, in all and for each address. Each has a time for its handshake, for the head
//! of each request, and for staying idle.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use rookery_rates::Network;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        version::{TLS12, TLS13},
    },
};
use tower_service::Service as _;

/// Most connections.
pub(crate) const CONNECTIONS_MAX: usize = 1_024;

/// Most connections of one address.
pub(crate) const ADDRESS_CONNECTIONS_MAX: usize = 64;

/// How long the TLS handshake, and the head of a request, may take.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a connection lives. A server that has more to say connects again.
const CONNECTION_TIME_MAX: Duration = Duration::from_mins(15);

/// Most bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// The files of a certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be used.
    #[error("cannot listen on {address} ({error}): choose another address for federation.listen")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        error: io::Error,
    },
    /// A file cannot be used.
    #[error("cannot use the certificate {} with the key {}: {reason}", files.certificate.display(), files.key.display())]
    Tls {
        /// The files.
        files: TlsFiles,
        /// Why.
        reason: String,
    },
}

/// A socket that listens, before it serves.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// How many connections each address has.
type Counts = Arc<Mutex<HashMap<Network, usize>>>;

impl Listener {
    /// Binds the address and reads the files.
    ///
    /// # Errors
    /// [`ListenError`], which says what to change.
    pub async fn bind(address: SocketAddr, tls: Option<&TlsFiles>) -> Result<Self, ListenError> {
        let tls = tls.map(acceptor).transpose()?;
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| ListenError::Address { address, error })?;
        Ok(Self { socket, tls })
    }

    /// The address, with the port that the system chose.
    ///
    /// # Errors
    /// If the system does not tell it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until this is dropped.
    pub(crate) async fn serve(self, router: Router) {
        let all = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let counts = Counts::default();
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                Some(_) = tasks.join_next() => continue,
                accepted = self.socket.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of another server");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(place) = Place::of(&counts, peer.ip()) else { continue };
            let Ok(permit) = Arc::clone(&all).try_acquire_owned() else { continue };
            let (tls, router) = (self.tls.clone(), router.clone());
            tasks.spawn(async move {
                let served = timeout(CONNECTION_TIME_MAX, connection(stream, peer, tls, router));
                served.await.ok();
                drop((place, permit));
            });
        }
    }
}

/// A connection of an address, until this is dropped.
struct Place {
    counts: Counts,
    network: Network,
}

impl Place {
    fn of(counts: &Counts, address: IpAddr) -> Option<Self> {
        let network = Network::of(address);
        let mut all = counts.lock();
        let count = all.entry(network).or_default();
        if *count >= ADDRESS_CONNECTIONS_MAX {
            return None;
        }
        *count += 1;
        Some(Self { counts: Arc::clone(counts), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.counts.lock();
        if let Some(count) = all.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.network);
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, router: Router) {
    stream.set_nodelay(true).ok();
    let Some(tls) = tls else { return exchange(stream, peer, router).await };
    match timeout(HEAD_TIME_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => exchange(stream, peer, router).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no encrypted connection"),
        Err(_elapsed) => tracing::debug!(%peer, "the handshake takes too long"),
    }
}

async fn exchange<S>(stream: S, peer: SocketAddr, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let response = router.call(request).await;
            Ok::<_, Infallible>(response.unwrap_or_else(|never| match never {}))
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%peer, %error, "a connection of another server ended");
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ListenError> {
    let failed = |reason: String| ListenError::Tls { files: files.clone(), reason };
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|it| failed(it.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| failed(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| failed(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
