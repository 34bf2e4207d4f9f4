//! Tests of the calls against the real write side and the real read models, and of the push.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod consuming;
mod following;
mod home;
mod identity;
mod pushing;
mod rooms;
mod sending;
mod users;
