//! Accepting connections.
//!
//! **Invariant:** a connection is accepted only when there is room for it; a waiting one makes room
//! for it.
//! **Invariant:** an error of accepting, such as no free file descriptor, delays the next try and
//! ends nothing.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::arriving::arriving;
use super::connections::{Connection, ConnectionLimits, ConnectionPlace, Connections};
use super::patience::Patient;
use super::shutdown::Shutdown;
use super::unsent::Unsent;

/// Limits of connections.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Most connections, with sockets and streams, which leave an eighth for requests. Beyond it a
    /// waiting connection of the address with the most makes room.
    pub connections_max: usize,
    /// Most connections of one address without a login that wait for more than a few seconds.
    /// Beyond it, each new one closes a waiting one. One address never has more than half of all
    /// connections.
    pub stranger_connections_max: usize,
    /// How long a connection without a login may last. It then ends with its next answer.
    pub stranger_lifetime: Duration,
    /// Addresses with many clients, such as reverse proxies: limits of one address do not apply to
    /// them.
    pub trusted: TrustedPeers,
    /// Time for the head of a request to arrive, and for a connection to idle between requests.
    pub header_deadline: Duration,
    /// Length of the head of a request, in bytes.
    pub header_bytes_max: usize,
    /// Time in which a peer has to read some of the pending data.
    pub write_deadline: Duration,
    /// About how many unsent bytes the kernel may hold for a connection (Linux only).
    pub unsent_bytes_max: u32,
    /// Time for requests in flight to finish after a shutdown request.
    pub drain_deadline: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 16 * 1024,
            stranger_connections_max: 512,
            stranger_lifetime: Duration::from_mins(1),
            trusted: TrustedPeers::default(),
            header_deadline: Duration::from_secs(30),
            header_bytes_max: 64 * 1024,
            write_deadline: Duration::from_secs(30),
            unsent_bytes_max: 64 * 1024,
            drain_deadline: Duration::from_secs(10),
        }
    }
}

/// Decides which addresses have many clients.
#[derive(Clone)]
pub struct TrustedPeers(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl TrustedPeers {
    /// The addresses for which `speaks_for_many` returns `true`.
    pub fn new(speaks_for_many: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(speaks_for_many))
    }
}

impl Default for TrustedPeers {
    fn default() -> Self {
        Self::new(|_| false)
    }
}

impl fmt::Debug for TrustedPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedPeers")
    }
}

/// How long a stopping server waits for a client that neither sends nor reads.
const STALLED: Duration = Duration::from_secs(1);

/// How long the kernel retransmits unconfirmed data: longer than a slow reader is waited for. On
/// connections without requests, such as event streams, this detects a peer that has vanished.
#[cfg(target_os = "linux")]
const UNCONFIRMED_MAX: Duration = Duration::from_secs(80);

/// Wait before accepting again after an error.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until a shutdown is requested and the requests in flight are
/// answered.
///
/// Sockets outlive this by the time of their closing handshake: see [`ShutdownHandle::drained`].
///
/// [`ShutdownHandle::drained`]: crate::ShutdownHandle::drained
///
/// The future is boxed here, so that this crate compiles it once and the callers do not compile it again.
pub fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: Shutdown,
) -> BoxFuture<'static, ()> {
    Box::pin(accept_all(listener, router, options, shutdown))
}

async fn accept_all(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    mut shutdown: Shutdown,
) {
    let mut tasks = JoinSet::new();
    let connections = Connections::new(ConnectionLimits {
        connections_max: options.connections_max,
        strangers_max: options.stranger_connections_max,
        stranger_lifetime: options.stranger_lifetime,
    });
    loop {
        let accept = async {
            let (stream, peer) = listener.accept().await?;
            let trusted = (options.trusted.0)(peer.ip());
            Ok::<_, std::io::Error>((connections.place(peer.ip(), trusted).await, stream, peer))
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((place, stream, peer)) => {
                let Some(place) = place else { continue };
                tasks.spawn(connection(
                    (stream, peer),
                    place,
                    router.clone(),
                    options.clone(),
                    shutdown.clone(),
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection; trying again");
                sleep(RETRY_AFTER).await;
            }
        }
    }
    drop(listener);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if timeout(options.drain_deadline, drained).await.is_err() {
        tracing::warn!(left = tasks.len(), "requests still in flight are cut");
    }
}

/// Sets the kernel's buffering of a connection.
fn tune(stream: &TcpStream, unsent_bytes_max: u32) {
    // Answers are written whole, so waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    // Otherwise the kernel buffers megabytes for a peer that does not read. Data in transit to a
    // reading peer does not count.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(unsent_bytes_max) {
        tracing::debug!(%error, "failed to set TCP_NOTSENT_LOWAT");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNCONFIRMED_MAX)) {
        tracing::debug!(%error, "failed to set TCP_USER_TIMEOUT");
    }
    #[cfg(not(target_os = "linux"))]
    let _: u32 = unsent_bytes_max;
}

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    place: ConnectionPlace,
    router: Router,
    options: ServeOptions,
    mut shutdown: Shutdown,
) {
    tune(&stream, options.unsent_bytes_max);
    let unsent = Unsent::default();
    let held = Arc::clone(&place.0);
    let patient = Patient::new(stream, place, options.write_deadline, unsent.clone());
    let service = service_fn({
        let held = Arc::clone(&held);
        move |request: hyper::Request<Incoming>| {
            let mut request = arriving(request, &held);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(unsent.clone());
            answer(request, router.clone(), Arc::clone(&held))
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_deadline)
        .max_header_size(options.header_bytes_max)
        // This alone bounds the length of a head only to within one read.
        .max_buf_size(options.header_bytes_max);
    let mut serving =
        pin!(builder.serve_connection(TokioIo::new(patient), service).with_upgrades());
    let finished = tokio::select! {
        biased;
        () = shutdown.requested() => None,
        () = held.evicted() => return,
        finished = serving.as_mut() => Some(finished),
    };
    let finished = if let Some(finished) = finished {
        finished
    } else {
        serving.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            finished = serving => finished,
            () = held.stalled(STALLED) => {
                return tracing::debug!(%peer, "a client that neither sends nor reads is left behind");
            }
        }
    };
    if let Err(error) = finished {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

async fn answer(
    mut request: Request,
    mut router: Router,
    connection: Arc<Connection>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(Arc::clone(&connection));
    let mut response = router.call(request).await.unwrap_or_else(|never| match never {});
    connection.waits();
    // The rest of a body would be read as the next request, so there can be none.
    let is_last = connection.is_overdue() || connection.is_owed_body();
    if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
