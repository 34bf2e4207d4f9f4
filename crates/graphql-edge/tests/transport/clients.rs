//! Clients that speak one protocol each, and see every byte.

pub(crate) mod http;
pub(crate) mod socket;
pub(crate) mod stream;
