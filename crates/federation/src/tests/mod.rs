//! A server with its listener and its sender, and a peer that signs what a test says.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod abuse;
mod backfill;
mod elsewhere;
mod gaps;
mod lookups;
mod pair;
mod peer;
mod sending;
mod strangers;
mod taking_part;
mod troubles;
mod world;
