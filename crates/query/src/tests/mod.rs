//! Tests of the models together.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod following;
mod reading;
