//! One stream and its state: loading, caching, deciding and appending.

pub(crate) mod aggregate;
pub(crate) mod cache;
pub(crate) mod frozen;
pub(crate) mod handle;
pub(crate) mod snapshot;
pub(crate) mod state;
