//! Why a request has no answer.

use std::net::IpAddr;

use crate::guard::Refusal;

/// A request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The server may not send there. Nothing was sent. An operator can name the network in `outgoing.allow`.
    #[error("{address} {reason}: nothing is sent there unless `outgoing.allow` names it")]
    Refused {
        /// The address.
        address: IpAddr,
        /// Why.
        reason: Refusal,
    },
    /// The name has no address now. Nothing was sent.
    #[error("the name cannot be resolved: {reason}")]
    NoSuchName {
        /// The error of the resolver.
        reason: String,
    },
    /// No connection. Nothing was sent.
    #[error("no connection: {reason}")]
    Unreachable {
        /// The error of the system.
        reason: String,
    },
    /// The other side has no certificate for its name that is trusted. Nothing was sent.
    #[error("no encrypted connection: {reason}")]
    Tls {
        /// The error of TLS.
        reason: String,
    },
    /// The connection broke, or the answer is not HTTP. The request may have arrived.
    #[error("the connection broke: {reason}")]
    Broken {
        /// The error.
        reason: String,
    },
    /// The answer did not come in time. The request may have arrived.
    #[error("there is no answer in time")]
    TooSlow,
}
