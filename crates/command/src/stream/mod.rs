//! One stream and its state: loaded, kept in memory, decided on and appended to.

pub(crate) mod aggregate;
pub(crate) mod cache;
pub(crate) mod cell;
pub(crate) mod handle;
pub(crate) mod snapshot;
