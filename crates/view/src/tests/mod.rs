//! Tests of the crate's parts together.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod beginning;
mod ignoring;
mod members;
mod moments;
mod parking;
mod reading;
mod receipts;
mod relations;
mod syncing;
pub(crate) mod testing;
mod viewers;
