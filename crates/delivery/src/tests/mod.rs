//! Tests of the crate's parts together.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod consumers;
mod counts;
mod faults;
mod feeding;
mod following;
mod redacting;
mod resolving;
mod routing;
mod stalled;
mod testing;
