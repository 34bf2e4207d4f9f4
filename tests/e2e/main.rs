//! End-to-end tests: the real binary, real sockets, real files.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod abuse;
mod client;
mod conversation;
mod crash;
mod import;
mod operator;
mod oracle;
mod raw;
mod rebuild;
mod resume;
mod rules;
mod scroll;
mod seam;
mod server;
mod sockets;
mod starving;
mod visibility;
