//! Clients for one protocol each, which see every byte.

pub(crate) mod http;
pub(crate) mod socket;
pub(crate) mod stream;
