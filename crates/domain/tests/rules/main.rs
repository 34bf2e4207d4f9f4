//! The rules of rooms and accounts, seen from outside.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

mod accounts;
mod anything;
mod bounds;
mod creation;
mod fingerprints;
mod folding;
mod golden;
mod membership;
mod messages;
mod power;
mod redaction;
mod relations;
mod settings;
mod signing;
mod upgrade;
mod visibility;
