//! The rules of rooms and accounts, seen from outside.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

mod account_data;
mod accounts;
mod anything;
mod bounds;
mod calls;
mod fingerprints;
mod golden;
mod ignoring;
mod permissions;
mod rooms;
mod signing;

use self::rooms::power;
