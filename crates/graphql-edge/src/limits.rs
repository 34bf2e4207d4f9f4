//! Bounds on what one client, one user and one address can hold, ask for and have written to the log.

pub(crate) mod address;
pub(crate) mod budget;
pub(crate) mod callers;
pub(crate) mod rate;
pub(crate) mod security;
pub(crate) mod untaken;
