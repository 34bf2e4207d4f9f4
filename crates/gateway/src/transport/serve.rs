//! Accepting connections.
//!
//! **Invariant:** an error of accepting, such as having no file descriptor left, delays the next try and ends nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::patience::Patient;
use super::shutdown::Shutdown;
use super::unsent::Unsent;

/// Limits of connections.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// HTTP connections at a time; those beyond wait in the backlog. A socket counts until it is upgraded.
    pub connections_max: usize,
    /// Time for the head of a request to arrive, and for a connection to idle between requests.
    pub header_deadline: Duration,
    /// Length of the head of a request, in bytes.
    pub header_bytes_max: usize,
    /// Time in which a peer has to read something of what is written to it.
    pub write_deadline: Duration,
    /// About how many bytes the kernel may hold of a connection that are not yet on their way (Linux only).
    pub unsent_bytes_max: u32,
    /// Time for requests in flight to finish after a shutdown was asked for.
    pub drain_deadline: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 16 * 1024,
            header_deadline: Duration::from_secs(30),
            header_bytes_max: 64 * 1024,
            write_deadline: Duration::from_secs(30),
            unsent_bytes_max: 64 * 1024,
            drain_deadline: Duration::from_secs(10),
        }
    }
}

/// Wait before accepting again after an error.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until a shutdown is asked for and the requests in flight are answered.
///
/// Sockets outlive this by the time of their closing handshake: see [`ShutdownHandle::drained`].
///
/// [`ShutdownHandle::drained`]: super::ShutdownHandle::drained
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    mut shutdown: Shutdown,
) {
    let mut connections = JoinSet::new();
    let free = Arc::new(Semaphore::new(options.connections_max));
    loop {
        let accept = async {
            let permit = Arc::clone(&free).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection =
                    connection(stream, peer, router.clone(), options.clone(), shutdown.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection; trying again");
                sleep(RETRY_AFTER).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(options.drain_deadline, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "requests still in flight are cut");
    }
}

/// Sets how the kernel buffers a connection.
fn tune(stream: &TcpStream, unsent_bytes_max: u32) {
    // Answers are written whole; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    // Else the kernel takes megabytes for a peer that does not read. What is on its way to one that reads is not meant.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(unsent_bytes_max) {
        tracing::debug!(%error, "failed to set TCP_NOTSENT_LOWAT");
    }
    #[cfg(not(target_os = "linux"))]
    let _: u32 = unsent_bytes_max;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    options: ServeOptions,
    mut shutdown: Shutdown,
) {
    tune(&stream, options.unsent_bytes_max);
    let unsent = Unsent::default();
    let patient = Patient::new(stream, options.write_deadline, unsent.clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(unsent.clone());
        let answer = router.clone().call(request);
        async move { Ok::<Response, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_deadline)
        .max_buf_size(options.header_bytes_max);
    let mut serving =
        pin!(builder.serve_connection(TokioIo::new(patient), service).with_upgrades());
    let finished = tokio::select! {
        biased;
        () = shutdown.requested() => None,
        finished = serving.as_mut() => Some(finished),
    };
    let finished = if let Some(finished) = finished {
        finished
    } else {
        serving.as_mut().graceful_shutdown();
        serving.await
    };
    if let Err(error) = finished {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
