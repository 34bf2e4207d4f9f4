//! The client: it resolves a name, checks every address, and connects to one of those that it checked.
//!
//! **Invariant:** a name is resolved once for a request, by the [`Resolver`] of this client. No other part resolves it.
//! **Invariant:** if one of the addresses of a name is refused, nothing is sent.
//! **Invariant:** an answer is never followed to another place, and at most `answer_bytes_max` of it are read.
//! **Invariant:** all answers that arrive at the same time take bounded memory: beyond its first MiB, each has to get its
//! share of 256 MiB.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Response, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Semaphore, oneshot},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    error::SendError,
    guard::Guard,
    pool::{Connection, Peer, Pool, Running},
    resolver::Resolver,
    target::{Target, TargetHost},
    tls::{Tls, tls_name},
};

/// How long a request takes at most unless it says otherwise, from its name to the end of its answer.
pub const TIME_MAX: Duration = Duration::from_secs(10);

/// Most bytes of an answer that are read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Most MiB of all answers that arrive at the same time, without the first one of each.
const LARGE_MIBS_MAX: usize = 256;

const MIB: usize = 1024 * 1024;

/// A slice of a long answer, and the pause after it: at most 16 MiB in a second.
pub(crate) const SLICE_BYTES: usize = 64 * 1024;
pub(crate) const SLICE_PAUSE: Duration = Duration::from_millis(4);

/// Most headers of an answer.
const HEADERS_MAX: usize = 100;

/// Names that are resolved at the same time. A resolver of the system may hang, and takes a thread.
const RESOLVED_AT_ONCE_MAX: usize = 64;

/// Addresses of a name that are tried.
const ADDRESSES_TRIED_MAX: usize = 4;

/// How long one address is tried.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub target: Target,
    /// Headers. `Host`, `Content-Length` and `User-Agent` are added.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How long it may take, from its name to the end of its answer: [`TIME_MAX`] for addresses of users.
    pub time_max: Duration,
    /// Most bytes of the answer that are read: [`ANSWER_BYTES_MAX`] for addresses of users.
    pub answer_bytes_max: usize,
    /// The server that has to answer, if it has another name than the host of the target.
    pub server: Option<ServerAtTarget>,
}

/// The names of a server that is reached under another name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAtTarget {
    /// The host name or IP address for which the server needs a certificate.
    pub tls_name: String,
    /// The value of `Host`.
    pub host: String,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Bytes,
    /// Whether the body was longer, or did not arrive as a whole.
    pub is_cut: bool,
}

/// Sends requests to addresses that it may reach.
pub struct Client {
    guard: Guard,
    resolver: Arc<dyn Resolver>,
    tls: Tls,
    resolving: Arc<Semaphore>,
    large: Arc<Semaphore>,
    pool: Option<Pool>,
}

impl Client {
    /// A client that sends to the addresses that `guard` allows.
    #[must_use]
    pub fn new(guard: Guard, resolver: Arc<dyn Resolver>, tls: impl Into<Tls>) -> Self {
        let tls = tls.into();
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let (resolving, large) = (semaphore(RESOLVED_AT_ONCE_MAX), semaphore(LARGE_MIBS_MAX));
        Self { guard, resolver, tls, resolving, large, pool: None }
    }

    /// The same client, with another bound for large answers.
    #[cfg(test)]
    pub(crate) fn with_large_mibs(self, mibs: usize) -> Self {
        Self { large: Arc::new(Semaphore::new(mibs)), ..self }
    }

    /// The MiB that large answers can still take.
    #[cfg(test)]
    pub(crate) fn large_mibs_left(&self) -> usize {
        self.large.available_permits()
    }

    /// Keeps connections for further requests to the same server, for a while.
    #[must_use]
    pub fn keeping_connections(self) -> Self {
        Self { pool: Some(Pool::default()), ..self }
    }

    #[cfg(test)]
    pub(crate) fn idle_connections(&self) -> usize {
        self.pool.as_ref().map_or(0, Pool::len)
    }

