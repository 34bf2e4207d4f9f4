//! Tests of the guard and of the client.

mod addresses;
mod client;
