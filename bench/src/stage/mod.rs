//! The server under test, and its data.

pub(crate) mod dataset;
pub(crate) mod files;
pub(crate) mod seed;
pub(crate) mod server;