    /// Sends a request, and returns its answer, whatever its status is.
    ///
    /// # Errors
    /// [`SendError`], which says whether the request was sent.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        let deadline = Instant::now() + request.time_max;
        let bytes_max = request.answer_bytes_max;
        let answer = timeout_at(deadline, self.answer(request)).await;
        let arriving = answer.unwrap_or(Err(SendError::TooSlow))?;
        let (answer, connection) = read(arriving, deadline, bytes_max, &self.large).await;
        if let (Some(pool), Some((peer, connection))) = (&self.pool, connection) {
            pool.put(peer, connection);
        }
        Ok(answer)
    }

    /// Refuses a target that is an address to which nothing may be sent. Resolves no name.
    ///
    /// # Errors
    /// [`SendError::Refused`].
    pub fn check(&self, target: &Target) -> Result<(), SendError> {
        match target.host() {
            TargetHost::Address(address) => self.guard.check(address, target.is_encrypted()),
            TargetHost::Name(_) => Ok(()),
        }
    }

    /// The addresses to which requests for `target` go now.
    ///
    /// # Errors
    /// [`SendError::Refused`] names the first address that is refused.
    pub async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, SendError> {
        let addresses = match target.host() {
            TargetHost::Address(address) => vec![address],
            TargetHost::Name(name) => {
                let resolved = self.resolve(name).await;
                resolved.map_err(|error| SendError::NoSuchName { reason: error.to_string() })?
            }
        };
        if addresses.is_empty() {
            return Err(SendError::NoSuchName { reason: "it has no address".into() });
        }
        for address in &addresses {
            self.guard.check(*address, target.is_encrypted())?;
        }
        let port = target.port();
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Resolves a name, in a task of its own: a caller that has no time left does not free the thread of the resolver.
    async fn resolve(&self, name: String) -> io::Result<Vec<IpAddr>> {
        let turn = Arc::clone(&self.resolving).acquire_owned().await.map_err(io::Error::other)?;
        let resolver = Arc::clone(&self.resolver);
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            tell.send(resolver.resolve(&name).await).ok();
            drop(turn);
        });
        told.await.map_err(io::Error::other)?
    }

    async fn answer(&self, request: Request) -> Result<Arriving, SendError> {
        let addresses = self.addresses(&request.target).await?;
        let name = match &request.server {
            _ if !request.target.is_encrypted() => None,
            Some(server) => Some(tls_name(&server.tls_name)?),
            None => Some(request.target.server_name()?),
        };
        let tls_name = name.as_ref().map(|name| name.to_str().into_owned());
        let is_wanted =
            |peer: &Peer| addresses.contains(&peer.address) && peer.tls_name == tls_name;
        // A server may close an idle connection at any moment, so another one may work.
        while let Some((peer, mut connection)) =
            self.pool.as_ref().and_then(|pool| pool.take(is_wanted))
        {
            if connection.sender.ready().await.is_err() {
                continue;
            }
            let is_safe = request.method.is_idempotent();
            let sent = connection.sender.try_send_request(request.clone().into_http()?).await;
            match sent {
                Ok(response) => return Ok(Arriving { response, peer, connection }),
                Err(mut error) => {
                    let is_unsent = error.take_message().is_some();
                    if !is_unsent && !is_safe {
                        return Err(SendError::Broken { reason: error.into_error().to_string() });
                    }
                }
            }
        }
        let (stream, address) = connect(&addresses).await?;
        let peer = Peer { address, tls_name };
        let Some(name) = name else { return exchange(stream, peer, request).await };
        let stream = TlsConnector::from(self.tls.config().await?).connect(name, stream).await;
        let stream = stream.map_err(|error| SendError::Tls { reason: error.to_string() })?;
        exchange(stream, peer, request).await
    }
}

/// Connects to the first of these addresses that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), SendError> {
    let mut reason = String::new();
    for address in addresses.iter().take(ADDRESSES_TRIED_MAX) {
        match timeout(CONNECT_TIME_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).ok();
                return Ok((stream, *address));
            }
            Ok(Err(error)) => reason = error.to_string(),
            Err(_elapsed) => "it does not answer".clone_into(&mut reason),
        }
    }
    Err(SendError::Unreachable { reason })
}

async fn exchange<S>(stream: S, peer: Peer, request: Request) -> Result<Arriving, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| SendError::Broken { reason: error.to_string() };
    let mut bounded = http1::Builder::new();
    bounded.max_buf_size(ANSWER_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = bounded.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let running = Running(tokio::spawn(async move {
        connection.await.ok();
    }));
    let response = sender.send_request(request.into_http()?).await.map_err(broken)?;
    Ok(Arriving { response, peer, connection: Connection { sender, _running: running } })
}

/// An answer whose body arrives, and its connection.
struct Arriving {
    response: Response<Incoming>,
    peer: Peer,
    connection: Connection,
}

/// Reads the body of an answer, as far as it arrives until `deadline` and there is memory for it. The status is the
/// answer, also if the rest of the body does not arrive. After the first MiB there is a pause after each slice, so that a
/// server that sends as fast as it can takes little time from others.
/// Returns the connection if it can take another request.
async fn read(
    arriving: Arriving,
    deadline: Instant,
    bytes_max: usize,
    large: &Semaphore,
) -> (Answer, Option<(Peer, Connection)>) {
    let Arriving { response, peer, connection } = arriving;
    let (head, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    let mut is_cut = false;
    let (mut shares, mut paused_at) = (Vec::new(), 0);
    while let Some(frame) = timeout_at(deadline, incoming.frame()).await.transpose() {
        let Ok(Ok(frame)) = frame else {
            is_cut = true;
            break;
        };
        let Ok(data) = frame.into_data() else { continue };
        let room = bytes_max - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            is_cut = true;
            break;
        }
        // A frame is shorter than a MiB.
        if body.len() > (shares.len() + 1) * MIB {
            let Ok(share) = large.try_acquire() else {
                is_cut = true;
                break;
            };
            shares.push(share);
        }
        if body.len() > MIB && body.len() - paused_at >= SLICE_BYTES {
            paused_at = body.len();
            sleep_until(deadline.min(Instant::now() + SLICE_PAUSE)).await;
        }
    }
    let (status, headers) = (head.status, head.headers);
    let connection = (!is_cut).then_some((peer, connection));
    (Answer { status, headers, body: body.freeze(), is_cut }, connection)
}

impl Request {
    fn into_http(self) -> Result<hyper::Request<Full<Bytes>>, SendError> {
        let Self { method, target, headers, body, server, .. } = self;
        let host = server.map_or_else(|| target.authority(), |server| server.host);
        let agent = concat!("Rookery/", env!("CARGO_PKG_VERSION"));
        let request = hyper::Request::builder()
            .method(method)
            .uri(target.path_and_query())
            .header(header::HOST, host)
            .header(header::USER_AGENT, agent)
            .body(Full::new(body));
        let mut request =
            request.map_err(|error| SendError::Broken { reason: error.to_string() })?;
        request.headers_mut().extend(headers);
        Ok(request)
    }
}
