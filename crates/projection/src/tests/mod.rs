//! Tests of the crate's parts together.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod acting;
mod calls;
mod consistency;
mod parking;
mod pieces;
mod rebuilding;
mod snapshots;
mod testing;
mod toy;
mod unread;

pub(crate) use self::{testing::trip, toy::Toy};
