//! The rules of rooms and accounts, seen from outside.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

mod creation;
