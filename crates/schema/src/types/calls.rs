//! Calls between two users, and their signals.

pub mod call;
pub(crate) mod event;
pub mod ice_server;
pub mod kinds;
pub mod pages;
pub mod signal;
