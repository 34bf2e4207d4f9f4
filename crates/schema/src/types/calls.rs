//! Calls between two users, and their signals.

pub mod call;
pub(crate) mod event;
pub mod kinds;
pub mod pages;
pub mod signal;
