//! Who asks: the port through which the transport learns about accounts.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_graphql::Request;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use futures_util::future::BoxFuture;

/// The other end of the connection. Every request carries it in its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address that connected; a proxy's if there is one in between.
    pub address: SocketAddr,
}

impl Peer {
    /// For a connection whose address the server was not told.
    pub(crate) const UNKNOWN: Self =
        Self { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0) };
}

/// Why nobody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// The token is unknown, expired or revoked: log in again.
    #[error("the access token is not valid; log in again")]
    Invalid,
    /// Tokens cannot be checked now: try again later.
    #[error("access tokens cannot be checked now; try again later")]
    Unavailable,
}

/// Whom a request is counted for, and what may be shown to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The user who is logged in, if one is.
    pub user: Option<&'a str>,
    /// Whether that is an administrator.
    pub is_admin: bool,
}

impl Caller<'_> {
    /// Who is not logged in.
    pub const NOBODY: Self = Self { user: None, is_admin: false };
}

/// The end of a session.
pub trait SessionEnd: Send + Sync + 'static {
    /// Whether the session is over. It is asked before each operation and each message, so it has to be quick.
    fn is_over(&self) -> bool;

    /// Resolves once the session is over, by logout, removal or expiry; never for the session of nobody.
    fn over(&self) -> BoxFuture<'static, ()>;
}

/// Turns access tokens into sessions.
///
/// **Invariant:** a session is over before the call that ends it answers.
/// **Invariant:** without a token the answer is the session of nobody, unless nobody may use the server;
/// what nobody may do is for the schema to say.
pub trait Authenticator: Send + Sync + 'static {
    /// Who asks. Goes into the data of each request.
    type Session: Clone + Send + Sync + 'static;

    /// Finds the session of `bearer`.
    ///
    /// # Errors
    /// [`AuthFailure`]; becomes 401 or 503 over HTTP, and 4403 or 1013 over WebSocket.
    fn authenticate(
        &self,
        bearer: Option<&str>,
        peer: &Peer,
    ) -> impl Future<Output = Result<Self::Session, AuthFailure>> + Send;

    /// The end of `session`, for those who wait for it.
    fn end(&self, session: &Self::Session) -> Arc<dyn SessionEnd>;

    /// A socket of `session` has opened. It has closed when what this gives is dropped.
    fn connected(&self, _session: &Self::Session) -> Box<dyn Send> {
        Box::new(())
    }

    /// Who that is, for limits.
    fn caller<'a>(&self, _session: &'a Self::Session) -> Caller<'a> {
        Caller::NOBODY
    }

    /// Puts into the data of a request what its resolvers need.
    fn prepare(&self, request: Request, session: &Self::Session) -> Request {
        request.data(session.clone())
    }
}

/// The token of an `Authorization` header.
///
/// # Errors
/// [`AuthFailure::Invalid`] for another scheme: acting as nobody would surprise.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, AuthFailure> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = value.to_str().map_err(|_| AuthFailure::Invalid)?;
    bearer_of(value).map(Some).ok_or(AuthFailure::Invalid)
}

/// The token of `Bearer TOKEN`. Source: RFC 6750, section 2.1; the scheme's case is free (RFC 9110, 11.1).
pub(crate) fn bearer_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
