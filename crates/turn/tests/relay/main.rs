//! The relay, used and abused by clients.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bounds;
mod credentials;
mod fixture;
mod peers;
mod relaying;
mod strangers;
