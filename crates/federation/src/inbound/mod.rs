//! Requests of other servers: the listener, its routes, and the answers.
//!
//! **Invariant:** nothing is read or changed for a request before its signature holds, except keys and versions.
//! **Invariant:** each request is bounded in time and bytes, and each server in requests and bytes per second.
//! **Invariant:** a request that is not offered gets 404 `M_UNRECOGNIZED`.

mod authenticated;
mod events;
mod joining;
mod large;
mod listener;
mod queries;
mod rates;
mod refusal;
mod router;
mod send;
mod transactions;

pub(crate) use self::joining::preview;
pub use self::listener::{ListenError, Listener, TlsFiles};
#[cfg(test)]
pub(crate) use self::{authenticated::BODY_BYTES_MAX, rates::STRANGER_REJECTED_PACE};
pub(crate) use self::{
    large::LargeAnswers,
    rates::Rates,
    router::router,
    send::{EDUS_MAX, PDUS_MAX},
    transactions::Turns,
};
