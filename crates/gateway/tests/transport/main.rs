//! The transport, spoken to over real sockets, in front of a toy schema.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::unused_async, reason = "resolvers are async, whatever they do")]

mod answers;
mod bounds;
mod costs;
mod faults;
mod http;
mod http_client;
mod limits;
mod multipart;
mod pages;
mod persisted;
mod rates;
mod revoked;
mod socket;
mod socket_client;
mod socket_limits;
mod sse;
mod sse_single;
mod stream_client;
mod stream_limits;
mod toy;
