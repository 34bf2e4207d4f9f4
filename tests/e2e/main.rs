//! End-to-end tests: the real binary, real sockets, real files.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod client;
mod conversation;
mod crash;
mod resume;
mod server;
