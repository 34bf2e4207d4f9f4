//! End-to-end tests: the real binary, real sockets, real files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "documents are short, and read better so"
)]

mod access;
mod bounds;
mod calls;
mod durability;
mod operating;
mod rooms;
mod services;
mod streams;
mod support;
mod users;
mod webhooks;

use self::{
    bounds::{abuse, costly},
    durability::crash,
    streams::resume,
    support::{client, oracle, raw, receiver, server, shape},
};
