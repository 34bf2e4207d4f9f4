//! HTTP requests of the server to other programs: webhooks, bridges and other servers.
//!
//! Users choose the addresses. So a request goes only to public addresses, or to networks that an operator names. The
//! client resolves a name itself, checks every address, and connects to one that it has checked. A name that changes
//! its address in between changes nothing.
//!
//! **Invariant:** no byte leaves for an address that the guard refuses.
//! **Invariant:** a request ends within its time, follows no redirect, and reads no more bytes than it allows:
//! [`TIME_MAX`] and [`ANSWER_BYTES_MAX`] for addresses of users.
//! **Invariant:** a connection that is used again is one to an address that was resolved and checked for the request.

mod client;
mod error;
mod guard;
mod pauses;
mod pool;
mod resolver;
mod target;
mod tls;

#[cfg(test)]
mod tests;

pub use bytes::Bytes;
pub use hyper::{
    HeaderMap, Method, StatusCode,
    header::{self, HeaderValue},
};

pub use self::{
    client::{ANSWER_BYTES_MAX, Answer, Client, Request, ServerAtTarget, TIME_MAX},
    error::SendError,
    guard::{Guard, Refusal},
    pauses::Pauses,
    resolver::{Resolver, SystemResolver},
    target::{Target, TargetError, URL_BYTES_MAX},
    tls::{Tls, TlsError, system_tls, system_tls_and},
};
