//! Limits of one client, one user and one address: held resources, requests, and lines in the log.

pub(crate) mod budget;
pub(crate) mod callers;
pub(crate) mod rate;
pub(crate) mod security;
pub(crate) mod untaken;
