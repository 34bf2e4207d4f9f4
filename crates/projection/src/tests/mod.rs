//! Tests of the models together.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod acting;
mod beginning;
mod consistency;
mod feeding;
mod following;
mod parking;
mod reading;
mod rebuilding;
mod redacting;
mod relations;
mod resolving;
mod routing;
mod snapshots;
mod unread;
