//! Refusals that the security log records.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use rookery_graphql_documents::{Refusal, code};

use crate::http::router::Transport;
use crate::limits::security::Refused;
use crate::port::auth::{Authenticator, Peer};

/// The codes of refusals that matter for security: the caller may have pretended to be another one,
/// or tried a forbidden operation.
const OF_SECURITY: [&str; 5] = [
    code::UNAUTHENTICATED,
    code::FORBIDDEN,
    code::ORIGIN_FORBIDDEN,
    code::DOCUMENT_NOT_ALLOWED,
    code::INTROSPECTION_FORBIDDEN,
];

/// The address of a request, if the server knows it.
pub(crate) fn peer_of(extensions: &Extensions) -> Peer {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(Peer::UNKNOWN, |ConnectInfo(address)| Peer { address: *address })
}

impl<E, A: Authenticator> Transport<E, A> {
    /// Records in the security log that `what` was refused to `session`, or to an unknown caller,
    /// if that matters for security.
    pub(crate) fn tell_refused(
        &self,
        what: &'static str,
        (session, peer): (Option<&A::Session>, Peer),
        refusal: &Refusal,
    ) {
        tracing::debug!(target: "rookery::operation", code = refusal.code, "refused");
        if !OF_SECURITY.contains(&refusal.code) {
            return;
        }
        self.options.security.refused(&Refused {
            what,
            reason: refusal.code,
            user: session.and_then(|session| self.authenticator.caller(session).user),
            named: None,
            address: peer.address.ip(),
        });
    }
}
