//! The edge over real sockets, in front of a schema that is not Rookery's.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::unused_async, reason = "resolvers are async, whatever they do")]

mod clients;
mod http;
mod limits;
mod sockets;
mod streams;
mod toy;
