//! Authentication: the port to the accounts.

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
    /// The address of the connection: that of a proxy, if there is one.
    pub address: SocketAddr,
}

impl Peer {
    /// For a connection whose address the server does not know.
    pub(crate) const UNKNOWN: Self =
        Self { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0) };
}

/// The header that names the user as whom a program acts. `actAs` in the payload of
/// `connection_init` means the same.
pub(crate) const ACT_AS: &str = "rookery-act-as";

/// The credentials of a request. The authenticator alone knows what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The token of `Authorization: Bearer TOKEN`.
    pub bearer: Option<&'a str>,
    /// The value of `Rookery-Act-As`: the user as whom the owner of the token wants to act.
    pub act_as: Option<&'a str>,
}

/// A token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// The token is unknown, expired or revoked: log in again.
    #[error("the access token is not valid; log in again")]
    Invalid,
    /// Tokens cannot be checked now: try again later.
    #[error("access tokens cannot be checked now; try again later")]
    Unavailable,
    /// The owner of the token may not act as the named user: name another one, or create it first.
    #[error("you may not act as this user")]
    Forbidden,
}

/// The caller that a request counts for, with their rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The logged-in user, if there is one.
    pub user: Option<&'a str>,
    /// Whether the user is an administrator.
    pub is_admin: bool,
    /// Whether the caller is a program with a rate of its own.
    pub is_program: bool,
}

impl Caller<'_> {
    /// A caller without a login.
    pub const NOBODY: Self = Self { user: None, is_admin: false, is_program: false };
}

/// The end of a session.
pub trait SessionEnd: Send + Sync + 'static {
    /// Whether the session is over. It is called before each operation and each message, so it has
    /// to be quick.
    fn is_over(&self) -> bool;

    /// Resolves once the session is over, by logout, removal or expiry; never for a session without
    /// a login.
    fn over(&self) -> BoxFuture<'static, ()>;
}

/// Turns access tokens into sessions.
///
/// **Invariant:** a session is over before the call that ends it answers.
/// **Invariant:** without a token it returns a session without a login, unless the server requires
/// one. The schema decides what such a session may do.
pub trait Authenticator: Send + Sync + 'static {
    /// The session of a request. It goes into the data of each request.
    type Session: Clone + Send + Sync + 'static;

    /// Finds the session of `credentials`.
    ///
    /// # Errors
    /// [`AuthFailure`]; becomes 401, 403 or 503 over HTTP, and 4403 or 1013 over WebSocket.
    fn authenticate(
        &self,
        credentials: Credentials<'_>,
        peer: &Peer,
    ) -> impl Future<Output = Result<Self::Session, AuthFailure>> + Send;

    /// The end of `session`.
    fn end(&self, session: &Self::Session) -> Arc<dyn SessionEnd>;

    /// A socket of `session` has opened. Dropping the result closes it.
    fn connected(&self, _session: &Self::Session) -> Box<dyn Send> {
        Box::new(())
    }

    /// The caller of a session, for limits.
    fn caller<'a>(&self, _session: &'a Self::Session) -> Caller<'a> {
        Caller::NOBODY
    }

    /// Adds the data for resolvers to a request.
    fn prepare(&self, request: Request, session: &Self::Session) -> Request {
        request.data(session.clone())
    }
}

/// The token of an `Authorization` header.
///
/// # Errors
/// [`AuthFailure::Invalid`] for another scheme: treating it as no login would surprise.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, AuthFailure> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = value.to_str().map_err(|_| AuthFailure::Invalid)?;
    bearer_of(value).map(Some).ok_or(AuthFailure::Invalid)
}

/// The credentials in the headers of a request.
///
/// # Errors
/// [`AuthFailure::Invalid`] for another scheme, [`AuthFailure::Forbidden`] for a user that is not text.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, AuthFailure> {
    let bearer = bearer(headers)?;
    let act_as = headers.get(ACT_AS).map(|value| value.to_str().map(str::trim));
    let act_as = act_as.transpose().map_err(|_| AuthFailure::Forbidden)?;
    Ok(Credentials { bearer, act_as })
}

/// The token of `Bearer TOKEN`. Source: RFC 6750, section 2.1; the scheme may have any case (RFC
/// 9110, 11.1).
pub(crate) fn bearer_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
